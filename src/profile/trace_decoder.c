#include "profile/trace_decoder.h"

#include "base/array.h"

#include <stdlib.h>

void sl_trace_decoder_init(struct sl_trace_decoder *decoder)
{
    *decoder = (struct sl_trace_decoder){.whole = true};
    sl_profile_builder_init(&decoder->builder);
}

void sl_trace_decoder_destroy(struct sl_trace_decoder *decoder)
{
    sl_profile_builder_destroy(&decoder->builder);
    free(decoder->live);
    decoder->live = NULL;
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

static bool add_live(struct sl_trace_decoder *decoder, uint32_t place)
{
    if (!sl_array_room(&decoder->live, &decoder->live_capacity, decoder->live_count, sizeof *decoder->live)) {
        decoder->builder.exhausted = true;
        return false;
    }
    decoder->live[decoder->live_count++] = place;
    return true;
}

/* Ends the runs of all threads at the end of the last look. */
static void end_live(struct sl_trace_decoder *decoder)
{
    for (uint32_t i = 0; i < decoder->live_count; i++) {
        sl_build_run_end(&decoder->builder, &decoder->builder.threads[decoder->live[i]], decoder->time_ns,
                         decoder->looks);
    }
}

/* From the end of the last look on nothing is known of the threads. */
static void lose_live(struct sl_trace_decoder *decoder)
{
    struct sl_situation lost = sl_built_lost(&decoder->builder);
    for (uint32_t i = 0; i < decoder->live_count; i++) {
        struct sl_built_thread *thread = &decoder->builder.threads[decoder->live[i]];
        if (thread->live) {
            sl_build_run(&decoder->builder, thread, decoder->time_ns, decoder->looks, lost);
        }
    }
}

/* The threads that are live as a block begins, with what was seen of them last. Where something is missing before the
 * block, they were [lost] since then. */
static bool read_live(struct sl_trace_decoder *decoder, struct sl_cursor content, const struct look_times *times)
{
    uint32_t count = 0;
    struct sl_cursor columns[2] = {0};
    if (sl_cursor_left(&content) > 0) {
        count = sl_cursor_varint32(&content);
        if (count > sl_cursor_left(&content) / 2 || !sl_trace_split_columns(content, count, columns, 2)) {
            return false;
        }
    }
    bool gap = times->time_ns > decoder->time_ns || times->first_look > decoder->looks;
    bool lost = gap && decoder->lost;
    if (lost) {
        lose_live(decoder);
    } else if (gap) {
        end_live(decoder);
    }
    uint32_t before_count = decoder->live_count;
    uint32_t block = decoder->looks_blocks;
    uint64_t number = 0;
    for (uint32_t i = 0; i < count; i++) {
        number += sl_cursor_varint32(&columns[0]) + (uint64_t)(i > 0);
        struct sl_built_thread *thread = number < SL_NONE ? sl_built_thread(&decoder->builder, (uint32_t)number) : NULL;
        if (thread == NULL) {
            return false;
        }
        thread->seen = block;
        if (lost && !thread->live) {
            sl_build_run(&decoder->builder, thread, decoder->time_ns, decoder->looks, sl_built_lost(&decoder->builder));
        }
        uint32_t place = (uint32_t)(thread - decoder->builder.threads);
        struct sl_situation situation = sl_built_situation(&decoder->builder, sl_cursor_varint32(&columns[1]));
        sl_build_run(&decoder->builder, thread, times->time_ns, times->first_look, situation);
        if (!add_live(decoder, place)) {
            return false;
        }
    }
    /* Whoever is not in the list has ended meanwhile. */
    for (uint32_t i = 0; i < before_count; i++) {
        struct sl_built_thread *thread = &decoder->builder.threads[decoder->live[i]];
        if (thread->seen != block) {
            sl_build_run_end(&decoder->builder, thread, lost ? times->time_ns : decoder->time_ns,
                             lost ? times->first_look : decoder->looks);
        }
    }
    decoder->live_count -= before_count;
    for (uint32_t i = 0; i < decoder->live_count; i++) {
        decoder->live[i] = decoder->live[before_count + i];
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
static bool apply_ends(struct sl_trace_decoder *decoder, struct ends *ends, const struct look_times *times)
{
    while (ends->look <= times->next) {
        uint32_t number = sl_cursor_varint32(&ends->content);
        if (ends->content.failed) {
            return false;
        }
        struct sl_built_thread *thread = sl_built_thread(&decoder->builder, number);
        if (thread == NULL) {
            return false;
        }
        sl_build_run_end(&decoder->builder, thread, times->time_ns, times->first_look + times->next);
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

static bool read_change(struct sl_trace_decoder *decoder, uint32_t number, uint32_t situation,
                        const struct look_times *times)
{
    struct sl_built_thread *thread = sl_built_thread(&decoder->builder, number);
    if (thread == NULL) {
        return false;
    }
    if (thread->seen != decoder->looks_blocks) {
        thread->seen = decoder->looks_blocks;
        if (!add_live(decoder, (uint32_t)(thread - decoder->builder.threads))) {
            return false;
        }
    }
    sl_build_run(&decoder->builder, thread, times->time_ns, times->first_look + times->next,
                 sl_built_situation(&decoder->builder, situation));
    return true;
}

/* What is found in looks of unequal length is as certain as in (sum of lengths)^2 / sum of their squares of equal ones. */
static void weigh_look(struct sl_trace_decoder *decoder, double length)
{
    decoder->length += length;
    decoder->squared_length += length * length;
    if (decoder->squared_length > 0) {
        decoder->facts.even_looks = (uint64_t)(decoder->length * decoder->length / decoder->squared_length + 0.5);
    }
}

static bool read_changes(struct sl_trace_decoder *decoder, const struct sl_cursor *sections, struct look_times *times)
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
        if (!apply_ends(decoder, &ends, times)) {
            return false;
        }
        uint64_t left = changes ? next_change_count(&counts) : 0;
        for (; left > 0; left--) {
            number += one_thread ? 0 : (uint32_t)sl_unzigzag(sl_cursor_varint(&threads));
            uint32_t situation = read_situation(&situations, &next_situation);
            if (threads.failed || situations.failed || number == SL_NONE ||
                !read_change(decoder, number, situation, times)) {
                return false;
            }
        }
        uint64_t begin_ns = times->time_ns;
        if (!pass_look(times)) {
            return false;
        }
        weigh_look(decoder, (double)(times->time_ns - begin_ns));
        decoder->time_ns = times->time_ns;
        decoder->looks = times->first_look + times->next;
        decoder->facts.looks_read++;
    }
    return !counts.content.failed && apply_ends(decoder, &ends, times);
}

/* A block of looks that turns out damaged midway gives what was read of it until then. */
static bool read_looks(struct sl_trace_decoder *decoder, const struct sl_cursor *sections)
{
    struct look_times times = {0};
    if (!read_look_times(&times, sections[SL_TRACE_LOOK_TIMES], sections[SL_TRACE_INSTANTS]) ||
        times.time_ns < decoder->time_ns || times.first_look < decoder->looks) {
        return false;
    }
    decoder->looks_blocks++;
    if (!read_live(decoder, sections[SL_TRACE_LIVE], &times)) {
        return false;
    }
    decoder->time_ns = times.time_ns;
    decoder->looks = times.first_look;
    decoder->lost = false;
    return read_changes(decoder, sections, &times);
}

/* Blocks */

static bool read_block(struct sl_trace_decoder *decoder, const struct sl_trace_block_view *block)
{
    if (block->number < decoder->next_block) {
        return false;
    }
    decoder->lost |= block->number > decoder->next_block;
    decoder->next_block = block->number + 1;
    struct sl_cursor facts = block->sections[SL_TRACE_FACTS];
    bool sound = sl_cursor_left(&facts) == 0 || sl_trace_decode_facts(decoder, facts);
    switch (block->kind) {
    case SL_TRACE_BLOCK_DEFINITIONS:
        return sl_trace_decode_definitions(decoder, block->sections) && sound;
    case SL_TRACE_BLOCK_LOOKS:
        return read_looks(decoder, block->sections) && sound;
    case SL_TRACE_BLOCK_END:
        decoder->ended = sound;
        return sound;
    default:
        return sound;
    }
}

void sl_trace_decode(struct sl_trace_decoder *decoder, const struct sl_trace_block_view *block)
{
    uint32_t expected = decoder->next_block;
    bool sound = read_block(decoder, block);
    if (!sound) {
        decoder->lost_bytes += block->size;
        decoder->lost = true;
    }
    decoder->whole = decoder->whole && sound && block->number == expected;
}

void sl_trace_decode_end(struct sl_trace_decoder *decoder)
{
    /* The counters of the last block tell of looks that are missing before it. */
    const struct sl_facts *facts = &decoder->facts;
    if (decoder->ended && decoder->lost && facts->looks > decoder->looks && facts->duration_ns >= decoder->time_ns) {
        lose_live(decoder);
        decoder->time_ns = facts->duration_ns;
        decoder->looks = facts->looks;
    }
    end_live(decoder);
}

void sl_trace_decode_cut(struct sl_trace_decoder *decoder)
{
    for (uint32_t i = 0; i < decoder->live_count; i++) {
        struct sl_built_thread *thread = &decoder->builder.threads[decoder->live[i]];
        if (thread->live && decoder->looks > thread->first_look) {
            struct sl_situation situation = thread->situation;
            sl_build_run_end(&decoder->builder, thread, decoder->time_ns, decoder->looks);
            sl_build_run(&decoder->builder, thread, decoder->time_ns, decoder->looks, situation);
        }
    }
}
