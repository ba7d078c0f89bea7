#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/arrivals.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t started[4];
static size_t started_count;

static pid_t start(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            pause();
        }
    }
    assert_true(pid > 0);
    started[started_count++] = pid;
    return pid;
}

static int end_all(void **state)
{
    (void)state;
    while (started_count > 0) {
        started_count--;
        kill(started[started_count], SIGKILL);
        waitpid(started[started_count], NULL, 0);
    }
    return 0;
}

/* How often it is in the list, with its parent: one of ours has us. */
static size_t times_told(const struct sl_arrivals *arrivals, pid_t pid)
{
    size_t times = 0;
    for (size_t i = 0; i < arrivals->count; i++) {
        if (arrivals->list[i].pid == pid) {
            assert_int_equal(arrivals->list[i].parent, pid == getpid() ? getppid() : getpid());
            times++;
        }
    }
    return times;
}

/* Without what /proc/loadavg tells. */
static void disbelieve(struct sl_arrivals *arrivals)
{
    if (arrivals->load >= 0) {
        close(arrivals->load);
    }
    arrivals->load = -1;
}

static void check(bool believed)
{
    struct sl_arrivals arrivals;
    sl_arrivals_init(&arrivals);
    if (!believed) {
        disbelieve(&arrivals);
    }
    pid_t before = start();
    sl_arrivals_all(&arrivals);
    assert_int_equal(times_told(&arrivals, before), 1);
    assert_int_equal(times_told(&arrivals, getpid()), 1);

    pid_t first = start();
    pid_t second = start();
    sl_arrivals_next(&arrivals);
    assert_int_equal(times_told(&arrivals, before), 0);
    assert_int_equal(times_told(&arrivals, first), 1);
    assert_int_equal(times_told(&arrivals, second), 1);

    sl_arrivals_next(&arrivals);
    assert_int_equal(times_told(&arrivals, first), 0);
    pid_t third = start();
    sl_arrivals_next(&arrivals);
    assert_int_equal(times_told(&arrivals, second), 0);
    assert_int_equal(times_told(&arrivals, third), 1);
    sl_arrivals_destroy(&arrivals);
}

static void test_what_was_started_is_told_once_with_its_parent(void **state)
{
    (void)state;
    check(true);
}

static void test_without_the_last_id_all_of_proc_is_read(void **state)
{
    (void)state;
    check(false);
}

static void test_an_id_that_makes_no_sense_is_not_believed(void **state)
{
    (void)state;
    struct sl_arrivals arrivals;
    sl_arrivals_init(&arrivals);
    sl_arrivals_all(&arrivals);
    /* As if ids had begun again: everything is read once, and what comes then is told. */
    arrivals.last = INT32_MAX;
    pid_t first = start();
    sl_arrivals_next(&arrivals);
    assert_int_equal(times_told(&arrivals, first), 1);
    pid_t second = start();
    sl_arrivals_next(&arrivals);
    assert_int_equal(times_told(&arrivals, second), 1);
    sl_arrivals_destroy(&arrivals);
}

static void test_what_was_started_while_no_descriptor_was_left_is_told_later(void **state)
{
    (void)state;
    struct sl_arrivals arrivals;
    sl_arrivals_init(&arrivals);
    sl_arrivals_all(&arrivals);
    pid_t late = start();
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    sl_arrivals_next(&arrivals);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(times_told(&arrivals, late), 0);
    sl_arrivals_next(&arrivals);
    assert_int_equal(times_told(&arrivals, late), 1);
    sl_arrivals_destroy(&arrivals);
}

static pthread_barrier_t barrier;

static void *wait_twice(void *id)
{
    *(pid_t *)id = gettid();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

static void test_a_thread_is_no_process(void **state)
{
    (void)state;
    struct sl_arrivals arrivals;
    sl_arrivals_init(&arrivals);
    sl_arrivals_all(&arrivals);
    pthread_barrier_init(&barrier, NULL, 2);
    pid_t id = 0;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, wait_twice, &id), 0);
    pthread_barrier_wait(&barrier);
    sl_arrivals_next(&arrivals);
    assert_int_equal(times_told(&arrivals, id), 0);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&barrier);
    sl_arrivals_destroy(&arrivals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_what_was_started_is_told_once_with_its_parent, end_all),
        cmocka_unit_test_teardown(test_without_the_last_id_all_of_proc_is_read, end_all),
        cmocka_unit_test_teardown(test_an_id_that_makes_no_sense_is_not_believed, end_all),
        cmocka_unit_test_teardown(test_what_was_started_while_no_descriptor_was_left_is_told_later, end_all),
        cmocka_unit_test(test_a_thread_is_no_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
