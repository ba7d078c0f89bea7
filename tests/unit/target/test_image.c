#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/image.h"
#include "target/usage.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A child that does what it is told: executes a shell when it reads 'x', burns CPU time when 'c', ends when 'e'. */
struct child {
    struct sl_process process;
    int orders, answers;
};

static void obey(int orders, int answers)
{
    char order;
    while (read(orders, &order, 1) == 1) {
        if (order == 'x') {
            dup2(orders, 0);
            dup2(answers, 1);
            execl("/bin/sh", "sh", "-c", "echo; read line", (char *)NULL);
        } else if (order == 'c') {
            for (clock_t begin = clock(); clock() - begin < CLOCKS_PER_SEC / 10;) {
            }
        } else {
            _exit(7);
        }
        if (write(answers, "\n", 1) != 1) {
            _exit(1);
        }
    }
    _exit(1);
}

static struct child start(void)
{
    int orders[2];
    int answers[2];
    assert_int_equal(pipe(orders), 0);
    assert_int_equal(pipe(answers), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(orders[1]);
        obey(orders[0], answers[1]);
    }
    close(orders[0]);
    close(answers[1]);
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    struct child child = {
        .process = {.pid = pid, .folder = open(path, O_RDONLY | O_DIRECTORY), .memory = -1},
        .orders = orders[1],
        .answers = answers[0],
    };
    assert_true(child.process.folder >= 0);
    return child;
}

static void order(const struct child *child, char what)
{
    assert_int_equal(write(child->orders, &what, 1), 1);
    char answer;
    ssize_t size = read(child->answers, &answer, 1);
    assert_int_equal(size, what == 'e' ? 0 : 1);
}

static void wait_until_zombie(const struct child *child)
{
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child->process.pid, &info, WEXITED | WNOWAIT), 0);
}

static void finish(struct child *child)
{
    kill(child->process.pid, SIGKILL);
    waitpid(child->process.pid, NULL, 0);
    close(child->process.folder);
    close(child->orders);
    close(child->answers);
}

static void test_an_image_is_current_until_another_is_executed(void **state)
{
    (void)state;
    struct child child = start();
    struct sl_image image;
    sl_image_open(&image, &child.process);
    assert_true(image.memory >= 0);
    assert_true(sl_image_current(&image));
    order(&child, 'c');
    assert_true(sl_image_current(&image));
    order(&child, 'x');
    assert_false(sl_image_current(&image));
    sl_image_close(&image);
    sl_image_open(&image, &child.process);
    assert_true(sl_image_current(&image));
    sl_image_close(&image);
    finish(&child);
}

static void test_an_image_is_current_until_the_process_ends(void **state)
{
    (void)state;
    struct child child = start();
    struct sl_image image;
    sl_image_open(&image, &child.process);
    order(&child, 'e');
    wait_until_zombie(&child);
    assert_false(sl_image_current(&image));
    finish(&child);
    assert_false(sl_image_current(&image));
    sl_image_close(&image);
}

static void test_cpu_time_and_exit_status_are_told_until_the_process_is_collected(void **state)
{
    (void)state;
    struct child child = start();
    struct sl_usage usage;
    int32_t exit_status;
    order(&child, 'c');
    assert_true(sl_usage_read(&child.process, &usage));
    assert_in_range(usage.cpu_ns, 90000000, 10000000000);
    assert_false(sl_usage_exit_status(&child.process, &exit_status));
    order(&child, 'e');
    wait_until_zombie(&child);
    uint64_t before_ns = usage.cpu_ns;
    assert_true(sl_usage_read(&child.process, &usage));
    assert_true(usage.cpu_ns >= before_ns);
    assert_true(sl_usage_exit_status(&child.process, &exit_status));
    assert_true(WIFEXITED(exit_status));
    assert_int_equal(WEXITSTATUS(exit_status), 7);
    struct sl_process process = child.process;
    process.folder = dup(child.process.folder);
    finish(&child);
    assert_false(sl_usage_read(&process, &usage));
    assert_false(sl_usage_exit_status(&process, &exit_status));
    close(process.folder);
}

static void test_the_signal_that_ended_a_process_is_told(void **state)
{
    (void)state;
    struct child child = start();
    kill(child.process.pid, SIGTERM);
    wait_until_zombie(&child);
    int32_t exit_status;
    assert_true(sl_usage_exit_status(&child.process, &exit_status));
    assert_true(WIFSIGNALED(exit_status));
    assert_int_equal(WTERMSIG(exit_status), SIGTERM);
    finish(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_image_is_current_until_another_is_executed),
        cmocka_unit_test(test_an_image_is_current_until_the_process_ends),
        cmocka_unit_test(test_cpu_time_and_exit_status_are_told_until_the_process_is_collected),
        cmocka_unit_test(test_the_signal_that_ended_a_process_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
