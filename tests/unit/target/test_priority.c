/* A sampler goes before others where it may, and steps back when it takes much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/clock.h"
#include "target/priority.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define ROUND_NS UINT64_C(110000000)
/* Exit code of a child that may not do what it is to be tested with. */
#define ENVIRONMENT 77

static int nice_value(void)
{
    return getpriority(PRIO_PROCESS, 0);
}

static int policy(void)
{
    return sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
}

static void spin(uint64_t duration_ns)
{
    uint64_t end_ns = sl_clock_thread_cpu_ns() + duration_ns;
    while (sl_clock_thread_cpu_ns() < end_ns) {
    }
}

/* What passed is told by the caller, so that a busy machine does not count. */
static bool gives_way(struct sl_priority *priority)
{
    enum sl_place raised = priority->now;
    uint64_t now_ns = priority->judged_ns;
    spin(ROUND_NS);
    sl_priority_keep(priority, now_ns + 1000);
    bool too_early = priority->now != raised;
    sl_priority_keep(priority, now_ns += ROUND_NS);
    bool behind = priority->now == SL_PLACE_BEFORE;
    sl_priority_keep(priority, now_ns + ROUND_NS);
    bool again = priority->now == raised;
    return !too_early && behind && again;
}

static void test_it_goes_first_and_gives_way_when_it_takes_much(void **state)
{
    (void)state;
    const struct sched_param first = {.sched_priority = 1};
    const struct sched_param ordinary = {0};
    if (sched_getscheduler(0) != SCHED_OTHER || sched_setscheduler(0, SCHED_RR, &first) != 0) {
        skip();
    }
    sched_setscheduler(0, SCHED_OTHER, &ordinary);
    int before = nice_value();
    struct sl_priority priority;
    sl_priority_raise(&priority);
    assert_int_equal(priority.now, SL_PLACE_REALTIME);
    assert_int_equal(policy(), SCHED_RR);
    assert_true(gives_way(&priority));
    assert_int_equal(policy(), SCHED_RR);
    sl_priority_restore(&priority);
    assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
    assert_int_equal(nice_value(), before);
}

/* Gives what it is when it begins, once it has found itself raised and has gone back. */
static void *begin(void *barrier)
{
    pthread_barrier_wait(barrier);
    int raised = policy();
    struct sl_priority priority;
    sl_priority_raise(&priority);
    sl_priority_restore(&priority);
    return (void *)(intptr_t)(priority.raised == SL_PLACE_REALTIME && sched_getscheduler(0) == SCHED_OTHER ? raised
                                                                                                           : -1);
}

static void test_a_thread_goes_first_from_its_start(void **state)
{
    (void)state;
    struct sl_priority priority;
    sl_priority_raise(&priority);
    bool allowed = priority.now == SL_PLACE_REALTIME;
    sl_priority_restore(&priority);
    if (!allowed) {
        skip();
    }
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, begin, &barrier), 0);
    sl_priority_raise_started(thread);
    pthread_barrier_wait(&barrier);
    void *raised;
    pthread_join(thread, &raised);
    pthread_barrier_destroy(&barrier);
    assert_int_equal((intptr_t)raised, SCHED_RR);
}

static void test_a_thread_that_somebody_has_put_elsewhere_stays_there(void **state)
{
    (void)state;
    const struct sched_param parameters = {0};
    assert_int_equal(sched_setscheduler(0, SCHED_BATCH, &parameters), 0);
    struct sl_priority priority;
    sl_priority_raise(&priority);
    assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
    sl_priority_restore(&priority);
    assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
    assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &parameters), 0);
    const struct sched_param higher = {.sched_priority = 2};
    if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &higher) == 0) {
        struct sched_param found;
        sl_priority_raise(&priority);
        sl_priority_restore(&priority);
        assert_int_equal(sched_getparam(0, &found), 0);
        assert_int_equal(found.sched_priority, 2);
        assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &parameters), 0);
    }
}

/* In a process of its own, since privileges do not come back. Returns what the child found wrong. */
static int with_a_nice_value_alone(void)
{
    struct rlimit nice = {30, 30};
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_NICE, &nice) != 0 || setrlimit(RLIMIT_RTPRIO, &none) != 0) {
        return ENVIRONMENT;
    }
    if (setuid(NOBODY) != 0) {
        return 1;
    }
    int before = nice_value();
    struct sl_priority priority;
    sl_priority_raise(&priority);
    if (nice_value() != -10 || policy() != SCHED_OTHER) {
        return 2;
    }
    if (!gives_way(&priority)) {
        return 3;
    }
    sl_priority_restore(&priority);
    return nice_value() != before ? 4 : 0;
}

/* The kernel would kill a process whose real-time thread takes more than this. */
static int with_realtime_limited(void)
{
    struct sl_priority priority;
    sl_priority_raise(&priority);
    bool allowed = priority.now == SL_PLACE_REALTIME;
    sl_priority_restore(&priority);
    if (!allowed || setrlimit(RLIMIT_RTTIME, &(struct rlimit){50000, RLIM_INFINITY}) != 0) {
        return ENVIRONMENT;
    }
    sl_priority_raise(&priority);
    if (policy() != SCHED_OTHER) {
        return 1;
    }
    spin(ROUND_NS);
    sl_priority_restore(&priority);
    return 0;
}

/* What dropped its privileges meanwhile becomes an ordinary thread all the same. */
static int with_privileges_dropped(void)
{
    struct sl_priority priority;
    sl_priority_raise(&priority);
    if (priority.now != SL_PLACE_REALTIME) {
        return ENVIRONMENT;
    }
    if (setuid(NOBODY) != 0) {
        return 1;
    }
    sl_priority_restore(&priority);
    return policy() != SCHED_OTHER ? 2 : 0;
}

static int as_nobody(void)
{
    struct rlimit none = {0, 0};
    int before = nice_value();
    struct sl_priority priority;
    if (setrlimit(RLIMIT_NICE, &none) != 0 || setrlimit(RLIMIT_RTPRIO, &none) != 0 ||
        (getuid() == 0 && setuid(NOBODY) != 0)) {
        return 1;
    }
    sl_priority_raise(&priority);
    if (nice_value() != before || policy() != SCHED_OTHER) {
        return 2;
    }
    spin(ROUND_NS);
    sl_priority_keep(&priority, priority.judged_ns + ROUND_NS);
    sl_priority_restore(&priority);
    return nice_value() != before ? 3 : 0;
}

static void in_a_child(int (*run)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(run());
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == ENVIRONMENT) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_where_only_a_nice_value_is_allowed_it_takes_that(void **state)
{
    (void)state;
    in_a_child(with_a_nice_value_alone);
}

static void test_where_the_time_of_real_time_threads_is_limited_it_becomes_none(void **state)
{
    (void)state;
    in_a_child(with_realtime_limited);
}

static void test_privileges_that_are_dropped_do_not_keep_it_in_front(void **state)
{
    (void)state;
    in_a_child(with_privileges_dropped);
}

static void test_without_the_right_to_it_everything_stays_as_it_is(void **state)
{
    (void)state;
    in_a_child(as_nobody);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_goes_first_and_gives_way_when_it_takes_much),
        cmocka_unit_test(test_a_thread_goes_first_from_its_start),
        cmocka_unit_test(test_a_thread_that_somebody_has_put_elsewhere_stays_there),
        cmocka_unit_test(test_where_only_a_nice_value_is_allowed_it_takes_that),
        cmocka_unit_test(test_where_the_time_of_real_time_threads_is_limited_it_becomes_none),
        cmocka_unit_test(test_privileges_that_are_dropped_do_not_keep_it_in_front),
        cmocka_unit_test(test_without_the_right_to_it_everything_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
