#include "render/text_unicode.h"
#include "text_report.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct small_stack_task {
    struct fixture *fixture;
    struct sl_render_options options;
};

static void *render_on_a_small_stack(void *argument)
{
    struct small_stack_task *task = argument;
    report_text(task->fixture, &task->options);
    return NULL;
}

/* 10,000 frames in 128 KiB of stack: nothing recurses. One row each: nothing is written twice. */
static void a_stack_ten_thousand_deep_takes_a_row_a_frame_and_no_recursion(void **state)
{
    struct fixture *fixture = *state;
    report_chain(fixture, 10000);
    struct small_stack_task task = {.fixture = fixture, .options = report_options(fixture)};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, (size_t)128 * 1024);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, &attributes, render_on_a_small_stack, &task), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    assert_true(report_count(fixture->text, "\n") < 10020);
    assert_int_equal(report_count(fixture->text, "app.py:1\n"), 10001);
    /* Also at the bottom the name is whole and where it is seen. */
    assert_non_null(strstr(fixture->text, "↳ f9999  app.py:1\n"));
    assert_true(strlen(fixture->text) < (size_t)10020 * 100 * 3);
}

/* Indentation that stopped growing tells the depth, where otherwise two callers could be meant. */
static void a_deep_tree_with_branches_tells_the_depth(void **state)
{
    struct fixture *fixture = *state;
    char frames[1024] = "<module>:1";
    for (int i = 0; i < 40; i++) {
        sprintf(frames + strlen(frames), " level_%d:2", i);
        report_ran(fixture, frames, running, 25);
    }
    struct sl_render_options options = report_options(fixture);
    const char *tree = report_tree(fixture, &options);
    assert_non_null(strstr(tree, "↳ 41: level_39  app.py:1\n"));
}

/* Everything that a program can choose, as bad as it can be. */
static void add_hostile(struct fixture *fixture)
{
    struct builder *builder = fixture->builder;
    static const char bad[] = "\033[2J\033]0;owned\007\n\r\b\xff\xfe\u202e\u2028\x9b"
                              "evil";
    char *huge = malloc(10001);
    memset(huge, 'x', 10000);
    huge[10000] = '\0';
    sl_function functions[] = {
        builder_function(builder, bad, bad),
        builder_function(builder, huge, huge),
        builder_function(builder, "", ""),
        builder_function(builder, "厨房厨房厨房厨房厨房厨房厨房厨房厨房厨房厨房厨房",
                         "/app/厨房/厨房厨房厨房厨房厨房厨房厨房.py"),
        builder_function_of_kind(builder, bad, bad, SL_FUNCTION_MARK),
        builder_function_of_kind(builder, huge, "", SL_FUNCTION_NATIVE),
        builder_function(builder, "library", "/usr/lib/python3.12/\033[31m/x.py"),
    };
    uint64_t now_ns = 0;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        sl_stack stack = builder_stack_named(builder, "<module>:1");
        stack = builder_stack(builder, stack, functions[i], UINT32_MAX);
        stack = builder_stack(builder, stack, functions[(i + 1) % 7], 1);
        builder_run(builder, fixture->thread, stack, report_waits((uint32_t)i * 9999), now_ns, now_ns + 100000000, 100);
        now_ns += 100000000;
    }
    for (int i = 0; i < 5; i++) {
        uint32_t thread = builder_thread(builder, 0, bad);
        builder_run(builder, thread, builder_stack(builder, 0, functions[i], 0), running, 0, 200000000, 200);
    }
    struct sl_process_record *process = builder_process_record(builder, 0);
    process->command = builder_string(builder, bad);
    process->python = builder_string(builder, bad);
    process->executable = builder_string(builder, huge);
    process->exit_status = 0x7FFFFFFF;
    FILE *file = fopen(fixture->path, "w");
    fprintf(file, "%s%s\n", bad, huge);
    fclose(file);
    free(huge);
}

static void check_rows(const char *text, uint32_t width, bool unicode)
{
    for (const char *line = text; *line != '\0';) {
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        size_t size = (size_t)(end - line);
        bool command = strncmp(line, " again:", 7) == 0 || strncmp(line, " page:", 6) == 0;
        if (!command) {
            if (sl_text_columns(line, size) > width) {
                print_error("%u columns: %.*s\n", width, (int)size, line);
            }
            assert_true(sl_text_columns(line, size) <= width);
        }
        for (size_t i = 0; i < size; i++) {
            assert_true((unsigned char)line[i] >= 0x20 && line[i] != 0x7F);
            assert_true(unicode || (unsigned char)line[i] < 0x80);
        }
        assert_true(size == 0 || line[size - 1] != ' ');
        /* Cleaned text is as it would be cleaned. */
        struct sl_buffer again;
        sl_buffer_init(&again);
        sl_text_clean(&again, line, size, true);
        assert_int_equal(again.size, size);
        sl_buffer_destroy(&again);
        line = end + 1;
    }
}

static void check_every_form(struct fixture *fixture)
{
    for (uint32_t width = 40; width <= 220; width += 20) {
        for (uint32_t form = 0; form < 64; form++) {
            struct sl_render_options options = report_options(fixture);
            options.width = width;
            options.unicode = form & 1;
            options.flat = form & 2;
            options.timeline = form & 4;
            options.percent = form & 8;
            options.roles.show_all = form & 16;
            options.short_form = form & 32;
            options.threshold = width % 2 == 0 ? 0 : 0.005;
            check_rows(report_text(fixture, &options), width, options.unicode);
        }
    }
}

static void no_row_is_wider_than_the_terminal(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    check_every_form(fixture);
}

static void no_row_is_wider_where_calls_begin_behind_the_end(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "<module>:1 load:2", running, 2000);
    report_ran(fixture, "<module>:2 compute:2", running, 200000);
    report_ran(fixture, "<module>:3 store:2", running, 2000);
    struct sl_render_options options = report_options(fixture);
    options.timeline = true;
    options.threshold = 0;
    options.width = 120;
    options.selection.end_ns = 202000000001;
    builder_facts(fixture->builder)->duration_ns = 1;
    check_rows(report_text(fixture, &options), options.width, options.unicode);
}

static void no_deep_row_is_wider_than_the_terminal(void **state)
{
    struct fixture *fixture = *state;
    char frames[8192] = "<module>:1";
    for (int i = 0; i < 100; i++) {
        sprintf(frames + strlen(frames), " A_class_with_a_long_name.and_a_method_%d:2", i);
        if (i % 3 == 0) {
            report_ran(fixture, frames, report_waits(futex_call), 25);
        }
    }
    check_every_form(fixture);
}

static void a_hostile_program_cannot_act_on_the_terminal(void **state)
{
    struct fixture *fixture = *state;
    add_hostile(fixture);
    check_every_form(fixture);
    struct sl_render_options options = report_options(fixture);
    options.recording = "\033[2J\n'";
    check_rows(report_text(fixture, &options), 100, true);
    /* Long names do not make long reports. */
    assert_true(strlen(fixture->text) < 20000);
}

static void a_selection_of_nothing_is_no_crash(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_render_options options = report_options(fixture);
    options.selection.begin_ns = options.selection.end_ns;
    report_text(fixture, &options);
    options = report_options(fixture);
    options.selection.mode = SL_MODE_GIL;
    assert_non_null(strstr(report_text(fixture, &options), "\n only time holding the GIL\n"));
    uint8_t none[1] = {0};
    options.selection.threads = none;
    assert_non_null(strstr(report_text(fixture, &options), "\n no samples in what was selected\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, report_set_up, report_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_stack_ten_thousand_deep_takes_a_row_a_frame_and_no_recursion),
        TEST(a_deep_tree_with_branches_tells_the_depth),
        TEST(no_row_is_wider_than_the_terminal),
        TEST(no_row_is_wider_where_calls_begin_behind_the_end),
        TEST(no_deep_row_is_wider_than_the_terminal),
        TEST(a_hostile_program_cannot_act_on_the_terminal),
        TEST(a_selection_of_nothing_is_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
