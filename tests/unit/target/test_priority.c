/* A sampler goes before others where it may, and steps back when it takes much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/clock.h"
#include "target/priority.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define ROUND_NS UINT64_C(110000000)

static int nice_value(void)
{
    return getpriority(PRIO_PROCESS, 0);
}

static void spin(uint64_t duration_ns)
{
    uint64_t end_ns = sl_clock_thread_cpu_ns() + duration_ns;
    while (sl_clock_thread_cpu_ns() < end_ns) {
    }
}

static void test_it_goes_first_and_gives_way_when_it_takes_much(void **state)
{
    (void)state;
    int before = nice_value();
    if (setpriority(PRIO_PROCESS, 0, before - 1) != 0) {
        skip();
    }
    setpriority(PRIO_PROCESS, 0, before);
    struct sl_priority priority;
    sl_priority_raise(&priority);
    assert_int_equal(nice_value(), -20);
    /* What passed is told by the caller, so that a busy machine does not count. */
    uint64_t now_ns = priority.judged_ns;
    spin(ROUND_NS);
    sl_priority_keep(&priority, now_ns + 1000);
    assert_int_equal(nice_value(), -20);
    sl_priority_keep(&priority, now_ns += ROUND_NS);
    assert_int_equal(nice_value(), before);
    sl_priority_keep(&priority, now_ns + ROUND_NS);
    assert_int_equal(nice_value(), -20);
    sl_priority_restore(&priority);
    assert_int_equal(nice_value(), before);
}

/* In a process of its own, since privileges do not come back. Returns what the child found wrong. */
static int as_nobody(void)
{
    struct rlimit none = {0, 0};
    int before = nice_value();
    struct sl_priority priority;
    if (setrlimit(RLIMIT_NICE, &none) != 0 || (getuid() == 0 && setuid(NOBODY) != 0)) {
        return 1;
    }
    sl_priority_raise(&priority);
    if (nice_value() != before) {
        return 2;
    }
    spin(ROUND_NS);
    sl_priority_keep(&priority, priority.judged_ns + ROUND_NS);
    sl_priority_restore(&priority);
    return nice_value() != before ? 3 : 0;
}

static void test_without_the_right_to_it_everything_stays_as_it_is(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(as_nobody());
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_goes_first_and_gives_way_when_it_takes_much),
        cmocka_unit_test(test_without_the_right_to_it_everything_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
