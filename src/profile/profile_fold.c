#include "profile/profile_fold.h"

#include "base/array.h"

#include <stdlib.h>

/* All time that a thread of the new table spent in one stack and state. */
struct entry {
    uint32_t thread;
    sl_stack stack;
    sl_state state;
    uint32_t samples;
    uint64_t ns;
};

/* A thread of the new table that others are merged into. */
struct lane {
    uint32_t thread;
    uint64_t ns; /* that is in it */
};

struct fold {
    struct sl_profile_builder *builder;
    struct sl_profile view;
    uint64_t before_ns;
    struct sl_built_thread *threads; /* the new table */
    uint32_t thread_count, thread_capacity;
    uint32_t *targets; /* of each old thread: the new one that takes its folded runs */
    struct lane *lanes;
    uint32_t lane_count, lane_capacity;
    struct entry *entries;
    uint32_t entry_count, entry_capacity;
    struct sl_hash_index entry_index;
    struct sl_hash_index thread_index;
    struct sl_run *runs;
};

static bool is_lane(const struct sl_built_thread *thread)
{
    return thread->number == SL_NONE;
}

static bool is_over(const struct fold *fold, const struct sl_built_thread *thread)
{
    return thread->ended && !thread->live && thread->record.end_ns <= fold->before_ns;
}

/* The time of a thread's runs. */
static uint64_t time_of(const struct fold *fold, uint32_t thread)
{
    const struct sl_thread_record *record = &fold->view.threads[thread];
    uint64_t ns = 0;
    for (uint32_t i = record->first_run; i < record->first_run + record->run_count; i++) {
        ns += fold->view.runs[i].end_ns - fold->view.runs[i].begin_ns;
    }
    return ns;
}

static uint32_t add_thread(struct fold *fold, const struct sl_built_thread *thread)
{
    if (!sl_array_room(&fold->threads, &fold->thread_capacity, fold->thread_count, sizeof *fold->threads)) {
        return SL_NONE;
    }
    fold->threads[fold->thread_count] = *thread;
    return fold->thread_count++;
}

static bool add_lane(struct fold *fold, uint32_t thread, uint64_t ns)
{
    if (thread == SL_NONE ||
        !sl_array_room(&fold->lanes, &fold->lane_capacity, fold->lane_count, sizeof *fold->lanes)) {
        return false;
    }
    fold->lanes[fold->lane_count++] = (struct lane){.thread = thread, .ns = ns};
    return true;
}

/* The lane that a thread with so much time fits into: no lane may hold more than there was. At most one lane of a
 * process is less than half full, so there are about as many as threads ran at a time. SL_NONE: memory is exhausted. */
static uint32_t lane_for(struct fold *fold, const struct sl_thread_record *record, uint64_t ns)
{
    for (uint32_t i = 0; i < fold->lane_count; i++) {
        struct lane *lane = &fold->lanes[i];
        const struct sl_thread_record *other = &fold->threads[lane->thread].record;
        if (other->process == record->process && other->kind == record->kind && lane->ns + ns <= fold->before_ns) {
            lane->ns += ns;
            return lane->thread;
        }
    }
    const struct sl_built_thread blank = {
        .number = SL_NONE,
        .seen = SL_NONE,
        .record = {.process = record->process, .kind = record->kind},
    };
    uint32_t thread = add_thread(fold, &blank);
    return add_lane(fold, thread, ns) ? thread : SL_NONE;
}

/* Fills in the new table, and where each old thread is in it. */
static bool place_threads(struct fold *fold, uint32_t *places)
{
    const struct sl_profile_builder *builder = fold->builder;
    for (uint32_t i = 0; i < builder->thread_count; i++) {
        places[i] = SL_NONE;
        if (is_over(fold, &builder->threads[i])) {
            continue;
        }
        places[i] = fold->targets[i] = add_thread(fold, &builder->threads[i]);
        if (places[i] == SL_NONE || (is_lane(&builder->threads[i]) && !add_lane(fold, places[i], time_of(fold, i)))) {
            return false;
        }
    }
    for (uint32_t i = 0; i < builder->thread_count; i++) {
        if (!is_over(fold, &builder->threads[i])) {
            continue;
        }
        fold->targets[i] = lane_for(fold, &fold->view.threads[i], time_of(fold, i));
        if (fold->targets[i] == SL_NONE) {
            return false;
        }
    }
    for (uint32_t i = 0; i < fold->thread_count; i++) {
        uint32_t number = fold->threads[i].number;
        if (number != SL_NONE && !sl_hash_index_add(&fold->thread_index, (uint32_t)sl_hash_mix(number), i)) {
            return false;
        }
    }
    return true;
}

/* Without the tasks, which matter to what is told in order of time. */
static bool add_run(struct fold *fold, uint32_t thread, const struct sl_run *run)
{
    sl_state state = sl_state_activity(run->state);
    uint64_t ns = run->end_ns - run->begin_ns;
    uint32_t hash = (uint32_t)sl_hash_mix(sl_hash_mix((uint64_t)thread << 32 | run->stack) + state);
    struct sl_hash_probe probe = sl_hash_probe(&fold->entry_index, hash);
    for (uint32_t number; (number = sl_hash_next(&fold->entry_index, &probe)) != SL_HASH_NONE;) {
        struct entry *entry = &fold->entries[number];
        if (entry->thread == thread && entry->stack == run->stack && entry->state == state &&
            run->samples <= UINT32_MAX - entry->samples) {
            entry->ns += ns;
            entry->samples += run->samples;
            return true;
        }
    }
    if (!sl_array_room(&fold->entries, &fold->entry_capacity, fold->entry_count, sizeof *fold->entries) ||
        !sl_hash_index_add(&fold->entry_index, hash, fold->entry_count)) {
        return false;
    }
    fold->entries[fold->entry_count++] =
        (struct entry){.thread = thread, .stack = run->stack, .state = state, .samples = run->samples, .ns = ns};
    return true;
}

static bool is_past(const struct fold *fold, const struct sl_run *run)
{
    return run->end_ns <= fold->before_ns;
}

/* The entries as runs, then the runs that stay. NULL when memory is exhausted. */
static bool lay_out(struct fold *fold, uint32_t *run_count)
{
    const struct sl_profile *view = &fold->view;
    for (uint32_t i = 0; i < view->run_count; i++) {
        const struct sl_run *run = &view->runs[i];
        if (is_past(fold, run) && !add_run(fold, fold->targets[run->thread], run)) {
            return false;
        }
    }
    uint64_t *ends = calloc((size_t)fold->thread_count + 1, sizeof *ends);
    fold->runs = malloc(((size_t)view->run_count + 1) * sizeof *fold->runs);
    if (ends == NULL || fold->runs == NULL) {
        free(ends);
        return false;
    }
    for (uint32_t i = 0; i < fold->thread_count; i++) {
        ends[i] = fold->threads[i].record.begin_ns;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < fold->entry_count; i++) {
        const struct entry *entry = &fold->entries[i];
        uint64_t begin_ns = ends[entry->thread];
        ends[entry->thread] += entry->ns;
        fold->runs[count++] = (struct sl_run){
            .begin_ns = begin_ns,
            .end_ns = begin_ns + entry->ns,
            .stack = entry->stack,
            .state = entry->state,
            .samples = entry->samples,
            .thread = entry->thread,
        };
    }
    for (uint32_t i = 0; i < view->run_count; i++) {
        if (!is_past(fold, &view->runs[i])) {
            fold->runs[count] = view->runs[i];
            fold->runs[count++].thread = fold->targets[view->runs[i].thread];
        }
    }
    free(ends);
    *run_count = count;
    return true;
}

/* Those of threads that are over were only of use in order of time. */
static void keep_tasks(struct sl_profile_builder *builder, const uint32_t *places)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < builder->task_count; i++) {
        struct sl_task_record task = builder->tasks[i];
        task.thread = places[task.thread];
        if (task.thread != SL_NONE) {
            builder->tasks[kept++] = task;
        }
    }
    builder->task_count = kept;
}

bool sl_profile_fold(struct sl_profile_builder *builder, uint64_t before_ns, uint64_t duration_ns, uint32_t *places,
                     uint32_t *folded)
{
    struct fold fold = {.builder = builder, .before_ns = before_ns};
    const struct sl_facts facts = {.duration_ns = duration_ns};
    sl_hash_index_init(&fold.entry_index);
    sl_hash_index_init(&fold.thread_index);
    fold.targets = calloc((size_t)builder->thread_count + 1, sizeof *fold.targets);
    uint32_t run_count = 0;
    bool done = fold.targets != NULL && sl_profile_view(builder, &facts, &fold.view) && place_threads(&fold, places) &&
                lay_out(&fold, &run_count);
    if (done) {
        keep_tasks(builder, places);
        free(builder->threads);
        free(builder->runs);
        sl_hash_index_destroy(&builder->thread_index);
        builder->threads = fold.threads;
        builder->thread_count = fold.thread_count;
        builder->thread_capacity = fold.thread_capacity;
        builder->thread_index = fold.thread_index;
        builder->runs = realloc(fold.runs, ((size_t)run_count + 1) * sizeof *fold.runs);
        builder->runs = builder->runs != NULL ? builder->runs : fold.runs;
        builder->run_count = run_count;
        builder->run_capacity = run_count;
        *folded = fold.entry_count;
    } else {
        free(fold.threads);
        free(fold.runs);
        sl_hash_index_destroy(&fold.thread_index);
    }
    sl_profile_view_release(&fold.view);
    sl_hash_index_destroy(&fold.entry_index);
    free(fold.targets);
    free(fold.lanes);
    free(fold.entries);
    return done;
}
