#include "cli/series_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void check_service(const char *command, const char *expected)
{
    char text[600];
    size_t size = strlen(command);
    assert_true(size < sizeof text - 100);
    text[0] = '\0';
    memcpy(text + 1, command, size + 1);
    static const char executable[] = "/opt/pypy/bin/my-python";
    memcpy(text + size + 2, executable, sizeof executable);
    const uint32_t offsets[] = {0, 1, (uint32_t)size + 2, (uint32_t)(size + 2 + sizeof executable)};
    /* Of the shell that started it nothing is known but its command. */
    const struct sl_process_record processes[] = {{.command = 2}, {.command = 1, .python = 2, .executable = 2}};
    const struct sl_profile profile = {
        .text = text, .text_offsets = offsets, .string_count = 3, .processes = processes, .process_count = 2};
    char name[32];
    assert_true(sl_series_service(&profile, name, sizeof name));
    assert_string_equal(name, expected);
}

static void test_a_service_is_called_like_its_program(void **state)
{
    (void)state;
    check_service("app.py --port 0", "app");
    check_service("/srv/shop/app.py", "app");
    check_service("/usr/bin/gunicorn shop:application", "gunicorn");
    check_service("-m gunicorn shop:application", "gunicorn");
    check_service("-m http.server", "http.server");
    check_service("python app.py", "app");
    check_service("/usr/bin/python3.11 -u -X dev -W error /srv/app.py -m x", "app");
    check_service("python3.11 -Xdev -Wignore::UserWarning app.py", "app");
    check_service("/usr/bin/python3 /usr/bin/gunicorn shop:application", "gunicorn");
    check_service("my-python -Im shop.main --port 0", "shop.main");
    check_service("python3 -mshop", "shop");
    check_service("python3 -c 'import shop'", "python");
    check_service("'/my venv/bin/python' '/srv/my shop/app.py'", "app");
    check_service("python3", "python");
    check_service("python3 -", "python");
    check_service("python-shop.py", "python-shop");
    check_service("-c 'import shop; shop.run()'", "python");
    check_service("'/srv/my shop/app.py' -v", "app");
    check_service(".py", ".py");
    check_service("/", "/");
    check_service("dir/", "dir/");
    check_service("-m", "python");
    check_service("", "python");
    check_service("-", "python");
    check_service("a\tb\001\177.py", "a_b__");
    check_service("a-name-that-is-longer-than-there-is-room-for.py", "a-name-that-is-longer-than-ther");
    check_service("a-name-that-is-not-cut-within-\xc3\xa9.py", "a-name-that-is-not-cut-within-");

    const struct sl_profile nothing = {0};
    char name[32];
    assert_false(sl_series_service(&nothing, name, sizeof name));
    assert_string_equal(name, "python");

    /* Where no Python has come up yet, another recording may know better. */
    const char text[] = "\0app.py --port 0";
    const uint32_t offsets[] = {0, 1, sizeof text};
    const struct sl_process_record starting = {.command = 1};
    const struct sl_profile early = {
        .text = text, .text_offsets = offsets, .string_count = 2, .processes = &starting, .process_count = 1};
    assert_false(sl_series_service(&early, name, sizeof name));
    assert_string_equal(name, "app");
}

static void check_address(enum sl_push_kind kind, const char *url, const char *expected)
{
    const struct sl_series_options options = {.push_url = url, .push_as = kind};
    char *address = sl_series_address(&options);
    assert_string_equal(address, expected);
    free(address);
}

static void test_a_kind_has_its_path_below_the_address(void **state)
{
    (void)state;
    check_address(SL_PUSH_PYROSCOPE, "http://h:4040", "http://h:4040/push.v1.PusherService/Push");
    check_address(SL_PUSH_PYROSCOPE, "http://h/below//", "http://h/below/push.v1.PusherService/Push");
    check_address(SL_PUSH_PYROSCOPE, "http://h/push.v1.PusherService/Push", "http://h/push.v1.PusherService/Push");
    check_address(SL_PUSH_OTLP, "https://h:4318/", "https://h:4318/v1development/profiles");
    check_address(SL_PUSH_OTLP, "https://h/v1development/profiles", "https://h/v1development/profiles");
    check_address(SL_PUSH_PPROF, "https://h/take/it/?key=1", "https://h/take/it/?key=1");
}

static void test_headers_are_those_of_the_kind_and_those_given(void **state)
{
    (void)state;
    struct sl_series_headers headers;
    struct sl_error error = {0};
    assert_true(sl_series_headers_make(&headers, SL_PUSH_OTLP, "Authorization=Bearer a=b,X-Scope-OrgID=shop", &error));
    assert_int_equal(headers.count, 4);
    assert_string_equal(headers.lines[0], "Content-Type: application/x-protobuf");
    assert_string_equal(headers.lines[1], "Content-Encoding: gzip");
    assert_string_equal(headers.lines[2], "Authorization: Bearer a=b");
    assert_string_equal(headers.lines[3], "X-Scope-OrgID: shop");
    sl_series_headers_destroy(&headers);

    assert_true(sl_series_headers_make(&headers, SL_PUSH_PPROF, NULL, &error));
    assert_int_equal(headers.count, 1);
    sl_series_headers_destroy(&headers);

    static const char *const wrong[] = {"Authorization", "=b", "a=b,,c=d", "a=b,c", ",a=b"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(sl_series_headers_make(&headers, SL_PUSH_PPROF, wrong[i], &error));
        assert_int_equal(error.kind, SL_ERROR_USAGE);
        sl_series_headers_destroy(&headers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_service_is_called_like_its_program),
        cmocka_unit_test(test_a_kind_has_its_path_below_the_address),
        cmocka_unit_test(test_headers_are_those_of_the_kind_and_those_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
