#include "cli/interpreter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/stacklapse-interpreter-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[8][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

static void make_file(const char *name, mode_t mode)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", path_of(name));
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    int descriptor = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(fchmod(descriptor, mode), 0);
    close(descriptor);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    make_file("environment/bin/python", 0755);
    make_file("only3/bin/python3", 0755);
    make_file("path/python3", 0755);
    make_file("path/python3.12", 0755);
    make_file("path/python", 0644);
    make_file("first/python/inside", 0755);
    make_file("uv/bin/python", 0755);
    make_file("uv/uv-receipt.toml", 0644);
    make_file("pipx/bin/python", 0755);
    make_file("pipx/pipx_metadata.json", 0644);
    setenv("PATH", path_of("path"), 1);
    unsetenv("VIRTUAL_ENV");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[PATH_MAX];
    snprintf(command, sizeof command, "/bin/rm -rf %s", folder);
    return system(command);
}

static void assert_found(const char *asked, const char *path, const char *called)
{
    struct sl_interpreter interpreter;
    struct sl_error error = {0};
    if (!sl_interpreter_find(&interpreter, asked, &error)) {
        fail_msg("%s", error.sentence);
    }
    assert_string_equal(interpreter.path, path);
    assert_string_equal(interpreter.called, called);
    sl_interpreter_destroy(&interpreter);
}

static void assert_not_found(const char *asked, const char *sentence)
{
    struct sl_interpreter interpreter;
    struct sl_error error = {0};
    assert_false(sl_interpreter_find(&interpreter, asked, &error));
    assert_non_null(strstr(error.sentence, sentence));
    sl_interpreter_destroy(&interpreter);
}

static void test_the_virtual_environment_comes_first(void **state)
{
    (void)state;
    setenv("VIRTUAL_ENV", path_of("environment"), 1);
    assert_found(NULL, path_of("environment/bin/python"), path_of("environment/bin/python"));
    setenv("VIRTUAL_ENV", path_of("only3"), 1);
    assert_found(NULL, path_of("only3/bin/python3"), path_of("only3/bin/python3"));
    unsetenv("VIRTUAL_ENV");
}

static void test_an_environment_that_is_gone_is_passed_over(void **state)
{
    (void)state;
    setenv("VIRTUAL_ENV", path_of("nowhere"), 1);
    assert_found(NULL, path_of("path/python3"), "python3");
    unsetenv("VIRTUAL_ENV");
}

static void test_path_is_searched_as_a_shell_does(void **state)
{
    (void)state;
    /* A file without the right and a folder are no commands; python3 is found by its own name. */
    char path[3 * PATH_MAX];
    snprintf(path, sizeof path, "%s:%s", path_of("first"), path_of("path"));
    setenv("PATH", path, 1);
    assert_found(NULL, path_of("path/python3"), "python3");
    snprintf(path, sizeof path, "%s:%s", path_of("path"), path_of("environment/bin"));
    setenv("PATH", path, 1);
    assert_found(NULL, path_of("environment/bin/python"), "python");

    /* An empty entry is the working directory. */
    char before[PATH_MAX];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(path_of("environment/bin")), 0);
    setenv("PATH", "", 1);
    assert_found(NULL, "./python", "python");
    assert_int_equal(chdir(before), 0);
    setenv("PATH", path_of("path"), 1);
}

static void test_no_python_at_all_is_told(void **state)
{
    (void)state;
    setenv("PATH", path_of("nowhere"), 1);
    assert_not_found(NULL, "--python");
    setenv("PATH", path_of("path"), 1);
}

static void test_another_is_named_by_path_name_version_or_environment(void **state)
{
    (void)state;
    assert_found(path_of("only3/bin/python3"), path_of("only3/bin/python3"), path_of("only3/bin/python3"));
    assert_found("python3.12", path_of("path/python3.12"), "python3.12");
    assert_found("3.12", path_of("path/python3.12"), "python3.12");
    assert_found(path_of("environment"), path_of("environment/bin/python"), path_of("environment/bin/python"));
    assert_not_found(path_of("nothing"), "nothing");
    assert_not_found("python9", "python9");
    assert_not_found("3.99", "python3.99");
    assert_not_found(path_of("path/python"), "can be executed");
    assert_not_found(path_of("path"), "bin/python");
}

static void test_an_environment_in_the_working_directory_is_named_by_its_bare_name(void **state)
{
    (void)state;
    char before[PATH_MAX];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    assert_found("environment", "environment/bin/python", "environment/bin/python");
    assert_not_found("path", "no such Python on PATH");
    /* What is on PATH comes first, as everywhere. */
    make_file("python3.12/bin/python", 0755);
    assert_found("python3.12", path_of("path/python3.12"), "python3.12");
    assert_int_equal(chdir(before), 0);
}

static void test_environments_that_tools_made_for_themselves_are_known(void **state)
{
    (void)state;
    assert_true(sl_interpreter_is_tools_own(path_of("uv")));
    assert_true(sl_interpreter_is_tools_own(path_of("pipx")));
    assert_true(sl_interpreter_is_tools_own("/home/a/.cache/uv/archive-v0/x1"));
    assert_true(sl_interpreter_is_tools_own("/home/a/.local/share/pipx/venvs/stacklapse"));
    assert_false(sl_interpreter_is_tools_own(path_of("environment")));
    assert_false(sl_interpreter_is_tools_own("/usr"));
}

static void test_a_folder_can_be_left_out_of_the_search(void **state)
{
    (void)state;
    char path[3 * PATH_MAX];
    snprintf(path, sizeof path, "%s:%s", path_of("uv/bin"), path_of("environment/bin"));
    char *found = sl_interpreter_on_path(path, "python", path_of("uv/bin"));
    assert_non_null(found);
    assert_string_equal(found, path_of("environment/bin/python"));
    free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_virtual_environment_comes_first),
        cmocka_unit_test(test_an_environment_that_is_gone_is_passed_over),
        cmocka_unit_test(test_path_is_searched_as_a_shell_does),
        cmocka_unit_test(test_no_python_at_all_is_told),
        cmocka_unit_test(test_another_is_named_by_path_name_version_or_environment),
        cmocka_unit_test(test_an_environment_in_the_working_directory_is_named_by_its_bare_name),
        cmocka_unit_test(test_environments_that_tools_made_for_themselves_are_known),
        cmocka_unit_test(test_a_folder_can_be_left_out_of_the_search),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
