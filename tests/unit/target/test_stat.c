/* The line that the kernel tells of a process, whatever the process is called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/stat.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

static void test_the_fields_lie_behind_the_name_whatever_that_is(void **state)
{
    (void)state;
    static const char *const names[] = {"python3", "", "a b", ") Z 7 (", "))) ((("};
    int folder = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char line[SL_STAT_BYTES];
        assert_int_equal(prctl(PR_SET_NAME, names[i]), 0);
        assert_true(sl_stat_read(folder, "stat", line));
        assert_int_equal(*sl_stat_field(line, SL_STAT_STATE), 'R');
        assert_int_equal(sl_stat_number(line, SL_STAT_PARENT), getppid());
        assert_int_equal(*sl_stat_field(line, SL_STAT_EXIT_CODE), '0');
    }
    close(folder);
}

static void test_a_field_that_is_not_there_is_none(void **state)
{
    (void)state;
    static const char *const lines[] = {"", "7", "7 (name", "7 (name)", "7 (name) S 1"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_null(sl_stat_field(lines[i], SL_STAT_START_TICKS));
        assert_int_equal(sl_stat_number(lines[i], SL_STAT_START_TICKS), 0);
    }
    assert_int_equal(sl_stat_number(lines[4], SL_STAT_PARENT), 1);
    char line[SL_STAT_BYTES];
    assert_false(sl_stat_read(AT_FDCWD, "/nonexistent/stat", line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_fields_lie_behind_the_name_whatever_that_is),
        cmocka_unit_test(test_a_field_that_is_not_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
