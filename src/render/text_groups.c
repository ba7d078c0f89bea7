#include "render/text_groups.h"

#include <stdlib.h>
#include <string.h>

/* Two threads that do the same are still told apart; more are added up. In a timeline none are. */
enum { group_least = 3 };

static void make_stem(const struct sl_text *text, struct sl_text_member *member)
{
    const char *name = member->summary->name != SL_NONE ? sl_profile_text(text->profile, member->summary->name) : "";
    size_t used = 0;
    for (size_t i = 0; name[i] != '\0' && used + 1 < SL_TEXT_STEM_SIZE; i++) {
        bool digit = name[i] >= '0' && name[i] <= '9';
        if (!digit) {
            member->stem[used++] = name[i];
        } else if (used == 0 || member->stem[used - 1] != '#') {
            member->stem[used++] = '#';
        }
    }
    member->stem[used] = '\0';
}

/* Whether two threads belong into one tree, as an order. Main threads only meet those of other processes. */
static int compare_kind(const struct sl_text_member *a, const struct sl_text_member *b)
{
    if (a->record->main != b->record->main) {
        return a->record->main ? -1 : 1;
    }
    if (a->record->main) {
        return 0;
    }
    if (a->summary->first_function != b->summary->first_function) {
        return a->summary->first_function < b->summary->first_function ? -1 : 1;
    }
    return strcmp(a->stem, b->stem);
}

static int by_process_and_kind(const void *left, const void *right)
{
    const struct sl_text_member *a = left;
    const struct sl_text_member *b = right;
    if (a->record->process != b->record->process) {
        return a->record->process < b->record->process ? -1 : 1;
    }
    int kind = compare_kind(a, b);
    return kind != 0 ? kind : a->summary->thread < b->summary->thread ? -1 : 1;
}

static int by_kind(const void *left, const void *right)
{
    int kind = compare_kind(left, right);
    return kind != 0 ? kind : by_process_and_kind(left, right);
}

static int compare_ns(uint64_t a, uint64_t b)
{
    return a > b ? -1 : a < b;
}

static int main_first_then_busiest(const void *left, const void *right)
{
    const struct sl_text_group *a = left;
    const struct sl_text_group *b = right;
    if (a->members->record->main != b->members->record->main) {
        return a->members->record->main ? -1 : 1;
    }
    int order = compare_ns(a->running.ns, b->running.ns);
    order = order != 0 ? order : compare_ns(a->total.ns, b->total.ns);
    return order != 0 ? order : a->members->summary->thread < b->members->summary->thread ? -1 : 1;
}

/* The first process is the one that was started; its children follow by what they did. */
static int first_then_busiest(const void *left, const void *right)
{
    const struct sl_text_process *a = left;
    const struct sl_text_process *b = right;
    if (a->process == 0 || b->process == 0) {
        return a->process == 0 ? -1 : 1;
    }
    int order = compare_ns(a->running.ns, b->running.ns);
    order = order != 0 ? order : compare_ns(a->total.ns, b->total.ns);
    return order != 0 ? order : a->process < b->process ? -1 : 1;
}

static void add_to_group(struct sl_text_group *group, const struct sl_text_member *member)
{
    group->count++;
    sl_amount_add(&group->total, member->summary->total);
    sl_amount_add(&group->running, member->summary->running);
    group->cpu_ns += member->record->cpu_ns;
}

/* Groups of the members, which are sorted. `*groups` has room for one a member. */
static void make_groups(const struct sl_text *text, const struct sl_text_member *members, uint32_t count,
                        struct sl_text_process *process)
{
    bool merged = text->options->merge_processes;
    for (uint32_t i = 0; i < count;) {
        uint32_t end = i + 1;
        while (end < count && compare_kind(&members[i], &members[end]) == 0) {
            end++;
        }
        bool together = (end - i >= group_least && !text->options->timeline) || (merged && members[i].record->main);
        for (uint32_t member = i; member < end; member++) {
            if (member == i || !together) {
                process->groups[process->group_count++] = (struct sl_text_group){.members = &members[member]};
            }
            add_to_group(&process->groups[process->group_count - 1], &members[member]);
        }
        i = end;
    }
    for (uint32_t i = 0; i < process->group_count; i++) {
        sl_amount_add(&process->total, process->groups[i].total);
        sl_amount_add(&process->running, process->groups[i].running);
    }
    qsort(process->groups, process->group_count, sizeof *process->groups, main_first_then_busiest);
}

struct sl_text_process *sl_text_processes(struct sl_text *text, uint32_t *count)
{
    bool merged = text->options->merge_processes;
    uint32_t thread_count = 0;
    const struct sl_thread_summary *summaries =
        sl_thread_summaries(&text->arena, text->profile, &text->options->selection, &thread_count);
    struct sl_text_member *members = SL_ARENA_NEW(&text->arena, struct sl_text_member, thread_count);
    struct sl_text_group *groups = SL_ARENA_NEW(&text->arena, struct sl_text_group, thread_count);
    struct sl_text_process *processes =
        SL_ARENA_NEW(&text->arena, struct sl_text_process, (size_t)text->profile->process_count + 1);
    if (summaries == NULL || members == NULL || groups == NULL || processes == NULL) {
        return NULL;
    }
    uint32_t member_count = 0;
    for (uint32_t i = 0; i < thread_count; i++) {
        const struct sl_thread_record *record = &text->profile->threads[summaries[i].thread];
        struct sl_text_process *process = &processes[merged ? 0 : record->process];
        process->thread_count++;
        if (summaries[i].idle) {
            process->idle++;
            continue;
        }
        struct sl_text_member *member = &members[member_count++];
        member->summary = &summaries[i];
        member->record = record;
        make_stem(text, member);
    }
    qsort(members, member_count, sizeof *members, merged ? by_kind : by_process_and_kind);

    uint32_t process_count = merged ? 1 : text->profile->process_count;
    uint32_t kept = 0;
    uint32_t begin = 0;
    for (uint32_t i = 0; i < process_count; i++) {
        uint32_t end = merged ? member_count : begin;
        while (end < member_count && members[end].record->process == i) {
            end++;
        }
        struct sl_text_process process = processes[i];
        process.process = i;
        process.groups = groups + begin;
        make_groups(text, members + begin, end - begin, &process);
        if (process.thread_count > 0) {
            processes[kept++] = process;
        }
        begin = end;
    }
    qsort(processes, kept, sizeof *processes, first_then_busiest);
    *count = kept;
    return processes;
}
