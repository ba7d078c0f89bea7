#include "analysis/selection.h"

#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const sl_state running = SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL;
static const sl_state waiting = SL_STATE_KNOWN;

static int set_up(void **state)
{
    struct builder *builder = builder_create();
    builder_thread(builder, 0, "");
    builder_thread(builder, 0, "");
    *state = builder;
    return 0;
}

static int tear_down(void **state)
{
    builder_destroy(*state);
    return 0;
}

static struct sl_amount sum(struct builder *builder, const struct sl_selection *selection, uint32_t thread)
{
    const struct sl_profile *profile = builder_profile(builder);
    struct sl_amount *self = calloc(profile->stack_count, sizeof *self);
    struct sl_amount total = sl_stack_amounts(profile, selection, thread, self);
    struct sl_amount added = {0};
    for (sl_stack stack = 0; stack < profile->stack_count; stack++) {
        sl_amount_add(&added, self[stack]);
    }
    assert_int_equal(added.ns, total.ns);
    assert_int_equal(added.samples, total.samples);
    free(self);
    return total;
}

static void test_the_whole_recording_has_every_sample(void **state)
{
    struct builder *builder = *state;
    builder_ran(builder, 0, "main:1", running, 4);
    builder_run(builder, 0, builder_stack_named(builder, "main:2"), running, 4000000, 4000000, 2);
    builder_ran(builder, 1, "work:1", running, 3);
    struct sl_selection selection = sl_selection_all(builder_profile(builder));
    assert_int_equal(sum(builder, &selection, SL_NONE).ns, 7000000);
    assert_int_equal(sum(builder, &selection, SL_NONE).samples, 9);
    assert_int_equal(sum(builder, &selection, 1).samples, 3);
    /* A trace that was cut off may not know how long it is. */
    builder_facts(builder)->duration_ns = 1000000;
    selection = sl_selection_all(builder_profile(builder));
    assert_int_equal(selection.end_ns, 4000000);
}

static void test_a_run_that_is_cut_counts_in_proportion(void **state)
{
    struct builder *builder = *state;
    builder_run(builder, 0, builder_stack_named(builder, "main:1"), running, 1000, 2000, 10);
    struct sl_selection selection = {.begin_ns = 1500, .end_ns = 1700};
    assert_int_equal(sum(builder, &selection, SL_NONE).ns, 200);
    assert_int_equal(sum(builder, &selection, SL_NONE).samples, 2);
    selection = (struct sl_selection){.begin_ns = 0, .end_ns = 1000};
    assert_int_equal(sum(builder, &selection, SL_NONE).samples, 0);
    selection = (struct sl_selection){.begin_ns = 2000, .end_ns = UINT64_MAX};
    assert_int_equal(sum(builder, &selection, SL_NONE).samples, 0);
    selection = (struct sl_selection){.begin_ns = 1999, .end_ns = 1};
    assert_int_equal(sum(builder, &selection, SL_NONE).ns, 0);
    selection = (struct sl_selection){.begin_ns = 1000, .end_ns = 1096};
    assert_int_equal(sum(builder, &selection, SL_NONE).samples, 1);
}

static void test_neighbouring_ranges_add_up_to_both(void **state)
{
    struct builder *builder = *state;
    /* Longer than 32 bits of nanoseconds, so that the arithmetic has to cope. */
    uint64_t lengths[] = {7, 1000, 12345678901, UINT64_MAX / 3};
    for (size_t i = 0; i < 4; i++) {
        uint64_t begin_ns = builder_thread_record(builder, 0)->end_ns;
        builder_run(builder, 0, builder_stack_named(builder, "main:1"), running, begin_ns, begin_ns + lengths[i],
                    i == 2 ? UINT32_MAX : 13);
    }
    struct sl_selection all = sl_selection_all(builder_profile(builder));
    struct sl_amount whole = sum(builder, &all, SL_NONE);
    struct sl_amount parts = {0};
    uint64_t step = all.end_ns / 997 + 1;
    for (uint64_t at = 0; at < all.end_ns; at += step) {
        struct sl_selection part = {.begin_ns = at, .end_ns = at + step < all.end_ns ? at + step : all.end_ns};
        sl_amount_add(&parts, sum(builder, &part, SL_NONE));
    }
    assert_int_equal(parts.ns, whole.ns);
    assert_int_equal(parts.samples, whole.samples);
    assert_int_equal(whole.samples, 3 * 13 + (uint64_t)UINT32_MAX);
}

static void test_a_state_that_is_not_known_counts_as_cpu_but_not_as_the_gil(void **state)
{
    struct builder *builder = *state;
    builder_ran(builder, 0, "main:1", running, 1);
    builder_ran(builder, 0, "main:1", waiting, 2);
    builder_ran(builder, 0, "main:1", 0, 4);
    builder_ran(builder, 0, "main:1", SL_STATE_KNOWN | SL_STATE_ON_CPU, 8);
    struct sl_selection selection = sl_selection_all(builder_profile(builder));
    assert_int_equal(sum(builder, &selection, SL_NONE).samples, 15);
    selection.mode = SL_MODE_CPU;
    assert_int_equal(sum(builder, &selection, SL_NONE).samples, 13);
    selection.mode = SL_MODE_GIL;
    assert_int_equal(sum(builder, &selection, SL_NONE).samples, 1);
}

static void test_only_stacks_with_a_chosen_function_count(void **state)
{
    struct builder *builder = *state;
    builder_ran(builder, 0, "main:1", running, 1);
    builder_ran(builder, 0, "main:1 work:2", running, 2);
    builder_ran(builder, 0, "main:1 work:2 leaf:3", running, 4);
    builder_ran(builder, 0, "main:1 leaf:3", running, 8);
    builder_run(builder, 0, 0, running, 15000000, 16000000, 1);
    uint8_t functions[8] = {0};
    functions[builder_function(builder, "work", "/app/app.py")] = 1;
    struct sl_selection selection = sl_selection_all(builder_profile(builder));
    selection.functions = functions;
    assert_int_equal(sum(builder, &selection, SL_NONE).samples, 6);
    struct sl_arena arena;
    sl_arena_init(&arena);
    const uint8_t *stacks = sl_selection_stacks(&arena, builder_profile(builder), &selection);
    assert_false(stacks[0]);
    assert_false(stacks[builder_stack_named(builder, "main:1")]);
    assert_true(stacks[builder_stack_named(builder, "main:1 work:2 leaf:3")]);
    sl_arena_reset(&arena);
}

static void test_only_chosen_threads_count(void **state)
{
    struct builder *builder = *state;
    builder_ran(builder, 0, "main:1", running, 1);
    builder_ran(builder, 1, "main:1", running, 2);
    struct sl_selection selection = sl_selection_all(builder_profile(builder));
    selection.threads = (const uint8_t[]){0, 1};
    assert_int_equal(sum(builder, &selection, SL_NONE).samples, 2);
    assert_int_equal(sum(builder, &selection, 0).samples, 0);
}

static void test_a_share_has_the_standard_error_of_a_proportion(void **state)
{
    (void)state;
    struct sl_amount whole = {.ns = 1000, .samples = 100};
    assert_float_equal(sl_standard_error((struct sl_amount){.ns = 500, .samples = 50}, whole), 0.05, 1e-6);
    assert_float_equal(sl_standard_error((struct sl_amount){.ns = 100, .samples = 10}, whole), 0.03, 1e-6);
    assert_float_equal(sl_standard_error((struct sl_amount){.ns = 0}, whole), 0.01, 1e-6);
    assert_float_equal(sl_standard_error(whole, whole), 0.01, 1e-6);
    assert_float_equal(sl_standard_error((struct sl_amount){0}, (struct sl_amount){0}), 0, 1e-6);
}

static void test_looks_are_even_unless_slots_became_longer(void **state)
{
    struct builder *builder = *state;
    struct sl_facts *facts = builder_facts(builder);
    struct sl_thread_record *thread = builder_thread_record(builder, 0);
    facts->interval_ns = 1000000;
    facts->duration_ns = 4000000000;
    facts->looks = 500;
    facts->late = 500;
    assert_false(sl_is_uneven(builder_profile(builder)));
    thread->kind = SL_THREAD_SCOPE;
    assert_true(sl_is_uneven(builder_profile(builder)));
    facts->late = 3500;
    assert_false(sl_is_uneven(builder_profile(builder)));
    facts->late = 0;
    facts->interval_ns = SL_INTERVAL_UNKNOWN;
    assert_false(sl_is_uneven(builder_profile(builder)));
}

static void test_samples_of_different_weight_tell_as_much_as_fewer(void **state)
{
    struct builder *builder = *state;
    struct sl_facts *facts = builder_facts(builder);
    facts->looks = 500;
    assert_float_equal(sl_evenness(builder_profile(builder)), 1, 1e-6);
    facts->even_looks = 500;
    assert_float_equal(sl_evenness(builder_profile(builder)), 1, 1e-6);
    facts->even_looks = 125;
    assert_float_equal(sl_evenness(builder_profile(builder)), 0.25, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_the_whole_recording_has_every_sample),
        TEST(test_a_run_that_is_cut_counts_in_proportion),
        TEST(test_neighbouring_ranges_add_up_to_both),
        TEST(test_a_state_that_is_not_known_counts_as_cpu_but_not_as_the_gil),
        TEST(test_only_stacks_with_a_chosen_function_count),
        TEST(test_only_chosen_threads_count),
        TEST(test_a_share_has_the_standard_error_of_a_proportion),
        TEST(test_looks_are_even_unless_slots_became_longer),
        TEST(test_samples_of_different_weight_tell_as_much_as_fewer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
