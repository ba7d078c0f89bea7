#include "analysis/load_times.h"

/* The recording's start is noted a little before its clock begins, with the start of a program in between. A person who
 * edits a file takes longer. */
static const uint64_t start_slack_ns = 100000000;

static void keep_earlier(uint64_t *kept_ns, uint64_t time_ns)
{
    *kept_ns = time_ns < *kept_ns ? time_ns : *kept_ns;
}

const uint64_t *sl_load_times(struct sl_arena *arena, const struct sl_profile *profile)
{
    uint64_t *stacks = SL_ARENA_NEW(arena, uint64_t, profile->stack_count);
    uint64_t *files = SL_ARENA_NEW(arena, uint64_t, profile->string_count);
    if (stacks == NULL || files == NULL) {
        return NULL;
    }
    const struct sl_facts *facts = &profile->facts;
    for (sl_stack stack = 0; stack < profile->stack_count; stack++) {
        stacks[stack] = facts->duration_ns;
    }
    for (sl_string file = 0; file < profile->string_count; file++) {
        files[file] = facts->duration_ns;
    }
    for (uint32_t i = 0; i < profile->run_count; i++) {
        /* The look was taken somewhere within the run's first slot. */
        keep_earlier(&stacks[profile->runs[i].stack], profile->runs[i].begin_ns + facts->interval_ns);
    }
    for (sl_stack stack = profile->stack_count; stack-- > 1;) {
        const struct sl_stack_record *record = &profile->stacks[stack];
        keep_earlier(&stacks[record->caller], stacks[stack]);
        keep_earlier(&files[profile->functions[record->function].file], stacks[stack]);
    }
    for (sl_string file = 0; file < profile->string_count; file++) {
        files[file] += facts->start_time_ns + start_slack_ns;
    }
    return files;
}
