#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "profile/recorder.h"
#include "profile/trace_reader.h"
#include "sampler/slots.h"

#include <math.h>

#define MS UINT64_C(1000000)
#define FOREVER UINT64_MAX

static void test_each_slot_gets_one_look_at_an_instant_within_it(void **state)
{
    (void)state;
    struct sl_slots slots;
    sl_slots_init(&slots, MS, 0, FOREVER, 1);
    uint64_t thirds[3] = {0};
    for (uint64_t n = 0; n < 30000; n++) {
        struct sl_span span = sl_slots_take(&slots, slots.instant_ns);
        assert_int_equal(span.begin_ns, n * MS);
        assert_int_equal(span.slot_begin_ns, n * MS);
        assert_int_equal(span.end_ns, (n + 1) * MS);
        assert_in_range(span.instant_ns, n * MS, (n + 1) * MS - 1);
        assert_int_equal(span.late, 0);
        thirds[(span.instant_ns - span.begin_ns) * 3 / MS]++;
    }
    for (int i = 0; i < 3; i++) {
        assert_in_range(thirds[i], 9500, 10500);
    }
}

static void test_the_first_slot_begins_with_the_recording(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct sl_slots slots;
        sl_slots_init(&slots, MS, 5 * MS + 700000, FOREVER, seed);
        struct sl_span span = sl_slots_take(&slots, slots.instant_ns);
        assert_int_equal(span.begin_ns, 5 * MS + 700000);
        assert_int_equal(span.slot_begin_ns, 5 * MS + 700000);
        assert_int_equal(span.end_ns, 6 * MS);
        assert_in_range(span.instant_ns, span.begin_ns, span.end_ns - 1);
    }
}

static void test_the_last_slot_ends_with_the_recording(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct sl_slots slots;
        sl_slots_init(&slots, MS, 0, 2 * MS + 300000, seed);
        uint64_t covered_ns = 0;
        for (int n = 0; n < 3; n++) {
            assert_true(slots.instant_ns < slots.limit_ns);
            struct sl_span span = sl_slots_take(&slots, slots.instant_ns);
            covered_ns += span.end_ns - span.begin_ns;
        }
        assert_int_equal(covered_ns, 2 * MS + 300000);
        assert_true(slots.instant_ns >= slots.limit_ns);
        struct sl_span span;
        assert_false(sl_slots_finish(&slots, 2 * MS + 300000, &span));
    }
}

static void test_slots_that_were_slept_through_are_added_to_the_next_look(void **state)
{
    (void)state;
    struct sl_slots slots;
    sl_slots_init(&slots, MS, 0, FOREVER, 3);
    sl_slots_take(&slots, slots.instant_ns);
    /* The slot in which it wakes up has an instant of its own, which is still to come. */
    struct sl_span span = sl_slots_take(&slots, 4 * MS + 1);
    assert_int_equal(span.begin_ns, MS);
    assert_int_equal(span.end_ns, 4 * MS);
    assert_int_equal(span.slot_begin_ns, 3 * MS);
    assert_int_equal(span.instant_ns, 4 * MS - 1);
    assert_int_equal(span.late, 2);
    assert_in_range(slots.instant_ns, 4 * MS + 2, 5 * MS - 1);
    span = sl_slots_take(&slots, slots.instant_ns);
    assert_int_equal(span.begin_ns, 4 * MS);
    assert_int_equal(span.end_ns, 5 * MS);
    assert_int_equal(span.late, 0);
    /* And here it has passed. */
    span = sl_slots_take(&slots, 8 * MS - 1);
    assert_int_equal(span.end_ns, 8 * MS);
    assert_int_equal(span.late, 2);
}

static void test_a_look_that_comes_a_little_late_is_still_that_of_its_slot(void **state)
{
    (void)state;
    struct sl_slots slots;
    sl_slots_init(&slots, MS, 0, FOREVER, 6);
    uint64_t instant_ns = slots.instant_ns;
    struct sl_span span = sl_slots_take(&slots, MS);
    assert_true(instant_ns < MS);
    assert_int_equal(span.begin_ns, 0);
    assert_int_equal(span.end_ns, MS);
    assert_int_equal(span.late, 0);
    assert_in_range(slots.instant_ns, MS, 2 * MS - 1);
}

static void test_a_look_that_took_several_slots_is_followed_by_one_in_the_next_slot_that_begins(void **state)
{
    (void)state;
    struct sl_slots slots;
    sl_slots_init(&slots, MS, 0, FOREVER, 4);
    sl_slots_take(&slots, slots.instant_ns);
    sl_slots_done(&slots, 3 * MS + 500000);
    assert_in_range(slots.instant_ns, 4 * MS, 5 * MS - 1);
    /* Asked again before the look is due, it stays. */
    uint64_t instant_ns = slots.instant_ns;
    sl_slots_done(&slots, 4 * MS);
    assert_int_equal(slots.instant_ns, instant_ns);
    struct sl_span span = sl_slots_take(&slots, instant_ns);
    assert_int_equal(span.begin_ns, MS);
    assert_int_equal(span.end_ns, 5 * MS);
    assert_int_equal(span.late, 3);
}

static void test_a_look_that_reaches_into_the_next_slot_costs_that_slot_nothing(void **state)
{
    (void)state;
    struct sl_slots slots;
    sl_slots_init(&slots, MS, 0, FOREVER, 5);
    sl_slots_take(&slots, slots.instant_ns);
    sl_slots_done(&slots, MS + 999999);
    struct sl_span span = sl_slots_take(&slots, MS + 999999);
    assert_int_equal(span.begin_ns, MS);
    assert_int_equal(span.end_ns, 2 * MS);
    assert_int_equal(span.late, 0);
}

static void test_weights_add_up_to_the_time_whatever_is_late(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct sl_random random = {seed};
        struct sl_slots slots;
        uint64_t begin_ns = sl_random_below(&random, 3 * MS);
        sl_slots_init(&slots, MS, begin_ns, FOREVER, seed);
        uint64_t now_ns = begin_ns;
        uint64_t end_ns = begin_ns;
        uint64_t late = 0;
        uint64_t looks = 0;
        for (int n = 0; n < 1000; n++) {
            now_ns = now_ns > slots.instant_ns ? now_ns : slots.instant_ns;
            now_ns += sl_random_below(&random, 10) == 0 ? sl_random_below(&random, 5 * MS) : 2000;
            struct sl_span span = sl_slots_take(&slots, now_ns);
            assert_int_equal(span.begin_ns, end_ns);
            assert_true(span.end_ns > span.begin_ns);
            assert_in_range(span.instant_ns, span.slot_begin_ns, span.end_ns - 1);
            end_ns = span.end_ns;
            late += span.late;
            looks++;
            now_ns += sl_random_below(&random, 10) == 0 ? sl_random_below(&random, 5 * MS) : 2000;
            sl_slots_done(&slots, now_ns);
        }
        assert_int_equal(looks + late, end_ns / MS - begin_ns / MS);
        if (now_ns > end_ns) {
            struct sl_span span;
            assert_true(sl_slots_finish(&slots, now_ns, &span));
            assert_int_equal(span.begin_ns, end_ns);
            assert_int_equal(span.end_ns, now_ns);
            assert_in_range(span.slot_begin_ns, span.begin_ns, now_ns - 1);
            assert_in_range(span.instant_ns, span.slot_begin_ns, now_ns);
        }
    }
}

static void check_late_first_slots(uint64_t pulse_ns)
{
    const uint64_t first_ns = 50 * MS;
    uint64_t tenths[10] = {0};
    struct sl_random random = {9};
    for (uint64_t n = 0; n < 60000; n++) {
        uint64_t begin_ns = 1000 * MS + sl_random_below(&random, 100 * MS);
        struct sl_slots slots;
        sl_slots_init_late(&slots, 5 * MS, begin_ns, FOREVER, n, first_ns, pulse_ns, &random);
        uint64_t instant_ns = slots.instant_ns;
        struct sl_span span = sl_slots_take(&slots, instant_ns);
        assert_int_equal(span.begin_ns, begin_ns);
        assert_int_equal(span.end_ns % (5 * MS), 0);
        assert_in_range(span.end_ns - begin_ns, first_ns, first_ns + 5 * MS);
        assert_in_range(instant_ns, span.begin_ns, span.end_ns - 1);
        assert_int_equal(span.late, 0);
        tenths[(instant_ns - begin_ns) * 10 / (span.end_ns - begin_ns)]++;

        /* Those who wait for the pulse have an instant of it. */
        uint64_t beat_ns = instant_ns / pulse_ns * pulse_ns;
        struct sl_slots pulse;
        sl_slots_init(&pulse, pulse_ns, beat_ns, FOREVER, n);
        if (pulse_ns <= first_ns && beat_ns + pulse_ns <= span.end_ns) {
            assert_int_equal(pulse.instant_ns, instant_ns);
        }

        struct sl_span next = sl_slots_take(&slots, slots.instant_ns);
        assert_int_equal(next.begin_ns, span.end_ns);
        assert_int_equal(next.end_ns, span.end_ns + 5 * MS);
    }
    for (int i = 0; i < 10; i++) {
        assert_in_range(tenths[i], 5650, 6350); /* five standard errors */
    }
}

static void test_a_late_first_slot_gets_one_look_at_any_instant_of_it(void **state)
{
    (void)state;
    check_late_first_slots(10 * MS);
    check_late_first_slots(25 * MS);
    check_late_first_slots(60 * MS); /* no pulse fits into it */
}

static void test_a_late_first_slot_that_is_cut_off_weighs_what_there_was(void **state)
{
    (void)state;
    struct sl_random random = {9};
    for (int looked = 0; looked < 2; looked++) {
        struct sl_slots slots;
        struct sl_span span;
        sl_slots_init_late(&slots, MS, 300, FOREVER, 1, 50 * MS, 10 * MS, &random);
        if (looked != 0) {
            sl_slots_take(&slots, slots.instant_ns);
        }
        assert_int_equal(sl_slots_finish(&slots, 49 * MS, &span), looked == 0);
        if (looked == 0) {
            assert_int_equal(span.begin_ns, 300);
            assert_int_equal(span.end_ns, 49 * MS);
        }
    }
}

/* A program that alternates between two functions in a strict rhythm of `period` intervals; the first takes `share` of
 * it. Looked at through `count` slots from a phase on, each time `late_ns` late and now and then later; what the looks
 * say of the first function's share. */
static double observed_share(double period, double share, double phase, uint64_t late_ns, uint64_t count, uint64_t seed)
{
    struct sl_slots slots;
    sl_slots_init(&slots, MS, 0, count * MS, seed);
    uint64_t in_first_ns = 0;
    for (uint64_t n = 0; n < count; n++) {
        /* Waking up and looking take their time. */
        uint64_t now_ns = slots.instant_ns + (n % 7 == 0 ? 10 * late_ns : late_ns);
        struct sl_span span = sl_slots_take(&slots, now_ns);
        double position = fmod((double)now_ns / (double)MS / period + phase, 1.0);
        if (position < share) {
            in_first_ns += span.end_ns - span.begin_ns;
        }
        n += span.late;
    }
    return (double)in_first_ns / (double)(count * MS);
}

static void test_slots_become_twice_as_long_where_longer_ones_begin(void **state)
{
    (void)state;
    uint64_t thirds[3] = {0};
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct sl_slots slots;
        sl_slots_init(&slots, MS, 3 * MS, FOREVER, seed);
        uint64_t covered_ns = 3 * MS;
        for (uint64_t interval_ns = MS; interval_ns < 64 * MS; interval_ns = slots.interval_ns) {
            sl_slots_double(&slots);
            assert_int_equal(slots.interval_ns, covered_ns % (2 * interval_ns) == 0 ? 2 * interval_ns : interval_ns);
            struct sl_span span = sl_slots_take(&slots, slots.instant_ns);
            assert_int_equal(span.begin_ns, covered_ns);
            assert_int_equal(span.slot_begin_ns, covered_ns);
            assert_int_equal(span.end_ns, covered_ns + slots.interval_ns);
            assert_in_range(span.instant_ns, span.begin_ns, span.end_ns - 1);
            assert_int_equal(span.late, 0);
            thirds[(span.instant_ns - span.begin_ns) * 3 / slots.interval_ns]++;
            covered_ns = span.end_ns;
        }
        /* All of that length are due at the same instants. */
        struct sl_slots other;
        sl_slots_init(&other, 64 * MS, covered_ns, FOREVER, seed);
        assert_int_equal(slots.instant_ns, other.instant_ns);
    }
    uint64_t looks = thirds[0] + thirds[1] + thirds[2];
    for (int i = 0; i < 3; i++) {
        assert_in_range(thirds[i], looks * 325 / 1000, looks * 342 / 1000);
    }
}

static void test_a_program_in_step_with_the_interval_is_judged_right(void **state)
{
    (void)state;
    const double periods[] = {0.5, 1.0, 1.1, 2.0};
    const uint64_t latenesses_ns[] = {3000, 40000};
    const double share = 0.272;
    const uint64_t count = 20000;
    /* Looks in different slots are independent, so this is the largest standard error; stratified ones err less. */
    double error = sqrt(share * (1 - share) / (double)count);
    for (size_t l = 0; l < sizeof latenesses_ns / sizeof *latenesses_ns; l++) {
        for (size_t p = 0; p < sizeof periods / sizeof *periods; p++) {
            for (int phase = 0; phase < 10; phase++) {
                double observed =
                    observed_share(periods[p], share, phase / 10.0, latenesses_ns[l], count, (uint64_t)phase * 77 + p);
                assert_true(fabs(observed - share) < 5 * error);
            }
        }
    }
}

enum { SHORT_RECORDINGS = 4000 };

/* How long a program was seen in what it does last, from `last_ns` on until it is stopped at `end_ns`. */
static uint64_t seen_last_ns(uint64_t begin_ns, uint64_t last_ns, uint64_t end_ns, uint64_t seed)
{
    const struct sl_recorder_options options = {.interval_ns = MS, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    assert_non_null(recorder);
    assert_int_equal(sl_recorder_process(recorder, &(struct sl_process_record){.pid = 7}), 0);
    assert_int_equal(sl_recorder_thread(recorder, &(struct sl_thread_record){.id = 7}), 0);
    sl_stack first = sl_recorder_mark(recorder, "first");
    sl_stack last = sl_recorder_mark(recorder, "last");
    struct sl_slots slots;
    sl_slots_init(&slots, MS, begin_ns, FOREVER, seed);
    while (slots.instant_ns < end_ns) {
        struct sl_span span = sl_slots_take(&slots, slots.instant_ns);
        sl_recorder_look(recorder, span.begin_ns - begin_ns, span.end_ns - begin_ns, span.instant_ns - begin_ns);
        sl_recorder_sample(recorder, 0, span.instant_ns < last_ns ? first : last, 0);
    }
    sl_recorder_end_in_slot(recorder, end_ns - begin_ns);
    assert_true(sl_recorder_close(recorder, end_ns - begin_ns, NULL));
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, NULL);
    assert_non_null(profile);
    uint64_t all_ns = 0;
    uint64_t seen_ns = 0;
    for (uint32_t i = 0; i < profile->run_count; i++) {
        const struct sl_run *run = &profile->runs[i];
        all_ns += run->end_ns - run->begin_ns;
        seen_ns += run->stack == last ? run->end_ns - run->begin_ns : 0;
    }
    assert_int_equal(all_ns, end_ns - begin_ns);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
    return seen_ns;
}

static void test_short_recordings_show_how_much_there_is_of_their_ends(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {MS, MS + MS / 2, 2 * MS, 3 * MS + MS / 10};
    const uint64_t part_ns = 3 * MS / 10;
    struct sl_random random = {.state = 1};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint64_t seen_ns = 0;
        for (uint32_t n = 0; n < SHORT_RECORDINGS; n++) {
            uint64_t begin_ns = sl_random_below(&random, 1000 * MS);
            uint64_t end_ns = begin_ns + lengths[i];
            seen_ns += seen_last_ns(begin_ns, end_ns - part_ns, end_ns, sl_random_next(&random));
        }
        assert_in_range(seen_ns / SHORT_RECORDINGS, part_ns - part_ns / 12, part_ns + part_ns / 12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_slot_gets_one_look_at_an_instant_within_it),
        cmocka_unit_test(test_the_first_slot_begins_with_the_recording),
        cmocka_unit_test(test_the_last_slot_ends_with_the_recording),
        cmocka_unit_test(test_slots_that_were_slept_through_are_added_to_the_next_look),
        cmocka_unit_test(test_a_look_that_comes_a_little_late_is_still_that_of_its_slot),
        cmocka_unit_test(test_a_look_that_took_several_slots_is_followed_by_one_in_the_next_slot_that_begins),
        cmocka_unit_test(test_a_look_that_reaches_into_the_next_slot_costs_that_slot_nothing),
        cmocka_unit_test(test_weights_add_up_to_the_time_whatever_is_late),
        cmocka_unit_test(test_a_late_first_slot_gets_one_look_at_any_instant_of_it),
        cmocka_unit_test(test_a_late_first_slot_that_is_cut_off_weighs_what_there_was),
        cmocka_unit_test(test_slots_become_twice_as_long_where_longer_ones_begin),
        cmocka_unit_test(test_a_program_in_step_with_the_interval_is_judged_right),
        cmocka_unit_test(test_short_recordings_show_how_much_there_is_of_their_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
