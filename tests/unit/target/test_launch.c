#include "target/launch.h"

#include "target/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t forked_ns; /* when the last child was about to begin */

/* In the place of the library's. */
pid_t fork(void)
{
    forked_ns = sl_clock_now_ns();
    return (pid_t)syscall(SYS_fork);
}

static pid_t start(char *const *arguments)
{
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    struct sl_launched launched = {0};
    struct sl_error error = {0};
    assert_true(sl_launch(&launched, arguments[0], arguments, &mask, &error));
    assert_true(launched.pid > 0);
    return launched.pid;
}

static int status_of(const char *script)
{
    char *arguments[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};
    struct sl_exit exit;
    assert_true(sl_launch_wait(start(arguments), &exit, NULL));
    return exit.status;
}

static void test_the_exit_code_and_the_signal_are_told(void **state)
{
    (void)state;
    assert_int_equal(WEXITSTATUS(status_of("exit 7")), 7);
    int status = status_of("kill -SEGV $$");
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void test_a_file_that_cannot_be_executed_is_an_error_and_no_child(void **state)
{
    (void)state;
    char *arguments[] = {(char *)"/nonexistent/python", NULL};
    sigset_t mask;
    sigemptyset(&mask);
    struct sl_launched launched;
    struct sl_error error = {0};
    assert_false(sl_launch(&launched, arguments[0], arguments, &mask, &error));
    assert_int_equal(error.kind, SL_ERROR_SYSTEM);
    assert_non_null(strstr(error.sentence, "/nonexistent/python"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_the_child_has_the_mask_it_is_given_and_not_ours(void **state)
{
    (void)state;
    sigset_t before;
    sigset_t ours;
    sigprocmask(SIG_SETMASK, NULL, &before);
    sigemptyset(&ours);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGINT);
    sigprocmask(SIG_BLOCK, &ours, NULL);
    /* Not through a shell: it would set its own. */
    char *arguments[] = {(char *)"/bin/grep", (char *)"-q", (char *)"^SigBlk:\t0000000000000200$",
                         (char *)"/proc/self/status", NULL};
    sigset_t given;
    sigemptyset(&given);
    sigaddset(&given, SIGUSR1);
    struct sl_launched launched;
    assert_true(sl_launch(&launched, arguments[0], arguments, &given, NULL));
    struct sl_exit exit;
    assert_true(sl_launch_wait(launched.pid, &exit, NULL));
    assert_int_equal(exit.status, 0);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

static void test_what_was_ignored_stays_ignored_and_the_child_can_still_be_waited_for(void **state)
{
    (void)state;
    signal(SIGCHLD, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    /* SIGHUP is bit 0, SIGCHLD bit 16. */
    char *arguments[] = {(char *)"/bin/grep", (char *)"-q", (char *)"^SigIgn:.*[13579bdf]...[13579bdf]$",
                         (char *)"/proc/self/status", NULL};
    struct sl_exit exit;
    assert_true(sl_launch_wait(start(arguments), &exit, NULL));
    signal(SIGHUP, SIG_DFL);
    assert_int_equal(exit.status, 0);
}

static void test_descriptors_that_were_passed_to_us_are_passed_on_and_no_other(void **state)
{
    (void)state;
    int passed = open("/dev/null", O_RDONLY);
    assert_true(passed > 2);
    int count = 0;
    for (int descriptor = 0; descriptor < 1024; descriptor++) {
        int flags = fcntl(descriptor, F_GETFD);
        count += flags >= 0 && (flags & FD_CLOEXEC) == 0;
    }
    char script[128]; /* ls has one of its own: the folder */
    snprintf(script, sizeof script, "test -e /proc/self/fd/%d && test $(ls /proc/self/fd | wc -l) -eq %d", passed,
             count + 1);
    assert_int_equal(status_of(script), 0);
    close(passed);
}

static void test_cpu_time_of_children_is_told_apart(void **state)
{
    (void)state;
    char *arguments[] = {(char *)"/bin/sh", (char *)"-c",
                         (char *)"/bin/sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'; :", NULL};
    struct sl_exit exit;
    assert_true(sl_launch_wait(start(arguments), &exit, NULL));
    assert_true(exit.children_cpu_ns > exit.cpu_ns);
}

static void test_a_child_does_not_begin_before_it_is_told_to_have_started(void **state)
{
    (void)state;
    char *arguments[] = {(char *)"/bin/true", NULL};
    sigset_t mask;
    sigemptyset(&mask);
    uint64_t before_ns = sl_clock_now_ns();
    struct sl_launched launched;
    assert_true(sl_launch(&launched, arguments[0], arguments, &mask, NULL));
    assert_in_range(launched.started_ns, before_ns, forked_ns);
    struct sl_exit exit;
    assert_true(sl_launch_wait(launched.pid, &exit, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_exit_code_and_the_signal_are_told),
        cmocka_unit_test(test_a_file_that_cannot_be_executed_is_an_error_and_no_child),
        cmocka_unit_test(test_the_child_has_the_mask_it_is_given_and_not_ours),
        cmocka_unit_test(test_what_was_ignored_stays_ignored_and_the_child_can_still_be_waited_for),
        cmocka_unit_test(test_descriptors_that_were_passed_to_us_are_passed_on_and_no_other),
        cmocka_unit_test(test_cpu_time_of_children_is_told_apart),
        cmocka_unit_test(test_a_child_does_not_begin_before_it_is_told_to_have_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
