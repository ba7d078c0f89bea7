/* What a trace still gives when part of it is gone: cut off anywhere, bits turned over anywhere, blocks missing. */
#include "profile/recorder.h"
#include "profile/trace_blocks.h"
#include "profile/trace_reader.h"
#include "support/sound_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { INTERVAL = 1000000, LOOKS = 100, FLUSH_EVERY = 10 };

static sl_stack named_stack(struct sl_recorder *recorder, const char *name)
{
    struct sl_function_record function = {.name = sl_recorder_string(recorder, name, strlen(name))};
    return sl_recorder_stack(recorder, 0, sl_recorder_function(recorder, function), 1);
}

/* A hundred looks in ten blocks. Thread 0 is in another function in each block, `phase_0` to `phase_9`, thread 1 always
 * in `waiting`. */
static struct sl_recorder *record(void)
{
    struct sl_recorder_options options = {.interval_ns = INTERVAL, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    struct sl_process_record process = {.pid = 7};
    assert_int_equal(sl_recorder_process(recorder, &process), 0);
    for (uint32_t i = 0; i < 2; i++) {
        struct sl_thread_record thread = {.id = 7 + i, .main = i == 0};
        assert_int_equal(sl_recorder_thread(recorder, &thread), i);
    }
    for (uint64_t look = 0; look < LOOKS; look++) {
        char name[16];
        snprintf(name, sizeof name, "phase_%d", (int)(look / FLUSH_EVERY));
        sl_recorder_look(recorder, look * INTERVAL, (look + 1) * INTERVAL, look * INTERVAL);
        sl_recorder_sample(recorder, 0, named_stack(recorder, name), SL_STATE_KNOWN);
        if (look == 0) {
            sl_recorder_sample(recorder, 1, named_stack(recorder, "waiting"), SL_STATE_KNOWN);
        }
        if (look % FLUSH_EVERY == FLUSH_EVERY - 1) {
            assert_true(sl_recorder_flush(recorder, NULL));
        }
    }
    assert_true(sl_recorder_close(recorder, (uint64_t)LOOKS * INTERVAL, NULL));
    return recorder;
}

/* Where the blocks of a trace begin; the last one's end too. Returns how many there are. */
static size_t find_blocks(const struct sl_buffer *trace, struct sl_trace_block_view *views, size_t *offsets,
                          size_t most)
{
    struct sl_trace_blocks blocks;
    size_t count = 0;
    assert_true(sl_trace_blocks_open(&blocks, trace->bytes, trace->size, NULL));
    offsets[0] = blocks.offset;
    while (count < most && sl_trace_blocks_next(&blocks, &views[count]) == SL_TRACE_STEP_BLOCK) {
        offsets[++count] = blocks.offset;
    }
    sl_trace_blocks_close(&blocks);
    assert_true(count < most);
    return count;
}

static const char *run_name(const struct sl_profile *profile, const struct sl_run *run)
{
    return sl_profile_text(profile, profile->functions[profile->stacks[run->stack].function].name);
}

static struct sl_profile *read_sound(const void *bytes, size_t size)
{
    struct sl_error error = {0};
    struct sl_profile *profile = sl_trace_read(bytes, size, &error);
    if (profile == NULL) {
        assert_int_equal(error.kind, SL_ERROR_FORMAT);
        return NULL;
    }
    const char *broken = broken_promise(profile);
    if (broken != NULL) {
        fail_msg("broken: %s", broken);
    }
    return profile;
}

static void test_a_trace_cut_anywhere_gives_every_whole_block_before_the_cut(void **state)
{
    (void)state;
    struct sl_recorder *recorder = record();
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_trace_block_view views[64];
    size_t offsets[64];
    size_t count = find_blocks(trace, views, offsets, 64);
    size_t whole = 0;
    uint64_t looks = 0;
    for (size_t size = 0; size < trace->size; size++) {
        while (whole < count && offsets[whole + 1] <= size) {
            looks += views[whole++].kind == SL_TRACE_BLOCK_LOOKS ? FLUSH_EVERY : 0;
        }
        struct sl_profile *profile = read_sound(trace->bytes, size);
        if (size < SL_TRACE_MAGIC_SIZE) {
            assert_null(profile);
            continue;
        }
        assert_false(profile->facts.complete);
        assert_int_equal(profile->facts.looks, looks);
        assert_int_equal(profile->facts.duration_ns, looks * INTERVAL);
        assert_int_equal(profile->facts.lost_bytes, size < SL_TRACE_HEADER_SIZE ? size : size - offsets[whole]);
        assert_int_equal(profile->facts.trace_bytes, size);
        uint64_t weight_ns = 0;
        for (uint32_t i = 0; i < profile->run_count; i++) {
            weight_ns += profile->runs[i].end_ns - profile->runs[i].begin_ns;
            assert_string_not_equal(run_name(profile, &profile->runs[i]), "[lost]");
        }
        assert_int_equal(weight_ns, 2 * looks * INTERVAL);
        sl_profile_destroy(profile);
    }
    sl_recorder_destroy(recorder);
}

static void test_a_byte_turned_over_anywhere_is_told(void **state)
{
    (void)state;
    struct sl_recorder *recorder = record();
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    for (size_t i = SL_TRACE_MAGIC_SIZE; i < trace->size; i++) {
        trace->bytes[i] ^= 0x21;
        struct sl_profile *profile = read_sound(trace->bytes, trace->size);
        assert_non_null(profile);
        assert_false(profile->facts.complete);
        assert_true(profile->facts.lost_bytes > 0);
        sl_profile_destroy(profile);
        trace->bytes[i] ^= 0x21;
    }
    sl_recorder_destroy(recorder);
}

/* The trace without one of its blocks, or with one that is damaged. */
static struct sl_profile *read_without(const struct sl_buffer *trace, const size_t *offsets, size_t block)
{
    char *bytes = malloc(trace->size);
    assert_non_null(bytes);
    size_t size = trace->size - (offsets[block + 1] - offsets[block]);
    memcpy(bytes, trace->bytes, offsets[block]);
    memcpy(bytes + offsets[block], trace->bytes + offsets[block + 1], trace->size - offsets[block + 1]);
    struct sl_profile *profile = read_sound(bytes, size);
    assert_non_null(profile);
    free(bytes);
    return profile;
}

static void test_the_time_of_lost_looks_is_marked_and_the_weights_still_add_up(void **state)
{
    (void)state;
    struct sl_recorder *recorder = record();
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_trace_block_view views[64];
    size_t offsets[64];
    size_t count = find_blocks(trace, views, offsets, 64);
    uint32_t phase = 0;
    for (size_t block = 0; block < count; block++) {
        if (views[block].kind != SL_TRACE_BLOCK_LOOKS) {
            continue;
        }
        struct sl_profile *profile = read_without(trace, offsets, block);
        assert_false(profile->facts.complete);
        assert_int_equal(profile->thread_count, 2);
        for (uint32_t t = 0; t < 2; t++) {
            const struct sl_thread_record *thread = &profile->threads[t];
            uint64_t weight_ns = 0, samples = 0, lost_ns = 0, lost_samples = 0;
            for (uint32_t i = thread->first_run; i < thread->first_run + thread->run_count; i++) {
                const struct sl_run *run = &profile->runs[i];
                weight_ns += run->end_ns - run->begin_ns;
                samples += run->samples;
                if (strcmp(run_name(profile, run), "[lost]") == 0) {
                    lost_ns += run->end_ns - run->begin_ns;
                    lost_samples += run->samples;
                }
            }
            assert_int_equal(weight_ns, (uint64_t)LOOKS * INTERVAL);
            assert_int_equal(samples, LOOKS);
            assert_int_equal(lost_ns, FLUSH_EVERY * INTERVAL);
            assert_int_equal(lost_samples, FLUSH_EVERY);
        }
        sl_profile_destroy(profile);
        phase++;
    }
    assert_int_equal(phase, LOOKS / FLUSH_EVERY);
    sl_recorder_destroy(recorder);
}

static void test_what_refers_to_lost_definitions_is_marked_and_nothing_gets_a_wrong_name(void **state)
{
    (void)state;
    struct sl_recorder *recorder = record();
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_trace_block_view views[64];
    size_t offsets[64];
    size_t count = find_blocks(trace, views, offsets, 64);
    uint32_t tried = 0;
    for (size_t block = 0; block < count; block++) {
        /* Block 0 holds the facts, and the strings that they refer to. */
        if (views[block].kind != SL_TRACE_BLOCK_DEFINITIONS || block == 0) {
            continue;
        }
        struct sl_profile *profile = read_without(trace, offsets, block);
        assert_false(profile->facts.complete);
        assert_int_equal(profile->facts.duration_ns, (uint64_t)LOOKS * INTERVAL);
        uint64_t lost_ns = 0;
        for (uint32_t i = 0; i < profile->run_count; i++) {
            const struct sl_run *run = &profile->runs[i];
            const char *name = run_name(profile, run);
            char phase[16];
            snprintf(phase, sizeof phase, "phase_%d", (int)(run->begin_ns / INTERVAL / FLUSH_EVERY));
            if (strcmp(name, "[lost]") == 0) {
                lost_ns += run->end_ns - run->begin_ns;
            } else {
                assert_string_equal(name, run->thread == 1 ? "waiting" : phase);
            }
        }
        /* The first phase shares its block with `waiting` and the threads themselves. */
        uint64_t phase_ns = (uint64_t)FLUSH_EVERY * INTERVAL;
        assert_int_equal(lost_ns, tried == 0 ? phase_ns + (uint64_t)LOOKS * INTERVAL : phase_ns);
        sl_profile_destroy(profile);
        tried++;
        if (tried == LOOKS / FLUSH_EVERY) {
            break; /* the block after it says that the threads ended */
        }
    }
    assert_int_equal(tried, LOOKS / FLUSH_EVERY);
    sl_recorder_destroy(recorder);
}

static void test_what_lies_between_blocks_is_counted_and_skipped(void **state)
{
    (void)state;
    struct sl_recorder *recorder = record();
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_trace_block_view views[64];
    size_t offsets[64];
    find_blocks(trace, views, offsets, 64);
    static const char rubbish[] = "\xB1\x0C\x8B\x9Eno block, though it begins like one";
    struct sl_buffer with;
    sl_buffer_init(&with);
    sl_buffer_append(&with, trace->bytes, offsets[5]);
    sl_buffer_append(&with, rubbish, sizeof rubbish);
    sl_buffer_append(&with, trace->bytes + offsets[5], trace->size - offsets[5]);
    struct sl_profile *profile = read_sound(with.bytes, with.size);
    assert_int_equal(profile->facts.lost_bytes, sizeof rubbish);
    assert_false(profile->facts.complete);
    assert_int_equal(profile->facts.looks, LOOKS);
    assert_int_equal(profile->run_count, LOOKS / FLUSH_EVERY + 1);
    sl_profile_destroy(profile);
    sl_buffer_destroy(&with);
    sl_recorder_destroy(recorder);
}

static void test_a_block_that_comes_twice_counts_once(void **state)
{
    (void)state;
    struct sl_recorder *recorder = record();
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_trace_block_view views[64];
    size_t offsets[64];
    size_t count = find_blocks(trace, views, offsets, 64);
    for (size_t block = 0; block + 1 < count; block++) {
        struct sl_buffer with;
        sl_buffer_init(&with);
        sl_buffer_append(&with, trace->bytes, offsets[block + 1]);
        sl_buffer_append(&with, trace->bytes + offsets[block], trace->size - offsets[block]);
        struct sl_profile *profile = read_sound(with.bytes, with.size);
        assert_int_equal(profile->facts.lost_bytes, offsets[block + 1] - offsets[block]);
        assert_int_equal(profile->run_count, LOOKS / FLUSH_EVERY + 1);
        sl_profile_destroy(profile);
        sl_buffer_destroy(&with);
    }
    sl_recorder_destroy(recorder);
}

/* Two looks in one block, a third in the next, which begins later: nobody looked between. */
static struct sl_recorder *record_with_gap(void)
{
    struct sl_recorder_options options = {.interval_ns = INTERVAL, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    struct sl_process_record process = {.pid = 7};
    struct sl_thread_record thread = {.id = 7, .main = true};
    sl_recorder_process(recorder, &process);
    sl_recorder_thread(recorder, &thread);
    sl_recorder_look(recorder, 0, INTERVAL, 0);
    sl_recorder_sample(recorder, 0, named_stack(recorder, "work"), 0);
    sl_recorder_look(recorder, INTERVAL, 2 * INTERVAL, INTERVAL);
    assert_true(sl_recorder_flush(recorder, NULL));
    sl_recorder_look(recorder, 2 * INTERVAL, 3 * INTERVAL, 2 * INTERVAL);
    sl_recorder_look(recorder, 5 * INTERVAL, 6 * INTERVAL, 5 * INTERVAL);
    assert_true(sl_recorder_close(recorder, 6 * INTERVAL, NULL));
    return recorder;
}

static void test_time_in_which_nobody_looked_is_not_lost(void **state)
{
    (void)state;
    struct sl_recorder *recorder = record_with_gap();
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_profile *profile = read_sound(trace->bytes, trace->size);
    assert_true(profile->facts.complete);
    assert_int_equal(profile->run_count, 2);
    assert_int_equal(profile->runs[0].end_ns, 3 * INTERVAL);
    assert_int_equal(profile->runs[1].begin_ns, 5 * INTERVAL);
    sl_profile_destroy(profile);

    /* Nor when something before it is. */
    struct sl_trace_block_view views[64];
    size_t offsets[64];
    size_t count = find_blocks(trace, views, offsets, 64);
    size_t first_looks = 0;
    while (first_looks < count && views[first_looks].kind != SL_TRACE_BLOCK_LOOKS) {
        first_looks++;
    }
    profile = read_without(trace, offsets, first_looks);
    assert_int_equal(profile->run_count, 3);
    assert_string_equal(run_name(profile, &profile->runs[0]), "[lost]");
    assert_int_equal(profile->runs[0].samples, 2);
    assert_int_equal(profile->runs[1].begin_ns, 2 * INTERVAL);
    assert_int_equal(profile->runs[1].end_ns, 3 * INTERVAL);
    assert_int_equal(profile->runs[2].begin_ns, 5 * INTERVAL);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static void put32(char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (char)(value >> (8 * i));
    }
}

static void put_checksums(char *header, const char *payload, size_t size)
{
    put32(header + 16, (uint32_t)crc32_z(0, (const Bytef *)payload, size));
    put32(header + 20, (uint32_t)crc32_z(0, (const Bytef *)header, 20));
}

static void test_a_block_whose_content_makes_no_sense_is_as_good_as_missing(void **state)
{
    (void)state;
    struct sl_recorder *recorder = record();
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_trace_block_view views[64];
    size_t offsets[64];
    size_t count = find_blocks(trace, views, offsets, 64);
    size_t damaged = 0;
    for (size_t block = 0; block < count && damaged < 3; block++) {
        if (views[block].kind != SL_TRACE_BLOCK_LOOKS) {
            continue;
        }
        damaged++;
        /* Right checksums, but the section that holds the times of the looks is said to be another one. */
        char *header = trace->bytes + offsets[block];
        char *payload = header + SL_TRACE_BLOCK_HEADER_SIZE;
        size_t size = offsets[block + 1] - offsets[block] - SL_TRACE_BLOCK_HEADER_SIZE;
        char facts_size = payload[2];
        assert_int_equal(payload[0], SL_TRACE_FACTS);
        assert_int_equal(payload[3 + facts_size], SL_TRACE_LOOK_TIMES);
        payload[3 + facts_size] = 100;
        put_checksums(header, payload, size);
        struct sl_profile *profile = read_sound(trace->bytes, trace->size);
        assert_false(profile->facts.complete);
        assert_int_equal(profile->facts.lost_bytes, size + SL_TRACE_BLOCK_HEADER_SIZE);
        uint64_t lost_ns = 0;
        for (uint32_t i = 0; i < profile->run_count; i++) {
            const struct sl_run *run = &profile->runs[i];
            lost_ns += strcmp(run_name(profile, run), "[lost]") == 0 ? run->end_ns - run->begin_ns : 0;
        }
        assert_int_equal(lost_ns, 2 * FLUSH_EVERY * INTERVAL);
        sl_profile_destroy(profile);
        payload[3 + facts_size] = SL_TRACE_LOOK_TIMES;
        put_checksums(header, payload, size);
    }
    sl_recorder_destroy(recorder);
}

static void test_what_follows_the_end_is_not_read(void **state)
{
    (void)state;
    struct sl_recorder *recorder = record();
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_buffer twice;
    sl_buffer_init(&twice);
    sl_buffer_append(&twice, trace->bytes, trace->size);
    sl_buffer_append(&twice, trace->bytes, trace->size);
    struct sl_profile *profile = read_sound(twice.bytes, twice.size);
    assert_true(profile->facts.complete);
    assert_int_equal(profile->facts.looks, LOOKS);
    sl_profile_destroy(profile);
    sl_buffer_destroy(&twice);
    sl_recorder_destroy(recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_trace_cut_anywhere_gives_every_whole_block_before_the_cut),
        cmocka_unit_test(test_a_byte_turned_over_anywhere_is_told),
        cmocka_unit_test(test_the_time_of_lost_looks_is_marked_and_the_weights_still_add_up),
        cmocka_unit_test(test_what_refers_to_lost_definitions_is_marked_and_nothing_gets_a_wrong_name),
        cmocka_unit_test(test_what_lies_between_blocks_is_counted_and_skipped),
        cmocka_unit_test(test_a_block_that_comes_twice_counts_once),
        cmocka_unit_test(test_time_in_which_nobody_looked_is_not_lost),
        cmocka_unit_test(test_a_block_whose_content_makes_no_sense_is_as_good_as_missing),
        cmocka_unit_test(test_what_follows_the_end_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
