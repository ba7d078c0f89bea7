#include "render/columns.h"

#include <string.h>

/* Where the reading is. After anything that cannot be, `failed` is set and every further number is 0. */
struct columns {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static uint64_t number(struct columns *columns)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && columns->at < columns->end; shift += 7) {
        uint8_t byte = *columns->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            return value;
        }
    }
    columns->failed = true;
    columns->at = columns->end;
    return 0;
}

static int64_t signed_number(struct columns *columns)
{
    uint64_t coded = number(columns);
    return (int64_t)(coded >> 1) ^ -(int64_t)(coded & 1);
}

/* A number that must be below `bound`. */
static uint32_t number_below(struct columns *columns, uint64_t bound)
{
    uint64_t value = number(columns);
    if (value >= bound) {
        columns->failed = true;
        return 0;
    }
    return (uint32_t)value;
}

/* The number of rows of a table. Each row has a byte at least, so there are never more rows than bytes left. */
static uint32_t count_of(struct columns *columns)
{
    return number_below(columns, (uint64_t)(columns->end - columns->at) + 1);
}

static sl_string string_of(struct columns *columns, const struct sl_profile *profile)
{
    return number_below(columns, profile->string_count);
}

static void read_strings(struct columns *columns, struct sl_arena *arena, struct sl_profile *profile)
{
    uint32_t count = count_of(columns);
    uint32_t *offsets = SL_ARENA_NEW(arena, uint32_t, (size_t)count + 1);
    if (offsets == NULL || count == 0) {
        columns->failed = true;
        return;
    }
    /* Offsets have 32 bits, and each string is followed by a NUL. */
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += (uint64_t)number_below(columns, UINT32_MAX) + 1;
        if (total > UINT32_MAX) {
            columns->failed = true;
            return;
        }
        offsets[i + 1] = (uint32_t)total;
    }
    if (total - count > (uint64_t)(columns->end - columns->at)) {
        columns->failed = true;
        return;
    }
    char *text = SL_ARENA_NEW(arena, char, (size_t)total);
    if (text == NULL) {
        columns->failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        size_t size = offsets[i + 1] - offsets[i] - 1;
        memcpy(text + offsets[i], columns->at, size);
        columns->at += size;
    }
    profile->text = text;
    profile->text_offsets = offsets;
    profile->string_count = count;
}

/* The facts come before the strings that they name: those are checked afterwards, in sl_columns_read. */
static void read_facts(struct columns *columns, struct sl_facts *facts)
{
    uint64_t *const values[] = {
        &facts->start_time_ns, &facts->interval_ns,    &facts->duration_ns, &facts->looks,
        &facts->samples,       &facts->broken,         &facts->missed,      &facts->late,
        &facts->retried,       &facts->sampler_cpu_ns, &facts->cpu_ns,      &facts->children_cpu_ns,
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        *values[i] = number(columns);
    }
    facts->description = number_below(columns, UINT32_MAX);
    facts->version = number_below(columns, UINT32_MAX);
    facts->trace_bytes = number(columns);
    facts->complete = number(columns) != 0;
    facts->lost_bytes = number(columns);
    facts->even_looks = number(columns);
}

static void read_functions(struct columns *columns, struct sl_arena *arena, struct sl_profile *profile)
{
    uint32_t count = count_of(columns);
    struct sl_function_record *functions = SL_ARENA_NEW(arena, struct sl_function_record, count);
    if (functions == NULL || count == 0) {
        columns->failed = true;
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        functions[i].name = (uint32_t)(functions[i - 1].name + (uint64_t)signed_number(columns));
    }
    for (uint32_t i = 1; i < count; i++) {
        functions[i].file = (uint32_t)(functions[i - 1].file + (uint64_t)signed_number(columns));
        if (functions[i].file >= profile->string_count || functions[i].name >= profile->string_count) {
            columns->failed = true;
            return;
        }
    }
    for (uint32_t i = 1; i < count; i++) {
        functions[i].first_line = (uint32_t)number(columns);
    }
    for (uint32_t i = 1; i < count; i++) {
        functions[i].kind = number_below(columns, SL_FUNCTION_MARK + 1);
    }
    profile->functions = functions;
    profile->function_count = count;
}

static void read_stacks(struct columns *columns, struct sl_arena *arena, struct sl_profile *profile)
{
    uint32_t count = count_of(columns);
    struct sl_stack_record *stacks = SL_ARENA_NEW(arena, struct sl_stack_record, count);
    if (stacks == NULL || count == 0) {
        columns->failed = true;
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        uint32_t distance = number_below(columns, (uint64_t)i + 1);
        columns->failed = columns->failed || distance == 0;
        stacks[i].caller = i - distance;
    }
    for (uint32_t i = 1; i < count; i++) {
        stacks[i].function = number_below(columns, profile->function_count);
    }
    if (columns->failed) {
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        uint32_t first_line = profile->functions[stacks[i].function].first_line;
        stacks[i].line = (uint32_t)(first_line + (uint64_t)signed_number(columns));
    }
    profile->stacks = stacks;
    profile->stack_count = count;
}

static void read_processes(struct columns *columns, struct sl_arena *arena, struct sl_profile *profile)
{
    uint32_t count = count_of(columns);
    struct sl_process_record *processes = SL_ARENA_NEW(arena, struct sl_process_record, count);
    if (processes == NULL) {
        columns->failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct sl_process_record *process = &processes[i];
        process->pid = (uint32_t)number(columns);
        process->parent_pid = (uint32_t)number(columns);
        process->command = string_of(columns, profile);
        process->python = string_of(columns, profile);
        process->executable = string_of(columns, profile);
        process->prefixes = string_of(columns, profile);
        process->path = string_of(columns, profile);
        process->begin_ns = number(columns);
        process->end_ns = number(columns);
        process->cpu_ns = number(columns);
        process->exit_status = (int32_t)signed_number(columns);
    }
    profile->processes = processes;
    profile->process_count = count;
}

static struct sl_thread_record *read_threads(struct columns *columns, struct sl_arena *arena,
                                             struct sl_profile *profile)
{
    uint32_t count = count_of(columns);
    struct sl_thread_record *threads = SL_ARENA_NEW(arena, struct sl_thread_record, count);
    if (threads == NULL) {
        columns->failed = true;
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct sl_thread_record *thread = &threads[i];
        thread->process = number_below(columns, profile->process_count);
        thread->kind = number_below(columns, SL_THREAD_SCOPE + 1);
        thread->id = number(columns);
        thread->name = string_of(columns, profile);
        thread->main = number(columns) != 0;
        thread->begin_ns = number(columns);
        thread->end_ns = number(columns);
        thread->cpu_ns = number(columns);
        thread->run_count = (uint32_t)number(columns);
    }
    profile->threads = threads;
    profile->thread_count = count;
    return threads;
}

static void read_tasks(struct columns *columns, struct sl_arena *arena, struct sl_profile *profile)
{
    uint32_t count = count_of(columns);
    struct sl_task_record *tasks = SL_ARENA_NEW(arena, struct sl_task_record, count);
    if (tasks == NULL) {
        columns->failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        tasks[i].thread = number_below(columns, profile->thread_count);
        tasks[i].number = number_below(columns, SL_STATE_TASK_MAX + 1);
        tasks[i].coroutine = number_below(columns, profile->function_count);
    }
    profile->tasks = tasks;
    profile->task_count = count;
}

static uint64_t duration_of(uint64_t coded, uint32_t samples, uint64_t interval_ns)
{
    if ((coded & 1) != 0) {
        return coded >> 1;
    }
    uint64_t difference = coded >> 1;
    return (samples + ((difference >> 1) ^ -(difference & 1))) * interval_ns;
}

static uint64_t run_count_of(const struct sl_profile *profile)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        count += profile->threads[i].run_count;
    }
    return count;
}

static void read_runs(struct columns *columns, struct sl_arena *arena, struct sl_profile *profile,
                      struct sl_thread_record *threads)
{
    uint32_t state_count = count_of(columns);
    sl_state *states = SL_ARENA_NEW(arena, sl_state, state_count);
    if (states == NULL) {
        columns->failed = true;
        return;
    }
    for (uint32_t i = 0; i < state_count; i++) {
        states[i] = sl_state_activity((sl_state)number(columns));
    }
    uint64_t count = run_count_of(profile);
    struct sl_run *runs =
        count <= (uint64_t)(columns->end - columns->at) ? SL_ARENA_NEW(arena, struct sl_run, count) : NULL;
    if (runs == NULL) {
        columns->failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        runs[i].begin_ns = number(columns);
    }
    for (uint32_t i = 0; i < count; i++) {
        runs[i].end_ns = number(columns);
    }
    for (uint32_t i = 0; i < count; i++) {
        runs[i].stack = (uint32_t)signed_number(columns);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = number_below(columns, state_count);
        runs[i].state = columns->failed ? 0 : states[index];
    }
    for (uint32_t i = 0; i < count; i++) {
        runs[i].samples = (uint32_t)number(columns);
    }
    for (uint32_t i = 0; profile->task_count > 0 && i < count; i++) {
        runs[i].state = sl_state_in_task(runs[i].state, number_below(columns, SL_STATE_TASK_MAX + 1));
    }
    uint32_t first_run = 0;
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        threads[i].first_run = first_run;
        struct sl_run before = {0};
        for (uint32_t j = 0; j < threads[i].run_count; j++) {
            struct sl_run *run = &runs[first_run + j];
            run->thread = i;
            run->stack += before.stack;
            run->begin_ns += before.end_ns;
            run->end_ns = run->begin_ns + duration_of(run->end_ns, run->samples, profile->facts.interval_ns);
            if (run->stack >= profile->stack_count || run->begin_ns < before.end_ns || run->end_ns < run->begin_ns) {
                columns->failed = true;
                return;
            }
            before = *run;
        }
        first_run += threads[i].run_count;
    }
    profile->runs = runs;
    profile->run_count = (uint32_t)count;
}

struct sl_profile *sl_columns_read(struct sl_arena *arena, const void *bytes, size_t size)
{
    struct columns columns = {.at = bytes, .end = (const uint8_t *)bytes + size};
    struct sl_profile *profile = SL_ARENA_NEW(arena, struct sl_profile, 1);
    if (profile == NULL || number(&columns) != SL_COLUMNS_VERSION) {
        return NULL;
    }
    read_facts(&columns, &profile->facts);
    read_strings(&columns, arena, profile);
    if (profile->facts.description >= profile->string_count || profile->facts.version >= profile->string_count) {
        return NULL;
    }
    void (*const tables[])(struct columns *, struct sl_arena *, struct sl_profile *) = {
        read_functions,
        read_stacks,
        read_processes,
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && !columns.failed; i++) {
        tables[i](&columns, arena, profile);
    }
    struct sl_thread_record *threads = columns.failed ? NULL : read_threads(&columns, arena, profile);
    if (threads != NULL && !columns.failed) {
        read_tasks(&columns, arena, profile);
        read_runs(&columns, arena, profile, threads);
    }
    return columns.failed || threads == NULL ? NULL : profile;
}
