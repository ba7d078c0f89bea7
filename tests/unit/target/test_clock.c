#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/clock.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>

static void test_a_sleep_lasts_until_its_deadline(void **state)
{
    (void)state;
    uint64_t deadline_ns = sl_clock_now_ns() + 20000000;
    sl_clock_sleep_until(deadline_ns);
    assert_true(sl_clock_now_ns() >= deadline_ns);
    /* One that has passed is no sleep. */
    sl_clock_sleep_until(0);
}

static void handle(int number)
{
    (void)number;
}

static void test_a_signal_does_not_shorten_a_sleep(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = handle};
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    struct itimerval timer = {.it_value.tv_usec = 5000};
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
    uint64_t deadline_ns = sl_clock_now_ns() + 30000000;
    sl_clock_sleep_until(deadline_ns);
    assert_true(sl_clock_now_ns() >= deadline_ns);
}

static void test_precision_changes_nothing_else_and_is_given_back(void **state)
{
    (void)state;
    int slack = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
    assert_int_equal(setpriority(PRIO_PROCESS, 0, 3), 0);
    struct sl_clock_precision before;
    sl_clock_precise(&before);
    assert_int_equal(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 1);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), 3);
    assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
    sl_clock_restore(&before);
    assert_int_equal(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), slack);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), 3);
    struct sl_clock_precision again;
    sl_clock_precise(&again);
    assert_int_equal(again.slice_ns, before.slice_ns);
}

static void test_cpu_time_is_what_was_used(void **state)
{
    (void)state;
    uint64_t before_ns = sl_clock_thread_cpu_ns();
    sl_clock_sleep_until(sl_clock_now_ns() + 50000000);
    uint64_t slept_ns = sl_clock_thread_cpu_ns() - before_ns;
    while (sl_clock_thread_cpu_ns() - before_ns < slept_ns + 1000000) {
    }
    assert_true(slept_ns < 50000000);
}

/* What is believed of a machine that is not busy. */
#define LEAD_MAX_NS 60000

static void test_a_deadline_has_come_for_whoever_met_it(void **state)
{
    (void)state;
    struct sl_clock_lead lead = {0};
    for (int i = 0; i < 50; i++) {
        uint64_t deadline_ns = sl_clock_now_ns() + 200000;
        uint64_t now_ns = sl_clock_meet(&lead, deadline_ns);
        assert_true(now_ns >= deadline_ns);
        assert_true(lead.last_ns <= LEAD_MAX_NS && sl_clock_now_ns() + LEAD_MAX_NS >= deadline_ns);
    }
    assert_true(lead.last_ns > 0);
}

static void test_the_time_is_not_before_another(void **state)
{
    (void)state;
    uint64_t now_ns = sl_clock_now_ns();
    assert_int_equal(sl_clock_not_before_ns(now_ns + 1000000000000), now_ns + 1000000000000);
    uint64_t later_ns = sl_clock_not_before_ns(now_ns - 1);
    assert_in_range(later_ns, now_ns, sl_clock_now_ns());
}

static void test_a_deadline_nearer_than_an_alarm_is_waited_for(void **state)
{
    (void)state;
    struct sl_clock_lead lead = {.last_ns = LEAD_MAX_NS};
    uint64_t deadline_ns = sl_clock_now_ns() + LEAD_MAX_NS / 2;
    sl_clock_meet(&lead, deadline_ns);
    assert_true(sl_clock_now_ns() >= deadline_ns);
    assert_int_equal(lead.last_ns, LEAD_MAX_NS);
    /* One that has passed is not. */
    sl_clock_meet(&lead, 0);
}

static void test_the_alarm_comes_earlier_by_what_waking_up_took_on_average(void **state)
{
    (void)state;
    struct sl_clock_lead lead = {0};
    assert_int_equal(sl_clock_alarm(&lead, 4800000, 5000000), 5000000);
    /* Late by the most that counts, as the first time, and not at all. */
    sl_clock_woken(&lead, sl_clock_now_ns() - 1000000);
    assert_int_equal(sl_clock_alarm(&lead, 4800000, 5000000), 5000000 - LEAD_MAX_NS);
    sl_clock_woken(&lead, UINT64_MAX);
    assert_int_equal(sl_clock_alarm(&lead, 4800000, 5000000), 5000000 - LEAD_MAX_NS * 15 / 16);
    /* What is nearer than that is to be waited out. */
    assert_int_equal(sl_clock_alarm(&lead, 0, 15000), 0);
    assert_int_equal(sl_clock_alarm(&lead, 1000, 900), 0);
}

static void test_a_mean_that_is_longer_than_the_sleeps_that_it_is_of_fades(void **state)
{
    (void)state;
    struct sl_clock_lead lead = {.last_ns = LEAD_MAX_NS};
    int waited = 0;
    while (sl_clock_alarm(&lead, 0, 30000) == 0 && waited < 1000) {
        sl_clock_wait_out(&lead, 0);
        waited++;
    }
    assert_in_range(waited, 100, 300);
}

static void test_sleeps_of_another_length_have_a_mean_of_their_own(void **state)
{
    (void)state;
    struct sl_clock_lead lead = {0};
    sl_clock_alarm(&lead, 0, 200000);
    sl_clock_woken(&lead, sl_clock_now_ns() - 1000000);
    /* Of which nothing is known: as the last one. */
    assert_int_equal(sl_clock_alarm(&lead, 0, 5000000), 5000000 - LEAD_MAX_NS);
    for (int i = 0; i < 100; i++) {
        sl_clock_alarm(&lead, 0, 5000000);
        sl_clock_woken(&lead, UINT64_MAX);
    }
    assert_true(sl_clock_alarm(&lead, 0, 5000000) > 5000000 - LEAD_MAX_NS / 100);
    /* Up to 32,768 ns, and to 64 times as much, each length is twice the one before. */
    assert_int_equal(sl_clock_alarm(&lead, 0, 131073), 131073 - LEAD_MAX_NS);
    assert_int_equal(sl_clock_alarm(&lead, 0, 262144), 262144 - LEAD_MAX_NS);
    sl_clock_alarm(&lead, 0, 5000000);
    assert_true(sl_clock_alarm(&lead, 0, 2097153) > 2097153 - LEAD_MAX_NS / 100);
    sl_clock_alarm(&lead, 0, 200000);
    assert_int_equal(sl_clock_alarm(&lead, 0, 2097152), 2097152 - LEAD_MAX_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_deadline_has_come_for_whoever_met_it),
        cmocka_unit_test(test_the_time_is_not_before_another),
        cmocka_unit_test(test_a_deadline_nearer_than_an_alarm_is_waited_for),
        cmocka_unit_test(test_the_alarm_comes_earlier_by_what_waking_up_took_on_average),
        cmocka_unit_test(test_a_mean_that_is_longer_than_the_sleeps_that_it_is_of_fades),
        cmocka_unit_test(test_sleeps_of_another_length_have_a_mean_of_their_own),
        cmocka_unit_test(test_a_sleep_lasts_until_its_deadline),
        cmocka_unit_test(test_a_signal_does_not_shorten_a_sleep),
        cmocka_unit_test(test_precision_changes_nothing_else_and_is_given_back),
        cmocka_unit_test(test_cpu_time_is_what_was_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
