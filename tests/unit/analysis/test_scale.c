/* What grows with a recording must grow with it linearly: a million of everything, and what a hostile one could ask. */
#include "analysis/call_tree.h"
#include "analysis/functions.h"
#include "analysis/roles.h"
#include "analysis/thread_summary.h"
#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const sl_state running = SL_STATE_KNOWN | SL_STATE_ON_CPU;

static const struct sl_call_tree *tree(struct sl_arena *arena, struct builder *builder,
                                       struct sl_call_tree_options options)
{
    const struct sl_profile *profile = builder_profile(builder);
    struct sl_selection all = sl_selection_all(profile);
    const struct sl_call_tree *built = sl_call_tree_build(arena, profile, &all, &options);
    assert_non_null(built);
    assert_int_equal(built->nodes[0].total.samples, builder_facts(builder)->samples);
    return built;
}

/* A node of a tree in which every node has ten children. */
static sl_stack spread(struct builder *builder, uint32_t number, const sl_function *functions)
{
    sl_stack stack = 0;
    do {
        stack = builder_stack(builder, stack, functions[number % 10], 1);
        number /= 10;
    } while (number > 0);
    return stack;
}

static void ten_functions(struct builder *builder, sl_function *functions)
{
    for (int i = 0; i < 10; i++) {
        char name[] = {(char)('a' + i), '\0'};
        functions[i] = builder_function(builder, name, "/app/app.py");
    }
}

static void test_a_million_nodes(void **state)
{
    (void)state;
    struct builder *builder = builder_create();
    sl_function functions[10];
    ten_functions(builder, functions);
    builder_thread(builder, 0, "");
    for (uint32_t i = 0; i < 900000; i++) {
        builder_run(builder, 0, spread(builder, 100000 + i, functions), running, i, i + 1, 1);
    }
    struct sl_arena arena;
    sl_arena_init(&arena);
    const struct sl_call_tree *built = tree(&arena, builder, (struct sl_call_tree_options){.focus = SL_NONE});
    assert_int_equal(built->node_count, 1 + 111110 + 900000);
    sl_arena_reset(&arena);
    built = tree(&arena, builder, (struct sl_call_tree_options){.focus = SL_NONE, .timeline = true});
    assert_true(built->node_count > 900000);
    sl_arena_reset(&arena);
    uint32_t count;
    struct sl_selection all = sl_selection_all(builder_profile(builder));
    sl_function_totals(&arena, NULL, builder_profile(builder), &all, &count);
    assert_int_equal(count, 10);
    sl_arena_reset(&arena);
    builder_destroy(builder);
}

static void test_a_thousand_threads_of_one_deep_stack(void **state)
{
    (void)state;
    struct builder *builder = builder_create();
    sl_function functions[10];
    ten_functions(builder, functions);
    sl_stack stack = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        stack = builder_stack(builder, stack, functions[i % 10], i);
    }
    /* Many stacks that most threads never see must not cost each thread something. */
    for (uint32_t i = 0; i < 200000; i++) {
        spread(builder, i, functions);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        builder_thread(builder, 0, "");
        builder_run(builder, i, stack, running, 0, 1000, 1);
    }
    struct sl_arena arena;
    sl_arena_init(&arena);
    const struct sl_call_tree *built =
        tree(&arena, builder, (struct sl_call_tree_options){.focus = SL_NONE, .by_thread = true});
    assert_int_equal(built->node_count, 1 + 1000 * 1001);
    struct sl_selection all = sl_selection_all(builder_profile(builder));
    uint32_t count;
    sl_thread_summaries(&arena, builder_profile(builder), &all, &count);
    assert_int_equal(count, 1000);
    sl_arena_reset(&arena);
    builder_destroy(builder);
}

static void test_a_tree_has_a_largest_size_and_loses_no_time_at_it(void **state)
{
    (void)state;
    struct builder *builder = builder_create();
    sl_function functions[10];
    ten_functions(builder, functions);
    builder_thread(builder, 0, "");
    /* Two stacks 10,000 deep in turn: each run of a timeline is 10,000 new calls. */
    sl_stack stacks[2] = {0, 0};
    for (uint32_t i = 0; i < 10000; i++) {
        stacks[0] = builder_stack(builder, stacks[0], functions[0], 1);
        stacks[1] = builder_stack(builder, stacks[1], functions[1], 1);
    }
    for (uint32_t i = 0; i < 300; i++) {
        builder_run(builder, 0, stacks[i % 2], running, i, i + 1, 1);
    }
    struct sl_arena arena;
    sl_arena_init(&arena);
    const struct sl_call_tree *built =
        tree(&arena, builder, (struct sl_call_tree_options){.focus = SL_NONE, .timeline = true});
    assert_int_equal(built->node_count, SL_CALL_TREE_NODES_MAX);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < built->node_count; i++) {
        sum += built->nodes[i].self.ns + built->nodes[i].hidden.ns;
    }
    assert_int_equal(sum, 300);
    assert_int_equal(built->nodes[0].total.ns, 300);
    sl_arena_reset(&arena);
    builder_destroy(builder);
}

static void test_any_number_of_states(void **state)
{
    (void)state;
    struct builder *builder = builder_create();
    builder_thread(builder, 0, "");
    sl_stack stack = builder_stack_named(builder, "main:1");
    const sl_state most = SL_STATE_KNOWN | SL_STATE_ON_CPU;
    for (uint32_t i = 0; i < 200000; i++) {
        sl_state other = sl_state_in_task(sl_state_in_call(SL_STATE_KNOWN, i / 2 % 60000), i % SL_STATE_TASK_MAX);
        builder_run(builder, 0, stack, i % 4 == 3 ? most : other, i, i + 1, 1);
    }
    struct sl_arena arena;
    sl_arena_init(&arena);
    const struct sl_call_tree *built = tree(&arena, builder, (struct sl_call_tree_options){.focus = SL_NONE});
    assert_int_equal(built->lines[0].state, most);
    assert_int_equal(built->lines[0].self.ns, 200000);
    sl_arena_reset(&arena);
    builder_destroy(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_million_nodes),
        cmocka_unit_test(test_a_thousand_threads_of_one_deep_stack),
        cmocka_unit_test(test_a_tree_has_a_largest_size_and_loses_no_time_at_it),
        cmocka_unit_test(test_any_number_of_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
