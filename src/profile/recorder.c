#include "base/array.h"
#include "profile/cursor.h"
#include "profile/recorder_state.h"

#include <stdlib.h>
#include <string.h>

struct sl_recorder *sl_recorder_create(const struct sl_recorder_options *options, struct sl_error *error)
{
    return sl_recorder_create_as(options, SL_VERSION, error);
}

struct sl_recorder *sl_recorder_create_as(const struct sl_recorder_options *options, const char *version,
                                          struct sl_error *error)
{
    struct sl_recorder *recorder = calloc(1, sizeof *recorder);
    if (recorder == NULL) {
        sl_error_memory(error);
        return NULL;
    }
    recorder->writer.descriptor = -1;
    recorder->remembered_max =
        options->descriptor < 0 ? SL_RECORDER_REMEMBERED_IN_MEMORY_MAX : SL_RECORDER_REMEMBERED_MAX;
    sl_situations_init(&recorder->situations);
    recorder->looks = malloc(SL_RECORDER_LOOKS_MAX * sizeof *recorder->looks);
    if (recorder->looks == NULL || !sl_strings_init(&recorder->strings) || !sl_functions_init(&recorder->functions) ||
        !sl_stacks_init(&recorder->stacks)) {
        sl_error_memory(error);
        goto failed;
    }
    recorder->written.strings = recorder->strings.count;
    recorder->written.functions = recorder->functions.count;
    recorder->written.stacks = recorder->stacks.numbers.count;

    const char *description = options->description != NULL ? options->description : "";
    recorder->facts.start_time_ns = options->start_time_ns;
    recorder->facts.interval_ns = options->interval_ns > 0 ? options->interval_ns : 1;
    recorder->facts.description = sl_recorder_string(recorder, description, strlen(description));
    recorder->facts.version = sl_recorder_string(recorder, version, strlen(version));
    recorder->facts.command =
        options->command != NULL ? sl_recorder_string(recorder, options->command, strlen(options->command)) : 0;
    if (recorder->facts.description == SL_NONE || recorder->facts.version == SL_NONE ||
        recorder->facts.command == SL_NONE) {
        sl_error_memory(error);
        goto failed;
    }
    if (!sl_trace_writer_open(&recorder->writer, options->descriptor, error)) {
        goto failed;
    }
    /* From the start on the trace says what it is of, even if nothing follows. */
    if (!options->late && !sl_recorder_write_definitions(recorder)) {
        sl_error_memory(error);
        goto failed;
    }
    if (!sl_trace_writer_flush(&recorder->writer, error)) {
        goto failed;
    }
    return recorder;

failed:
    sl_recorder_destroy(recorder);
    return NULL;
}

void sl_recorder_destroy(struct sl_recorder *recorder)
{
    if (recorder == NULL) {
        return;
    }
    sl_trace_writer_close(&recorder->writer);
    sl_strings_destroy(&recorder->strings);
    sl_functions_destroy(&recorder->functions);
    sl_stacks_destroy(&recorder->stacks);
    sl_situations_destroy(&recorder->situations);
    sl_buffer_destroy(&recorder->events);
    sl_buffer_destroy(&recorder->ends);
    sl_buffer_destroy(&recorder->column);
    free(recorder->processes);
    free(recorder->threads);
    free(recorder->live);
    free(recorder->looks);
    free(recorder->changes);
    free(recorder->live_at_begin);
    free(recorder);
}

sl_string sl_recorder_string(struct sl_recorder *recorder, const char *bytes, size_t size)
{
    return sl_strings_intern(&recorder->strings, bytes, size);
}

sl_function sl_recorder_function(struct sl_recorder *recorder, struct sl_function_record function)
{
    if (function.name >= recorder->strings.count || function.file >= recorder->strings.count) {
        return SL_NONE;
    }
    return sl_functions_intern(&recorder->functions, function);
}

sl_stack sl_recorder_stack(struct sl_recorder *recorder, sl_stack caller, sl_function function, uint32_t line)
{
    if (caller >= recorder->stacks.numbers.count || function >= recorder->functions.count) {
        return SL_NONE;
    }
    return sl_stacks_push(&recorder->stacks,
                          (struct sl_stack_record){.caller = caller, .function = function, .line = line});
}

sl_stack sl_recorder_mark(struct sl_recorder *recorder, const char *name)
{
    sl_string text = sl_recorder_string(recorder, name, strlen(name));
    sl_function function =
        sl_recorder_function(recorder, (struct sl_function_record){.name = text, .kind = SL_FUNCTION_MARK});
    return sl_recorder_stack(recorder, 0, function, 0);
}

/* Events are numbers one behind the other, led by their size: a reader skips what it does not know. One that finds no memory
 * is left out as a whole and counted, so that those before and behind it are still read. */
static void add_event(struct sl_recorder *recorder, enum sl_trace_event kind, const uint64_t *numbers, size_t count)
{
    struct sl_buffer *event = &recorder->column;
    sl_buffer_clear(event);
    sl_buffer_varint(event, kind);
    for (size_t i = 0; i < count; i++) {
        sl_buffer_varint(event, numbers[i]);
    }
    if (event->failed || !sl_buffer_reserve(&recorder->events, SL_VARINT_BYTES_MAX + event->size)) {
        recorder->events.failed = false;
        recorder->writer.dropped_size += 1 + event->size;
        return;
    }
    sl_buffer_varint(&recorder->events, event->size);
    sl_buffer_append(&recorder->events, event->bytes, event->size);
    if (recorder->events.size > SL_RECORDER_EVENTS_MAX) {
        sl_recorder_write_definitions(recorder);
    }
}
#define ADD_EVENT(recorder, kind, ...)                                                                                 \
    add_event(recorder, kind, (const uint64_t[]){__VA_ARGS__},                                                         \
              sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static sl_string valid_string(const struct sl_recorder *recorder, sl_string string)
{
    return string < recorder->strings.count ? string : 0;
}

uint32_t sl_recorder_process(struct sl_recorder *recorder, const struct sl_process_record *process)
{
    if (recorder->closed || !sl_array_room(&recorder->processes, &recorder->process_capacity, recorder->process_count,
                                           sizeof *recorder->processes)) {
        return SL_NONE;
    }
    uint32_t number = recorder->process_count++;
    struct sl_recorded_process *added = &recorder->processes[number];
    *added = (struct sl_recorded_process){.known = *process};
    ADD_EVENT(recorder, SL_TRACE_PROCESS_NEW, number, process->pid, process->parent_pid, process->begin_ns);
    added->known.command = added->known.python = added->known.executable = 0;
    added->known.prefixes = added->known.path = 0;
    added->known.root = 0;
    sl_recorder_process_update(recorder, number, process);
    return number;
}

void sl_recorder_process_update(struct sl_recorder *recorder, uint32_t process, const struct sl_process_record *known)
{
    if (recorder->closed || process >= recorder->process_count) {
        return;
    }
    struct sl_process_record *record = &recorder->processes[process].known;
    struct sl_process_record updated = *record;
    updated.command = valid_string(recorder, known->command);
    updated.python = valid_string(recorder, known->python);
    updated.executable = valid_string(recorder, known->executable);
    updated.prefixes = valid_string(recorder, known->prefixes);
    updated.path = valid_string(recorder, known->path);
    updated.root = known->root;
    if (updated.command == record->command && updated.python == record->python &&
        updated.executable == record->executable && updated.prefixes == record->prefixes &&
        updated.path == record->path && updated.root == record->root) {
        return;
    }
    *record = updated;
    if (updated.root == 0) {
        ADD_EVENT(recorder, SL_TRACE_PROCESS_KNOWN, process, updated.command, updated.python, updated.executable,
                  updated.prefixes, updated.path);
    } else {
        ADD_EVENT(recorder, SL_TRACE_PROCESS_KNOWN, process, updated.command, updated.python, updated.executable,
                  updated.prefixes, updated.path, updated.root);
    }
}

void sl_recorder_process_end(struct sl_recorder *recorder, uint32_t process, uint64_t end_ns, uint64_t cpu_ns,
                             int32_t exit_status)
{
    if (recorder->closed || process >= recorder->process_count || recorder->processes[process].ended) {
        return;
    }
    recorder->processes[process].ended = true;
    ADD_EVENT(recorder, SL_TRACE_PROCESS_END, process, end_ns, cpu_ns, sl_zigzag(exit_status));
}

uint32_t sl_recorder_thread(struct sl_recorder *recorder, const struct sl_thread_record *thread)
{
    if (recorder->closed || thread->process >= recorder->process_count) {
        return SL_NONE;
    }
    uint32_t live_capacity = recorder->thread_capacity;
    if (!sl_array_room(&recorder->live, &live_capacity, recorder->thread_count, sizeof *recorder->live) ||
        !sl_array_room(&recorder->threads, &recorder->thread_capacity, recorder->thread_count,
                       sizeof *recorder->threads)) {
        return SL_NONE;
    }
    uint32_t number = recorder->thread_count++;
    sl_string name = valid_string(recorder, thread->name);
    recorder->threads[number] = (struct sl_recorded_thread){.name = name, .place = SL_NONE};
    ADD_EVENT(recorder, SL_TRACE_THREAD_NEW, number, thread->process, thread->kind, thread->id, name, thread->main,
              thread->begin_ns);
    return number;
}

void sl_recorder_thread_name(struct sl_recorder *recorder, uint32_t thread, sl_string name)
{
    if (recorder->closed || thread >= recorder->thread_count || recorder->threads[thread].name == name ||
        name >= recorder->strings.count) {
        return;
    }
    recorder->threads[thread].name = name;
    ADD_EVENT(recorder, SL_TRACE_THREAD_NAME, thread, name);
}

void sl_recorder_task(struct sl_recorder *recorder, uint32_t thread, uint32_t number, sl_function coroutine)
{
    if (!recorder->closed && thread < recorder->thread_count && coroutine < recorder->functions.count) {
        ADD_EVENT(recorder, SL_TRACE_TASK_NEW, thread, number, coroutine);
    }
}

void sl_recorder_thread_stem(struct sl_recorder *recorder, uint32_t thread, sl_stack stem)
{
    if (!recorder->closed && thread < recorder->thread_count && stem < recorder->stacks.numbers.count) {
        ADD_EVENT(recorder, SL_TRACE_THREAD_STEM, thread, stem);
    }
}

void sl_recorder_thread_end(struct sl_recorder *recorder, uint32_t thread, uint64_t end_ns, uint64_t cpu_ns)
{
    if (recorder->closed || thread >= recorder->thread_count || recorder->threads[thread].ended) {
        return;
    }
    struct sl_recorded_thread *ending = &recorder->threads[thread];
    ending->ended = true;
    ADD_EVENT(recorder, SL_TRACE_THREAD_END, thread, end_ns, cpu_ns);
    if (ending->place == SL_NONE) {
        return;
    }
    uint32_t moved = recorder->live[--recorder->live_count];
    recorder->live[ending->place] = moved;
    recorder->threads[moved].place = ending->place;
    ending->place = SL_NONE;
    if (recorder->look_count > 0) {
        sl_buffer_varint(&recorder->ends, recorder->look_count - recorder->last_end);
        sl_buffer_varint(&recorder->ends, thread);
        recorder->last_end = recorder->look_count;
    }
}

/* Looks */

static int by_thread(const void *a, const void *b)
{
    const struct sl_recorded_live *left = a;
    const struct sl_recorded_live *right = b;
    return (left->thread > right->thread) - (left->thread < right->thread);
}

/* Remembers what is live before the first look of a block changes it. */
static void begin_block(struct sl_recorder *recorder, uint64_t begin_ns)
{
    uint32_t count = 0;
    while (count < recorder->live_count && sl_array_room(&recorder->live_at_begin, &recorder->live_at_begin_capacity,
                                                         count, sizeof *recorder->live_at_begin)) {
        uint32_t number = recorder->live[count];
        recorder->live_at_begin[count++] =
            (struct sl_recorded_live){.thread = number, .situation = recorder->threads[number].situation};
    }
    if (count > 1) {
        qsort(recorder->live_at_begin, count, sizeof *recorder->live_at_begin, by_thread);
    }
    recorder->live_at_begin_count = count;
    recorder->begin_ns = begin_ns;
}

/* Looks whose definitions could not be written for want of memory wait for the next time, unless the block is full. */
static void write_block(struct sl_recorder *recorder, bool full)
{
    if (sl_recorder_write_definitions(recorder) || full) {
        sl_recorder_write_looks(recorder);
    }
}

/* The slot of a look, which ends with it: what is before that are slots that were skipped. */
static uint64_t slot_ns(const struct sl_recorder *recorder, uint64_t length_ns)
{
    uint64_t interval_ns = recorder->facts.interval_ns;
    return length_ns < interval_ns ? length_ns : interval_ns;
}

/* The part of its slot in which a look is taken that far before the slot's end. */
static uint8_t step_of(uint64_t slot_ns, uint64_t before_end_ns)
{
    uint64_t step = 0;
    if (before_end_ns < slot_ns) {
        step = (uint64_t)((double)(slot_ns - before_end_ns) / (double)slot_ns * SL_TRACE_INSTANT_STEPS);
    }
    return step < SL_TRACE_INSTANT_STEPS ? (uint8_t)step : SL_TRACE_INSTANT_STEPS - 1;
}

/* Gives a look, which ends `earlier_ns` earlier from now on, a length; it was taken when it was taken. */
static void reshape(const struct sl_recorder *recorder, struct sl_recorded_look *look, uint64_t length_ns,
                    uint64_t earlier_ns)
{
    uint64_t before_end_ns = (uint64_t)((double)slot_ns(recorder, look->length_ns) *
                                        (SL_TRACE_INSTANT_STEPS - look->instant) / SL_TRACE_INSTANT_STEPS);
    before_end_ns = before_end_ns > earlier_ns ? before_end_ns - earlier_ns : 0;
    look->instant = step_of(slot_ns(recorder, length_ns), before_end_ns);
    look->length_ns = length_ns;
}

void sl_recorder_end_in_slot(struct sl_recorder *recorder, uint64_t end_ns)
{
    if (recorder->closed || recorder->look_count < 2 || end_ns >= recorder->time_ns) {
        return;
    }
    struct sl_recorded_look *last = &recorder->looks[recorder->look_count - 1];
    struct sl_recorded_look *before = last - 1;
    uint64_t earlier_ns = recorder->time_ns - end_ns;
    if (earlier_ns >= before->length_ns) {
        earlier_ns = before->length_ns > 0 ? before->length_ns - 1 : 0;
    }
    reshape(recorder, before, before->length_ns - earlier_ns, earlier_ns);
    reshape(recorder, last, last->length_ns, earlier_ns);
    recorder->time_ns -= earlier_ns;
}

void sl_recorder_look(struct sl_recorder *recorder, uint64_t begin_ns, uint64_t end_ns, uint64_t instant_ns)
{
    if (recorder->closed) {
        return;
    }
    end_ns = end_ns < SL_TRACE_TIME_MAX ? end_ns : SL_TRACE_TIME_MAX;
    begin_ns = begin_ns > recorder->time_ns ? begin_ns : recorder->time_ns;
    end_ns = end_ns > begin_ns ? end_ns : begin_ns;
    /* The looks of a block follow each other without a gap. */
    if (recorder->look_count > 0 &&
        (begin_ns > recorder->time_ns || recorder->look_count == SL_RECORDER_LOOKS_MAX ||
         recorder->change_count >= SL_RECORDER_CHANGES_MAX || sl_recorder_remembers_much(recorder))) {
        write_block(recorder, true);
    }
    if (recorder->look_count == 0) {
        begin_block(recorder, begin_ns);
    }

    recorder->looks[recorder->look_count++] = (struct sl_recorded_look){
        .length_ns = end_ns - begin_ns,
        .instant = step_of(slot_ns(recorder, end_ns - begin_ns), end_ns > instant_ns ? end_ns - instant_ns : 0),
    };
    recorder->time_ns = end_ns;
    recorder->facts.duration_ns = end_ns;
    recorder->facts.looks++;
    recorder->facts.samples += recorder->live_count;
}

/* A second sample of a thread in one look takes the place of the first. False when memory is exhausted. */
static bool add_change(struct sl_recorder *recorder, uint32_t number, uint32_t situation)
{
    if (recorder->look_count == 0) {
        return true; /* flushed between a look and its samples: the next block begins with it */
    }
    struct sl_recorded_thread *thread = &recorder->threads[number];
    if (thread->changed_in != recorder->facts.looks) {
        if (!sl_array_room(&recorder->changes, &recorder->change_capacity, recorder->change_count,
                           sizeof *recorder->changes)) {
            return false;
        }
        thread->changed_in = recorder->facts.looks;
        thread->change = recorder->change_count++;
        recorder->looks[recorder->look_count - 1].changes++;
    }
    recorder->changes[thread->change] = (struct sl_recorded_change){.thread = number, .situation = situation};
    return true;
}

void sl_recorder_sample(struct sl_recorder *recorder, uint32_t thread, sl_stack stack, sl_state state)
{
    if (recorder->closed || thread >= recorder->thread_count || stack >= recorder->stacks.numbers.count ||
        recorder->facts.looks == 0) {
        return;
    }
    struct sl_recorded_thread *sampled = &recorder->threads[thread];
    if (sampled->ended) {
        return;
    }
    uint32_t situation =
        sl_situations_intern(&recorder->situations, (struct sl_situation){.stack = stack, .state = state});
    bool first = sampled->place == SL_NONE;
    if (!first && situation == sampled->situation) {
        return;
    }
    if (situation == SL_NONE || !add_change(recorder, thread, situation)) {
        recorder->facts.missed++;
        return;
    }
    if (first) {
        sampled->place = recorder->live_count;
        recorder->live[recorder->live_count++] = thread;
        recorder->facts.samples++;
    }
    sampled->situation = situation;
}

/* Putting it out */

size_t sl_recorder_pending(const struct sl_recorder *recorder)
{
    return recorder->look_count * sizeof *recorder->looks + recorder->change_count * sizeof *recorder->changes +
           recorder->events.size +
           (recorder->strings.text.size - recorder->strings.offsets[recorder->written.strings]) +
           (size_t)(recorder->functions.count - recorder->written.functions) * sizeof *recorder->functions.records +
           (size_t)(recorder->stacks.numbers.count - recorder->written.stacks) * sizeof *recorder->stacks.records;
}

bool sl_recorder_flush(struct sl_recorder *recorder, struct sl_error *error)
{
    if (!recorder->closed) {
        write_block(recorder, false);
    }
    return sl_trace_writer_flush(&recorder->writer, error);
}

struct sl_facts *sl_recorder_facts(struct sl_recorder *recorder)
{
    return &recorder->facts;
}

bool sl_recorder_close(struct sl_recorder *recorder, uint64_t duration_ns, struct sl_error *error)
{
    if (!recorder->closed) {
        for (uint32_t i = 0; i < recorder->thread_count; i++) {
            sl_recorder_thread_end(recorder, i, duration_ns, 0);
        }
        for (uint32_t i = 0; i < recorder->process_count; i++) {
            sl_recorder_process_end(recorder, i, duration_ns, 0, -1);
        }
        write_block(recorder, true);
        recorder->facts.duration_ns = duration_ns < SL_TRACE_TIME_MAX ? duration_ns : SL_TRACE_TIME_MAX;
        if (!sl_recorder_write_end(recorder)) {
            return sl_error_memory(error);
        }
        recorder->closed = true;
    }
    return sl_trace_writer_flush(&recorder->writer, error);
}

const struct sl_buffer *sl_recorder_trace(const struct sl_recorder *recorder)
{
    return &recorder->writer.trace;
}

struct sl_buffer sl_recorder_take_trace(struct sl_recorder *recorder)
{
    struct sl_buffer trace = recorder->writer.trace;
    sl_buffer_init(&recorder->writer.trace);
    return trace;
}
