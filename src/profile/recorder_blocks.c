#include "profile/cursor.h"
#include "profile/recorder_state.h"

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
    while (end < strings->count && end - first < SL_RECORDER_DEFINITIONS_MAX &&
           strings->offsets[end] - strings->offsets[first] < SL_RECORDER_TEXT_MAX) {
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
    return count - first < SL_RECORDER_DEFINITIONS_MAX ? count : first + SL_RECORDER_DEFINITIONS_MAX;
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
    uint32_t end = limited(first, recorder->stacks.numbers.count);
    if (end > first) {
        clear_column(recorder, first, end - first);
        /* Number by number, not column by column: paths that differ only in their root repeat, and compress. */
        for (uint32_t i = first; i < end; i++) {
            uint32_t place = sl_remembered_place(&recorder->stacks.numbers, i);
            const struct sl_stack_record *record = &recorder->stacks.records[place];
            uint32_t first_line = recorder->functions.records[record->function].first_line;
            sl_buffer_varint(&recorder->column, i - 1 - record->caller);
            sl_buffer_varint(&recorder->column, record->function);
            sl_buffer_varint(&recorder->column, sl_zigzag((int64_t)record->line - first_line));
        }
        sl_trace_writer_section(&recorder->writer, SL_TRACE_STACKS, &recorder->column, false);
    }
    return end;
}

static uint32_t write_situations(struct sl_recorder *recorder, uint32_t first)
{
    uint32_t end = limited(first, recorder->situations.numbers.count);
    if (end > first) {
        const struct sl_situation *records =
            recorder->situations.records + sl_remembered_place(&recorder->situations.numbers, first);
        clear_column(recorder, first, end - first);
        for (uint32_t i = first; i < end; i++) {
            sl_stack before = i == first ? 0 : records[i - first - 1].stack;
            sl_buffer_varint(&recorder->column, sl_zigzag((int64_t)records[i - first].stack - before));
            sl_buffer_varint(&recorder->column, records[i - first].state);
        }
        sl_trace_writer_section(&recorder->writer, SL_TRACE_SITUATIONS, &recorder->column, false);
    }
    return end;
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
    if (facts->command != 0) {
        sl_buffer_varint(&recorder->column, facts->command);
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_FACTS, &recorder->column, false);
}

static bool many_stacks(const struct sl_recorder *recorder)
{
    return sl_remembered_held(&recorder->stacks.numbers) > recorder->remembered_max;
}

static bool many_situations(const struct sl_recorder *recorder)
{
    return sl_remembered_held(&recorder->situations.numbers) > recorder->remembered_max;
}

bool sl_recorder_remembers_much(const struct sl_recorder *recorder)
{
    return many_stacks(recorder) || many_situations(recorder);
}

/* All that was defined is written: what need not be found again is let go. */
static void forget(struct sl_recorder *recorder)
{
    if (many_stacks(recorder)) {
        sl_stacks_forget(&recorder->stacks);
    }
    if (many_situations(recorder)) {
        sl_situations_forget(&recorder->situations);
    }
}

bool sl_recorder_write_definitions(struct sl_recorder *recorder)
{
    while (recorder->writer.next_block == 0 || recorder->written.strings < recorder->strings.count ||
           recorder->written.functions < recorder->functions.count ||
           recorder->written.stacks < recorder->stacks.numbers.count ||
           recorder->written.situations < recorder->situations.numbers.count || recorder->events.size > 0) {
        sl_trace_writer_begin(&recorder->writer);
        if (recorder->writer.next_block == 0) {
            write_facts(recorder);
        }
        uint32_t strings = write_strings(recorder, recorder->written.strings);
        uint32_t functions = recorder->written.functions;
        uint32_t stacks = recorder->written.stacks;
        uint32_t situations = recorder->written.situations;
        /* What refers to others waits until they are all in a block before it, or in the same one. */
        if (strings == recorder->strings.count) {
            functions = write_functions(recorder, functions);
        }
        if (functions == recorder->functions.count) {
            stacks = write_stacks(recorder, stacks);
        }
        bool stacks_done = stacks == recorder->stacks.numbers.count;
        if (stacks_done) {
            situations = write_situations(recorder, situations);
            sl_trace_writer_section(&recorder->writer, SL_TRACE_EVENTS, &recorder->events, false);
        }
        if (!sl_trace_writer_end(&recorder->writer, SL_TRACE_BLOCK_DEFINITIONS)) {
            return false;
        }
        recorder->written.strings = strings;
        recorder->written.functions = functions;
        recorder->written.stacks = stacks;
        recorder->written.situations = situations;
        if (stacks_done) {
            sl_buffer_clear(&recorder->events);
        }
    }
    forget(recorder);
    return true;
}

/* Looks */

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

/* Numbers of a fixed count of bits, the first one in the lowest bits of the first byte. */
struct packing {
    struct sl_buffer *column;
    uint64_t bits;
    unsigned held;
};

static void pack(struct packing *packing, uint32_t value, unsigned width)
{
    packing->bits |= (uint64_t)value << packing->held;
    packing->held += width;
    while (packing->held >= 8) {
        sl_buffer_byte(packing->column, (char)packing->bits);
        packing->bits >>= 8;
        packing->held -= 8;
    }
}

static void pack_end(struct packing *packing)
{
    if (packing->held > 0) {
        sl_buffer_byte(packing->column, (char)packing->bits);
    }
}

static void write_instants(struct sl_recorder *recorder)
{
    struct packing packing = {.column = &recorder->column};
    sl_buffer_clear(&recorder->column);
    for (uint32_t i = 0; i < recorder->look_count; i++) {
        pack(&packing, recorder->looks[i].instant, SL_TRACE_INSTANT_BITS);
    }
    pack_end(&packing);
    sl_trace_writer_section(&recorder->writer, SL_TRACE_INSTANTS, &recorder->column, true);
}

static void write_live(struct sl_recorder *recorder)
{
    struct sl_buffer *column = &recorder->column;
    const struct sl_recorded_live *live = recorder->live_at_begin;
    uint32_t count = recorder->live_at_begin_count;
    sl_buffer_clear(column);
    if (count > 0) {
        sl_buffer_varint(column, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        sl_buffer_varint(column, i == 0 ? live[i].thread : live[i].thread - live[i - 1].thread - 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        sl_buffer_varint(column, live[i].situation);
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_LIVE, column, false);
}

/* How many threads changed in each look. One thread gives zeros and ones, in which a compressor finds little: a bit each
 * is as small. */
static void write_change_counts(struct sl_recorder *recorder)
{
    struct sl_buffer *column = &recorder->column;
    uint32_t largest = 0;
    for (uint32_t i = 0; i < recorder->look_count; i++) {
        largest = recorder->looks[i].changes > largest ? recorder->looks[i].changes : largest;
    }
    unsigned width = largest < 2 ? 1 : largest < 4 ? 2 : 0;
    struct packing packing = {.column = column};
    sl_buffer_clear(column);
    sl_buffer_varint(column, width);
    for (uint32_t i = 0; i < recorder->look_count; i++) {
        if (width > 0) {
            pack(&packing, recorder->looks[i].changes, width);
        } else {
            sl_buffer_varint(column, recorder->looks[i].changes);
        }
    }
    pack_end(&packing);
    sl_trace_writer_section(&recorder->writer, SL_TRACE_CHANGE_COUNTS, column, false);
}

static void write_change_threads(struct sl_recorder *recorder)
{
    struct sl_buffer *column = &recorder->column;
    uint32_t before = 0;
    bool others = false;
    sl_buffer_clear(column);
    for (uint32_t i = 0; i < recorder->change_count; i++) {
        uint32_t thread = recorder->changes[i].thread;
        sl_buffer_varint(column, sl_zigzag((int64_t)thread - before));
        before = thread;
        others = others || thread != 0;
    }
    if (others) {
        sl_trace_writer_section(&recorder->writer, SL_TRACE_CHANGE_THREADS, column, false);
    }
}

/* A situation that is seen for the first time has the next number, mostly. */
static void write_change_situations(struct sl_recorder *recorder)
{
    struct sl_buffer *column = &recorder->column;
    sl_buffer_clear(column);
    sl_buffer_varint(column, recorder->next_situation);
    for (uint32_t i = 0; i < recorder->change_count; i++) {
        uint32_t situation = recorder->changes[i].situation;
        sl_buffer_varint(column, situation == recorder->next_situation ? 0 : (uint64_t)situation + 1);
        if (situation >= recorder->next_situation) {
            recorder->next_situation = situation + 1;
        }
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_CHANGE_SITUATIONS, column, false);
}

void sl_recorder_write_looks(struct sl_recorder *recorder)
{
    if (recorder->look_count == 0) {
        return;
    }
    sl_trace_writer_begin(&recorder->writer);
    write_facts(recorder);
    write_look_times(recorder);
    write_instants(recorder);
    write_live(recorder);
    if (recorder->change_count > 0) {
        write_change_counts(recorder);
        write_change_threads(recorder);
        write_change_situations(recorder);
    }
    sl_trace_writer_section(&recorder->writer, SL_TRACE_ENDS, &recorder->ends, false);
    if (!sl_trace_writer_end(&recorder->writer, SL_TRACE_BLOCK_LOOKS)) {
        sl_trace_writer_give_up(&recorder->writer);
    }
    recorder->look_count = 0;
    recorder->change_count = 0;
    recorder->last_end = 0;
    sl_buffer_clear(&recorder->ends);
}

bool sl_recorder_write_end(struct sl_recorder *recorder)
{
    sl_trace_writer_begin(&recorder->writer);
    write_facts(recorder);
    return sl_trace_writer_end(&recorder->writer, SL_TRACE_BLOCK_END);
}
