#include "analysis/roles.h"

#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = builder_create();
    return 0;
}

static int tear_down(void **state)
{
    builder_destroy(*state);
    return 0;
}

static void knows(struct builder *builder, uint32_t process, const char *prefixes, const char *path)
{
    sl_string prefixes_string = builder_string(builder, prefixes);
    sl_string path_string = builder_string(builder, path);
    builder_process_record(builder, process)->prefixes = prefixes_string;
    builder_process_record(builder, process)->path = path_string;
}

static uint8_t role_with(struct builder *builder, sl_function function, const struct sl_roles_options *options)
{
    struct sl_arena arena;
    sl_arena_init(&arena);
    const uint8_t *roles = sl_roles(&arena, builder_profile(builder), options);
    assert_non_null(roles);
    uint8_t role = roles[function];
    sl_arena_reset(&arena);
    return role;
}

static uint8_t role(struct builder *builder, const char *file)
{
    return role_with(builder, builder_function(builder, "f", file), &(struct sl_roles_options){0});
}

#define assert_own(file) assert_int_equal(role(builder, file), SL_ROLE_OWN)
#define assert_library(file) assert_int_equal(role(builder, file), SL_ROLE_LIBRARY)
#define assert_machinery(file) assert_int_equal(role(builder, file), SL_ROLE_MACHINERY)

static void test_a_distributions_python(void **state)
{
    struct builder *builder = *state;
    assert_library("/usr/lib/python3.12/json/__init__.py");
    assert_library("/usr/lib/python3.12/lib-dynload/x.py");
    assert_library("/usr/lib64/python3.12/json/__init__.py");
    assert_library("/usr/lib/python3/dist-packages/yaml/__init__.py");
    assert_library("/usr/local/lib/python3.12/dist-packages/yaml/__init__.py");
    assert_library("/usr/lib/python312.zip/json/__init__.py");
    assert_own("/app/app.py");
    assert_own("/usr/bin/tool");
    assert_own("/usr/lib/mytool/main.py");
    assert_own("/usr/local/lib/mytool/main.py");
    assert_own("/usr/lib/python3/mytool.py");
    assert_own("/usr2/lib/python3.12/json.py");
    assert_own("app.py");
    assert_own("");
}

static void test_a_virtual_environment_whose_prefix_is_the_project(void **state)
{
    struct builder *builder = *state;
    knows(builder, 0, "/home/lib/project\n/usr\n/usr/lib/python3.12",
          "/home/lib/project/src\n/usr/lib/python3.12\n/home/lib/project/lib/python3.12/site-packages");
    assert_library("/home/lib/project/lib/python3.12/site-packages/requests/api.py");
    assert_library("/home/lib/project/lib64/python3.12/site-packages/numpy/x.py");
    assert_library("/usr/lib/python3.12/json/__init__.py");
    assert_own("/home/lib/project/src/app.py");
    assert_own("/home/lib/project/lib/helpers.py");
    assert_own("/home/lib/project/lib/python/helpers.py");
    assert_own("/home/lib/project/src/editable/pkg/__init__.py");
    assert_own("/home/lib/python3.12/mine.py");
}

static void test_packages_of_a_user_and_of_odd_places(void **state)
{
    struct builder *builder = *state;
    knows(builder, 0, "/opt/py/\n/src/cpython/Lib\n/",
          "/home/u\n/home/u/.local/lib/python3.12/site-packages\n/zip/site-packages/");
    assert_library("/home/u/.local/lib/python3.12/site-packages/x.py");
    assert_library("/zip/site-packages/a.egg/b.py");
    assert_library("/src/cpython/Lib/json/__init__.py");
    assert_own("/src/cpython/Tools/x.py");
    assert_library("/opt/py/lib/python3.13t/os.py");
    assert_library("/lib/python3.12/os.py");
    assert_own("/home/u/app.pyz/__main__.py");
}

static void test_nothing_known_of_the_interpreter(void **state)
{
    struct builder *builder = *state;
    knows(builder, 0, "", "");
    assert_library("/x/y/lib/python3.11/os.py");
    assert_library("/x/y/site-packages/z.py");
    assert_own("/home/lib/os.py");
}

static void test_the_folders_of_all_processes_count(void **state)
{
    struct builder *builder = *state;
    uint32_t other = builder_process(builder, (struct sl_process_record){.pid = 2});
    knows(builder, other, "/opt/other", "");
    assert_library("/opt/other/lib/python3.11/os.py");
    assert_library("/usr/lib/python3.12/os.py");
}

static void test_code_without_a_file(void **state)
{
    struct builder *builder = *state;
    assert_machinery("<frozen importlib._bootstrap>");
    assert_machinery("<frozen importlib._bootstrap_external>");
    assert_machinery("<frozen runpy>");
    assert_machinery("/usr/lib/python3.12/runpy.py");
    assert_library("<frozen os>");
    assert_library("<attrs generated init app.Kitchen>");
    assert_own("<stdin>");
    assert_own("<ipython-input-3-abcdef>");
    assert_own("<");
    struct sl_roles_options none = {0};
    assert_int_equal(role_with(builder, builder_function_of_kind(builder, "time.sleep", "", SL_FUNCTION_NATIVE), &none),
                     SL_ROLE_LIBRARY);
    assert_int_equal(role_with(builder, builder_function_of_kind(builder, "[broken]", "", SL_FUNCTION_MARK), &none),
                     SL_ROLE_OWN);
}

static void test_code_from_a_string_is_his_who_runs_it(void **state)
{
    struct builder *builder = *state;
    builder_function(builder, "addpackage", "<frozen site>");
    builder_function(builder, "_find_and_load", "<frozen importlib._bootstrap>");
    sl_function line = builder_function(builder, "pth", "<string>");
    sl_function nested = builder_function(builder, "nested", "<string>");
    sl_function main = builder_function(builder, "main", "<string>");
    sl_function init = builder_function(builder, "__init__", "<string>");
    sl_function both = builder_function(builder, "both", "<string>");
    builder_stack_named(builder, "addpackage:1 pth:1 nested:1 both:1");
    builder_stack_named(builder, "addpackage:1 _find_and_load:1 pth:1");
    builder_stack_named(builder, "main:1 _find_and_load:1 cook:1 __init__:1 both:1");
    struct sl_roles_options none = {0};
    assert_int_equal(role_with(builder, line, &none), SL_ROLE_LIBRARY);
    assert_int_equal(role_with(builder, nested, &none), SL_ROLE_LIBRARY);
    assert_int_equal(role_with(builder, main, &none), SL_ROLE_OWN);
    assert_int_equal(role_with(builder, init, &none), SL_ROLE_OWN);
    assert_int_equal(role_with(builder, both, &none), SL_ROLE_OWN);
    struct sl_roles_options show = {.show = (const char *const[]){"<string>"}, .show_count = 1};
    assert_int_equal(role_with(builder, line, &show), SL_ROLE_OWN);
}

static uint8_t role_hidden(struct builder *builder, const char *file, const char *hide, const char *show)
{
    struct sl_roles_options options = {
        .hide = &hide, .hide_count = hide != NULL, .show = &show, .show_count = show != NULL};
    return role_with(builder, builder_function(builder, "f", file), &options);
}

static void test_globs_hold_against_paths_and_modules(void **state)
{
    struct builder *builder = *state;
    const char *views = "/app/shop/views.py";
    const char *json = "/usr/lib/python3.12/json/__init__.py";
    assert_int_equal(role_hidden(builder, views, "shop", NULL), SL_ROLE_LIBRARY);
    assert_int_equal(role_hidden(builder, views, "shop.*", NULL), SL_ROLE_LIBRARY);
    assert_int_equal(role_hidden(builder, views, "shop.views", NULL), SL_ROLE_LIBRARY);
    assert_int_equal(role_hidden(builder, views, "shop/*.py", NULL), SL_ROLE_LIBRARY);
    assert_int_equal(role_hidden(builder, views, "/app/*", NULL), SL_ROLE_LIBRARY);
    assert_int_equal(role_hidden(builder, views, "shop.view", NULL), SL_ROLE_OWN);
    assert_int_equal(role_hidden(builder, views, "views", NULL), SL_ROLE_OWN);
    assert_int_equal(role_hidden(builder, views, "*", "shop/views.py"), SL_ROLE_OWN);
    assert_int_equal(role_hidden(builder, json, NULL, "json.*"), SL_ROLE_OWN);
    assert_int_equal(role_hidden(builder, json, NULL, "json"), SL_ROLE_OWN);
    assert_int_equal(role_hidden(builder, "<frozen importlib._bootstrap>", NULL, "importlib"), SL_ROLE_OWN);
    assert_int_equal(role_hidden(builder, "", "<unknown>", NULL), SL_ROLE_LIBRARY);
    const char *show[] = {"time.*"};
    struct sl_roles_options options = {.show = show, .show_count = 1};
    sl_function sleep = builder_function_of_kind(builder, "time.sleep", "", SL_FUNCTION_NATIVE);
    assert_int_equal(role_with(builder, sleep, &options), SL_ROLE_OWN);
    options = (struct sl_roles_options){.show_all = true};
    assert_int_equal(role_with(builder, builder_function(builder, "f", json), &options), SL_ROLE_OWN);
}

static void assert_path(struct builder *builder, const char *file, const char *path, const char *package)
{
    sl_function function = builder_function(builder, "f", file);
    const struct sl_profile *profile = builder_profile(builder);
    assert_string_equal(sl_short_path(profile, function), path);
    size_t size;
    const char *name = sl_package(profile, function, &size);
    assert_int_equal(size, strlen(package));
    assert_memory_equal(name, package, size);
}

static void test_paths_are_relative_to_the_longest_folder_that_is_known(void **state)
{
    struct builder *builder = *state;
    knows(builder, 0, "/venv\n/usr\n/usr/lib/python3.12",
          "\n/\n/app\n/app/src/\n/usr/lib/python312.zip\n/venv/lib/python3.12/site-packages");
    assert_path(builder, "/app/app.py", "app.py", "app");
    assert_path(builder, "/app/src/shop/views.py", "shop/views.py", "shop");
    assert_path(builder, "/usr/lib/python3.12/json/decoder.py", "json/decoder.py", "json");
    assert_path(builder, "/usr/lib/python3.12/os.py", "os.py", "os");
    assert_path(builder, "/venv/lib/python3.12/site-packages/six.py", "six.py", "six");
    assert_path(builder, "/venv/lib/python3.11/site-packages/six.py", "six.py", "six");
    assert_path(builder, "/srv/tool.py", "/srv/tool.py", "tool");
    assert_path(builder, "/srv/tools/__init__.py", "/srv/tools/__init__.py", "tools");
    assert_path(builder, "/__init__.py", "/__init__.py", "__init__");
    assert_path(builder, "/apple/x.py", "/apple/x.py", "x");
    assert_path(builder, "../lib/x.py", "../lib/x.py", "lib");
    assert_path(builder, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>", "importlib");
    assert_path(builder, "<frozen os>", "<frozen os>", "os");
    assert_path(builder, "<string>", "<string>", "<string>");
    assert_path(builder, "", "<unknown>", "<unknown>");
    assert_path(builder, "/app/", "/app/", "");
    sl_function sleep = builder_function_of_kind(builder, "time.sleep", "", SL_FUNCTION_NATIVE);
    sl_function broken = builder_function_of_kind(builder, "[broken]", "", SL_FUNCTION_MARK);
    const struct sl_profile *profile = builder_profile(builder);
    assert_string_equal(sl_short_path(profile, sleep), "");
    size_t size;
    assert_memory_equal(sl_package(profile, sleep, &size), "<built-in>", 10);
    assert_memory_equal(sl_package(profile, broken, &size), "[broken]", 8);
}

static bool matches(const char *pattern, const char *text)
{
    return sl_glob_matches(pattern, strlen(pattern), text, strlen(text));
}

static void test_globs(void **state)
{
    (void)state;
    assert_true(matches("", ""));
    assert_true(matches("*", ""));
    assert_true(matches("*", "a/b"));
    assert_true(matches("a*c*e", "abcde"));
    assert_true(matches("*ab", "aab"));
    assert_true(matches("*.py", "x.py.py"));
    assert_true(matches("**", "x"));
    assert_true(matches("a?c", "abc"));
    assert_true(matches("a?c", "a\xc3\xa9"
                               "c"));
    assert_true(matches("[a-c]x", "bx"));
    assert_true(matches("[!a-c]x", "dx"));
    assert_true(matches("[]x]", "]"));
    assert_true(matches("[a-]", "-"));
    assert_true(matches("[\xc3\xa0-\xc3\xaf]", "\xc3\xa9"));
    assert_true(matches("[ab", "[ab"));
    assert_true(matches("f[*]", "f*"));
    assert_false(matches("", "a"));
    assert_false(matches("a", ""));
    assert_false(matches("?", ""));
    assert_false(matches("a*c", "abd"));
    assert_false(matches("[!a-c]x", "bx"));
    assert_false(matches("[a-c]", "d"));
    assert_false(matches("abc", "abcd"));
    assert_false(matches("A", "a"));
}

static void test_a_glob_of_many_stars_does_not_blow_up(void **state)
{
    (void)state;
    char pattern[1001], text[20001];
    for (size_t i = 0; i < 1000; i++) {
        pattern[i] = i % 2 == 0 ? '*' : 'a';
    }
    memset(text, 'a', 20000);
    text[19999] = 'b';
    assert_false(sl_glob_matches(pattern, 1000, text, 20000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_a_distributions_python),
        TEST(test_a_virtual_environment_whose_prefix_is_the_project),
        TEST(test_packages_of_a_user_and_of_odd_places),
        TEST(test_nothing_known_of_the_interpreter),
        TEST(test_the_folders_of_all_processes_count),
        TEST(test_code_without_a_file),
        TEST(test_code_from_a_string_is_his_who_runs_it),
        TEST(test_globs_hold_against_paths_and_modules),
        TEST(test_paths_are_relative_to_the_longest_folder_that_is_known),
        TEST(test_globs),
        TEST(test_a_glob_of_many_stars_does_not_blow_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
