#include "cli/interrupt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Writes a file and is interrupted, before it is closed or right after. */
static void write_and_die(const char *path, bool closed)
{
    struct sl_output output;
    sl_interrupt_arm(0);
    if (!sl_output_file(&output, path, NULL)) {
        _exit(1);
    }
    sl_interrupt_guard(&output);
    sl_output_text(&output, "content");
    if (closed && !sl_output_close(&output, NULL)) {
        _exit(1);
    }
    raise(SIGTERM);
    _exit(1);
}

static void test_an_interrupt_leaves_a_whole_file_or_none(void **state)
{
    (void)state;
    for (int closed = 0; closed < 2; closed++) {
        char folder[] = "/tmp/stacklapse-test-interrupt-XXXXXX";
        assert_non_null(mkdtemp(folder));
        char path[sizeof folder + 8];
        strcpy(path, folder);
        strcat(path, "/report");
        pid_t child = fork();
        if (child == 0) {
            write_and_die(path, closed != 0);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
        assert_int_equal(unlink(path), closed != 0 ? 0 : -1);
        assert_int_equal(rmdir(folder), 0); /* nothing else is left in it */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_interrupt_leaves_a_whole_file_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
