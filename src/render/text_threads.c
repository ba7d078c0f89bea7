/* One tree for each process and each group of its threads, below a heading where there are several. */
#include "render/text_groups.h"

#include <stdio.h>
#include <string.h>

/* Trees for each process, and processes: what is beyond is counted. */
enum { groups_shown = 10, processes_shown = 16 };
struct plan {
    struct sl_text *text;
    struct sl_arena arena; /* of the tree that is being written */
    uint8_t *taken;        /* one byte for each thread */
};

/* ---- headings ---- */

static void add_name(struct sl_text *text, enum sl_text_color color, sl_string name)
{
    sl_text_row_fit(&text->row, color, sl_profile_text(text->profile, name), sl_profile_text_size(text->profile, name),
                    32, SL_TEXT_CUT_MIDDLE);
}

/* Numbers in names order by value, so that worker_9 comes before worker_10. */
static bool name_before(const struct sl_text *text, sl_string a, sl_string b)
{
    uint32_t a_size = sl_profile_text_size(text->profile, a);
    uint32_t b_size = sl_profile_text_size(text->profile, b);
    return a_size != b_size ? a_size < b_size
                            : strcmp(sl_profile_text(text->profile, a), sl_profile_text(text->profile, b)) < 0;
}

/* `worker_0 … worker_31` */
static void add_names(struct sl_text *text, const struct sl_text_group *group)
{
    sl_string first = group->members[0].summary->name;
    sl_string last = first;
    for (uint32_t i = 1; i < group->count; i++) {
        sl_string name = group->members[i].summary->name;
        first = name_before(text, name, first) ? name : first;
        last = name_before(text, last, name) ? name : last;
    }
    add_name(text, SL_TEXT_STRONG, first);
    if (first != last) {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, text->style.signs->to);
        add_name(text, SL_TEXT_STRONG, last);
    }
}

/* `main thread`, `thread worker-1`, `12 threads worker_0 … worker_11`, `thread` (of the function that follows). */
static void add_title(struct sl_text *text, const void *subject)
{
    const struct sl_text_group *group = subject;
    const struct sl_thread_summary *summary = group->members->summary;
    bool main = group->members->record->main;
    if (group->count > 1) {
        char count[SL_TEXT_NUMBER_SIZE];
        sl_text_count(group->count, count);
        sl_text_row_format(&text->row, SL_TEXT_PLAIN, main ? "%s main threads" : "%s threads", count);
    } else {
        sl_text_row_add(&text->row, SL_TEXT_PLAIN, main ? "main thread" : "thread");
    }
    if (!main && summary->name != SL_NONE) {
        sl_text_row_space(&text->row, 1);
        add_names(text, group);
    } else if (!main && group->count == 1 && summary->first_function == SL_NONE) {
        sl_text_row_format(&text->row, SL_TEXT_PLAIN, " %llu", (unsigned long long)group->members->record->id);
    }
}

/* How much of the command names its interpreter: a word that is the executable's path, or the end of it. A path may hold
 * blanks, which nothing marks in a command. */
static size_t interpreter_size(const char *command, const char *executable)
{
    size_t whole = strlen(executable);
    for (size_t size = 1; size <= whole && command[size - 1] != '\0'; size++) {
        bool word = command[size] == ' ' || command[size] == '\0';
        bool last_parts = size == whole || executable[whole - size - 1] == '/';
        if (word && last_parts && memcmp(command, executable + whole - size, size) == 0) {
            return size;
        }
    }
    return 0;
}

/* The command of a process, without the folder of its interpreter where that runs it and where the script lies beside it:
 * what tells processes apart comes behind these. */
static void append_command(struct sl_buffer *buffer, const char *command, const char *executable)
{
    size_t size = interpreter_size(command, executable);
    size_t folder = size;
    while (folder > 0 && command[folder - 1] != '/') {
        folder--;
    }
    sl_buffer_append(buffer, command + folder, size - folder);
    if (size > 0 && command[size] == ' ') {
        sl_buffer_byte(buffer, ' ');
        size++;
        if (folder > 0 && strncmp(command + size, command, folder) == 0) {
            size += folder;
        }
    }
    sl_buffer_text(buffer, command + size);
}

static void write_process_heading(struct sl_text *text, uint32_t process)
{
    const struct sl_profile *profile = text->profile;
    const struct sl_process_record *record = &profile->processes[process];
    struct sl_text_facts facts = {0};
    sl_text_fact(text, &facts, SL_TEXT_STRONG, "process %u", record->pid);
    struct sl_buffer buffer;
    sl_buffer_init(&buffer);
    append_command(&buffer, sl_profile_text(profile, record->command), sl_profile_text(profile, record->executable));
    const char *command = sl_text_string(text, buffer.bytes != NULL ? buffer.bytes : "", buffer.size,
                                         text->style.width / 2, SL_TEXT_CUT_END);
    if (command[0] != '\0') {
        sl_text_fact(text, &facts, SL_TEXT_PLAIN, "%s", command);
    }
    sl_buffer_destroy(&buffer);
    if (process > 0 && record->python != profile->processes[0].python) {
        sl_text_fact(text, &facts, SL_TEXT_QUIET, "Python %s", sl_profile_text(profile, record->python));
    }
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_duration(record->end_ns > record->begin_ns ? record->end_ns - record->begin_ns : 0, text->style.unicode,
                     number);
    sl_text_fact(text, &facts, SL_TEXT_QUIET, "%s wall", number);
    sl_text_duration(record->cpu_ns, text->style.unicode, number);
    sl_text_fact(text, &facts, SL_TEXT_QUIET, "%s CPU", number);
    sl_text_facts_write(text, &facts, &(struct sl_text_facts){0});
}

/* `⋯ and 12 more threads, 3.20 s` */
static void write_rest(struct sl_text *text, uint32_t count, const char *one, const char *many, uint64_t ns)
{
    char number[SL_TEXT_NUMBER_SIZE];
    char time[SL_TEXT_NUMBER_SIZE];
    sl_text_count(count, number);
    sl_text_time(&text->scale, ns, time);
    sl_text_row_format(&text->row, SL_TEXT_QUIET, " %sand %s more %s, %s %s", text->style.signs->folded, number,
                       count == 1 ? one : many, time, text->scale.unit);
    sl_text_row_end(&text->row, text->output);
}

/* ---- trees ---- */

static bool write_tree(struct plan *plan, const struct sl_text_group *group, bool with_heading)
{
    struct sl_text *text = plan->text;
    struct sl_selection selection = text->options->selection;
    selection.threads = plan->taken;
    for (uint32_t i = 0; i < group->count; i++) {
        plan->taken[group->members[i].summary->thread] = 1;
    }
    struct sl_call_tree_options options = {
        .roles = text->roles,
        .timeline = text->options->timeline,
        .focus = SL_NONE,
    };
    const struct sl_call_tree *tree = sl_call_tree_build(&plan->arena, text->profile, &selection, &options);
    char cpu[SL_TEXT_NUMBER_SIZE];
    char remark[SL_TEXT_NUMBER_SIZE + 8];
    sl_text_duration(group->cpu_ns, text->style.unicode, cpu);
    snprintf(remark, sizeof remark, "%s CPU", cpu);
    struct sl_text_heading heading = {
        .add_title = add_title,
        .subject = group,
        .function = group->members->record->main ? SL_NONE : group->members->summary->first_function,
        .named = group->members->summary->name != SL_NONE,
        .separator = group->count == 1 && group->members->summary->name == SL_NONE ? " " : ": ",
        .remark = group->cpu_ns > 0 ? remark : NULL,
    };
    bool done = tree != NULL && sl_text_tree(text, &plan->arena, tree, with_heading ? &heading : NULL);
    for (uint32_t i = 0; i < group->count; i++) {
        plan->taken[group->members[i].summary->thread] = 0;
    }
    sl_arena_reset(&plan->arena);
    return done;
}

/* How many of the groups have a tree: the first, and those that took long enough. They need not be the foremost in
 * order, which is by running time, so what is left out is moved to the end. */
static uint32_t groups_with_tree(const struct sl_text *text, struct sl_text_process *process)
{
    uint32_t shown = 0;
    for (uint32_t i = 0; i < process->group_count && shown < groups_shown; i++) {
        if (process->groups[i].total.ns >= text->threshold_ns) {
            struct sl_text_group group = process->groups[i];
            memmove(&process->groups[shown + 1], &process->groups[shown], (i - shown) * sizeof group);
            process->groups[shown++] = group;
        }
    }
    return shown;
}

static bool write_process(struct plan *plan, struct sl_text_process *process, bool alone)
{
    struct sl_text *text = plan->text;
    uint32_t shown = groups_with_tree(text, process);
    bool headings =
        process->group_count > 1 || (process->group_count == 1 && alone && !process->groups[0].members->record->main &&
                                     process->groups[0].members->record->kind == SL_THREAD_OS);
    bool done = true;
    if (!alone) {
        write_process_heading(text, process->process);
    }
    for (uint32_t i = 0; i < shown && done; i++) {
        if (headings && i > 0) {
            sl_text_blank_line(text);
        }
        done = write_tree(plan, &process->groups[i], headings);
    }
    uint32_t left_out = 0;
    uint64_t left_out_ns = 0;
    for (uint32_t i = shown; i < process->group_count; i++) {
        left_out += process->groups[i].count;
        left_out_ns += process->groups[i].total.ns;
    }
    if (left_out > 0 || process->idle > 0) {
        sl_text_blank_line(text);
    }
    if (left_out > 0) {
        write_rest(text, left_out, "thread", "threads", left_out_ns);
    }
    sl_text_idle(text, process->idle);
    return done;
}

static bool write_processes(struct plan *plan, struct sl_text_process *processes, uint32_t count)
{
    struct sl_text *text = plan->text;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t group = 0; group < processes[i].group_count; group++) {
            sl_text_make_room(text, processes[i].groups[group].total.ns);
        }
    }
    if (count > 0) {
        sl_text_titles(text);
    }
    bool done = true;
    uint32_t left_out = 0;
    uint64_t left_out_ns = 0;
    for (uint32_t i = 0; i < count && done; i++) {
        if (i > 0 && (i >= processes_shown || processes[i].total.ns < text->threshold_ns)) {
            left_out++;
            left_out_ns += processes[i].total.ns;
            continue;
        }
        if (i > 0) {
            sl_text_blank_line(text);
        }
        done = write_process(plan, &processes[i], count == 1);
    }
    if (left_out > 0) {
        sl_text_blank_line(text);
        write_rest(text, left_out, "process", "processes", left_out_ns);
    }
    if (count == 0) {
        sl_text_no_time(text);
    }
    return done;
}

bool sl_text_trees(struct sl_text *text)
{
    struct plan plan = {.text = text};
    sl_arena_init(&plan.arena);
    plan.taken = SL_ARENA_NEW(&text->arena, uint8_t, text->profile->thread_count);
    uint32_t count = 0;
    struct sl_text_process *processes = sl_text_processes(text, &count);
    bool done = plan.taken != NULL && processes != NULL && write_processes(&plan, processes, count);
    sl_arena_reset(&plan.arena);
    return done;
}
