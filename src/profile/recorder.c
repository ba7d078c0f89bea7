#include "profile/recorder.h"
#include "profile/cursor.h"
#include "profile/functions.h"
#include "profile/stacks.h"
#include "profile/strings.h"
#include "profile/trace_writer.h"

#include <stdlib.h>
#include <string.h>

/* A block of looks is closed by itself when it holds this many, so that the memory for it is bounded even if nobody
 * flushes. 16,384 samples are a sixth of a second at 100,000 a second. */
#define LOOKS_MAX 16384
#define CHANGES_MAX 16384

/* How much a block of definitions holds. Strings are up to SL_STRING_BYTES_MAX long: one more than fits may be in it. */
#define DEFINITIONS_MAX 65536
#define DEFINED_TEXT_MAX ((size_t)4 * 1024 * 1024)

/* Threads that come and go between two flushes fill a block of definitions of their own when they take more. */
#define EVENTS_SIZE_MAX ((size_t)4 * 1024 * 1024)

struct process {
    struct sl_process_record known;
    bool ended;
};

struct thread {
    sl_string name;
    uint32_t place; /* in recorder.live, SL_NONE when it takes no part in looks */
    sl_stack stack;
    uint32_t state;      /* index */
    uint64_t changed_in; /* number of the last look in which it was named, plus one */
    uint32_t change;     /* its place in recorder.changes then */
    bool ended;
};

struct look {
    uint64_t length_ns;
    uint32_t changes;
    uint8_t instant;
};

struct change {
    uint32_t thread;
    sl_stack stack;
    uint32_t state; /* index */
};

struct live {
    uint32_t thread;
    sl_stack stack;
    uint32_t state;
};

struct sl_recorder {
    struct sl_strings strings;
    struct sl_functions functions;
    struct sl_stacks stacks;
    struct sl_hash_index state_index;
    sl_state *states;
    uint32_t state_count, state_capacity;

    struct process *processes;
    uint32_t process_count, process_capacity;
    struct thread *threads;
    uint32_t thread_count, thread_capacity;
    uint32_t *live; /* threads that take part in looks; thread_capacity of them fit */
    uint32_t live_count;

    /* What is new since the last block of definitions: everything from these numbers on. */
    struct {
        uint32_t strings, functions, stacks, states;
    } written;
    struct sl_buffer events;

    /* The block of looks that is being collected. */
    struct look *looks;
    uint32_t look_count;
    struct change *changes;
    uint32_t change_count, change_capacity;
    struct live *live_at_begin; /* as of its begin, sorted by thread */
    uint32_t live_at_begin_count, live_at_begin_capacity;
    uint64_t begin_ns;
    struct sl_buffer ends;
    uint32_t last_end; /* look before which the thread ended that `ends` names last */

    uint64_t time_ns; /* end of the last look */
    struct sl_facts facts;
    bool closed;

    struct sl_trace_writer writer;
    struct sl_buffer column;
};

static bool write_definitions(struct sl_recorder *recorder);
static void write_facts(struct sl_recorder *recorder);

static bool grow(void *array, uint32_t *capacity, size_t size, uint32_t first)
{
    void **memory = array;
    size_t wanted = *capacity == 0 ? first : (size_t)*capacity * 2;
    void *larger = wanted < SL_NONE ? realloc(*memory, wanted * size) : NULL;
    if (larger == NULL) {
        return false;
    }
    *memory = larger;
    *capacity = (uint32_t)wanted;
    return true;
}

struct sl_recorder *sl_recorder_create(const struct sl_recorder_options *options, struct sl_error *error)
{
    struct sl_recorder *recorder = calloc(1, sizeof *recorder);
    if (recorder == NULL) {
        sl_error_memory(error);
        return NULL;
    }
    recorder->writer.descriptor = -1;
    recorder->looks = malloc(LOOKS_MAX * sizeof *recorder->looks);
    recorder->change_capacity = CHANGES_MAX;
    recorder->changes = malloc(CHANGES_MAX * sizeof *recorder->changes);
    if (recorder->looks == NULL || recorder->changes == NULL || !sl_strings_init(&recorder->strings) ||
        !sl_functions_init(&recorder->functions) || !sl_stacks_init(&recorder->stacks)) {
        sl_error_memory(error);
        goto failed;
    }
    recorder->written.strings = recorder->strings.count;
    recorder->written.functions = recorder->functions.count;
    recorder->written.stacks = recorder->stacks.count;

    const char *description = options->description != NULL ? options->description : "";
    recorder->facts.start_time_ns = options->start_time_ns;
    recorder->facts.interval_ns = options->interval_ns > 0 ? options->interval_ns : 1;
    recorder->facts.description = sl_recorder_string(recorder, description, strlen(description));
    recorder->facts.version = sl_recorder_string(recorder, SL_VERSION, strlen(SL_VERSION));
    if (recorder->facts.description == SL_NONE || recorder->facts.version == SL_NONE) {
        sl_error_memory(error);
        goto failed;
    }
    if (!sl_trace_writer_open(&recorder->writer, options->descriptor, error)) {
        goto failed;
    }
    /* From the start on the trace says what it is of, even if nothing follows. */
    sl_trace_writer_begin(&recorder->writer);
    write_facts(recorder);
    if (!sl_trace_writer_end(&recorder->writer, SL_TRACE_BLOCK_DEFINITIONS) || !write_definitions(recorder)) {
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
    sl_hash_index_destroy(&recorder->state_index);
    sl_buffer_destroy(&recorder->events);
    sl_buffer_destroy(&recorder->ends);
    sl_buffer_destroy(&recorder->column);
    free(recorder->states);
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
    if (caller >= recorder->stacks.count || function >= recorder->functions.count) {
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

/* A state has a number too. SL_NONE when memory is exhausted. */
static uint32_t state_number(struct sl_recorder *recorder, sl_state state)
{
    uint32_t hash = (uint32_t)sl_hash_mix(state);
    struct sl_hash_probe probe = sl_hash_probe(&recorder->state_index, hash);
    for (uint32_t number; (number = sl_hash_next(&recorder->state_index, &probe)) != SL_HASH_NONE;) {
        if (recorder->states[number] == state) {
            return number;
        }
    }
    if (recorder->state_count == recorder->state_capacity &&
        !grow(&recorder->states, &recorder->state_capacity, sizeof *recorder->states, 16)) {
        return SL_NONE;
    }
    recorder->states[recorder->state_count] = state;
    if (!sl_hash_index_add(&recorder->state_index, hash, recorder->state_count)) {
        return SL_NONE;
    }
    return recorder->state_count++;
}

/* Events are numbers one behind the other, led by their size: a reader skips what it does not know. */
static void add_event(struct sl_recorder *recorder, enum sl_trace_event kind, const uint64_t *numbers, size_t count)
{
    struct sl_buffer *column = &recorder->column;
    sl_buffer_clear(column);
    sl_buffer_varint(column, kind);
    for (size_t i = 0; i < count; i++) {
        sl_buffer_varint(column, numbers[i]);
    }
    sl_buffer_varint(&recorder->events, column->size);
    sl_buffer_append(&recorder->events, column->bytes, column->size);
    if (recorder->events.size > EVENTS_SIZE_MAX) {
        write_definitions(recorder);
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
    if (recorder->closed ||
        (recorder->process_count == recorder->process_capacity &&
         !grow(&recorder->processes, &recorder->process_capacity, sizeof *recorder->processes, 4))) {
        return SL_NONE;
    }
    uint32_t number = recorder->process_count++;
    struct process *added = &recorder->processes[number];
    *added = (struct process){.known = *process};
    ADD_EVENT(recorder, SL_TRACE_PROCESS_NEW, number, process->pid, process->parent_pid, process->begin_ns);
    added->known.command = added->known.python = added->known.executable = 0;
    added->known.prefixes = added->known.path = 0;
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
    if (updated.command == record->command && updated.python == record->python &&
        updated.executable == record->executable && updated.prefixes == record->prefixes &&
        updated.path == record->path) {
        return;
    }
    *record = updated;
    ADD_EVENT(recorder, SL_TRACE_PROCESS_KNOWN, process, updated.command, updated.python, updated.executable,
              updated.prefixes, updated.path);
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
    if (recorder->thread_count == recorder->thread_capacity) {
        uint32_t capacity = recorder->thread_capacity;
        if (!grow(&recorder->live, &capacity, sizeof *recorder->live, 16) ||
            !grow(&recorder->threads, &recorder->thread_capacity, sizeof *recorder->threads, 16)) {
            return SL_NONE;
        }
    }
    uint32_t number = recorder->thread_count++;
    sl_string name = valid_string(recorder, thread->name);
    recorder->threads[number] = (struct thread){.name = name, .place = SL_NONE};
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

void sl_recorder_thread_end(struct sl_recorder *recorder, uint32_t thread, uint64_t end_ns, uint64_t cpu_ns)
{
    if (recorder->closed || thread >= recorder->thread_count || recorder->threads[thread].ended) {
        return;
    }
    struct thread *ending = &recorder->threads[thread];
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

/* Definitions */

static void clear_column(struct sl_recorder *recorder, uint32_t first, uint32_t count)
{
    sl_buffer_clear(&recorder->column);
    sl_buffer_varint(&recorder->column, first);
    sl_buffer_varint(&recorder->column, count);
}

static uint32_t write_strings(struct sl_recorder *recorder, uint32_t first)
{
    const struct sl_strings *strings = &recorder->strings;
    uint32_t end = first;
    while (end < strings->count && end - first < DEFINITIONS_MAX &&
           strings->offsets[end] - strings->offsets[first] < DEFINED_TEXT_MAX) {
        end++;
    }
    if (end > first) {
        clear_column(recorder, first, end - first);
        for (uint32_t i = first; i < end; i++) {
            sl_buffer_varint(&recorder->column, sl_strings_size(strings, i));
        }
        for (uint32_t i = first; i < end; i++) {
            sl_buffer_append(&recorder->column, sl_strings_text(strings, i), sl_strings_size(strings, i));
        }
        sl_trace_writer_section(&recorder->writer, SL_TRACE_STRINGS, &recorder->column, false);
    }
    return end;
}

static uint32_t limited(uint32_t first, uint32_t count)
{
    return count - first < DEFINITIONS_MAX ? count : first + DEFINITIONS_MAX;
}

static uint32_t write_functions(struct sl_recorder *recorder, uint32_t first)
{
    uint32_t end = limited(first, recorder->functions.count);
    if (end > first) {
        const struct sl_function_record *records = recorder->functions.records;
        clear_column(recorder, first, end - first);
        for (uint32_t i = first; i < end; i++) {
            sl_string before = i == first ? 0 : records[i - 1].name;
            sl_buffer_varint(&recorder->column, sl_zigzag((int64_t)records[i].name - before));
        }
        for (uint32_t i = first; i < end; i++) {
            sl_string before = i == first ? 0 : records[i - 1].file;
            sl_buffer_varint(&recorder->column, sl_zigzag((int64_t)records[i].file - before));
        }
        for (uint32_t i = first; i < end; i++) {
            sl_buffer_varint(&recorder->column, records[i].first_line);
        }
        for (uint32_t i = first; i < end; i++) {
            sl_buffer_varint(&recorder->column, records[i].kind);
        }
        sl_trace_writer_section(&recorder->writer, SL_TRACE_FUNCTIONS, &recorder->column, false);
    }
    return end;
}

static uint32_t write_stacks(struct sl_recorder *recorder, uint32_t first)
{
    uint32_t end = limited(first, recorder->stacks.count);
    if (end > first) {
        const struct sl_stack_record *records = recorder->stacks.records;
        clear_column(recorder, first, end - first);
        for (uint32_t i = first; i < end; i++) {
            sl_buffer_varint(&recorder->column, i - 1 - records[i].caller);
        }
        for (uint32_t i = first; i < end; i++) {
            sl_buffer_varint(&recorder->column, records[i].function);
        }
        for (uint32_t i = first; i < end; i++) {
            sl_buffer_varint(&recorder->column, records[i].line);
        }
        sl_trace_writer_section(&recorder->writer, SL_TRACE_STACKS, &recorder->column, false);
    }
    return end;
}

static uint32_t write_states(struct sl_recorder *recorder, uint32_t first)
{
    uint32_t end = limited(first, recorder->state_count);
    if (end > first) {
        clear_column(recorder, first, end - first);
        for (uint32_t i = first; i < end; i++) {
            sl_buffer_varint(&recorder->column, recorder->states[i]);
        }
        sl_trace_writer_section(&recorder->writer, SL_TRACE_STATES, &recorder->column, false);
    }
    return end;
}

/* Queues everything that was defined since the last time, so that it lies before the looks that refer to it. */
static bool write_definitions(struct sl_recorder *recorder)
{
    while (recorder->written.strings < recorder->strings.count ||
           recorder->written.functions < recorder->functions.count ||
           recorder->written.stacks < recorder->stacks.count || recorder->written.states < recorder->state_count ||
           recorder->events.size > 0) {
        sl_trace_writer_begin(&recorder->writer);
        uint32_t strings = write_strings(recorder, recorder->written.strings);
        uint32_t functions = recorder->written.functions;
        uint32_t stacks = recorder->written.stacks;
        uint32_t states = recorder->written.states;
        /* What refers to strings or functions waits until they are all in a block before it, or in the same one. */
        bool strings_done = strings == recorder->strings.count;
        if (strings_done) {
            functions = write_functions(recorder, functions);
            states = write_states(recorder, states);
            sl_trace_writer_section(&recorder->writer, SL_TRACE_EVENTS, &recorder->events, false);
        }
        if (functions == recorder->functions.count) {
            stacks = write_stacks(recorder, stacks);
        }
        if (!sl_trace_writer_end(&recorder->writer, SL_TRACE_BLOCK_DEFINITIONS)) {
            return false;
        }
        recorder->written.strings = strings;
        recorder->written.functions = functions;
        recorder->written.stacks = stacks;
        recorder->written.states = states;
        if (strings_done) {
            sl_buffer_clear(&recorder->events);
        }
    }
    return true;
}

/* Looks */

static int by_thread(const void *a, const void *b)
{
    const struct live *left = a;
    const struct live *right = b;
    return (left->thread > right->thread) - (left->thread < right->thread);
}

/* Remembers what is live before the first look of a block changes it. */
static void begin_block(struct sl_recorder *recorder, uint64_t begin_ns)
{
    while (recorder->live_at_begin_capacity < recorder->live_count) {
        if (!grow(&recorder->live_at_begin, &recorder->live_at_begin_capacity, sizeof *recorder->live_at_begin, 16)) {
            break;
        }
    }
    uint32_t count = recorder->live_count < recorder->live_at_begin_capacity ? recorder->live_count
                                                                             : recorder->live_at_begin_capacity;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = recorder->live[i];
        const struct thread *thread = &recorder->threads[number];
        recorder->live_at_begin[i] = (struct live){.thread = number, .stack = thread->stack, .state = thread->state};
    }
    if (count > 1) {
        qsort(recorder->live_at_begin, count, sizeof *recorder->live_at_begin, by_thread);
    }
    recorder->live_at_begin_count = count;
    recorder->begin_ns = begin_ns;
}

static void write_facts(struct sl_recorder *recorder)
{
    const struct sl_facts *facts = &recorder->facts;
    const uint64_t numbers[] = {
        facts->start_time_ns, facts->interval_ns,     facts->duration_ns, facts->looks,   facts->samples,
        facts->broken,        facts->missed,          facts->late,        facts->retried, facts->sampler_cpu_ns,
        facts->cpu_ns,        facts->children_cpu_ns, facts->description, facts->version, recorder->writer.dropped_size,
    };
    sl_buffer_clear(&recorder->column);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sl_buffer_varint(&recorder->column, numbers[i]);
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_FACTS, &recorder->column, false);
}

static void write_look_times(struct sl_recorder *recorder)
{
    struct sl_buffer *column = &recorder->column;
    uint64_t interval_ns = recorder->facts.interval_ns;
    sl_buffer_clear(column);
    sl_buffer_varint(column, recorder->begin_ns);
    sl_buffer_varint(column, recorder->facts.looks - recorder->look_count);
    sl_buffer_varint(column, interval_ns);
    sl_buffer_varint(column, recorder->look_count);
    uint32_t regular = 0;
    for (uint32_t i = 0; i < recorder->look_count; i++) {
        uint64_t length_ns = recorder->looks[i].length_ns;
        if (length_ns == interval_ns) {
            regular++;
            continue;
        }
        sl_buffer_varint(column, regular);
        sl_buffer_varint(column, length_ns % interval_ns == 0 ? length_ns / interval_ns << 1 : (length_ns << 1 | 1));
        regular = 0;
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_LOOK_TIMES, column, false);
}

static void write_instants(struct sl_recorder *recorder)
{
    struct sl_buffer *column = &recorder->column;
    sl_buffer_clear(column);
    uint32_t bits = 0;
    unsigned held = 0;
    for (uint32_t i = 0; i < recorder->look_count; i++) {
        bits |= (uint32_t)recorder->looks[i].instant << held;
        held += SL_TRACE_INSTANT_BITS;
        while (held >= 8) {
            sl_buffer_byte(column, (char)bits);
            bits >>= 8;
            held -= 8;
        }
    }
    if (held > 0) {
        sl_buffer_byte(column, (char)bits);
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_INSTANTS, column, true);
}

static void write_live(struct sl_recorder *recorder)
{
    struct sl_buffer *column = &recorder->column;
    const struct live *live = recorder->live_at_begin;
    uint32_t count = recorder->live_at_begin_count;
    if (count == 0) {
        return;
    }
    sl_buffer_clear(column);
    sl_buffer_varint(column, count);
    for (uint32_t i = 0; i < count; i++) {
        sl_buffer_varint(column, i == 0 ? live[i].thread : live[i].thread - live[i - 1].thread - 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        sl_buffer_varint(column, live[i].stack);
    }
    for (uint32_t i = 0; i < count; i++) {
        sl_buffer_varint(column, live[i].state);
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_LIVE, column, false);
}

static void write_changes(struct sl_recorder *recorder)
{
    struct sl_buffer *column = &recorder->column;
    const struct change *changes = recorder->changes;
    uint32_t count = recorder->change_count;
    if (count == 0) {
        return;
    }
    sl_buffer_clear(column);
    for (uint32_t i = 0; i < recorder->look_count; i++) {
        sl_buffer_varint(column, recorder->looks[i].changes);
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_CHANGE_COUNTS, column, false);
    sl_buffer_clear(column);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t before = i == 0 ? 0 : changes[i - 1].thread;
        sl_buffer_varint(column, sl_zigzag((int64_t)changes[i].thread - before));
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_CHANGE_THREADS, column, false);
    sl_buffer_clear(column);
    for (uint32_t i = 0; i < count; i++) {
        sl_buffer_varint(column, changes[i].stack);
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_CHANGE_STACKS, column, false);
    sl_buffer_clear(column);
    for (uint32_t i = 0; i < count; i++) {
        sl_buffer_varint(column, changes[i].state);
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_CHANGE_STATES, column, false);
}

static void write_looks(struct sl_recorder *recorder)
{
    if (recorder->look_count == 0) {
        return;
    }
    sl_trace_writer_begin(&recorder->writer);
    write_facts(recorder);
    write_look_times(recorder);
    write_instants(recorder);
    write_live(recorder);
    write_changes(recorder);
    sl_trace_writer_section(&recorder->writer, SL_TRACE_ENDS, &recorder->ends, false);
    if (!sl_trace_writer_end(&recorder->writer, SL_TRACE_BLOCK_LOOKS)) {
        sl_trace_writer_give_up(&recorder->writer);
    }
    recorder->look_count = 0;
    recorder->change_count = 0;
    recorder->last_end = 0;
    sl_buffer_clear(&recorder->ends);
}

static void write_block(struct sl_recorder *recorder)
{
    /* Looks whose definitions could not be written wait for the next time, unless there is no room left for more. */
    if (write_definitions(recorder) || recorder->look_count == LOOKS_MAX || recorder->change_count >= CHANGES_MAX) {
        write_looks(recorder);
    }
}

void sl_recorder_look(struct sl_recorder *recorder, uint64_t begin_ns, uint64_t end_ns, uint64_t instant_ns)
{
    if (recorder->closed) {
        return;
    }
    end_ns = end_ns < SL_TRACE_TIME_MAX ? end_ns : SL_TRACE_TIME_MAX;
    begin_ns = begin_ns > recorder->time_ns ? begin_ns : recorder->time_ns;
    end_ns = end_ns > begin_ns ? end_ns : begin_ns;
    if (recorder->look_count > 0 &&
        (begin_ns > recorder->time_ns || recorder->look_count == LOOKS_MAX || recorder->change_count >= CHANGES_MAX)) {
        write_block(recorder);
    }
    if (recorder->look_count == 0) {
        begin_block(recorder, begin_ns);
    }

    /* The instant lies in the slot that ends the look: what is before it are slots that were skipped. */
    uint64_t interval_ns = recorder->facts.interval_ns;
    uint64_t slot_ns = end_ns - begin_ns < interval_ns ? end_ns - begin_ns : interval_ns;
    uint64_t slot_begin_ns = end_ns - slot_ns;
    uint64_t step = 0;
    if (instant_ns > slot_begin_ns && slot_ns > 0) {
        step = (uint64_t)((double)(instant_ns - slot_begin_ns) / (double)slot_ns * SL_TRACE_INSTANT_STEPS);
    }
    recorder->looks[recorder->look_count++] = (struct look){
        .length_ns = end_ns - begin_ns,
        .instant = step < SL_TRACE_INSTANT_STEPS ? (uint8_t)step : SL_TRACE_INSTANT_STEPS - 1,
    };
    recorder->time_ns = end_ns;
    recorder->facts.duration_ns = end_ns;
    recorder->facts.looks++;
    recorder->facts.samples += recorder->live_count;
}

void sl_recorder_sample(struct sl_recorder *recorder, uint32_t thread, sl_stack stack, sl_state state)
{
    if (recorder->closed || thread >= recorder->thread_count || stack >= recorder->stacks.count ||
        recorder->facts.looks == 0) {
        return;
    }
    struct thread *sampled = &recorder->threads[thread];
    bool first = sampled->place == SL_NONE;
    bool state_known = !first && recorder->states[sampled->state] == state;
    if (sampled->ended || (state_known && sampled->stack == stack)) {
        return;
    }
    uint32_t number = state_known ? sampled->state : state_number(recorder, state);
    if (number == SL_NONE) {
        recorder->facts.missed++;
        return;
    }
    if (recorder->look_count > 0) {
        if (recorder->change_count == recorder->change_capacity &&
            !grow(&recorder->changes, &recorder->change_capacity, sizeof *recorder->changes, CHANGES_MAX)) {
            recorder->facts.missed++;
            return;
        }
        if (sampled->changed_in != recorder->facts.looks) {
            sampled->changed_in = recorder->facts.looks;
            sampled->change = recorder->change_count++;
            recorder->looks[recorder->look_count - 1].changes++;
        }
        recorder->changes[sampled->change] = (struct change){.thread = thread, .stack = stack, .state = number};
    }
    if (first) {
        sampled->place = recorder->live_count;
        recorder->live[recorder->live_count++] = thread;
        recorder->facts.samples++;
    }
    sampled->stack = stack;
    sampled->state = number;
}

/* Putting it out */

size_t sl_recorder_pending(const struct sl_recorder *recorder)
{
    return recorder->look_count * sizeof *recorder->looks + recorder->change_count * sizeof *recorder->changes +
           recorder->events.size +
           (recorder->strings.text.size - recorder->strings.offsets[recorder->written.strings]) +
           (size_t)(recorder->functions.count - recorder->written.functions) * sizeof *recorder->functions.records +
           (size_t)(recorder->stacks.count - recorder->written.stacks) * sizeof *recorder->stacks.records;
}

bool sl_recorder_flush(struct sl_recorder *recorder, struct sl_error *error)
{
    if (!recorder->closed) {
        write_block(recorder);
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
        write_block(recorder);
        recorder->facts.duration_ns = duration_ns < SL_TRACE_TIME_MAX ? duration_ns : SL_TRACE_TIME_MAX;
        sl_trace_writer_begin(&recorder->writer);
        write_facts(recorder);
        if (!sl_trace_writer_end(&recorder->writer, SL_TRACE_BLOCK_END)) {
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
