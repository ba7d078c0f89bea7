#include "analysis/call_tree.h"

#include "analysis/roles.h"
#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const sl_state running = SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL;
static const sl_state waiting = SL_STATE_KNOWN;

struct fixture {
    struct builder *builder;
    struct sl_arena arena;
    char drawing[8192];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->builder = builder_create();
    sl_arena_init(&fixture->arena);
    builder_thread(fixture->builder, 0, "");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    sl_arena_reset(&fixture->arena);
    builder_destroy(fixture->builder);
    free(fixture);
    return 0;
}

/* What must hold of every tree. */
static void check_tree(const struct sl_call_tree *tree, bool inverted)
{
    assert_non_null(tree);
    struct sl_amount *sums = calloc(tree->node_count, sizeof *sums);
    uint32_t lines = 0;
    uint32_t hidden = 0;
    for (uint32_t i = 0; i < tree->node_count; i++) {
        const struct sl_node *node = &tree->nodes[i];
        if (i == 0) {
            assert_int_equal(node->parent, SL_NONE);
            assert_int_equal(node->depth, 0);
            assert_int_equal(node->kind, SL_NODE_ROOT);
        } else {
            const struct sl_node *parent = &tree->nodes[node->parent];
            assert_true(node->parent < i && i <= node->parent + parent->descendants);
            assert_int_equal(node->depth, parent->depth + 1);
            assert_true(node->begin_ns >= parent->begin_ns && node->end_ns <= parent->end_ns);
            assert_true(node->total.ns > 0 || node->total.samples > 0);
            sl_amount_add(&sums[node->parent], node->total);
        }
        assert_true(i + node->descendants < tree->node_count);
        uint32_t expected = i + 1;
        uint32_t child = node->first_child;
        while (child != SL_NONE) {
            assert_int_equal(child, expected);
            assert_int_equal(tree->nodes[child].parent, i);
            expected = child + tree->nodes[child].descendants + 1;
            child = tree->nodes[child].next_sibling;
        }
        assert_int_equal(expected, i + node->descendants + 1);
        assert_int_equal(node->first_line, lines);
        assert_int_equal(node->first_hidden, hidden);
        lines += node->line_count;
        hidden += node->hidden_count;
        struct sl_amount line_self = {0};
        struct sl_amount line_total = {0};
        for (uint32_t line = 0; line < node->line_count; line++) {
            sl_amount_add(&line_self, tree->lines[node->first_line + line].self);
            sl_amount_add(&line_total, tree->lines[node->first_line + line].total);
        }
        if (node->kind == SL_NODE_FUNCTION) {
            assert_int_equal(line_self.ns, node->self.ns);
            assert_int_equal(line_total.ns, node->total.ns);
            assert_int_equal(line_total.samples, node->total.samples);
        } else {
            assert_int_equal(node->line_count, 0);
        }
    }
    assert_int_equal(lines, tree->line_count);
    assert_int_equal(hidden, tree->hidden_count);
    for (uint32_t i = 0; i < tree->node_count && !inverted; i++) {
        const struct sl_node *node = &tree->nodes[i];
        assert_int_equal(node->total.ns, sums[i].ns + node->self.ns + node->hidden.ns);
        assert_int_equal(node->total.samples, sums[i].samples + node->self.samples + node->hidden.samples);
    }
    free(sums);
}

static const char *name_of(const struct sl_profile *profile, const struct sl_node *node)
{
    switch (node->kind) {
    case SL_NODE_PROCESS:
        return sl_profile_text(profile, profile->processes[node->subject].command);
    case SL_NODE_THREAD:
        return sl_profile_text(profile, profile->threads[node->subject].name);
    case SL_NODE_FUNCTION:
        return sl_profile_text(profile, profile->functions[node->subject].name);
    }
    return "root";
}

/* The tree as text, in milliseconds: total, self and hidden, `name total/self+hidden(frames)` for each node, children
 * in brackets. */
static const char *draw(struct fixture *fixture, const struct sl_call_tree *tree)
{
    const struct sl_profile *profile = builder_profile(fixture->builder);
    char *at = fixture->drawing;
    uint32_t depth = 0;
    for (uint32_t i = 0; i < tree->node_count; i++) {
        const struct sl_node *node = &tree->nodes[i];
        if (i > 0 && node->depth > depth) {
            at += sprintf(at, " [");
        }
        for (; depth > node->depth; depth--) {
            at += sprintf(at, "]");
        }
        depth = node->depth;
        at += sprintf(at, "%s%s %llu", i == 0 || at[-1] == '[' ? "" : " ", name_of(profile, node),
                      (unsigned long long)(node->total.ns / 1000000));
        if (!sl_amount_is_zero(node->self)) {
            at += sprintf(at, "/%llu", (unsigned long long)(node->self.ns / 1000000));
        }
        if (node->hidden_frames > 0) {
            at += sprintf(at, "+%llu(%u)", (unsigned long long)(node->hidden.ns / 1000000), node->hidden_frames);
        }
    }
    for (; depth > 0; depth--) {
        at += sprintf(at, "]");
    }
    return fixture->drawing;
}

static const struct sl_call_tree *build(struct fixture *fixture, struct sl_call_tree_options options,
                                        const struct sl_selection *selection)
{
    const struct sl_profile *profile = builder_profile(fixture->builder);
    struct sl_selection all = sl_selection_all(profile);
    struct sl_roles_options roles = {0};
    options.roles = sl_roles(&fixture->arena, profile, &roles);
    const struct sl_call_tree *tree =
        sl_call_tree_build(&fixture->arena, profile, selection == NULL ? &all : selection, &options);
    check_tree(tree, options.inverted);
    return tree;
}

static const char *drawn(struct fixture *fixture, struct sl_call_tree_options options)
{
    return draw(fixture, build(fixture, options, NULL));
}

static const struct sl_call_tree_options merged = {.focus = SL_NONE};
static const struct sl_call_tree_options timeline = {.focus = SL_NONE, .timeline = true};
static const struct sl_call_tree_options inverted = {.focus = SL_NONE, .inverted = true};

static void test_equal_functions_of_one_caller_are_one_node_whatever_their_lines(void **state)
{
    struct fixture *fixture = *state;
    builder_ran(fixture->builder, 0, "main:1 work:5", running, 3);
    builder_ran(fixture->builder, 0, "main:2 work:6", running, 4);
    builder_ran(fixture->builder, 0, "main:2", running, 1);
    builder_ran(fixture->builder, 0, "main:3 rest:9", waiting, 2);
    assert_string_equal(drawn(fixture, merged), "root 10 [main 10/1 [work 7/7 rest 2/2]]");
}

static void test_children_are_sorted_by_time(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 40; i++) {
        char frames[32];
        snprintf(frames, sizeof frames, "main:1 f%d:1", i);
        builder_ran(fixture->builder, 0, frames, running, (uint32_t)(i * 7 % 40) + 1);
    }
    const struct sl_call_tree *tree = build(fixture, merged, NULL);
    assert_int_equal(tree->node_count, 42);
    for (uint32_t i = 3; i < tree->node_count; i++) {
        assert_true(tree->nodes[i].total.ns < tree->nodes[i - 1].total.ns);
    }
}

static void test_library_frames_fold_into_their_entry(void **state)
{
    struct fixture *fixture = *state;
    builder_function(fixture->builder, "dumps", "/usr/lib/python3.12/json/__init__.py");
    builder_function(fixture->builder, "encode", "/usr/lib/python3.12/json/encoder.py");
    builder_function(fixture->builder, "iterencode", "/usr/lib/python3.12/json/encoder.py");
    builder_ran(fixture->builder, 0, "main:1 dumps:5", running, 1);
    builder_ran(fixture->builder, 0, "main:1 dumps:5 encode:7", running, 2);
    builder_ran(fixture->builder, 0, "main:1 dumps:5 encode:7 iterencode:8", running, 3);
    builder_ran(fixture->builder, 0, "main:1 dumps:5 iterencode:8", running, 5);
    builder_ran(fixture->builder, 0, "main:1 dumps:5 encode:7 default:30", running, 6);
    builder_ran(fixture->builder, 0, "main:1 dumps:5 iterencode:8 default:31", running, 7);
    builder_ran(fixture->builder, 0, "main:1 dumps:5 encode:7 default:30 dumps:5", running, 8);
    assert_string_equal(drawn(fixture, merged), "root 32 [main 32 [dumps 32/1+10(3) [default 21/13 [dumps 8/8]]]]");

    const struct sl_call_tree *tree = build(fixture, merged, NULL);
    const struct sl_node *dumps = &tree->nodes[2];
    const struct sl_profile *profile = builder_profile(fixture->builder);
    assert_int_equal(dumps->hidden_count, 2);
    assert_string_equal(sl_profile_text(profile, profile->functions[tree->hidden[dumps->first_hidden]].name),
                        "iterencode");
    assert_string_equal(sl_profile_text(profile, profile->functions[tree->hidden[dumps->first_hidden + 1]].name),
                        "encode");
}

static void test_a_stack_of_library_frames_alone_shows_its_first(void **state)
{
    struct fixture *fixture = *state;
    builder_function(fixture->builder, "_run_module_as_main", "<frozen runpy>");
    builder_function(fixture->builder, "pytest", "/usr/lib/python3/dist-packages/pytest/__main__.py");
    builder_function(fixture->builder, "console_main", "/usr/lib/python3/dist-packages/_pytest/config.py");
    builder_ran(fixture->builder, 0, "_run_module_as_main:1", running, 1);
    builder_ran(fixture->builder, 0, "_run_module_as_main:1 pytest:1", running, 2);
    builder_ran(fixture->builder, 0, "_run_module_as_main:1 pytest:1 console_main:1", running, 3);
    builder_ran(fixture->builder, 0, "_run_module_as_main:1 pytest:1 console_main:1 test_it:1", running, 4);
    assert_string_equal(drawn(fixture, merged), "root 10/1 [pytest 9/2+3(1) [test_it 4/4]]");
}

static void test_the_import_machinery_is_left_out_and_its_time_is_its_callers(void **state)
{
    struct fixture *fixture = *state;
    builder_function(fixture->builder, "_find_and_load", "<frozen importlib._bootstrap>");
    builder_function(fixture->builder, "exec_module", "<frozen importlib._bootstrap_external>");
    builder_function(fixture->builder, "numpy", "/usr/lib/python3/dist-packages/numpy/__init__.py");
    builder_function(fixture->builder, "numpy.core", "/usr/lib/python3/dist-packages/numpy/core/__init__.py");
    builder_ran(fixture->builder, 0, "main:3 _find_and_load:1", running, 1);
    builder_ran(fixture->builder, 0, "main:3 _find_and_load:1 exec_module:2 numpy:1", running, 2);
    builder_ran(fixture->builder, 0, "main:3 _find_and_load:1 exec_module:2 numpy:1 _find_and_load:1", running, 3);
    builder_ran(fixture->builder, 0,
                "main:3 _find_and_load:1 exec_module:2 numpy:1 _find_and_load:1 exec_module:2 numpy.core:1", running,
                4);
    builder_ran(fixture->builder, 0, "main:4 _find_and_load:1 exec_module:2 helpers:1", running, 5);
    const struct sl_call_tree *tree = build(fixture, merged, NULL);
    assert_string_equal(draw(fixture, tree), "root 15 [main 15/1 [numpy 9/5+4(1) helpers 5/5]]");
    assert_int_equal(tree->nodes[1].line_count, 2);
    const struct sl_node_line *lines = &tree->lines[tree->nodes[1].first_line];
    assert_int_equal(lines[0].line, 3);
    assert_int_equal(lines[0].self.ns, 1000000);
    assert_int_equal(lines[0].total.ns, 10000000);
    assert_int_equal(lines[1].line, 4);
    assert_int_equal(lines[1].total.ns, 5000000);
}

static void test_lines_tell_the_state_that_most_of_their_time_was_spent_in(void **state)
{
    struct fixture *fixture = *state;
    sl_state sleeping = sl_state_in_call(SL_STATE_KNOWN, 230);
    builder_ran(fixture->builder, 0, "main:1 work:5", running, 3);
    builder_ran(fixture->builder, 0, "main:1 work:6", waiting, 1);
    builder_ran(fixture->builder, 0, "main:2 work:5", sleeping, 2);
    builder_ran(fixture->builder, 0, "main:1 work:5", sleeping, 2);
    const struct sl_call_tree *tree = build(fixture, merged, NULL);
    const struct sl_node *work = &tree->nodes[2];
    assert_int_equal(work->line_count, 2);
    assert_int_equal(tree->lines[work->first_line].line, 5);
    assert_int_equal(tree->lines[work->first_line].state, sleeping);
    assert_int_equal(tree->lines[work->first_line].self.ns, 7000000);
    assert_int_equal(tree->lines[work->first_line + 1].state, waiting);
}

static void test_a_timeline_keeps_calls_apart_and_one_call_together(void **state)
{
    struct fixture *fixture = *state;
    builder_ran(fixture->builder, 0, "main:1 work:5", running, 1);
    builder_ran(fixture->builder, 0, "main:1 work:6", running, 2);
    builder_ran(fixture->builder, 0, "main:2 rest:9", waiting, 3);
    builder_ran(fixture->builder, 0, "main:3 work:5", running, 4);
    builder_ran(fixture->builder, 0, "main:4 work:5", running, 5);
    const struct sl_call_tree *tree = build(fixture, timeline, NULL);
    assert_string_equal(draw(fixture, tree), "root 15 [main 15 [work 3/3 rest 3/3 work 4/4 work 5/5]]");
    assert_int_equal(tree->nodes[3].begin_ns, 3000000);
    assert_int_equal(tree->nodes[3].end_ns, 6000000);
}

static void test_what_does_not_count_ends_no_call_of_a_timeline(void **state)
{
    struct fixture *fixture = *state;
    builder_ran(fixture->builder, 0, "main:1 work:5", running, 1);
    builder_ran(fixture->builder, 0, "main:1 work:6 sleep:1", waiting, 10);
    builder_ran(fixture->builder, 0, "main:1 work:7", running, 2);
    builder_ran(fixture->builder, 0, "main:2", waiting, 10);
    builder_ran(fixture->builder, 0, "main:3 work:7", running, 4);
    struct sl_selection selection = sl_selection_all(builder_profile(fixture->builder));
    selection.mode = SL_MODE_CPU;
    assert_string_equal(draw(fixture, build(fixture, timeline, &selection)), "root 7 [main 7 [work 3/3 work 4/4]]");
}

static void test_a_timeline_folds_library_calls_too(void **state)
{
    struct fixture *fixture = *state;
    builder_function(fixture->builder, "dumps", "/usr/lib/python3.12/json/__init__.py");
    builder_function(fixture->builder, "encode", "/usr/lib/python3.12/json/encoder.py");
    builder_ran(fixture->builder, 0, "main:1 dumps:5 encode:1", running, 1);
    builder_ran(fixture->builder, 0, "main:1 dumps:6 encode:2", running, 2);
    builder_ran(fixture->builder, 0, "main:1 dumps:6 encode:3 default:1", running, 3);
    builder_ran(fixture->builder, 0, "main:1 dumps:6 encode:4 default:1", running, 4);
    builder_ran(fixture->builder, 0, "main:2 dumps:6 encode:4", running, 5);
    assert_string_equal(drawn(fixture, timeline),
                        "root 15 [main 15 [dumps 10+3(1) [default 3/3 default 4/4] dumps 5+5(1)]]");
}

static void test_an_inverted_tree_begins_at_the_leaves(void **state)
{
    struct fixture *fixture = *state;
    builder_ran(fixture->builder, 0, "main:1 a:1 work:5", running, 3);
    builder_ran(fixture->builder, 0, "main:2 b:2 work:6", running, 4);
    builder_ran(fixture->builder, 0, "main:2 b:3", running, 2);
    assert_string_equal(drawn(fixture, inverted), "root 9 [work 7/7 [b 4 [main 4] a 3 [main 3]] b 2/2 [main 2]]");
}

static void test_time_in_a_folded_library_is_its_entrys_when_inverted(void **state)
{
    struct fixture *fixture = *state;
    builder_function(fixture->builder, "dumps", "/usr/lib/python3.12/json/__init__.py");
    builder_function(fixture->builder, "encode", "/usr/lib/python3.12/json/encoder.py");
    builder_ran(fixture->builder, 0, "main:1 dumps:5 encode:1", running, 1);
    builder_ran(fixture->builder, 0, "main:1 dumps:5", running, 2);
    builder_ran(fixture->builder, 0, "main:1 dumps:5 encode:2 default:1", running, 4);
    assert_string_equal(drawn(fixture, inverted), "root 7 [default 4/4 [dumps 4 [main 4]] dumps 3/2+1(1) [main 3]]");
}

static void test_a_focus_cuts_stacks_off_below_its_outermost_frame(void **state)
{
    struct fixture *fixture = *state;
    builder_ran(fixture->builder, 0, "main:1 a:1 work:5", running, 3);
    builder_ran(fixture->builder, 0, "main:2 b:2 work:6 work:7", running, 4);
    builder_ran(fixture->builder, 0, "main:2 b:3", running, 2);
    struct sl_call_tree_options options = merged;
    options.focus = builder_function(fixture->builder, "work", "/app/app.py");
    assert_string_equal(drawn(fixture, options), "root 7 [work 7/3 [work 4/4]]");
    options.timeline = true;
    assert_string_equal(drawn(fixture, options), "root 7 [work 3/3 work 4 [work 4/4]]");
    options.timeline = false;
    options.inverted = true;
    assert_string_equal(drawn(fixture, options), "root 7 [work 7/7 [work 4]]");
}

static void test_processes_and_threads_are_levels_of_their_own(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    uint32_t other = builder_process(builder, (struct sl_process_record){.command = builder_string(builder, "child")});
    builder_thread(builder, other, "C1");
    builder_thread(builder, 0, "A2");
    builder_ran(builder, 0, "main:1 work:5", running, 3);
    builder_ran(builder, 1, "main:1 work:5", running, 9);
    builder_ran(builder, 2, "main:1 rest:5", running, 4);
    struct sl_call_tree_options options = merged;
    assert_string_equal(drawn(fixture, options), "root 16 [main 16 [work 12/12 rest 4/4]]");
    options.by_process = true;
    assert_string_equal(drawn(fixture, options),
                        "root 16 [child 9 [main 9 [work 9/9]] app.py 7 [main 7 [rest 4/4 work 3/3]]]");
    options.by_thread = true;
    assert_string_equal(drawn(fixture, options), "root 16 [child 9 [C1 9 [main 9 [work 9/9]]] app.py 7 "
                                                 "[A2 4 [main 4 [rest 4/4]]  3 [main 3 [work 3/3]]]]");
    options.by_process = false;
    options.timeline = true;
    assert_string_equal(drawn(fixture, options), "root 16 [ 3 [main 3 [work 3/3]] A2 4 [main 4 [rest 4/4]] "
                                                 "C1 9 [main 9 [work 9/9]]]");
    options.timeline = false;
    options.inverted = true;
    assert_string_equal(drawn(fixture, options), "root 16 [C1 9 [work 9/9 [main 9]] A2 4 [rest 4/4 [main 4]] "
                                                 " 3 [work 3/3 [main 3]]]");
}

static void test_nothing_selected_gives_the_root_alone(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(drawn(fixture, merged), "root 0");
    assert_string_equal(drawn(fixture, timeline), "root 0");
    assert_string_equal(drawn(fixture, inverted), "root 0");
}

static void test_ten_thousand_frames_deep(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    sl_function function = builder_function(builder, "dig", "/app/app.py");
    sl_stack stack = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        stack = builder_stack(builder, stack, function, 1 + i % 3);
        builder_run(builder, 0, stack, running, i * 1000000ull, (i + 1) * 1000000ull, 1);
    }
    const struct sl_call_tree_options all[] = {merged, timeline, inverted};
    for (size_t i = 0; i < 3; i++) {
        const struct sl_call_tree *tree = build(fixture, all[i], NULL);
        assert_int_equal(tree->node_count, 10001);
        assert_int_equal(tree->nodes[10000].depth, 10000);
        assert_int_equal(tree->nodes[0].total.ns, 10000000000ull);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_equal_functions_of_one_caller_are_one_node_whatever_their_lines),
        TEST(test_children_are_sorted_by_time),
        TEST(test_library_frames_fold_into_their_entry),
        TEST(test_a_stack_of_library_frames_alone_shows_its_first),
        TEST(test_the_import_machinery_is_left_out_and_its_time_is_its_callers),
        TEST(test_lines_tell_the_state_that_most_of_their_time_was_spent_in),
        TEST(test_a_timeline_keeps_calls_apart_and_one_call_together),
        TEST(test_what_does_not_count_ends_no_call_of_a_timeline),
        TEST(test_a_timeline_folds_library_calls_too),
        TEST(test_an_inverted_tree_begins_at_the_leaves),
        TEST(test_time_in_a_folded_library_is_its_entrys_when_inverted),
        TEST(test_a_focus_cuts_stacks_off_below_its_outermost_frame),
        TEST(test_processes_and_threads_are_levels_of_their_own),
        TEST(test_nothing_selected_gives_the_root_alone),
        TEST(test_ten_thousand_frames_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
