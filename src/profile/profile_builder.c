#include "profile/profile_builder.h"
#include "base/array.h"

#include <stdlib.h>
#include <string.h>

static const char lost_mark[] = "[lost]";

static bool room(struct sl_profile_builder *builder, void *array, uint32_t *capacity, uint32_t count, size_t size)
{
    bool enough = sl_array_room(array, capacity, count, size);
    builder->exhausted |= !enough;
    return enough;
}

/* Numbers */

uint32_t sl_numbering_next(const struct sl_numbering *numbering)
{
    if (numbering->count == 0) {
        return 0;
    }
    const struct sl_number_range *last = &numbering->ranges[numbering->count - 1];
    return last->first + last->count;
}

static void number_add(struct sl_profile_builder *builder, struct sl_numbering *numbering, uint32_t number,
                       uint32_t built)
{
    if (built == SL_NONE) {
        builder->exhausted = true;
        return;
    }
    if (numbering->count > 0) {
        struct sl_number_range *last = &numbering->ranges[numbering->count - 1];
        if (last->first + last->count == number && last->base + last->count == built) {
            last->count++;
            return;
        }
    }
    if (room(builder, &numbering->ranges, &numbering->capacity, numbering->count, sizeof *numbering->ranges)) {
        numbering->ranges[numbering->count++] = (struct sl_number_range){.first = number, .count = 1, .base = built};
    }
}

/* SL_NONE when it is not known. */
static inline uint32_t number_find(const struct sl_numbering *numbering, uint32_t number)
{
    uint32_t low = 0;
    uint32_t high = numbering->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct sl_number_range *range = &numbering->ranges[middle];
        if (number < range->first) {
            high = middle;
        } else if (number - range->first < range->count) {
            return range->base + (number - range->first);
        } else {
            low = middle + 1;
        }
    }
    return SL_NONE;
}

/* Life */

void sl_profile_builder_init(struct sl_profile_builder *builder)
{
    *builder = (struct sl_profile_builder){.lost = SL_NONE};
    sl_situations_init(&builder->situations);
    if (!sl_strings_init(&builder->strings) || !sl_functions_init(&builder->functions) ||
        !sl_stacks_init(&builder->stacks)) {
        builder->exhausted = true;
        return;
    }
    number_add(builder, &builder->string_numbers, 0, 0);
    number_add(builder, &builder->function_numbers, 0, 0);
    number_add(builder, &builder->stack_numbers, 0, 0);
}

void sl_profile_builder_destroy(struct sl_profile_builder *builder)
{
    sl_strings_destroy(&builder->strings);
    sl_functions_destroy(&builder->functions);
    sl_stacks_destroy(&builder->stacks);
    sl_situations_destroy(&builder->situations);
    free(builder->string_numbers.ranges);
    free(builder->function_numbers.ranges);
    free(builder->stack_numbers.ranges);
    free(builder->situation_numbers.ranges);
    free(builder->processes);
    sl_hash_index_destroy(&builder->process_index);
    free(builder->threads);
    sl_hash_index_destroy(&builder->thread_index);
    free(builder->tasks);
    free(builder->runs);
    *builder = (struct sl_profile_builder){0};
}

/* Definitions */

void sl_build_string(struct sl_profile_builder *builder, uint32_t number, const char *bytes, size_t size)
{
    if (!builder->exhausted) {
        number_add(builder, &builder->string_numbers, number, sl_strings_append(&builder->strings, bytes, size));
    }
}

void sl_build_function(struct sl_profile_builder *builder, uint32_t number, struct sl_function_record record)
{
    if (builder->exhausted) {
        return;
    }
    record.name = number_find(&builder->string_numbers, record.name);
    if (record.name == SL_NONE) {
        record.name = sl_strings_intern(&builder->strings, lost_mark, strlen(lost_mark));
    }
    record.file = sl_built_string(builder, record.file);
    if (record.name == SL_NONE) {
        builder->exhausted = true;
        return;
    }
    number_add(builder, &builder->function_numbers, number, sl_functions_append(&builder->functions, record));
}

static sl_function lost_function(struct sl_profile_builder *builder)
{
    struct sl_function_record record = {
        .name = sl_strings_intern(&builder->strings, lost_mark, strlen(lost_mark)),
        .kind = SL_FUNCTION_MARK,
    };
    sl_function function = record.name == SL_NONE ? SL_NONE : sl_functions_intern(&builder->functions, record);
    builder->exhausted |= function == SL_NONE;
    return function;
}

static sl_stack lost_stack(struct sl_profile_builder *builder)
{
    if (builder->lost == SL_NONE) {
        sl_function function = lost_function(builder);
        if (function != SL_NONE) {
            builder->lost = sl_stacks_append(&builder->stacks, (struct sl_stack_record){.function = function});
        }
        builder->exhausted |= builder->lost == SL_NONE;
    }
    return builder->lost;
}

struct sl_situation sl_built_lost(struct sl_profile_builder *builder)
{
    return (struct sl_situation){.stack = lost_stack(builder)};
}

static sl_stack built_stack(struct sl_profile_builder *builder, uint32_t number)
{
    uint32_t found = number_find(&builder->stack_numbers, number);
    return found != SL_NONE ? found : lost_stack(builder);
}

void sl_build_stack(struct sl_profile_builder *builder, uint32_t number, uint32_t caller, uint32_t function,
                    int64_t line_offset)
{
    if (builder->exhausted) {
        return;
    }
    struct sl_stack_record record = {.caller = built_stack(builder, caller)};
    record.function = number_find(&builder->function_numbers, function);
    if (record.function == SL_NONE) {
        record.function = lost_function(builder);
    } else {
        record.line = builder->functions.records[record.function].first_line + (uint32_t)line_offset;
    }
    if (!builder->exhausted) {
        number_add(builder, &builder->stack_numbers, number, sl_stacks_append(&builder->stacks, record));
    }
}

void sl_build_situation(struct sl_profile_builder *builder, uint32_t number, uint32_t stack, sl_state state)
{
    if (builder->exhausted) {
        return;
    }
    struct sl_situation situation = {.stack = built_stack(builder, stack), .state = state};
    number_add(builder, &builder->situation_numbers, number, sl_situations_append(&builder->situations, situation));
}

sl_string sl_built_string(const struct sl_profile_builder *builder, uint32_t number)
{
    uint32_t found = number_find(&builder->string_numbers, number);
    return found != SL_NONE ? found : 0;
}

struct sl_situation sl_built_situation(struct sl_profile_builder *builder, uint32_t number)
{
    uint32_t found = number_find(&builder->situation_numbers, number);
    return found != SL_NONE ? builder->situations.records[found] : sl_built_lost(builder);
}

/* Processes and threads. As long as nothing was lost, the trace's number is the place in the table. */

struct sl_built_process *sl_built_process(struct sl_profile_builder *builder, uint32_t number)
{
    if (number < builder->process_count && builder->processes[number].number == number) {
        return &builder->processes[number];
    }
    uint32_t hash = (uint32_t)sl_hash_mix(number);
    struct sl_hash_probe probe = sl_hash_probe(&builder->process_index, hash);
    for (uint32_t place; (place = sl_hash_next(&builder->process_index, &probe)) != SL_HASH_NONE;) {
        if (builder->processes[place].number == number) {
            return &builder->processes[place];
        }
    }
    if (!room(builder, &builder->processes, &builder->process_capacity, builder->process_count,
              sizeof *builder->processes)) {
        return NULL;
    }
    if (!sl_hash_index_add(&builder->process_index, hash, builder->process_count)) {
        builder->exhausted = true;
        return NULL;
    }
    struct sl_built_process *process = &builder->processes[builder->process_count++];
    *process = (struct sl_built_process){.number = number, .record = {.exit_status = -1}};
    return process;
}

struct sl_built_thread *sl_built_thread(struct sl_profile_builder *builder, uint32_t number)
{
    if (number < builder->thread_count && builder->threads[number].number == number) {
        return &builder->threads[number];
    }
    uint32_t hash = (uint32_t)sl_hash_mix(number);
    struct sl_hash_probe probe = sl_hash_probe(&builder->thread_index, hash);
    for (uint32_t place; (place = sl_hash_next(&builder->thread_index, &probe)) != SL_HASH_NONE;) {
        if (builder->threads[place].number == number) {
            return &builder->threads[place];
        }
    }
    /* A thread belongs to some process: as long as it is not known, to the first one. */
    if ((builder->process_count == 0 && sl_built_process(builder, 0) == NULL) ||
        !room(builder, &builder->threads, &builder->thread_capacity, builder->thread_count, sizeof *builder->threads)) {
        return NULL;
    }
    if (!sl_hash_index_add(&builder->thread_index, hash, builder->thread_count)) {
        builder->exhausted = true;
        return NULL;
    }
    struct sl_built_thread *thread = &builder->threads[builder->thread_count++];
    *thread = (struct sl_built_thread){.number = number, .seen = SL_NONE};
    return thread;
}

void sl_build_task(struct sl_profile_builder *builder, uint32_t thread, uint32_t number, uint32_t coroutine)
{
    struct sl_built_thread *built = sl_built_thread(builder, thread);
    if (built == NULL || number == 0 || number > SL_STATE_TASK_MAX ||
        !room(builder, &builder->tasks, &builder->task_capacity, builder->task_count, sizeof *builder->tasks)) {
        return;
    }
    uint32_t function = number_find(&builder->function_numbers, coroutine);
    builder->tasks[builder->task_count++] = (struct sl_task_record){
        .thread = (uint32_t)(built - builder->threads),
        .number = number,
        .coroutine = function != SL_NONE ? function : 0,
    };
}

void sl_build_stem(struct sl_profile_builder *builder, uint32_t thread, uint32_t stack)
{
    struct sl_built_thread *built = sl_built_thread(builder, thread);
    uint32_t found = number_find(&builder->stack_numbers, stack);
    if (built != NULL) {
        built->stem = found != SL_NONE ? found : 0;
    }
}

/* Runs */

void sl_build_run_end(struct sl_profile_builder *builder, struct sl_built_thread *thread, uint64_t end_ns,
                      uint64_t look)
{
    if (!thread->live) {
        return;
    }
    thread->live = false;
    uint64_t samples = look - thread->first_look;
    if (samples == 0 ||
        !room(builder, &builder->runs, &builder->run_capacity, builder->run_count, sizeof *builder->runs)) {
        return;
    }
    builder->runs[builder->run_count++] = (struct sl_run){
        .begin_ns = thread->begin_ns,
        .end_ns = end_ns,
        .stack = thread->situation.stack,
        .state = thread->situation.state,
        .samples = samples < UINT32_MAX ? (uint32_t)samples : UINT32_MAX,
        .thread = (uint32_t)(thread - builder->threads),
    };
}

void sl_build_run(struct sl_profile_builder *builder, struct sl_built_thread *thread, uint64_t begin_ns, uint64_t look,
                  struct sl_situation situation)
{
    if (thread->live && thread->situation.stack == situation.stack && thread->situation.state == situation.state) {
        return;
    }
    sl_build_run_end(builder, thread, begin_ns, look);
    thread->live = true;
    thread->situation = situation;
    thread->begin_ns = begin_ns;
    thread->first_look = look;
}

/* The end */

static uint64_t clamped(uint64_t value, uint64_t lowest, uint64_t highest)
{
    return value < lowest ? lowest : value > highest ? highest : value;
}

/* Sorts the runs by thread (by counting: those of one thread keep their order, which is that of time), and fits them to
 * the time in which their thread was there: the last one lasts to its end. */
static struct sl_run *sorted_runs(const struct sl_profile_builder *builder, struct sl_thread_record *threads)
{
    struct sl_run *sorted = malloc(((size_t)builder->run_count + 1) * sizeof *sorted);
    if (sorted == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < builder->run_count; i++) {
        threads[builder->runs[i].thread].run_count++;
    }
    uint32_t first = 0;
    for (uint32_t i = 0; i < builder->thread_count; i++) {
        threads[i].first_run = first;
        first += threads[i].run_count;
        threads[i].run_count = 0;
    }
    for (uint32_t i = 0; i < builder->run_count; i++) {
        struct sl_run run = builder->runs[i];
        struct sl_thread_record *record = &threads[run.thread];
        run.begin_ns = clamped(run.begin_ns, record->begin_ns, record->end_ns);
        run.end_ns = clamped(run.end_ns, record->begin_ns, record->end_ns);
        sorted[record->first_run + record->run_count++] = run;
    }
    for (uint32_t i = 0; i < builder->thread_count; i++) {
        const struct sl_built_thread *thread = &builder->threads[i];
        if (thread->ended && !thread->live && threads[i].run_count > 0) {
            sorted[threads[i].first_run + threads[i].run_count - 1].end_ns = threads[i].end_ns;
        }
    }
    return sorted;
}

static struct sl_process_record *built_processes(const struct sl_profile_builder *builder, uint64_t duration_ns)
{
    struct sl_process_record *processes = calloc((size_t)builder->process_count + 1, sizeof *processes);
    for (uint32_t i = 0; processes != NULL && i < builder->process_count; i++) {
        const struct sl_built_process *process = &builder->processes[i];
        uint64_t end_ns = process->ended ? process->record.end_ns : duration_ns;
        processes[i] = process->record;
        processes[i].begin_ns = clamped(process->record.begin_ns, 0, duration_ns);
        processes[i].end_ns = clamped(end_ns, processes[i].begin_ns, duration_ns);
    }
    return processes;
}

static struct sl_thread_record *built_threads(const struct sl_profile_builder *builder, uint64_t duration_ns)
{
    struct sl_thread_record *threads = calloc((size_t)builder->thread_count + 1, sizeof *threads);
    for (uint32_t i = 0; threads != NULL && i < builder->thread_count; i++) {
        const struct sl_built_thread *thread = &builder->threads[i];
        uint64_t end_ns = thread->ended ? thread->record.end_ns : duration_ns;
        threads[i] = thread->record;
        threads[i].begin_ns = clamped(thread->record.begin_ns, 0, duration_ns);
        threads[i].end_ns = clamped(end_ns, threads[i].begin_ns, duration_ns);
    }
    return threads;
}

static int by_thread_and_number(const void *left, const void *right)
{
    const struct sl_task_record *a = left;
    const struct sl_task_record *b = right;
    return a->thread != b->thread ? (a->thread > b->thread) - (a->thread < b->thread)
                                  : (a->number > b->number) - (a->number < b->number);
}

/* Each once, in order. */
static struct sl_task_record *built_tasks(const struct sl_profile_builder *builder, uint32_t *count)
{
    struct sl_task_record *tasks = malloc(((size_t)builder->task_count + 1) * sizeof *tasks);
    *count = 0;
    if (tasks == NULL || builder->task_count == 0) {
        return tasks;
    }
    memcpy(tasks, builder->tasks, builder->task_count * sizeof *tasks);
    qsort(tasks, builder->task_count, sizeof *tasks, by_thread_and_number);
    *count = 1;
    for (uint32_t i = 1; i < builder->task_count; i++) {
        if (by_thread_and_number(&tasks[i], &tasks[*count - 1]) != 0) {
            tasks[(*count)++] = tasks[i];
        }
    }
    return tasks;
}

bool sl_profile_view(const struct sl_profile_builder *builder, const struct sl_facts *facts, struct sl_profile *view)
{
    *view = (struct sl_profile){0};
    if (builder->exhausted) {
        return false;
    }
    struct sl_process_record *processes = built_processes(builder, facts->duration_ns);
    struct sl_thread_record *threads = built_threads(builder, facts->duration_ns);
    struct sl_run *runs = threads != NULL ? sorted_runs(builder, threads) : NULL;
    uint32_t task_count;
    struct sl_task_record *tasks = built_tasks(builder, &task_count);
    if (processes == NULL || runs == NULL || tasks == NULL) {
        free(processes);
        free(threads);
        free(runs);
        free(tasks);
        return false;
    }
    *view = (struct sl_profile){
        .facts = *facts,
        .text = builder->strings.text.bytes,
        .text_offsets = builder->strings.offsets,
        .string_count = builder->strings.count,
        .functions = builder->functions.records,
        .function_count = builder->functions.count,
        .stacks = builder->stacks.records,
        .stack_count = builder->stacks.numbers.count,
        .processes = processes,
        .process_count = builder->process_count,
        .threads = threads,
        .thread_count = builder->thread_count,
        .runs = runs,
        .run_count = builder->run_count,
        .tasks = tasks,
        .task_count = task_count,
    };
    view->facts.description = sl_built_string(builder, facts->description);
    view->facts.version = sl_built_string(builder, facts->version);
    view->facts.command = sl_built_string(builder, facts->command);
    return true;
}

void sl_profile_view_release(struct sl_profile *view)
{
    free((void *)view->processes);
    free((void *)view->threads);
    free((void *)view->tasks);
    free((void *)view->runs);
    *view = (struct sl_profile){0};
}

/* The number of the first stack with the same frames, for each. NULL when memory is exhausted. */
static sl_stack *first_alike(const struct sl_profile_builder *builder)
{
    uint32_t count = builder->stacks.numbers.count;
    sl_stack *alike = calloc(count, sizeof *alike);
    struct sl_stacks distinct;
    bool done = sl_stacks_init(&distinct) && alike != NULL;
    for (uint32_t i = 1; done && i < count; i++) {
        struct sl_stack_record record = builder->stacks.records[i];
        record.caller = alike[record.caller];
        alike[i] = sl_stacks_push(&distinct, record);
        done = alike[i] != SL_NONE;
    }
    sl_stacks_destroy(&distinct);
    if (!done) {
        free(alike);
        return NULL;
    }
    return alike;
}

/* What lies on a thread's stem, by whatever number, lies on nothing from now on. What a stem consists of stays, for others
 * that lie on it. */
static bool cut_stems(struct sl_profile_builder *builder)
{
    uint32_t count = builder->stacks.numbers.count;
    bool any = false;
    for (uint32_t i = 0; i < builder->thread_count; i++) {
        any = any || builder->threads[i].stem != 0;
    }
    if (!any) {
        return true;
    }
    sl_stack *alike = first_alike(builder);
    bool *is_stem = calloc(count, sizeof *is_stem);
    bool done = alike != NULL && is_stem != NULL;
    for (uint32_t i = 0; done && i < builder->thread_count; i++) {
        is_stem[alike[builder->threads[i].stem]] = true;
    }
    for (uint32_t i = 1; done && i < count; i++) {
        sl_stack caller = alike[builder->stacks.records[i].caller];
        if (caller != 0 && is_stem[caller]) {
            builder->stacks.records[i].caller = 0;
        }
    }
    free(alike);
    free(is_stem);
    return done;
}

struct sl_profile *sl_profile_build(struct sl_profile_builder *builder, const struct sl_facts *facts)
{
    struct sl_profile *profile = malloc(sizeof *profile);
    if (profile == NULL || !cut_stems(builder) || !sl_profile_view(builder, facts, profile)) {
        free(profile);
        return NULL;
    }
    /* These are the profile's now. */
    sl_buffer_init(&builder->strings.text);
    builder->strings.offsets = NULL;
    builder->functions.records = NULL;
    builder->stacks.records = NULL;
    return profile;
}
