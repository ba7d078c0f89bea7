#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/plain_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder with /app/lib, /other/deep and the link /app/link to the latter. */
struct fixture {
    struct sl_process process;
    char folder[64];
};

static void in_folder(const struct fixture *fixture, const char *name, char path[256])
{
    snprintf(path, 256, "%s%s", fixture->folder, name);
}

static void make_folder(const struct fixture *fixture, const char *name)
{
    char path[256];
    in_folder(fixture, name, path);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void remove_all(const struct fixture *fixture)
{
    static const char *const names[] = {"/app/link", "/app/lib", "/app", "/other/deep", "/other", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256];
        in_folder(fixture, names[i], path);
        remove(path);
    }
}

static int set_up(void **state)
{
    static struct fixture fixture;
    strcpy(fixture.folder, "/tmp/test_plain_path_XXXXXX");
    assert_non_null(mkdtemp(fixture.folder));
    make_folder(&fixture, "/app");
    make_folder(&fixture, "/app/lib");
    make_folder(&fixture, "/other");
    make_folder(&fixture, "/other/deep");
    char path[256];
    in_folder(&fixture, "/app/link", path);
    assert_int_equal(symlink("../other/deep", path), 0);
    assert_true(sl_process_open(&fixture.process, getpid(), NULL));
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    sl_process_close(&fixture->process);
    remove_all(fixture);
    return 0;
}

/* Both are in the folder; `expected` is NULL where the path stays. */
static void assert_plain(const struct fixture *fixture, const char *name, const char *expected)
{
    char path[256];
    in_folder(fixture, name, path);
    char *plain = sl_plain_path(&fixture->process, path);
    if (expected == NULL) {
        assert_null(plain);
    } else {
        in_folder(fixture, expected, path);
        assert_non_null(plain);
        assert_string_equal(plain, path);
    }
    free(plain);
}

static void test_names_that_lead_nowhere_are_left_out(void **state)
{
    const struct fixture *fixture = *state;
    assert_plain(fixture, "/app/lib/../main.py", "/app/main.py");
    assert_plain(fixture, "/app/lib/../../app/./lib//x.py", "/app/lib/x.py");
    assert_plain(fixture, "/app/lib/..", "/app");
    assert_plain(fixture, "/app/lib/", "/app/lib");
    assert_plain(fixture, "/app/lib/../gone/...x/..y", "/app/gone/...x/..y");
}

static void test_plain_and_relative_paths_stay(void **state)
{
    const struct fixture *fixture = *state;
    assert_plain(fixture, "/app/main.py", NULL);
    assert_plain(fixture, "/app/.hidden/..main.py/...", NULL);
    static const char *const paths[] = {"", "../main.py", "./main.py", "<frozen os>", "<a/../b>", "/"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_null(sl_plain_path(&fixture->process, paths[i]));
    }
}

static void test_the_root(void **state)
{
    const struct fixture *fixture = *state;
    static const char *const paths[][2] = {
        {"/..", "/"}, {"/.", "/"}, {"/../etc", "/etc"}, {"//", "/"}, {"/tmp/..", "/"}};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char *plain = sl_plain_path(&fixture->process, paths[i][0]);
        assert_non_null(plain);
        assert_string_equal(plain, paths[i][1]);
        free(plain);
    }
}

static void test_what_is_behind_a_link_is_not_what_is_beside_it(void **state)
{
    const struct fixture *fixture = *state;
    assert_plain(fixture, "/app/link/../main.py", NULL);
    assert_plain(fixture, "/app/link/../../other/main.py", "/other/main.py");
    assert_plain(fixture, "/app/link/./main.py", "/app/link/main.py");
    assert_plain(fixture, "/app/lib/../link/main.py", "/app/link/main.py");
}

static void test_folders_that_are_not_there_tell_nothing(void **state)
{
    const struct fixture *fixture = *state;
    assert_plain(fixture, "/app/gone/../main.py", NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names_that_lead_nowhere_are_left_out),
        TEST(test_plain_and_relative_paths_stay),
        TEST(test_the_root),
        TEST(test_what_is_behind_a_link_is_not_what_is_beside_it),
        TEST(test_folders_that_are_not_there_tell_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
