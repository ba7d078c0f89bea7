#include "profile/combine.h"

#include "base/array.h"
#include "profile/combine_match.h"
#include "profile/combine_processes.h"
#include "profile/combine_tasks.h"
#include "profile/recorder.h"
#include "profile/trace_format.h"

#include <stdlib.h>
#include <string.h>

/* So many looks that no recording holds are told of each, one by one as the others: at 1 kHz these are 17 minutes. */
#define LOOKS_NOT_READ_MAX ((uint64_t)1 << 20)

/* A thread of the result. */
struct joined_thread {
    uint32_t process;
    uint32_t kind;
    uint64_t id;
    sl_string name; /* of a thread the last one; several tasks together have none */
    bool open;      /* may go on in the next recording */
    bool continues; /* it does: one thread of that recording is this one */
    uint64_t end_ns;
    uint64_t cpu_ns;
};

/* A thread of the recording that is being added. */
struct part_thread {
    uint32_t number;   /* in the result; before it is known, that of the thread that it goes on from, or SL_NONE */
    uint32_t next_run; /* index into the profile's runs */
    const struct sl_run *run; /* the current one; NULL: nothing is known of it */
    uint64_t begin_look;      /* at which that began */
    bool lasts;               /* to the end of the recording */
    uint64_t cpu_ns;          /* used up to its end, in the recordings before, too */
};

/* Something that happens to a thread of the recording that is being added: its next run begins, or nothing is known of it
 * from then on. */
struct event {
    uint64_t time_ns;
    uint32_t thread;
    bool begins;
};

struct combination {
    struct sl_recorder *recorder;
    sl_stack unknown; /* for the time between two runs of a thread */
    struct sl_joined_processes *processes;
    struct joined_thread *threads;
    uint32_t thread_count, thread_capacity;
    struct sl_joined_tasks tasks;
    uint64_t offset_ns; /* where the recording that is being added begins */

    /* Of that recording: */
    const struct sl_profile *profile;
    sl_string *strings;
    sl_function *functions;
    sl_stack *stacks;
    struct part_thread *part_threads;
    struct event *events;
    size_t event_count;
    uint64_t look;         /* looks of it so far */
    uint64_t untold_looks; /* so many more may be told that it does not hold, as far as is known */
};

static void forget_part(struct combination *combination)
{
    free(combination->strings);
    free(combination->functions);
    free(combination->stacks);
    free(combination->part_threads);
    free(combination->events);
    combination->strings = NULL;
    combination->functions = NULL;
    combination->stacks = NULL;
    combination->part_threads = NULL;
    combination->events = NULL;
}

static bool add_tables(struct combination *combination)
{
    const struct sl_profile *profile = combination->profile;
    struct sl_recorder *recorder = combination->recorder;
    combination->strings = malloc(((size_t)profile->string_count + 1) * sizeof *combination->strings);
    combination->functions = malloc(((size_t)profile->function_count + 1) * sizeof *combination->functions);
    combination->stacks = malloc(((size_t)profile->stack_count + 1) * sizeof *combination->stacks);
    if (combination->strings == NULL || combination->functions == NULL || combination->stacks == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < profile->string_count; i++) {
        combination->strings[i] =
            sl_recorder_string(recorder, sl_profile_text(profile, i), sl_profile_text_size(profile, i));
        if (combination->strings[i] == SL_NONE) {
            return false;
        }
    }
    for (uint32_t i = 0; i < profile->function_count; i++) {
        struct sl_function_record record = profile->functions[i];
        record.name = combination->strings[record.name];
        record.file = combination->strings[record.file];
        combination->functions[i] = i == 0 ? 0 : sl_recorder_function(recorder, record);
        if (combination->functions[i] == SL_NONE) {
            return false;
        }
    }
    for (uint32_t i = 0; i < profile->stack_count; i++) {
        const struct sl_stack_record *record = &profile->stacks[i];
        combination->stacks[i] = i == 0 ? 0
                                        : sl_recorder_stack(recorder, combination->stacks[record->caller],
                                                            combination->functions[record->function], record->line);
        if (combination->stacks[i] == SL_NONE) {
            return false;
        }
    }
    return true;
}

/* Threads of one process and kind go on in each other: those of the kernel with the same id, scopes one like the other. */
static struct sl_match match_of(uint32_t process, uint32_t kind, uint64_t id, uint32_t number)
{
    return (struct sl_match){
        .kind = {(uint64_t)process << 32 | kind, kind == SL_THREAD_SCOPE ? 0 : id},
        .number = number,
    };
}

/* Finds which threads go on from one of the recordings before. */
static bool find_earlier_threads(struct combination *combination)
{
    const struct sl_profile *profile = combination->profile;
    struct sl_match *known = malloc(((size_t)combination->thread_count + profile->thread_count + 1) * sizeof *known);
    if (known == NULL) {
        return false;
    }
    size_t known_count = 0;
    for (uint32_t i = 0; i < combination->thread_count; i++) {
        const struct joined_thread *thread = &combination->threads[i];
        if (thread->open) {
            known[known_count++] = match_of(thread->process, thread->kind, thread->id, i);
        }
    }
    struct sl_match *added = known + known_count;
    size_t added_count = 0;
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const struct sl_thread_record *record = &profile->threads[i];
        combination->part_threads[i].number = SL_NONE;
        if (known_count > 0 && record->begin_ns == 0) {
            uint32_t process = combination->processes->numbers[record->process];
            added[added_count++] = match_of(process, record->kind, record->id, i);
        }
    }
    sl_match(known, known_count, added, added_count);
    for (size_t i = 0; i < added_count; i++) {
        combination->part_threads[added[i].number].number = added[i].earlier;
    }
    free(known);
    return true;
}

static uint32_t new_thread(struct combination *combination, const struct sl_thread_record *record)
{
    if (!sl_array_room(&combination->threads, &combination->thread_capacity, combination->thread_count,
                       sizeof *combination->threads) ||
        sl_recorder_thread(combination->recorder, record) == SL_NONE) {
        return SL_NONE;
    }
    combination->threads[combination->thread_count] = (struct joined_thread){
        .process = record->process,
        .kind = record->kind,
        .name = record->name,
        .id = record->id,
    };
    return combination->thread_count++;
}

/* Threads of the recordings before that are not in this one end now. */
static void end_threads(struct combination *combination)
{
    for (uint32_t i = 0; i < combination->thread_count; i++) {
        struct joined_thread *thread = &combination->threads[i];
        if (thread->open && !thread->continues) {
            thread->open = false;
            sl_recorder_thread_end(combination->recorder, i, thread->end_ns, thread->cpu_ns);
        }
        thread->continues = false;
    }
}

static bool add_threads(struct combination *combination)
{
    const struct sl_profile *profile = combination->profile;
    combination->part_threads = calloc((size_t)profile->thread_count + 1, sizeof *combination->part_threads);
    if (combination->part_threads == NULL || !find_earlier_threads(combination)) {
        return false;
    }
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        struct sl_thread_record record = profile->threads[i];
        bool lasts = record.end_ns == profile->facts.duration_ns;
        record.process = combination->processes->numbers[record.process];
        record.name = combination->strings[record.name];
        record.begin_ns += combination->offset_ns;
        uint32_t earlier = combination->part_threads[i].number;
        uint32_t number = earlier != SL_NONE ? earlier : new_thread(combination, &record);
        if (number == SL_NONE) {
            return false;
        }
        struct joined_thread *thread = &combination->threads[number];
        thread->continues = true;
        bool renamed = thread->kind == SL_THREAD_SCOPE && thread->name != record.name;
        thread->name = renamed ? 0 : record.name;
        sl_recorder_thread_name(combination->recorder, number, thread->name);
        thread->open = lasts;
        thread->end_ns = record.end_ns + combination->offset_ns;
        thread->cpu_ns += record.cpu_ns;
        combination->part_threads[i] = (struct part_thread){
            .number = number,
            .next_run = record.first_run,
            .lasts = lasts,
            .cpu_ns = thread->cpu_ns,
        };
    }
    end_threads(combination);
    return true;
}

static uint32_t number_of_thread(const void *context, uint32_t thread)
{
    return ((const struct combination *)context)->part_threads[thread].number;
}

static bool add_processes(struct combination *combination)
{
    return sl_joined_processes_add(combination->processes, combination->recorder, combination->profile,
                                   combination->strings, combination->offset_ns);
}

static bool add_tasks(struct combination *combination)
{
    return sl_joined_tasks_add(&combination->tasks, combination->recorder, combination->profile, number_of_thread,
                               combination, combination->functions);
}

/* In order of time; what happens to one thread at one time is one event. */
static int by_time(const void *left, const void *right)
{
    const struct event *a = left;
    const struct event *b = right;
    if (a->time_ns != b->time_ns) {
        return a->time_ns < b->time_ns ? -1 : 1;
    }
    return (a->thread > b->thread) - (a->thread < b->thread);
}

static bool find_events(struct combination *combination)
{
    const struct sl_profile *profile = combination->profile;
    combination->events = malloc((2 * (size_t)profile->run_count + 1) * sizeof *combination->events);
    if (combination->events == NULL) {
        return false;
    }
    size_t count = 0;
    for (uint32_t i = 0; i < profile->run_count; i++) {
        const struct sl_run *run = &profile->runs[i];
        const struct sl_thread_record *thread = &profile->threads[run->thread];
        if (run->end_ns == run->begin_ns) {
            continue;
        }
        combination->events[count++] = (struct event){run->begin_ns, run->thread, true};
        uint32_t next = i + 1;
        uint32_t end = thread->first_run + thread->run_count;
        while (next < end && profile->runs[next].end_ns == profile->runs[next].begin_ns) {
            next++;
        }
        if (next == end || profile->runs[next].begin_ns > run->end_ns) {
            combination->events[count++] = (struct event){run->end_ns, run->thread, false};
        }
    }
    qsort(combination->events, count, sizeof *combination->events, by_time);
    combination->event_count = count;
    return true;
}

/* Looks between two moments, the second of which is that of the events from `first` on: as many as the runs that end
 * there say. `*read`: these are looks that the recording holds. */
static uint64_t looks_until(const struct combination *combination, size_t first, uint64_t begin_ns, bool *read)
{
    uint64_t end_ns = combination->events[first].time_ns;
    for (size_t i = first; i < combination->event_count && combination->events[i].time_ns == end_ns; i++) {
        const struct part_thread *thread = &combination->part_threads[combination->events[i].thread];
        if (thread->run != NULL) {
            uint64_t look = thread->begin_look + thread->run->samples;
            *read = combination->stacks[thread->run->stack] != combination->unknown;
            return look > combination->look ? look - combination->look : 1;
        }
    }
    uint64_t interval_ns = combination->profile->facts.interval_ns;
    uint64_t looks = interval_ns > 0 ? (end_ns - begin_ns + interval_ns / 2) / interval_ns : 1;
    *read = false;
    return looks == 0 ? 1 : looks < combination->profile->facts.looks ? looks : combination->profile->facts.looks + 1;
}

static void begin_run(struct combination *combination, struct part_thread *thread)
{
    const struct sl_run *runs = combination->profile->runs;
    while (runs[thread->next_run].end_ns == runs[thread->next_run].begin_ns) {
        thread->next_run++;
    }
    thread->run = &runs[thread->next_run++];
    thread->begin_look = combination->look;
}

/* From here on nothing is known of the thread; if that is its end, it ends in the result, too. */
static void end_run(struct combination *combination, uint32_t index, uint64_t time_ns)
{
    const struct sl_thread_record *record = &combination->profile->threads[index];
    struct part_thread *thread = &combination->part_threads[index];
    thread->run = NULL;
    if (thread->next_run >= record->first_run + record->run_count && !thread->lasts) {
        sl_recorder_thread_end(combination->recorder, thread->number, time_ns + combination->offset_ns, thread->cpu_ns);
    }
}

/* What the threads of the events [first, end) do from now on. */
static void tell_changes(struct combination *combination, size_t first, size_t end)
{
    for (size_t event = first; event < end; event++) {
        uint32_t index = combination->events[event].thread;
        const struct part_thread *thread = &combination->part_threads[index];
        sl_stack stack = thread->run != NULL ? combination->stacks[thread->run->stack] : combination->unknown;
        sl_state state = thread->run != NULL ? sl_joined_tasks_state(&combination->tasks, combination->profile, index,
                                                                     thread->run->state)
                                             : 0;
        sl_recorder_sample(combination->recorder, thread->number, stack, state);
    }
}

/* How many of `looks` that may be no more than a number in the recording are told: what is told is written, so that must
 * not be more than was read by much. The time that they stand for stays. */
static uint64_t looks_to_tell(struct combination *combination, uint64_t looks)
{
    uint64_t told = looks < combination->untold_looks ? looks : combination->untold_looks;
    combination->untold_looks -= told;
    return told > 0 ? told : 1;
}

/* The looks from the events [first, end) to those that come next. */
static void tell_looks(struct combination *combination, size_t first, size_t end)
{
    uint64_t begin_ns = combination->events[first].time_ns;
    uint64_t end_ns = combination->events[end].time_ns;
    bool read;
    uint64_t looks = looks_until(combination, end, begin_ns, &read);
    uint64_t told = read ? looks : looks_to_tell(combination, looks);
    uint64_t from_ns = begin_ns;
    for (uint64_t i = 0; i < told; i++) {
        uint64_t to_ns = begin_ns + (uint64_t)((unsigned __int128)(end_ns - begin_ns) * (i + 1) / told);
        sl_recorder_look(combination->recorder, from_ns + combination->offset_ns, to_ns + combination->offset_ns,
                         from_ns + (to_ns - from_ns) / 2 + combination->offset_ns);
        if (i == 0) {
            tell_changes(combination, first, end);
        }
        from_ns = to_ns;
    }
    combination->look += looks;
}

static void tell_part(struct combination *combination)
{
    const struct event *events = combination->events;
    combination->look = 0;
    combination->untold_looks = combination->profile->facts.looks_read + LOOKS_NOT_READ_MAX;
    for (size_t first = 0, end; first < combination->event_count; first = end) {
        for (end = first; end < combination->event_count && events[end].time_ns == events[first].time_ns; end++) {
            if (events[end].begins) {
                begin_run(combination, &combination->part_threads[events[end].thread]);
            } else {
                end_run(combination, events[end].thread, events[end].time_ns);
            }
        }
        if (end < combination->event_count) {
            tell_looks(combination, first, end);
        }
    }
}

static void add_facts(struct combination *combination)
{
    const struct sl_facts *facts = &combination->profile->facts;
    struct sl_facts *sum = sl_recorder_facts(combination->recorder);
    sum->broken += facts->broken;
    sum->missed += facts->missed;
    sum->late += facts->late;
    sum->retried += facts->retried;
    sum->sampler_cpu_ns += facts->sampler_cpu_ns;
    sum->cpu_ns += facts->cpu_ns;
    sum->children_cpu_ns += facts->children_cpu_ns;
}

static bool add_part(struct combination *combination, const struct sl_profile *profile)
{
    combination->profile = profile;
    bool added = add_tables(combination) && add_processes(combination) && add_threads(combination) &&
                 add_tasks(combination) && find_events(combination);
    if (added) {
        tell_part(combination);
        add_facts(combination);
        combination->offset_ns += profile->facts.duration_ns;
    }
    forget_part(combination);
    return added;
}

static bool may_combine(const struct sl_profile *const *profiles, size_t count, bool *complete, struct sl_error *error)
{
    uint64_t duration_ns = 0;
    *complete = true;
    if (count == 0) {
        return sl_error_set(error, SL_ERROR_USAGE, "there is no recording to combine");
    }
    for (size_t i = 0; i < count; i++) {
        const struct sl_facts *facts = &profiles[i]->facts;
        if (facts->duration_ns > SL_TRACE_TIME_MAX - duration_ns) {
            return sl_error_set(error, SL_ERROR_USAGE, "these recordings together last longer than a recording can");
        }
        duration_ns += facts->duration_ns;
        *complete &= facts->complete;
    }
    return true;
}

static bool finish(struct combination *combination, bool complete, struct sl_error *error)
{
    struct sl_recorder *recorder = combination->recorder;
    for (uint32_t i = 0; i < combination->thread_count; i++) {
        sl_recorder_thread_end(recorder, i, combination->threads[i].end_ns, combination->threads[i].cpu_ns);
    }
    sl_joined_processes_end(combination->processes, recorder);
    return complete ? sl_recorder_close(recorder, combination->offset_ns, error) : sl_recorder_flush(recorder, error);
}

bool sl_profile_combine(const struct sl_profile *const *profiles, size_t count, struct sl_buffer *trace,
                        struct sl_error *error)
{
    bool complete;
    if (!may_combine(profiles, count, &complete, error)) {
        return false;
    }
    struct sl_joined_processes processes = {0};
    struct combination combination = {.processes = &processes};
    const struct sl_recorder_options options = {
        .start_time_ns = profiles[0]->facts.start_time_ns,
        .interval_ns = profiles[0]->facts.interval_ns,
        .description = sl_profile_text(profiles[0], profiles[0]->facts.description),
        .command = sl_profile_text(profiles[0], profiles[0]->facts.command),
        .descriptor = -1,
    };
    combination.recorder = sl_recorder_create(&options, error);
    if (combination.recorder == NULL) {
        return false;
    }
    combination.unknown = sl_recorder_mark(combination.recorder, "[lost]");
    bool done = combination.unknown != SL_NONE;
    for (size_t i = 0; done && i < count; i++) {
        done = add_part(&combination, profiles[i]);
    }
    if (!done) {
        sl_error_memory(error);
    } else {
        done = finish(&combination, complete, error);
    }
    if (done) {
        const struct sl_buffer *whole = sl_recorder_trace(combination.recorder);
        sl_buffer_append(trace, whole->bytes, whole->size);
        done = !trace->failed || sl_error_memory(error);
    }
    free(combination.threads);
    sl_joined_processes_destroy(&processes);
    sl_joined_tasks_destroy(&combination.tasks);
    sl_recorder_destroy(combination.recorder);
    return done;
}
