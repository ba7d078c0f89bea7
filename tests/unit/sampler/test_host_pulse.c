#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sampler/host_pulse.h"

#define MS UINT64_C(1000000)
#define SEED 7

static void test_it_beats_twice_in_a_first_slot_within_bounds(void **state)
{
    (void)state;
    assert_int_equal(sl_host_pulse_interval_ns(MS), 5 * MS);
    assert_int_equal(sl_host_pulse_interval_ns(12 * MS), 6 * MS);
    assert_int_equal(sl_host_pulse_interval_ns(50 * MS), 25 * MS);
    assert_int_equal(sl_host_pulse_interval_ns(4000 * MS), 25 * MS);
}

static void test_it_ends_a_while_behind_the_last_recording(void **state)
{
    (void)state;
    struct sl_host_pulse pulse = {0};
    assert_true(sl_host_pulse_instant_ns(&pulse) == UINT64_MAX);
    sl_host_pulse_keep(&pulse, MS, 0, SEED); /* too short a slot for a pulse */
    assert_true(sl_host_pulse_instant_ns(&pulse) == UINT64_MAX);
    sl_host_pulse_keep(&pulse, 50 * MS, 0, SEED);
    int beats = 0;
    for (uint64_t now_ns; (now_ns = sl_host_pulse_instant_ns(&pulse)) != UINT64_MAX; beats++) {
        assert_in_range(now_ns, beats * 25 * MS, (beats + 1) * 25 * MS - 1);
        sl_host_pulse_pass(&pulse, now_ns);
    }
    assert_in_range(beats, 8, 9); /* in a fifth of a second, and the one that ends it */
}

/* Else the native thread would have to be woken for it. */
static void test_no_recording_is_due_before_the_next_beat(void **state)
{
    (void)state;
    const uint64_t first_ns = 50 * MS;
    struct sl_host_pulse pulse = {0};
    struct sl_random random = {.state = 3};
    uint64_t now_ns = 0;
    for (int n = 0; n < 30000; n++) {
        now_ns += sl_random_below(&random, 4 * MS);
        sl_host_pulse_pass(&pulse, now_ns);
        sl_host_pulse_keep(&pulse, first_ns, now_ns, SEED);
        struct sl_slots slots;
        sl_slots_init_late(&slots, 10 * MS, now_ns, UINT64_MAX, SEED, first_ns, sl_host_pulse_interval_ns(first_ns),
                           &random);
        if (now_ns >= 25 * MS) { /* the pulse begins in the middle of one */
            assert_true(slots.instant_ns >= sl_host_pulse_instant_ns(&pulse));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_beats_twice_in_a_first_slot_within_bounds),
        cmocka_unit_test(test_it_ends_a_while_behind_the_last_recording),
        cmocka_unit_test(test_no_recording_is_due_before_the_next_beat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
