#include "render/json_writer.h"
#include "render/render.h"
#include "rendered.h"
#include "support/json_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *rendered_with(struct fixture *fixture, const struct sl_render_options *options)
{
    struct sl_error error = {0};
    sl_buffer_clear(&fixture->output.pending);
    const struct sl_profile *profile = builder_profile(fixture->builder);
    assert_true(sl_renderer_named("json")->render(profile, options, &fixture->output, &error));
    const struct sl_buffer *text = &fixture->output.pending;
    assert_true(json_is_valid(text->bytes, text->size));
    return text->bytes;
}

static const char *rendered(struct fixture *fixture)
{
    struct sl_render_options options = sl_render_defaults(builder_profile(fixture->builder));
    return rendered_with(fixture, &options);
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void test_the_checker_tells_json_from_what_is_none(void **state)
{
    (void)state;
    const char *valid[] = {"{}", "[]", " [1, -2.5e+3, \"\\u00e9\xc3\xa9\", {\"a\": [true, null]}, 0] ", "3", "\"\""};
    const char *invalid[] = {
        "",    "{",        "[1,]", "{\"a\":1,}",       "[1 2]",   "\"\n\"",   "\"\\x\"",     "nul", "01", "{1:2}",
        "[]]", "\"\xff\"", "1.",   "\"\xed\xa0\x80\"", "{\"a\"}", "\"\xc3\"", "\"\\u12g4\"", "[}"};
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        assert_true(json_is_valid(valid[i], strlen(valid[i])));
    }
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        assert_false(json_is_valid(invalid[i], strlen(invalid[i])));
    }
}

static void test_strings_are_escaped(void **state)
{
    struct fixture *fixture = *state;
    struct sl_json json;
    sl_json_begin(&json, &fixture->output);
    static const char hostile[] = "a\"b\\c\n\t\r\x01\x7f\0<\xe2\x80\xa8\xe2\x80\xa9\xff\xed\xa0\x80\xc3";
    sl_json_open_array(&json, NULL);
    sl_json_string(&json, NULL, hostile, sizeof hostile - 1);
    sl_json_string(&json, NULL, "", 0);
    sl_json_text(&json, NULL, "\xf0\x9f\x98\x80\xf4\x90\x80\x80\xc0\xaf");
    sl_json_text(&json, NULL, "\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0");
    sl_json_close_array(&json);
    const char *text = fixture->output.pending.bytes;
    assert_string_equal(text, "[\"a\\\"b\\\\c\\n\\t\\r\\u0001\\u007f\\u0000<\\u2028\\u2029\\ufffd\\ufffd\\ufffd\\ufffd"
                              "\\ufffd\",\"\",\"\xf0\x9f\x98\x80\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\","
                              "\"\\u0080\\u009b\\u009f\xc2\xa0\"]");
    assert_true(json_is_valid(text, strlen(text)));
}

static void test_numbers_are_written_whole(void **state)
{
    struct fixture *fixture = *state;
    struct sl_json json;
    sl_json_begin(&json, &fixture->output);
    sl_json_open_object(&json, NULL);
    sl_json_unsigned(&json, "u", UINT64_MAX);
    sl_json_signed(&json, "s", INT64_MIN);
    sl_json_unsigned(&json, "z", 0);
    sl_json_open_array(&json, "empty");
    sl_json_close_array(&json);
    sl_json_bool(&json, "b", false);
    sl_json_null(&json, "n");
    sl_json_close_object(&json);
    assert_string_equal(fixture->output.pending.bytes,
                        "{\"u\":18446744073709551615,\"s\":-9223372036854775808,\"z\":0,\"empty\":[],"
                        "\"b\":false,\"n\":null}");
}

static void test_a_node_has_its_numbers(void **state)
{
    struct fixture *fixture = *state;
    builder_ran(fixture->builder, 0, "main:3 work:7", running, 4);
    builder_ran(fixture->builder, 0, "main:3", sl_state_in_call(SL_STATE_KNOWN, 230), 1);
    const char *text = rendered(fixture);
    assert_non_null(
        strstr(text, "{\"kind\":\"function\",\"parent\":0,\"depth\":1,\"function\":1,\"begin_ns\":0,\"end_ns\":5000000,"
                     "\"total_ns\":5000000,\"total_samples\":5,\"self_ns\":1000000,\"self_samples\":1,\"hidden_ns\":0,"
                     "\"hidden_samples\":0,\"hidden_frames\":0,\"hidden_functions\":[],\"lines\":[{\"line\":3,"
                     "\"self_ns\":1000000,\"self_samples\":1,\"total_ns\":5000000,\"total_samples\":5,"
                     "\"state\":\"waiting\",\"system_call\":230}]}"));
    assert_int_equal(occurrences(text, "\"kind\":\"thread\""), 1);
}

static void test_levels_are_there_where_there_are_several(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    builder_thread(builder, 0, "worker");
    builder_process(builder, (struct sl_process_record){.pid = 7, .exit_status = -1});
    builder_thread(builder, 1, "");
    for (uint32_t i = 0; i < 3; i++) {
        builder_ran(builder, i, "main:1", running, 1);
    }
    const char *text = rendered(fixture);
    assert_int_equal(occurrences(text, "{\"kind\":\"process\""), 2);
    assert_int_equal(occurrences(text, "{\"kind\":\"thread\",\"parent\""), 3);
    assert_int_equal(occurrences(text, "\"exit_status\":null"), 1);
    struct sl_render_options options = sl_render_defaults(builder_profile(builder));
    options.merge_processes = true;
    assert_int_equal(occurrences(rendered_with(fixture, &options), "{\"kind\":\"process\""), 0);
}

static void test_hostile_names_and_ten_thousand_frames(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    static const char *const names[] = {"</script>",
                                        "\"quoted\"",
                                        "back\\slash",
                                        "\xe2\x80\xa8line",
                                        "\xe2\x80\xae"
                                        "bidi",
                                        "\\udc80",
                                        "new\nline",
                                        "\x1b[31mred",
                                        "\xff\xfe"
                                        "not utf-8",
                                        ""};
    sl_stack stack = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        stack = builder_stack(builder, stack, builder_function(builder, names[i % 10], names[i / 10 % 10]), i % 50);
    }
    sl_stack large = builder_stack(builder, 0, 0, 0);
    char *name = calloc(1, 100001);
    memset(name, 'x', 100000);
    large = builder_stack(builder, large, builder_function(builder, name, "/app/app.py"), 1);
    free(name);
    builder_run(builder, 0, stack, running, 0, 1000000, 1);
    builder_run(builder, 0, large, running, 1000000, 2000000, 1);
    struct sl_render_options options = sl_render_defaults(builder_profile(builder));
    options.roles.show_all = true;
    assert_int_equal(occurrences(rendered_with(fixture, &options), "{\"kind\":\"function\""), 10002);
    options.timeline = true;
    rendered_with(fixture, &options);
}

static void test_an_empty_recording_is_a_root(void **state)
{
    struct fixture *fixture = *state;
    const char *text = rendered(fixture);
    assert_non_null(strstr(text, "\"functions\":[],\n\"tree\":[\n{\"kind\":\"root\",\"parent\":null,\"depth\":0,"));
    builder_facts(fixture->builder)->start_time_ns = UINT64_MAX;
    rendered(fixture);
}

/* Native code lets go of the GIL: in that mode nothing of the thread is counted, but it ran all the same. */
static void test_how_long_a_thread_ran_is_the_same_in_every_mode(void **state)
{
    struct fixture *fixture = *state;
    builder_thread(fixture->builder, 0, "");
    builder_ran(fixture->builder, 0, "main:1", running | SL_STATE_HAS_GIL, 3);
    builder_ran(fixture->builder, 1, "multiply:2", running, 7);
    struct sl_render_options options = sl_render_defaults(builder_profile(fixture->builder));
    options.selection.mode = SL_MODE_GIL;
    const char *text = rendered_with(fixture, &options);
    assert_non_null(
        strstr(text, "\"total_ns\":3000000,\"total_samples\":3,\"running_ns\":3000000,\"running_samples\":3"));
    assert_non_null(strstr(text, "\"total_ns\":0,\"total_samples\":0,\"running_ns\":7000000,\"running_samples\":7"));
    /* It has no part of the tree. */
    assert_int_equal(occurrences(text, "\"kind\":\"thread\""), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rendered_set_up, rendered_tear_down)
        TEST(test_the_checker_tells_json_from_what_is_none),
        TEST(test_strings_are_escaped),
        TEST(test_numbers_are_written_whole),
        TEST(test_a_node_has_its_numbers),
        TEST(test_levels_are_there_where_there_are_several),
        TEST(test_hostile_names_and_ten_thousand_frames),
        TEST(test_an_empty_recording_is_a_root),
        cmocka_unit_test_setup_teardown(test_how_long_a_thread_ran_is_the_same_in_every_mode, rendered_set_up,
                                        rendered_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
