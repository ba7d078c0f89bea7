#include "base/array.h"
#include "base/buffer.h"
#include "base/hash_index.h"
#include "render/columns.h"

#include <stdlib.h>

static uint64_t zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static void put_difference(struct sl_buffer *buffer, uint64_t value, uint64_t before)
{
    sl_buffer_varint(buffer, zigzag((int64_t)(value - before)));
}

static void write_facts(struct sl_buffer *buffer, const struct sl_facts *facts)
{
    const uint64_t values[] = {
        facts->start_time_ns,    facts->interval_ns,     facts->duration_ns, facts->looks,   facts->samples,
        facts->broken,           facts->missed,          facts->late,        facts->retried, facts->sampler_cpu_ns,
        facts->cpu_ns,           facts->children_cpu_ns, facts->description, facts->version, facts->trace_bytes,
        facts->complete ? 1 : 0, facts->lost_bytes,      facts->even_looks,
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        sl_buffer_varint(buffer, values[i]);
    }
}

static void write_strings(struct sl_buffer *buffer, const struct sl_profile *profile)
{
    sl_buffer_varint(buffer, profile->string_count);
    for (uint32_t i = 0; i < profile->string_count; i++) {
        sl_buffer_varint(buffer, sl_profile_text_size(profile, i));
    }
    for (uint32_t i = 0; i < profile->string_count; i++) {
        sl_buffer_append(buffer, sl_profile_text(profile, i), sl_profile_text_size(profile, i));
    }
}

static void write_functions(struct sl_buffer *buffer, const struct sl_profile *profile)
{
    const struct sl_function_record *functions = profile->functions;
    sl_buffer_varint(buffer, profile->function_count);
    for (uint32_t i = 1; i < profile->function_count; i++) {
        put_difference(buffer, functions[i].name, functions[i - 1].name);
    }
    for (uint32_t i = 1; i < profile->function_count; i++) {
        put_difference(buffer, functions[i].file, functions[i - 1].file);
    }
    for (uint32_t i = 1; i < profile->function_count; i++) {
        sl_buffer_varint(buffer, functions[i].first_line);
    }
    for (uint32_t i = 1; i < profile->function_count; i++) {
        sl_buffer_varint(buffer, functions[i].kind);
    }
}

static void write_stacks(struct sl_buffer *buffer, const struct sl_profile *profile)
{
    const struct sl_stack_record *stacks = profile->stacks;
    sl_buffer_varint(buffer, profile->stack_count);
    for (uint32_t i = 1; i < profile->stack_count; i++) {
        sl_buffer_varint(buffer, i - stacks[i].caller);
    }
    for (uint32_t i = 1; i < profile->stack_count; i++) {
        sl_buffer_varint(buffer, stacks[i].function);
    }
    for (uint32_t i = 1; i < profile->stack_count; i++) {
        put_difference(buffer, stacks[i].line, profile->functions[stacks[i].function].first_line);
    }
}

static void write_processes(struct sl_buffer *buffer, const struct sl_profile *profile)
{
    sl_buffer_varint(buffer, profile->process_count);
    for (uint32_t i = 0; i < profile->process_count; i++) {
        const struct sl_process_record *process = &profile->processes[i];
        const uint64_t values[] = {
            process->pid,      process->parent_pid, process->command,  process->python, process->executable,
            process->prefixes, process->path,       process->begin_ns, process->end_ns, process->cpu_ns,
        };
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            sl_buffer_varint(buffer, values[j]);
        }
        sl_buffer_varint(buffer, zigzag(process->exit_status));
    }
}

static void write_threads(struct sl_buffer *buffer, const struct sl_profile *profile)
{
    sl_buffer_varint(buffer, profile->thread_count);
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const struct sl_thread_record *thread = &profile->threads[i];
        const uint64_t values[] = {
            thread->process,  thread->kind,   thread->id,     thread->name,      thread->main ? 1 : 0,
            thread->begin_ns, thread->end_ns, thread->cpu_ns, thread->run_count,
        };
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            sl_buffer_varint(buffer, values[j]);
        }
    }
}

static void write_tasks(struct sl_buffer *buffer, const struct sl_profile *profile)
{
    sl_buffer_varint(buffer, profile->task_count);
    for (uint32_t i = 0; i < profile->task_count; i++) {
        const struct sl_task_record *task = &profile->tasks[i];
        sl_buffer_varint(buffer, task->thread);
        sl_buffer_varint(buffer, task->number);
        sl_buffer_varint(buffer, task->coroutine);
    }
}

/* One column of the runs: `before` is the same thread's run before it, NULL for its first. */
typedef void run_column(struct sl_buffer *buffer, const struct sl_profile *profile, const struct sl_run *run,
                        const struct sl_run *before);

static void put_gap(struct sl_buffer *buffer, const struct sl_profile *profile, const struct sl_run *run,
                    const struct sl_run *before)
{
    (void)profile;
    sl_buffer_varint(buffer, run->begin_ns - (before != NULL ? before->end_ns : 0));
}

static void put_duration(struct sl_buffer *buffer, const struct sl_profile *profile, const struct sl_run *run,
                         const struct sl_run *before)
{
    (void)before;
    uint64_t duration_ns = run->end_ns - run->begin_ns;
    uint64_t interval_ns = profile->facts.interval_ns;
    if (interval_ns != 0 && duration_ns % interval_ns == 0) {
        sl_buffer_varint(buffer, zigzag((int64_t)(duration_ns / interval_ns - run->samples)) << 1);
    } else {
        sl_buffer_varint(buffer, duration_ns << 1 | 1);
    }
}

static void put_stack(struct sl_buffer *buffer, const struct sl_profile *profile, const struct sl_run *run,
                      const struct sl_run *before)
{
    (void)profile;
    put_difference(buffer, run->stack, before != NULL ? before->stack : 0);
}

static void put_samples(struct sl_buffer *buffer, const struct sl_profile *profile, const struct sl_run *run,
                        const struct sl_run *before)
{
    (void)profile;
    (void)before;
    sl_buffer_varint(buffer, run->samples);
}

static void put_task(struct sl_buffer *buffer, const struct sl_profile *profile, const struct sl_run *run,
                     const struct sl_run *before)
{
    (void)profile;
    (void)before;
    sl_buffer_varint(buffer, sl_state_task(run->state));
}

static void write_run_column(struct sl_buffer *buffer, const struct sl_profile *profile, run_column *put)
{
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const struct sl_run *runs = profile->runs + profile->threads[i].first_run;
        for (uint32_t j = 0; j < profile->threads[i].run_count; j++) {
            put(buffer, profile, &runs[j], j > 0 ? &runs[j - 1] : NULL);
        }
    }
}

/* The states that were seen so far: a handful, one for each system call it waited in, but a made-up recording may have another
 * one in each run. */
struct states {
    sl_state *seen;
    uint32_t count, capacity;
    struct sl_hash_index index;
    uint64_t seed;
    bool failed;
};

static uint32_t state_index(struct states *states, sl_state state)
{
    uint32_t hash = sl_hash_bytes(states->seed, &state, sizeof state);
    struct sl_hash_probe probe = sl_hash_probe(&states->index, hash);
    for (uint32_t number; (number = sl_hash_next(&states->index, &probe)) != SL_HASH_NONE;) {
        if (states->seen[number] == state) {
            return number;
        }
    }
    if (!sl_array_room(&states->seen, &states->capacity, states->count, sizeof *states->seen) ||
        !sl_hash_index_add(&states->index, hash, states->count)) {
        states->failed = true;
        return 0;
    }
    states->seen[states->count] = state;
    return states->count++;
}

static void write_runs(struct sl_buffer *buffer, const struct sl_profile *profile)
{
    struct states states = {.seed = sl_hash_seed()};
    struct sl_buffer indexes;
    sl_buffer_init(&indexes);
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const struct sl_run *runs = profile->runs + profile->threads[i].first_run;
        for (uint32_t j = 0; j < profile->threads[i].run_count; j++) {
            sl_buffer_varint(&indexes, state_index(&states, sl_state_activity(runs[j].state)));
        }
    }
    sl_buffer_varint(buffer, states.count);
    for (uint32_t i = 0; i < states.count; i++) {
        sl_buffer_varint(buffer, states.seen[i]);
    }
    write_run_column(buffer, profile, put_gap);
    write_run_column(buffer, profile, put_duration);
    write_run_column(buffer, profile, put_stack);
    sl_buffer_append(buffer, indexes.bytes, indexes.size);
    write_run_column(buffer, profile, put_samples);
    if (profile->task_count > 0) {
        write_run_column(buffer, profile, put_task);
    }
    buffer->failed = buffer->failed || indexes.failed || states.failed;
    sl_buffer_destroy(&indexes);
    sl_hash_index_destroy(&states.index);
    free(states.seen);
}

void sl_columns_write(const struct sl_profile *profile, struct sl_buffer *buffer)
{
    sl_buffer_varint(buffer, SL_COLUMNS_VERSION);
    write_facts(buffer, &profile->facts);
    write_strings(buffer, profile);
    write_functions(buffer, profile);
    write_stacks(buffer, profile);
    write_processes(buffer, profile);
    write_threads(buffer, profile);
    write_tasks(buffer, profile);
    write_runs(buffer, profile);
}
