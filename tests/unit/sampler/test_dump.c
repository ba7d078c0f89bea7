#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "python_double.h"

#include "sampler/dump.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t pid;

/* A process of one thread, of which the double says that it is two functions deep. */
static void start(bool waits)
{
    pid = fork();
    if (pid == 0) {
        while (true) {
            if (waits) {
                pause();
            }
        }
    }
    memset(&python_double, 0, sizeof python_double);
    python_double.thread_count = 1;
    python_double.threads[0] = (struct double_thread){
        .id = pid,
        .depth = 2,
        .frames = {{.code = 0, .line = 10}, {.code = 1, .line = 20}},
    };
}

static int tear_down(void **state)
{
    (void)state;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
}

/* Takes a dump of the process and checks the codes of its stack. */
static void check_codes(uint32_t outer, uint32_t inner)
{
    struct sl_process process;
    struct sl_dump dump;
    assert_true(sl_process_open(&process, pid, NULL));
    assert_true(sl_dump_take(&dump, &process, NULL));
    assert_int_equal(dump.count, 1);
    assert_true(dump.threads[0].consistent);
    assert_int_equal(dump.threads[0].count, 2);
    assert_int_equal(dump.threads[0].frames[0].code, outer);
    assert_int_equal(dump.threads[0].frames[1].code, inner);
    sl_dump_destroy(&dump);
    sl_process_close(&process);
}

static void frames_that_had_no_name_at_first_are_looked_at_again(void **state)
{
    (void)state;
    start(false);
    python_double.threads[0].nameless = 3;
    check_codes(0, 1);
}

static void also_those_of_a_thread_that_waits_all_the_while(void **state)
{
    (void)state;
    start(true);
    python_double.threads[0].nameless = 3;
    check_codes(0, 1);
}

static void frames_that_never_have_a_name_are_told_after_some_attempts(void **state)
{
    (void)state;
    start(false);
    python_double.threads[0].nameless = UINT32_MAX;
    check_codes(SL_CODE_NAMELESS, SL_CODE_NAMELESS);
}

static void the_look_with_the_most_names_is_told(void **state)
{
    (void)state;
    start(false);
    python_double.threads[0].nameless = 3;
    python_double.threads[0].nameless_innermost = true;
    check_codes(0, SL_CODE_NAMELESS);
}

static void a_stack_that_is_too_deep_is_looked_at_once(void **state)
{
    (void)state;
    start(false);
    python_double.threads[0].too_deep = true;
    struct sl_process process;
    struct sl_dump dump;
    assert_true(sl_process_open(&process, pid, NULL));
    assert_true(sl_dump_take(&dump, &process, NULL));
    assert_int_equal(python_double.threads[0].walks, 1);
    assert_int_equal(dump.count, 1);
    assert_true(dump.threads[0].too_deep);
    assert_false(dump.threads[0].consistent);
    assert_int_equal(dump.threads[0].count, 0);
    sl_dump_destroy(&dump);
    sl_process_close(&process);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(frames_that_had_no_name_at_first_are_looked_at_again, tear_down),
        cmocka_unit_test_teardown(also_those_of_a_thread_that_waits_all_the_while, tear_down),
        cmocka_unit_test_teardown(frames_that_never_have_a_name_are_told_after_some_attempts, tear_down),
        cmocka_unit_test_teardown(the_look_with_the_most_names_is_told, tear_down),
        cmocka_unit_test_teardown(a_stack_that_is_too_deep_is_looked_at_once, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
