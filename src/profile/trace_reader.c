#include "profile/trace_reader.h"

#include "base/array.h"
#include "base/file.h"
#include "profile/profile_builder.h"
#include "profile/trace_blocks.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct sl_profile_builder builder;
    struct sl_facts facts; /* strings by the trace's numbers */
    uint32_t next_block;
    uint32_t looks_blocks; /* read so far */
    bool lost;             /* something that belongs before the next block is missing */
    bool ended;
    uint64_t time_ns; /* end of the last look */
    uint64_t looks;
    uint32_t *live; /* places of the threads that the last block of looks left live, and maybe of others */
    uint32_t live_count, live_capacity;
};

/* Definitions. Each of these returns false when the section's content is damaged; what was read until then stays. */

/* The head of a section of definitions. `least` bytes at least stand for each. */
static bool read_range(struct sl_cursor *content, const struct sl_numbering *numbering, uint32_t least, uint32_t *first,
                       uint32_t *count)
{
    *first = sl_cursor_varint32(content);
    *count = sl_cursor_varint32(content);
    return !content->failed && *first >= sl_numbering_next(numbering) && *count <= sl_cursor_left(content) / least &&
           *count < SL_NONE - *first;
}

static bool read_strings(struct reader *reader, struct sl_cursor content)
{
    uint32_t first, count;
    if (!read_range(&content, &reader->builder.string_numbers, 1, &first, &count)) {
        return false;
    }
    struct sl_cursor sizes = content;
    for (uint32_t i = 0; i < count; i++) {
        sl_cursor_varint(&content);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t size = sl_cursor_varint(&sizes);
        const uint8_t *bytes = sl_cursor_bytes(&content, size);
        if (bytes == NULL) {
            return false;
        }
        sl_build_string(&reader->builder, first + i, (const char *)bytes, size);
    }
    return true;
}

/* A cursor for each of several columns of `count` numbers that lie one behind the other. */
static bool split_columns(struct sl_cursor content, uint32_t count, struct sl_cursor *columns, size_t column_count)
{
    for (size_t column = 0; column < column_count; column++) {
        columns[column] = content;
        for (uint32_t i = 0; i < count; i++) {
            sl_cursor_varint(&content);
        }
    }
    return !content.failed;
}

static bool read_functions(struct reader *reader, struct sl_cursor content)
{
    uint32_t first, count;
    struct sl_cursor columns[4];
    if (!read_range(&content, &reader->builder.function_numbers, 4, &first, &count) ||
        !split_columns(content, count, columns, 4)) {
        return false;
    }
    struct sl_function_record record = {0};
    for (uint32_t i = 0; i < count; i++) {
        record.name += (uint32_t)sl_unzigzag(sl_cursor_varint(&columns[0]));
        record.file += (uint32_t)sl_unzigzag(sl_cursor_varint(&columns[1]));
        record.first_line = (uint32_t)sl_cursor_varint(&columns[2]);
        uint64_t kind = sl_cursor_varint(&columns[3]);
        record.kind = kind <= SL_FUNCTION_MARK ? (uint32_t)kind : SL_FUNCTION_MARK;
        sl_build_function(&reader->builder, first + i, record);
    }
    return true;
}

static bool read_stacks(struct reader *reader, struct sl_cursor content)
{
    uint32_t first, count;
    if (!read_range(&content, &reader->builder.stack_numbers, 3, &first, &count)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = first + i;
        uint64_t distance = sl_cursor_varint(&content);
        sl_function function = sl_cursor_varint32(&content);
        int64_t line_offset = sl_unzigzag(sl_cursor_varint(&content));
        if (content.failed || distance >= number) {
            return false;
        }
        sl_build_stack(&reader->builder, number, number - 1 - (uint32_t)distance, function, line_offset);
    }
    return true;
}

static bool read_situations(struct reader *reader, struct sl_cursor content)
{
    uint32_t first, count;
    if (!read_range(&content, &reader->builder.situation_numbers, 2, &first, &count)) {
        return false;
    }
    uint32_t stack = 0;
    for (uint32_t i = 0; i < count; i++) {
        stack += (uint32_t)sl_unzigzag(sl_cursor_varint(&content));
        sl_state state = sl_cursor_varint32(&content);
        if (content.failed) {
            return false;
        }
        sl_build_situation(&reader->builder, first + i, stack, state);
    }
    return true;
}

static uint64_t event_time(struct sl_cursor *event)
{
    uint64_t time_ns = sl_cursor_varint(event);
    return time_ns < SL_TRACE_TIME_MAX ? time_ns : SL_TRACE_TIME_MAX;
}

static void read_process_event(struct sl_profile_builder *builder, uint64_t kind, struct sl_cursor event)
{
    struct sl_built_process *process = sl_built_process(builder, sl_cursor_varint32(&event));
    if (process == NULL) {
        return;
    }
    struct sl_process_record record = process->record;
    bool ended = process->ended;
    switch (kind) {
    case SL_TRACE_PROCESS_NEW:
        record.pid = sl_cursor_varint32(&event);
        record.parent_pid = sl_cursor_varint32(&event);
        record.begin_ns = event_time(&event);
        break;
    case SL_TRACE_PROCESS_KNOWN:
        record.command = sl_built_string(builder, sl_cursor_varint32(&event));
        record.python = sl_built_string(builder, sl_cursor_varint32(&event));
        record.executable = sl_built_string(builder, sl_cursor_varint32(&event));
        record.prefixes = sl_built_string(builder, sl_cursor_varint32(&event));
        record.path = sl_built_string(builder, sl_cursor_varint32(&event));
        break;
    default:
        record.end_ns = event_time(&event);
        record.cpu_ns = sl_cursor_varint(&event);
        record.exit_status = (int32_t)sl_unzigzag(sl_cursor_varint(&event));
        ended = true;
        break;
    }
    if (!event.failed) {
        process->record = record;
        process->ended = ended;
    }
}

static void read_thread_event(struct sl_profile_builder *builder, uint64_t kind, struct sl_cursor event)
{
    struct sl_built_thread *thread = sl_built_thread(builder, sl_cursor_varint32(&event));
    if (thread == NULL) {
        return;
    }
    struct sl_thread_record record = thread->record;
    bool ended = thread->ended;
    struct sl_built_process *process;
    switch (kind) {
    case SL_TRACE_THREAD_NEW:
        process = sl_built_process(builder, sl_cursor_varint32(&event));
        if (process == NULL) {
            return;
        }
        record.process = (uint32_t)(process - builder->processes);
        record.kind = sl_cursor_varint(&event) == SL_THREAD_SCOPE ? SL_THREAD_SCOPE : SL_THREAD_OS;
        record.id = sl_cursor_varint(&event);
        record.name = sl_built_string(builder, sl_cursor_varint32(&event));
        record.main = sl_cursor_varint(&event) != 0;
        record.begin_ns = event_time(&event);
        break;
    case SL_TRACE_THREAD_NAME:
        record.name = sl_built_string(builder, sl_cursor_varint32(&event));
        break;
    default:
        record.end_ns = event_time(&event);
        record.cpu_ns = sl_cursor_varint(&event);
        ended = true;
        break;
    }
    if (!event.failed) {
        thread->record = record;
        thread->ended = ended;
    }
}

static bool read_events(struct reader *reader, struct sl_cursor content)
{
    while (sl_cursor_left(&content) > 0) {
        uint64_t size = sl_cursor_varint(&content);
        const uint8_t *bytes = sl_cursor_bytes(&content, size);
        if (bytes == NULL) {
            return false;
        }
        struct sl_cursor event = sl_cursor(bytes, size);
        uint64_t kind = sl_cursor_varint(&event);
        if (kind >= SL_TRACE_PROCESS_NEW && kind <= SL_TRACE_PROCESS_END) {
            read_process_event(&reader->builder, kind, event);
        } else if (kind >= SL_TRACE_THREAD_NEW && kind <= SL_TRACE_THREAD_END) {
            read_thread_event(&reader->builder, kind, event);
        }
    }
    return !content.failed;
}

static bool read_facts(struct reader *reader, struct sl_cursor content, uint64_t *dropped_bytes)
{
    struct sl_facts facts = reader->facts;
    facts.start_time_ns = sl_cursor_varint(&content);
    facts.interval_ns = sl_cursor_varint(&content);
    facts.duration_ns = sl_cursor_varint(&content);
    facts.looks = sl_cursor_varint(&content);
    facts.samples = sl_cursor_varint(&content);
    facts.broken = sl_cursor_varint(&content);
    facts.missed = sl_cursor_varint(&content);
    facts.late = sl_cursor_varint(&content);
    facts.retried = sl_cursor_varint(&content);
    facts.sampler_cpu_ns = sl_cursor_varint(&content);
    facts.cpu_ns = sl_cursor_varint(&content);
    facts.children_cpu_ns = sl_cursor_varint(&content);
    facts.description = sl_cursor_varint32(&content);
    facts.version = sl_cursor_varint32(&content);
    uint64_t dropped = sl_cursor_varint(&content);
    if (content.failed || facts.duration_ns > SL_TRACE_TIME_MAX) {
        return false;
    }
    reader->facts = facts;
    *dropped_bytes = dropped;
    return true;
}

static bool read_definitions(struct reader *reader, const struct sl_cursor *sections)
{
    return (sl_cursor_left(&sections[SL_TRACE_STRINGS]) == 0 || read_strings(reader, sections[SL_TRACE_STRINGS])) &&
           (sl_cursor_left(&sections[SL_TRACE_FUNCTIONS]) == 0 ||
            read_functions(reader, sections[SL_TRACE_FUNCTIONS])) &&
           (sl_cursor_left(&sections[SL_TRACE_STACKS]) == 0 || read_stacks(reader, sections[SL_TRACE_STACKS])) &&
           (sl_cursor_left(&sections[SL_TRACE_SITUATIONS]) == 0 ||
            read_situations(reader, sections[SL_TRACE_SITUATIONS])) &&
           read_events(reader, sections[SL_TRACE_EVENTS]);
}

/* Looks */

/* Gives the begin of each look of a block, one after the other. */
struct look_times {
    struct sl_cursor irregular;
    uint64_t interval_ns;
    uint64_t first_look;
    uint32_t count;
    uint32_t next;
    uint32_t next_irregular; /* SL_NONE: no further one */
    uint64_t time_ns;        /* begin of the next look */
};

static void find_irregular(struct look_times *times, uint32_t from)
{
    uint32_t distance = sl_cursor_left(&times->irregular) > 0 ? sl_cursor_varint32(&times->irregular) : SL_NONE;
    times->next_irregular = distance < SL_NONE - from ? from + distance : SL_NONE;
}

static bool read_look_times(struct look_times *times, struct sl_cursor content, struct sl_cursor instants)
{
    times->time_ns = sl_cursor_varint(&content);
    times->first_look = sl_cursor_varint(&content);
    times->interval_ns = sl_cursor_varint(&content);
    times->count = sl_cursor_varint32(&content);
    times->irregular = content;
    times->next = 0;
    find_irregular(times, 0);
    /* Every look has its instant: that bounds their number by the size of the trace. */
    uint64_t bits = (uint64_t)times->count * SL_TRACE_INSTANT_BITS;
    return !content.failed && times->time_ns <= SL_TRACE_TIME_MAX && times->first_look <= SL_TRACE_TIME_MAX &&
           times->interval_ns > 0 && times->interval_ns <= SL_TRACE_TIME_MAX &&
           (bits + 7) / 8 <= sl_cursor_left(&instants);
}

/* Goes behind the next look. */
static bool pass_look(struct look_times *times)
{
    uint64_t length_ns = times->interval_ns;
    if (times->next == times->next_irregular) {
        uint64_t code = sl_cursor_varint(&times->irregular);
        length_ns = code >> 1;
        if ((code & 1) == 0 && __builtin_mul_overflow(length_ns, times->interval_ns, &length_ns)) {
            return false;
        }
        find_irregular(times, times->next + 1);
        if (times->irregular.failed) {
            return false;
        }
    }
    if (length_ns > SL_TRACE_TIME_MAX - times->time_ns) {
        return false;
    }
    times->time_ns += length_ns;
    times->next++;
    return true;
}

static bool add_live(struct reader *reader, uint32_t place)
{
    if (!sl_array_room(&reader->live, &reader->live_capacity, reader->live_count, sizeof *reader->live)) {
        reader->builder.exhausted = true;
        return false;
    }
    reader->live[reader->live_count++] = place;
    return true;
}

/* Ends the runs of all threads at the end of the last look. */
static void end_live(struct reader *reader)
{
    for (uint32_t i = 0; i < reader->live_count; i++) {
        sl_build_run_end(&reader->builder, &reader->builder.threads[reader->live[i]], reader->time_ns, reader->looks);
    }
}

/* From the end of the last look on nothing is known of the threads. */
static void lose_live(struct reader *reader)
{
    struct sl_situation lost = sl_built_lost(&reader->builder);
    for (uint32_t i = 0; i < reader->live_count; i++) {
        struct sl_built_thread *thread = &reader->builder.threads[reader->live[i]];
        if (thread->live) {
            sl_build_run(&reader->builder, thread, reader->time_ns, reader->looks, lost);
        }
    }
}

/* The threads that are live as a block begins, with what was seen of them last. Where something is missing before the
 * block, they were [lost] since then. */
static bool read_live(struct reader *reader, struct sl_cursor content, const struct look_times *times)
{
    uint32_t count = 0;
    struct sl_cursor columns[2] = {0};
    if (sl_cursor_left(&content) > 0) {
        count = sl_cursor_varint32(&content);
        if (count > sl_cursor_left(&content) / 2 || !split_columns(content, count, columns, 2)) {
            return false;
        }
    }
    bool gap = times->time_ns > reader->time_ns || times->first_look > reader->looks;
    bool lost = gap && reader->lost;
    if (lost) {
        lose_live(reader);
    } else if (gap) {
        end_live(reader);
    }
    uint32_t before_count = reader->live_count;
    uint32_t block = reader->looks_blocks;
    uint64_t number = 0;
    for (uint32_t i = 0; i < count; i++) {
        number += sl_cursor_varint32(&columns[0]) + (uint64_t)(i > 0);
        struct sl_built_thread *thread = number < SL_NONE ? sl_built_thread(&reader->builder, (uint32_t)number) : NULL;
        if (thread == NULL) {
            return false;
        }
        thread->seen = block;
        if (lost && !thread->live) {
            sl_build_run(&reader->builder, thread, reader->time_ns, reader->looks, sl_built_lost(&reader->builder));
        }
        uint32_t place = (uint32_t)(thread - reader->builder.threads);
        struct sl_situation situation = sl_built_situation(&reader->builder, sl_cursor_varint32(&columns[1]));
        sl_build_run(&reader->builder, thread, times->time_ns, times->first_look, situation);
        if (!add_live(reader, place)) {
            return false;
        }
    }
    /* Whoever is not in the list has ended meanwhile. */
    for (uint32_t i = 0; i < before_count; i++) {
        struct sl_built_thread *thread = &reader->builder.threads[reader->live[i]];
        if (thread->seen != block) {
            sl_build_run_end(&reader->builder, thread, lost ? times->time_ns : reader->time_ns,
                             lost ? times->first_look : reader->looks);
        }
    }
    reader->live_count -= before_count;
    for (uint32_t i = 0; i < reader->live_count; i++) {
        reader->live[i] = reader->live[before_count + i];
    }
    return true;
}

struct ends {
    struct sl_cursor content;
    uint64_t look; /* before which the next one ends; UINT64_MAX: no further one */
};

static void find_end(struct ends *ends)
{
    ends->look = sl_cursor_left(&ends->content) > 0 ? ends->look + sl_cursor_varint32(&ends->content) : UINT64_MAX;
}

/* Ends those threads that take no part in the next look. */
static bool apply_ends(struct reader *reader, struct ends *ends, const struct look_times *times)
{
    while (ends->look <= times->next) {
        uint32_t number = sl_cursor_varint32(&ends->content);
        if (ends->content.failed) {
            return false;
        }
        struct sl_built_thread *thread = sl_built_thread(&reader->builder, number);
        if (thread == NULL) {
            return false;
        }
        sl_build_run_end(&reader->builder, thread, times->time_ns, times->first_look + times->next);
        find_end(ends);
    }
    return true;
}

/* How many threads change in each look: numbers of `width` bits, or of any size when that is 0. */
struct change_counts {
    struct sl_cursor content;
    uint32_t width;
    uint32_t bits, held;
};

static bool read_change_counts(struct change_counts *counts, struct sl_cursor content)
{
    *counts = (struct change_counts){.content = content};
    if (sl_cursor_left(&content) > 0) {
        counts->width = sl_cursor_varint32(&counts->content);
    }
    return counts->width <= SL_TRACE_WIDTH_MAX;
}

static uint64_t next_change_count(struct change_counts *counts)
{
    if (counts->width == 0) {
        return sl_cursor_varint(&counts->content);
    }
    if (counts->held < counts->width) {
        const uint8_t *byte = sl_cursor_bytes(&counts->content, 1);
        counts->bits |= byte != NULL ? (uint32_t)*byte << counts->held : 0;
        counts->held += 8;
    }
    uint32_t value = counts->bits & ((1U << counts->width) - 1);
    counts->bits >>= counts->width;
    counts->held -= counts->width;
    return value;
}

static uint32_t read_situation(struct sl_cursor *situations, uint32_t *next)
{
    uint64_t code = sl_cursor_varint(situations);
    uint32_t situation = code == 0 ? *next : code - 1 < SL_NONE ? (uint32_t)(code - 1) : SL_NONE;
    if (situation >= *next && situation != SL_NONE) {
        *next = situation + 1;
    }
    return situation;
}

static bool read_change(struct reader *reader, uint32_t number, uint32_t situation, const struct look_times *times)
{
    struct sl_built_thread *thread = sl_built_thread(&reader->builder, number);
    if (thread == NULL) {
        return false;
    }
    if (thread->seen != reader->looks_blocks) {
        thread->seen = reader->looks_blocks;
        if (!add_live(reader, (uint32_t)(thread - reader->builder.threads))) {
            return false;
        }
    }
    sl_build_run(&reader->builder, thread, times->time_ns, times->first_look + times->next,
                 sl_built_situation(&reader->builder, situation));
    return true;
}

static bool read_changes(struct reader *reader, const struct sl_cursor *sections, struct look_times *times)
{
    struct sl_cursor threads = sections[SL_TRACE_CHANGE_THREADS];
    struct sl_cursor situations = sections[SL_TRACE_CHANGE_SITUATIONS];
    struct ends ends = {.content = sections[SL_TRACE_ENDS]};
    struct change_counts counts;
    bool changes = sl_cursor_left(&situations) > 0;
    bool one_thread = sl_cursor_left(&threads) == 0;
    uint32_t next_situation = changes ? sl_cursor_varint32(&situations) : 0;
    uint32_t number = 0;
    if (!read_change_counts(&counts, sections[SL_TRACE_CHANGE_COUNTS])) {
        return false;
    }
    find_end(&ends);
    while (times->next < times->count) {
        if (!apply_ends(reader, &ends, times)) {
            return false;
        }
        uint64_t left = changes ? next_change_count(&counts) : 0;
        for (; left > 0; left--) {
            number += one_thread ? 0 : (uint32_t)sl_unzigzag(sl_cursor_varint(&threads));
            uint32_t situation = read_situation(&situations, &next_situation);
            if (threads.failed || situations.failed || number == SL_NONE ||
                !read_change(reader, number, situation, times)) {
                return false;
            }
        }
        if (!pass_look(times)) {
            return false;
        }
        reader->time_ns = times->time_ns;
        reader->looks = times->first_look + times->next;
    }
    return !counts.content.failed && apply_ends(reader, &ends, times);
}

/* A block of looks that turns out damaged midway gives what was read of it until then. */
static bool read_looks(struct reader *reader, const struct sl_cursor *sections)
{
    struct look_times times = {0};
    if (!read_look_times(&times, sections[SL_TRACE_LOOK_TIMES], sections[SL_TRACE_INSTANTS]) ||
        times.time_ns < reader->time_ns || times.first_look < reader->looks) {
        return false;
    }
    reader->looks_blocks++;
    if (!read_live(reader, sections[SL_TRACE_LIVE], &times)) {
        return false;
    }
    reader->time_ns = times.time_ns;
    reader->looks = times.first_look;
    reader->lost = false;
    return read_changes(reader, sections, &times);
}

/* The whole */

static bool read_block(struct reader *reader, const struct sl_trace_block_view *block, uint64_t *dropped_bytes)
{
    if (block->number < reader->next_block) {
        return false;
    }
    reader->lost |= block->number > reader->next_block;
    reader->next_block = block->number + 1;
    struct sl_cursor facts = block->sections[SL_TRACE_FACTS];
    bool sound = sl_cursor_left(&facts) == 0 || read_facts(reader, facts, dropped_bytes);
    switch (block->kind) {
    case SL_TRACE_BLOCK_DEFINITIONS:
        return read_definitions(reader, block->sections) && sound;
    case SL_TRACE_BLOCK_LOOKS:
        return read_looks(reader, block->sections) && sound;
    case SL_TRACE_BLOCK_END:
        reader->ended = sound;
        return sound;
    default:
        return sound;
    }
}

/* The counters of the last block tell of looks that are missing before it. */
static void end_recording(struct reader *reader)
{
    const struct sl_facts *facts = &reader->facts;
    if (reader->ended && reader->lost && facts->looks > reader->looks && facts->duration_ns >= reader->time_ns) {
        lose_live(reader);
        reader->time_ns = facts->duration_ns;
        reader->looks = facts->looks;
    }
    end_live(reader);
}

struct sl_profile *sl_trace_read(const void *bytes, size_t size, struct sl_error *error)
{
    struct sl_profile *profile = NULL;
    struct sl_trace_blocks blocks;
    struct reader reader = {0};
    uint64_t dropped_bytes = 0;
    bool whole = true;
    sl_profile_builder_init(&reader.builder);
    if (!sl_trace_blocks_open(&blocks, bytes, size, error)) {
        goto done;
    }
    enum sl_trace_step step = SL_TRACE_STEP_NONE;
    struct sl_trace_block_view block;
    while (!reader.ended && !reader.builder.exhausted &&
           (step = sl_trace_blocks_next(&blocks, &block)) == SL_TRACE_STEP_BLOCK) {
        uint32_t expected = reader.next_block;
        bool sound = read_block(&reader, &block, &dropped_bytes);
        if (!sound) {
            blocks.lost_bytes += block.size;
            reader.lost = true;
        }
        whole = whole && sound && block.number == expected;
    }
    if (step == SL_TRACE_STEP_MEMORY || reader.builder.exhausted) {
        sl_error_memory(error);
        goto done;
    }
    end_recording(&reader);

    struct sl_facts *facts = &reader.facts;
    if (!reader.ended) {
        facts->duration_ns = reader.time_ns;
    }
    facts->interval_ns = facts->interval_ns > 0 ? facts->interval_ns : 1;
    facts->trace_bytes = size;
    facts->lost_bytes = blocks.lost_bytes + dropped_bytes;
    facts->complete = reader.ended && whole && facts->lost_bytes == 0;
    profile = sl_profile_build(&reader.builder, facts);
    if (profile == NULL) {
        sl_error_memory(error);
    }

done:
    sl_trace_blocks_close(&blocks);
    sl_profile_builder_destroy(&reader.builder);
    free(reader.live);
    return profile;
}

struct sl_profile *sl_trace_read_file(const char *path, struct sl_error *error)
{
    struct sl_buffer buffer;
    sl_buffer_init(&buffer);
    struct sl_profile *profile = NULL;
    if (sl_file_read(path, &buffer, error)) {
        struct sl_error reason = {0};
        profile = sl_trace_read(buffer.bytes != NULL ? buffer.bytes : "", buffer.size, &reason);
        if (profile == NULL) {
            sl_error_set(error, reason.kind, "cannot read %s: %s", path, reason.sentence);
        }
    }
    sl_buffer_destroy(&buffer);
    return profile;
}
