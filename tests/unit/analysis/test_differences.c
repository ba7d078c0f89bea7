#include "analysis/differences.h"
#include "analysis/roles.h"

#include "support/profile_builder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const sl_state running = SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL;
static const sl_state waiting = SL_STATE_KNOWN;

/* Two recordings, each of one thread. */
struct pair {
    struct builder *builders[SL_SIDES];
    struct sl_arena arena;
};

static int set_up(void **state)
{
    static struct pair pair;
    sl_arena_init(&pair.arena);
    for (int which = 0; which < SL_SIDES; which++) {
        pair.builders[which] = builder_create();
        builder_thread(pair.builders[which], 0, "");
    }
    *state = &pair;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    sl_arena_reset(&pair->arena);
    builder_destroy(pair->builders[SL_BEFORE]);
    builder_destroy(pair->builders[SL_AFTER]);
    return 0;
}

static void ran(struct pair *pair, int which, const char *frames, uint32_t milliseconds)
{
    builder_ran(pair->builders[which], 0, frames, running, milliseconds);
}

static const struct sl_differences *compare(struct pair *pair, bool shares)
{
    struct sl_side sides[SL_SIDES] = {0};
    for (int which = 0; which < SL_SIDES; which++) {
        sides[which].profile = builder_profile(pair->builders[which]);
        sides[which].selection = sl_selection_all(sides[which].profile);
    }
    const struct sl_differences_options options = {
        .shares = shares, .without_idle = true, .functions = true, .trees = true};
    const struct sl_differences *differences = sl_differences(&pair->arena, sides, &options);
    assert_non_null(differences);
    return differences;
}

static const char *name_of(struct pair *pair, const sl_function functions[SL_SIDES])
{
    int which = functions[SL_AFTER] != SL_NONE ? SL_AFTER : SL_BEFORE;
    const struct sl_profile *profile = builder_profile(pair->builders[which]);
    return functions[which] != SL_NONE ? sl_profile_text(profile, profile->functions[functions[which]].name) : "";
}

static const struct sl_function_difference *function_named(struct pair *pair, const struct sl_differences *differences,
                                                           const char *name)
{
    uint32_t place = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < differences->function_count; i++) {
        if (strcmp(name_of(pair, differences->functions[i].functions), name) == 0) {
            place = i;
            count++;
        }
    }
    assert_int_equal(count, 1);
    return &differences->functions[place];
}

static uint32_t child_named(struct pair *pair, const struct sl_differences *differences, uint32_t parent,
                            const char *name)
{
    uint32_t child = differences->nodes[parent].first_child;
    while (child != SL_NONE && strcmp(name_of(pair, differences->nodes[child].functions), name) != 0) {
        child = differences->nodes[child].next_sibling;
    }
    assert_true(child < differences->node_count);
    const struct sl_node_difference *node = differences->nodes + child;
    assert_int_equal(node->parent, parent);
    assert_int_equal(node->depth, differences->nodes[parent].depth + 1);
    return child;
}

static void assert_ms(const struct sl_amount amounts[SL_SIDES], uint64_t before, uint64_t after)
{
    assert_int_equal(amounts[SL_BEFORE].ns, before * 1000000);
    assert_int_equal(amounts[SL_AFTER].ns, after * 1000000);
}

static void test_functions_of_both_are_laid_side_by_side(void **state)
{
    struct pair *pair = *state;
    ran(pair, SL_BEFORE, "main:1 parse:5", 30);
    ran(pair, SL_BEFORE, "main:2 gone:9", 10);
    ran(pair, SL_AFTER, "main:7 new:3", 5);
    ran(pair, SL_AFTER, "main:8 parse:11", 20);
    const struct sl_differences *differences = compare(pair, false);
    assert_int_equal(differences->function_count, 4);
    const struct sl_function_difference *main = function_named(pair, differences, "main");
    assert_ms(main->self, 0, 0);
    assert_ms(main->total, 40, 25);
    assert_ms(function_named(pair, differences, "parse")->self, 30, 20);
    const struct sl_function_difference *gone = function_named(pair, differences, "gone");
    assert_ms(gone->self, 10, 0);
    assert_int_equal(gone->functions[SL_AFTER], SL_NONE);
    const struct sl_function_difference *new = function_named(pair, differences, "new");
    assert_ms(new->self, 0, 5);
    assert_int_equal(new->functions[SL_BEFORE], SL_NONE);
    assert_int_equal(differences->measure.wholes[SL_BEFORE].ns, 40000000);
    assert_int_equal(differences->measure.wholes[SL_AFTER].ns, 25000000);
}

static void test_a_function_that_moved_is_the_same(void **state)
{
    struct pair *pair = *state;
    /* Other numbers of functions, another folder that both know as the program's, another line. */
    sl_function before = builder_function(pair->builders[SL_BEFORE], "work", "/old/shop.py");
    builder_process_record(pair->builders[SL_BEFORE], 0)->path = builder_string(pair->builders[SL_BEFORE], "/old");
    builder_function(pair->builders[SL_AFTER], "something", "/new/else.py");
    sl_function after = builder_function(pair->builders[SL_AFTER], "work", "/new/shop.py");
    builder_process_record(pair->builders[SL_AFTER], 0)->path = builder_string(pair->builders[SL_AFTER], "/new");
    builder_run(pair->builders[SL_BEFORE], 0, builder_stack(pair->builders[SL_BEFORE], 0, before, 3), running, 0,
                4000000, 4);
    builder_run(pair->builders[SL_AFTER], 0, builder_stack(pair->builders[SL_AFTER], 0, after, 30), running, 0, 9000000,
                9);
    const struct sl_differences *differences = compare(pair, false);
    assert_int_equal(differences->function_count, 1);
    assert_ms(differences->functions[0].self, 4, 9);
    assert_int_equal(differences->node_count, 2);
}

static void test_functions_of_other_files_are_others(void **state)
{
    struct pair *pair = *state;
    sl_function before = builder_function(pair->builders[SL_BEFORE], "work", "/app/a.py");
    sl_function after = builder_function(pair->builders[SL_AFTER], "work", "/app/b.py");
    builder_run(pair->builders[SL_BEFORE], 0, builder_stack(pair->builders[SL_BEFORE], 0, before, 3), running, 0,
                4000000, 4);
    builder_run(pair->builders[SL_AFTER], 0, builder_stack(pair->builders[SL_AFTER], 0, after, 3), running, 0, 4000000,
                4);
    assert_int_equal(compare(pair, false)->function_count, 2);
}

static void test_namesakes_count_once_where_one_calls_the_other(void **state)
{
    struct pair *pair = *state;
    struct builder *builder = pair->builders[SL_BEFORE];
    sl_function outer = builder_function(builder, "outer.<lambda>", "/app/app.py");
    sl_function inner = builder_namesake(builder, "outer.<lambda>", "/app/app.py", 20);
    sl_stack stack = builder_stack(builder, builder_stack(builder, 0, outer, 1), inner, 2);
    builder_run(builder, 0, stack, running, 0, 5000000, 5);
    ran(pair, SL_AFTER, "main:1", 1);
    const struct sl_function_difference *lambda = function_named(pair, compare(pair, false), "outer.<lambda>");
    assert_ms(lambda->total, 5, 0);
    assert_ms(lambda->self, 5, 0);
}

static void test_trees_are_laid_on_top_of_each_other(void **state)
{
    struct pair *pair = *state;
    ran(pair, SL_BEFORE, "main:1 load:2 parse:3", 10);
    ran(pair, SL_BEFORE, "main:1 show:2", 10);
    ran(pair, SL_BEFORE, "main:1", 3);
    ran(pair, SL_AFTER, "main:1 show:2 parse:9", 40);
    ran(pair, SL_AFTER, "main:1 load:2 parse:3", 12);
    ran(pair, SL_AFTER, "main:1", 1);
    const struct sl_differences *differences = compare(pair, false);
    assert_int_equal(differences->nodes[0].parent, SL_NONE);
    assert_ms(differences->nodes[0].total, 23, 53);
    uint32_t main = child_named(pair, differences, 0, "main");
    assert_ms(differences->nodes[main].self, 3, 1);
    uint32_t load = child_named(pair, differences, main, "load");
    uint32_t show = child_named(pair, differences, main, "show");
    assert_ms(differences->nodes[load].total, 10, 12);
    assert_ms(differences->nodes[show].total, 10, 40);
    assert_ms(differences->nodes[show].self, 10, 0);
    /* The same function elsewhere is another call. */
    assert_ms(differences->nodes[child_named(pair, differences, load, "parse")].total, 10, 12);
    uint32_t under_show = child_named(pair, differences, show, "parse");
    assert_ms(differences->nodes[under_show].total, 0, 40);
    assert_int_equal(differences->nodes[under_show].functions[SL_BEFORE], SL_NONE);
    assert_int_equal(differences->node_count, 6);
    /* What changed most comes first. */
    assert_int_equal(differences->nodes[main].first_child, show);
    assert_int_equal(differences->nodes[show].next_sibling, load);
    for (uint32_t i = 1; i < differences->node_count; i++) {
        assert_true(differences->nodes[i].parent < i);
    }
}

static void test_what_changed_most_may_be_another_by_shares(void **state)
{
    struct pair *pair = *state;
    /* Twice as long: `wide` has 500 ms more, and one hundredth less of the time. */
    ran(pair, SL_BEFORE, "wide:1", 510);
    ran(pair, SL_BEFORE, "small:1", 10);
    ran(pair, SL_BEFORE, "rest:1", 480);
    ran(pair, SL_AFTER, "wide:1", 1010);
    ran(pair, SL_AFTER, "small:1", 200);
    ran(pair, SL_AFTER, "rest:1", 790);
    const struct sl_differences *differences = compare(pair, false);
    assert_string_equal(name_of(pair, differences->nodes[differences->nodes[0].first_child].functions), "wide");
    differences = compare(pair, true);
    assert_string_equal(name_of(pair, differences->nodes[differences->nodes[0].first_child].functions), "small");
}

/* Evenly between 0 and 1. */
static double drawn(uint64_t *state_of_chance)
{
    uint64_t value = *state_of_chance += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((value ^ (value >> 31)) >> 11) / 9007199254740992.0;
}

/* A second of looks on either side. */
static struct sl_measure second_of_looks(uint64_t looks, uint32_t threads)
{
    return (struct sl_measure){.wholes = {{1000000000, looks}, {1000000000, looks}}, .threads = {threads, threads}};
}

/* How many of `pairs` of recordings in which nothing changed seem to have changed for certain. Each of the threads is in the
 * function for `share` of the time: all at the same times, or each at its own. */
static unsigned seem_changed(unsigned pairs, uint32_t threads, double share, bool together)
{
    uint64_t state_of_chance = 42;
    unsigned certain = 0;
    const struct sl_measure measure = second_of_looks(1000, threads);
    for (unsigned pair = 0; pair < pairs; pair++) {
        struct sl_amount amounts[SL_SIDES] = {{0}};
        for (uint32_t draw = 0; draw < SL_SIDES * 1000 * (together ? 1 : threads); draw++) {
            struct sl_amount *amount = &amounts[draw % SL_SIDES];
            uint64_t seen = drawn(&state_of_chance) < share ? (together ? threads : 1) : 0;
            amount->samples += seen;
            amount->ns += seen * 1000000;
        }
        certain += sl_change_is_certain(&measure, sl_change(&measure, amounts));
    }
    return certain;
}

/* The source of chance is the same each time. */
static void test_chance_is_not_certain(void **state)
{
    (void)state;
    assert_true(seem_changed(300, 1, 0.3, true) <= 3);
    assert_true(seem_changed(300, 1, 0.01, true) <= 3);
    /* Shares of several threads that add up to about one. */
    assert_true(seem_changed(100, 8, 0.125, false) <= 1);
    assert_true(seem_changed(100, 8, 0.125, true) <= 2);
    assert_true(seem_changed(100, 2, 0.45, false) <= 1);
    assert_true(seem_changed(100, 8, 0.5, true) <= 2);
}

static void test_what_changed_is_certain_once_it_was_looked_at_often_enough(void **state)
{
    (void)state;
    /* 20 % against 30 %. */
    struct sl_amount amounts[SL_SIDES] = {{200000000, 10}, {300000000, 15}};
    struct sl_measure measure = second_of_looks(50, 1);
    assert_false(sl_change_is_certain(&measure, sl_change(&measure, amounts)));
    measure = second_of_looks(2000, 1);
    amounts[SL_BEFORE].samples = 400;
    amounts[SL_AFTER].samples = 600;
    struct sl_change change = sl_change(&measure, amounts);
    assert_true(sl_change_is_certain(&measure, change));
    assert_true(fabs(change.amount - 1e8) < 1);
    /* sqrt(0.2 * 0.8 / 2000 + 0.3 * 0.7 / 2000) of a second */
    assert_true(fabs(change.error - 0.013601e9) < 0.00001e9);
    measure.shares = true;
    change = sl_change(&measure, amounts);
    assert_true(fabs(change.amount - 0.1) < 1e-9);
    assert_true(fabs(change.error - 0.013601) < 0.00001);
    /* Where so many looks were late, nothing is. */
    measure.late = true;
    assert_false(sl_change_is_certain(&measure, change));
}

/* Looks that stand for more than others say less: 300 ms in three of them. */
static void test_few_looks_for_much_time_are_few(void **state)
{
    (void)state;
    const struct sl_measure measure = second_of_looks(1000, 1);
    const struct sl_amount amounts[SL_SIDES] = {{100000000, 100}, {300000000, 3}};
    assert_false(sl_change_is_certain(&measure, sl_change(&measure, amounts)));
}

static void test_shares_do_not_change_with_the_length(void **state)
{
    (void)state;
    const struct sl_amount amounts[SL_SIDES] = {{100000000, 100}, {1000000000, 1000}};
    struct sl_measure measure = {.wholes = {{1000000000, 1000}, {UINT64_C(10000000000), 10000}}, .threads = {1, 1}};
    assert_true(sl_change_is_certain(&measure, sl_change(&measure, amounts)));
    measure.shares = true;
    assert_false(sl_change_is_certain(&measure, sl_change(&measure, amounts)));
}

static void test_what_several_threads_did_is_known(void **state)
{
    (void)state;
    /* Of ten threads eight were busy all the time, and then five. */
    const struct sl_amount amounts[SL_SIDES] = {{UINT64_C(8000000000), 8000}, {UINT64_C(5000000000), 5000}};
    const struct sl_measure measure = second_of_looks(1000, 10);
    struct sl_change change = sl_change(&measure, amounts);
    assert_true(change.error > 0 && isfinite(change.error));
    assert_true(sl_change_is_certain(&measure, change));
}

static void test_folded_stacks_are_exact(void **state)
{
    struct pair *pair = *state;
    for (int which = 0; which < SL_SIDES; which++) {
        ran(pair, which, "main:1", which == SL_BEFORE ? 3 : 4);
        builder_facts(pair->builders[which])->interval_ns = SL_INTERVAL_UNKNOWN;
        builder_facts(pair->builders[which])->looks = 0;
    }
    const struct sl_differences *differences = compare(pair, false);
    assert_true(
        sl_change_is_certain(&differences->measure, sl_change(&differences->measure, differences->functions[0].self)));
}

/* A worker that only waited in one of the recordings is compared with what it did in the other. */
static void test_threads_that_only_waited_are_left_out_of_both_or_none(void **state)
{
    struct pair *pair = *state;
    for (int which = 0; which < SL_SIDES; which++) {
        struct builder *builder = pair->builders[which];
        bool idle = which == SL_BEFORE;
        uint32_t worker = builder_thread(builder, 0, "");
        uint32_t sleeper = builder_thread(builder, 0, "");
        builder_ran(builder, 0, "main:1", running, 100);
        builder_ran(builder, worker, idle ? "work:1 get:5" : "work:1", idle ? waiting : running, 100);
        builder_thread_record(builder, worker)->cpu_ns = idle ? 0 : 100000000;
        builder_ran(builder, sleeper, "doze:1", waiting, 100);
    }
    const struct sl_differences *differences = compare(pair, false);
    assert_ms(function_named(pair, differences, "work")->total, 100, 100);
    assert_ms(function_named(pair, differences, "get")->total, 100, 0);
    for (uint32_t i = 0; i < differences->function_count; i++) {
        assert_string_not_equal(name_of(pair, differences->functions[i].functions), "doze");
    }
    assert_int_equal(differences->idle[SL_BEFORE], 1);
    assert_int_equal(differences->idle[SL_AFTER], 1);
    assert_int_equal(differences->measure.threads[SL_BEFORE], 1);
    assert_int_equal(differences->measure.threads[SL_AFTER], 2);
}

/* A module that lies beside the program before, and among the libraries after. */
static void test_own_code_of_one_recording_is_own_code_of_both(void **state)
{
    struct pair *pair = *state;
    uint8_t roles[SL_SIDES][8] = {{0}};
    struct sl_side sides[SL_SIDES] = {0};
    for (int which = 0; which < SL_SIDES; which++) {
        ran(pair, which, "main:1 outer:2 inner:3", 10);
        sides[which].profile = builder_profile(pair->builders[which]);
        sides[which].selection = sl_selection_all(sides[which].profile);
        sides[which].roles = roles[which];
    }
    memset(&roles[SL_AFTER][2], SL_ROLE_LIBRARY, 6);
    const struct sl_differences_options options = {.trees = true};
    const struct sl_differences *differences = sl_differences(&pair->arena, sides, &options);
    assert_non_null(differences);
    assert_int_equal(differences->node_count, 4);
    assert_ms(differences->nodes[3].self, 10, 10);
}

static void test_many_functions_with_one_long_name_are_told_apart_by_their_files(void **state)
{
    struct pair *pair = *state;
    enum { functions = 3000 };
    char *name = malloc(200001);
    memset(name, 'n', 200000);
    name[200000] = '\0';
    for (int which = 0; which < SL_SIDES; which++) {
        for (uint32_t i = 0; i < functions; i++) {
            char file[32];
            snprintf(file, sizeof file, "/app/f%u.py", i);
            sl_function function = builder_namesake(pair->builders[which], name, file, 1);
            builder_run(pair->builders[which], 0, builder_stack(pair->builders[which], 0, function, 1), running,
                        i * UINT64_C(1000000), (i + 1) * UINT64_C(1000000), 1);
        }
    }
    free(name);
    assert_int_equal(compare(pair, false)->function_count, functions);
}

static void test_recordings_without_samples_have_no_differences(void **state)
{
    struct pair *pair = *state;
    const struct sl_differences *differences = compare(pair, true);
    assert_int_equal(differences->function_count, 0);
    assert_int_equal(differences->node_count, 1);
    assert_false(
        sl_change_is_certain(&differences->measure, sl_change(&differences->measure, differences->nodes[0].total)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_functions_of_both_are_laid_side_by_side, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_function_that_moved_is_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_functions_of_other_files_are_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_namesakes_count_once_where_one_calls_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_trees_are_laid_on_top_of_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_changed_most_may_be_another_by_shares, set_up, tear_down),
        cmocka_unit_test(test_chance_is_not_certain),
        cmocka_unit_test(test_what_changed_is_certain_once_it_was_looked_at_often_enough),
        cmocka_unit_test(test_few_looks_for_much_time_are_few),
        cmocka_unit_test(test_shares_do_not_change_with_the_length),
        cmocka_unit_test(test_what_several_threads_did_is_known),
        cmocka_unit_test_setup_teardown(test_folded_stacks_are_exact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads_that_only_waited_are_left_out_of_both_or_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_code_of_one_recording_is_own_code_of_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_functions_with_one_long_name_are_told_apart_by_their_files, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_recordings_without_samples_have_no_differences, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("differences", tests, NULL, NULL);
}
