#include "text_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What is written, the tree in its code block first. */
static const char *markdown(struct fixture *fixture, const struct sl_render_options *options)
{
    struct sl_output output;
    sl_output_memory(&output);
    struct sl_error error = {0};
    assert_true(sl_renderer_named("markdown")->render(builder_profile(fixture->builder), options, &output, &error));
    free(fixture->text);
    fixture->text = strndup(output.pending.bytes, output.pending.size);
    assert_true(sl_output_close(&output, &error));
    return fixture->text;
}

static const char *markdown_table(struct fixture *fixture, const struct sl_render_options *options)
{
    const char *table = strstr(markdown(fixture, options), "```\n\n");
    assert_non_null(table);
    return table + 5;
}

static void the_table_is_of_the_threads_and_the_time_that_the_tree_is_of(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "main:2", running, 500);
    report_ran(fixture, "main:2 work:3", running, 500);
    for (int i = 0; i < 8; i++) {
        uint32_t thread = builder_thread(fixture->builder, 0, "");
        builder_ran(fixture->builder, thread, "run:1 get:5", report_waits(futex_call), 1000);
    }
    struct sl_render_options options = report_options(fixture);
    assert_string_equal(markdown_table(fixture, &options),
                        "| self | | total | | function | |\n"
                        "| ---: | ---: | ---: | ---: | :--- | :--- |\n"
                        "| 0.500 s | 50.0 % | 1.000 s | 100.0 % | main | app.py:1 |\n"
                        "| 0.500 s | 50.0 % | 0.500 s | 50.0 % | work | app.py:1 |\n");
    assert_non_null(strstr(fixture->text, "8 threads idle"));
}

static void the_table_is_by_total_when_asked_for(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "main:2", running, 100);
    report_ran(fixture, "main:2 work:3", running, 900);
    struct sl_render_options options = report_options(fixture);
    const char *table = markdown_table(fixture, &options);
    assert_true(strstr(table, "| work |") < strstr(table, "| main |"));
    options.flat_by_total = true;
    table = markdown_table(fixture, &options);
    assert_true(strstr(table, "| main |") < strstr(table, "| work |"));
}

static void where_all_threads_are_idle_there_is_no_table(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "main:2", running, 1000);
    builder_ran(fixture->builder, builder_thread(fixture->builder, 0, ""), "run:1", report_waits(futex_call), 1000);
    struct sl_render_options options = report_options(fixture);
    const uint8_t threads[] = {0, 1};
    options.selection.threads = threads;
    assert_string_equal(markdown_table(fixture, &options), "");
}

static void the_tree_shows_as_much_as_was_asked_for(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "main:2", running, 985);
    report_ran(fixture, "main:2 seldom:3", running, 14);
    report_ran(fixture, "main:2 once:4", running, 1);
    struct sl_render_options options = report_options(fixture);
    assert_int_equal(report_count(markdown(fixture, &options), "─ seldom  app.py"), 0);
    options.threshold_given = true;
    assert_int_equal(report_count(markdown(fixture, &options), "─ seldom  app.py"), 1);
    assert_int_equal(report_count(markdown(fixture, &options), "─ once  app.py"), 0);
    options.threshold = 0;
    assert_int_equal(report_count(markdown(fixture, &options), "─ once  app.py"), 1);
}

static void a_cell_cannot_act_on_what_shows_it(void **state)
{
    struct fixture *fixture = *state;
    sl_function hostile = builder_function(fixture->builder,
                                           "a|b\n\u202ec\xc2\x9b"
                                           "d",
                                           "/app/app.py");
    sl_stack stack = builder_stack(fixture->builder, 0, hostile, 1);
    builder_run(fixture->builder, fixture->thread, stack, running, 0, 1000000000, 1000);
    struct sl_render_options options = report_options(fixture);
    assert_non_null(strstr(markdown_table(fixture, &options), "| a\\|b\\\\n\\\\u202ec\\\\x9bd | app.py"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_table_is_of_the_threads_and_the_time_that_the_tree_is_of, report_set_up,
                                        report_tear_down),
        cmocka_unit_test_setup_teardown(a_cell_cannot_act_on_what_shows_it, report_set_up, report_tear_down),
        cmocka_unit_test_setup_teardown(the_tree_shows_as_much_as_was_asked_for, report_set_up, report_tear_down),
        cmocka_unit_test_setup_teardown(the_table_is_by_total_when_asked_for, report_set_up, report_tear_down),
        cmocka_unit_test_setup_teardown(where_all_threads_are_idle_there_is_no_table, report_set_up, report_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
