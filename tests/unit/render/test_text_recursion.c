#include "text_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void a_recursion_is_one_row_however_deep(void **state)
{
    struct fixture *fixture = *state;
    sl_stack stack = builder_stack_named(fixture->builder, "<module>:3");
    sl_function walk = builder_function(fixture->builder, "walk", "/app/app.py");
    uint64_t now_ns = 0;
    for (int depth = 0; depth < 10000; depth++) {
        stack = builder_stack(fixture->builder, stack, walk, 7);
        if (depth % 100 == 99) {
            builder_run(fixture->builder, fixture->thread, stack, running, now_ns, now_ns + 5000000, 5);
            now_ns += 5000000;
        }
    }
    stack = builder_stack(fixture->builder, stack, builder_function(fixture->builder, "leaf", "/app/app.py"), 9);
    builder_run(fixture->builder, fixture->thread, stack, running, now_ns, now_ns + 500000000, 500);
    struct sl_render_options options = report_options(fixture);
    assert_string_equal(report_tree(fixture, &options), " 1.000 s 100 %  <module>  app.py:1\n"
                                                        " 1.000   100 %  └─ walk  app.py:1\n"
                                                        " 1.000   100 %     └─ ↻ 9,999 calls deeper: walk\n"
                                                        " 0.50     50 %        │  ▸ line 7\n"
                                                        " 0.50     50 %        └─ leaf  app.py:1\n"
                                                        "                            ▸ line 9\n");
}

static void functions_that_call_each_other_in_turn_are_one_row(void **state)
{
    struct fixture *fixture = *state;
    char frames[1024] = "<module>:1";
    for (int i = 0; i < 30; i++) {
        strcat(frames, i % 2 == 0 ? " visit:2" : " generic_visit:3");
    }
    strcat(frames, " visit_Name:9");
    report_ran(fixture, frames, running, 1000);
    struct sl_render_options options = report_options(fixture);
    assert_string_equal(report_tree(fixture, &options),
                        " 1.000 s 100 %  <module>  app.py:1\n"
                        " 1.000   100 %  └─ visit  app.py:1\n"
                        " 1.000   100 %     └─ generic_visit  app.py:1\n"
                        " 1.000   100 %        └─ ↻ 28 calls deeper: visit, generic_visit\n"
                        " 1.000   100 %           └─ visit_Name  app.py:1\n"
                        "                               ▸ line 9\n");
}

/* A visitor that goes six levels down in a tree with two kinds of nodes: 64 ways, each 4 ms in the last visitor itself
 * and 12 ms in what it calls. Its four ways through the first two levels are told apart, and in each of them 16 ways are
 * added up. */
static void a_recursion_that_branches_is_added_up_below_its_second_round(void **state)
{
    struct fixture *fixture = *state;
    for (int way = 0; way < 64; way++) {
        char frames[512] = "<module>:1";
        for (int level = 0; level < 6; level++) {
            strcat(frames, (way >> (5 - level)) % 2 == 0 ? " visit:5 visit_A:6" : " visit:5 visit_B:7");
        }
        report_ran(fixture, frames, running, 4);
        strcat(frames, " leaf:9");
        report_ran(fixture, frames, running, 12);
    }
    struct sl_render_options options = report_options(fixture);
    assert_string_equal(report_tree(fixture, &options),
                        " 1.024 s 100 %  <module>  app.py:1\n"
                        " 1.024   100 %  └─ visit  app.py:1\n"
                        " 0.51     50 %     ├─ visit_A  app.py:1\n"
                        " 0.51     50 %     │  └─ visit  app.py:1\n"
                        " 0.26     25 %     │     ├─ visit_A  app.py:1\n"
                        " 0.26     25 %     │     │  └─ ↻ up to 8 calls deeper: visit, visit_A, visit_B\n"
                        " 0.19     19 %     │     │     ├─ leaf  app.py:1\n"
                        " 0.03      3 %     │     │     ├─ self of visit_A\n"
                        " 0.03      3 %     │     │     └─ self of visit_B\n"
                        " 0.26     25 %     │     └─ visit_B  app.py:1\n"
                        " 0.26     25 %     │        └─ ↻ up to 8 calls deeper: visit, visit_A, visit_B\n"
                        " 0.19     19 %     │           ├─ leaf  app.py:1\n"
                        " 0.03      3 %     │           ├─ self of visit_A\n"
                        " 0.03      3 %     │           └─ self of visit_B\n"
                        " 0.51     50 %     └─ visit_B  app.py:1\n"
                        " 0.51     50 %        └─ visit  app.py:1\n"
                        " 0.26     25 %           ├─ visit_A  app.py:1\n"
                        " 0.26     25 %           │  └─ ↻ up to 8 calls deeper: visit, visit_A, visit_B\n"
                        " 0.19     19 %           │     ├─ leaf  app.py:1\n"
                        " 0.03      3 %           │     ├─ self of visit_A\n"
                        " 0.03      3 %           │     └─ self of visit_B\n"
                        " 0.26     25 %           └─ visit_B  app.py:1\n"
                        " 0.26     25 %              └─ ↻ up to 8 calls deeper: visit, visit_A, visit_B\n"
                        " 0.19     19 %                 ├─ leaf  app.py:1\n"
                        " 0.03      3 %                 ├─ self of visit_A\n"
                        " 0.03      3 %                 └─ self of visit_B\n");
    /* Who asks for everything gets it. */
    options.roles.show_all = true;
    assert_int_equal(report_count(report_tree(fixture, &options), "visit_A"), 63);
}

/* A wrapper around many functions is below itself, too, but nothing to be added up. */
static void a_wrapper_around_each_of_some_functions_is_no_recursion(void **state)
{
    struct fixture *fixture = *state;
    char frames[1024] = "<module>:1";
    for (int level = 0; level < 5; level++) {
        sprintf(frames + strlen(frames), " wrapper:5 function_%d:6", level);
        for (int leaf = 0; leaf < 10; leaf++) {
            char stack[1100];
            snprintf(stack, sizeof stack, "%s leaf_%d_%d:1", frames, level, leaf);
            report_ran(fixture, stack, running, 10);
        }
    }
    struct sl_render_options options = report_options(fixture);
    const char *tree = report_tree(fixture, &options);
    assert_int_equal(report_count(tree, " leaf_"), 50);
    assert_int_equal(report_count(tree, "↻"), 0);
}

static void three_calls_of_a_function_are_no_recursion_worth_a_row(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "<module>:1 fact:2 fact:2 fact:3", running, 1000);
    struct sl_render_options options = report_options(fixture);
    const char *tree = report_tree(fixture, &options);
    assert_int_equal(report_count(tree, "fact"), 3);
    assert_int_equal(report_count(tree, "deeper"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, report_set_up, report_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_recursion_is_one_row_however_deep),
        TEST(functions_that_call_each_other_in_turn_are_one_row),
        TEST(a_recursion_that_branches_is_added_up_below_its_second_round),
        TEST(a_wrapper_around_each_of_some_functions_is_no_recursion),
        TEST(three_calls_of_a_function_are_no_recursion_worth_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
