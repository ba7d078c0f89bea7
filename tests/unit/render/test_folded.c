#include "render/render.h"
#include "rendered.h"

#include <inttypes.h>
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
    assert_true(
        sl_renderer_named("folded")->render(builder_profile(fixture->builder), options, &fixture->output, &error));
    return fixture->output.pending.bytes;
}

static const char *rendered(struct fixture *fixture)
{
    struct sl_render_options options = sl_render_defaults(builder_profile(fixture->builder));
    return rendered_with(fixture, &options);
}

static void test_a_line_is_a_stack_from_its_root_and_its_microseconds(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    builder_function(builder, "dumps", "/usr/lib/python3.12/json/__init__.py");
    builder_function_of_kind(builder, "time.sleep", "", SL_FUNCTION_NATIVE);
    builder_function_of_kind(builder, "[broken]", "", SL_FUNCTION_MARK);
    builder_ran(builder, 0, "main:3 dumps:7", running, 4);
    builder_ran(builder, 0, "main:3 time.sleep:0", running, 1);
    builder_ran(builder, 0, "main:3 dumps:7", running, 2);
    builder_ran(builder, 0, "[broken]:0", running, 1);
    builder_ran(builder, 0, "main:0", running, 1);
    assert_string_equal(rendered(fixture), "main (app.py:3);dumps (json/__init__.py:7) 6000\n"
                                           "main (app.py:3);time.sleep 1000\n"
                                           "[broken] 1000\n"
                                           "main (app.py) 1000\n");
}

static void test_threads_and_processes_are_root_frames_where_there_are_several(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    builder_thread(builder, 0, "worker;1");
    builder_thread(builder, 0, "");
    builder_ran(builder, 0, "main:1", running, 3);
    builder_ran(builder, 1, "work:1", running, 2);
    builder_ran(builder, 2, "work:2", running, 1);
    assert_string_equal(rendered(fixture), "main thread (1000);main (app.py:1) 3000\n"
                                           "worker,1 (thread 1001);work (app.py:1) 2000\n"
                                           "work (thread 1002);work (app.py:2) 1000\n");
    builder_process(builder, (struct sl_process_record){.pid = 200, .command = builder_string(builder, "child; x\n")});
    builder_thread(builder, 1, "");
    builder_ran(builder, 3, "main:1", running, 1);
    assert_non_null(strstr(rendered(fixture), "app.py (process 100);worker,1 (thread 1001);work (app.py:1) 2000\n"));
    assert_non_null(strstr(rendered(fixture), "\nchild, x  (process 200);main thread (1003);main (app.py:1) 1000\n"));
    struct sl_render_options options = sl_render_defaults(builder_profile(builder));
    options.merge_processes = true;
    assert_non_null(strstr(rendered_with(fixture, &options), "\nmain thread (1003);main (app.py:1) 1000\n"));
}

static void test_weights_add_up_to_the_whole(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    uint64_t ns = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        char frames[32];
        snprintf(frames, sizeof frames, "main:%u", i + 1);
        uint64_t length = 100 + i * 7919 % 1700;
        builder_run(builder, 0, builder_stack_named(builder, frames), running, ns, ns + length, 1);
        ns += length;
    }
    uint64_t sum = 0;
    const char *text = rendered(fixture);
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        char *space = memchr(line, ')', 100);
        uint64_t weight = strtoull(space + 2, NULL, 10);
        assert_true(weight > 0);
        sum += weight;
    }
    assert_int_equal(sum, (ns + 500) / 1000);
}

/* Other tools may tell names alone. */
static void test_what_is_in_no_file_has_no_place(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    builder_function(builder, "main", "");
    builder_function(builder, "start", "<string>");
    builder_ran(builder, 0, "start:2 main:0", running, 1);
    assert_string_equal(rendered(fixture), "start (<string>:2);main 1000\n");
}

static void test_names_cannot_break_a_line(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    sl_function hostile = builder_function(builder, "a;b\nc\rd\te\x7f\xc2\x85\xc2\xa0", "/app/x;\ny.py");
    sl_stack stack = builder_stack(builder, 0, hostile, 1);
    builder_run(builder, 0, stack, running, 0, 1000, 1);
    assert_string_equal(rendered(fixture), "a,b c d e  \xc2\xa0 (x, y.py:1) 1\n");
}

static void test_ten_thousand_frames(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    sl_function function = builder_function(builder, "dig", "/app/app.py");
    sl_stack stack = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        stack = builder_stack(builder, stack, function, 1);
    }
    builder_run(builder, 0, stack, running, 0, 1000, 1);
    builder_run(builder, 0, 0, running, 1000, 2000, 1);
    const char *text = rendered(fixture);
    assert_int_equal(strcspn(text, "\n"), 10000 * strlen("dig (app.py:1);") - 1 + strlen(" 1"));
    assert_string_equal(strchr(text, '\n'), "\n[no stack] 1\n");
}

static void test_nothing_gives_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct sl_error error;
    struct sl_render_options options = sl_render_defaults(builder_profile(fixture->builder));
    assert_true(
        sl_renderer_named("folded")->render(builder_profile(fixture->builder), &options, &fixture->output, &error));
    assert_int_equal(fixture->output.pending.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, rendered_set_up, rendered_tear_down)
        TEST(test_a_line_is_a_stack_from_its_root_and_its_microseconds),
        TEST(test_threads_and_processes_are_root_frames_where_there_are_several),
        TEST(test_weights_add_up_to_the_whole),
        TEST(test_what_is_in_no_file_has_no_place),
        TEST(test_names_cannot_break_a_line),
        TEST(test_ten_thousand_frames),
        TEST(test_nothing_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
