/* Lanes of tasks: what each ran when, from its coroutine on. */
#include "analysis/chart.h"

#include "support/profile_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

static const sl_state running = SL_STATE_KNOWN | SL_STATE_ON_CPU;
static const sl_state waiting = SL_STATE_KNOWN;

/* Two tasks of one coroutine and one of another take turns in an event loop:
 *   0      2         5        6       7        9
 *   | serve (1)  | serve (2) | loop | tidy (3) | serve (1) waits | */
struct fixture {
    struct builder *builder;
    struct sl_arena arena;
    struct sl_frames frames;
    const struct sl_profile *profile;
    struct sl_selection selection;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->builder = builder_create();
    sl_arena_init(&fixture->arena);
    struct builder *builder = fixture->builder;
    uint32_t thread = builder_thread(builder, 0, "python3");
    builder_ran(builder, thread, "main:1 run:2 serve:3 read:4 parse:5", sl_state_in_task(running, 1), 2);
    builder_ran(builder, thread, "main:1 run:2 serve:3 write:4", sl_state_in_task(running, 2), 3);
    builder_ran(builder, thread, "main:1 run:2 select:9", waiting, 1);
    builder_ran(builder, thread, "main:1 run:2 tidy:7", sl_state_in_task(running, 3), 1);
    builder_ran(builder, thread, "main:1 run:2 serve:3 read:4", sl_state_in_task(waiting, 1), 2);
    builder_task(builder, thread, 1, builder_function(builder, "serve", "/app/app.py"));
    builder_task(builder, thread, 2, builder_function(builder, "serve", "/app/app.py"));
    builder_task(builder, thread, 3, builder_function(builder, "tidy", "/app/app.py"));
    fixture->profile = builder_profile(builder);
    fixture->selection = sl_selection_all(fixture->profile);
    assert_true(sl_frames_build(&fixture->arena, fixture->profile, NULL, &fixture->frames));
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

static const struct sl_task_lane *tasks_of(struct fixture *fixture, uint32_t *count)
{
    const struct sl_task_lane *lanes =
        sl_chart_tasks(&fixture->arena, fixture->profile, &fixture->selection, &fixture->frames, 0, count);
    assert_non_null(lanes);
    return lanes;
}

static const char *name_of(const struct fixture *fixture, sl_function function)
{
    return sl_profile_text(fixture->profile, fixture->profile->functions[function].name);
}

static struct sl_boxes boxes_of(struct fixture *fixture, uint32_t task, uint32_t rows_max)
{
    struct sl_boxes boxes;
    struct sl_lane lane = {.thread = 0, .task = task};
    assert_true(sl_chart_boxes(&fixture->arena, fixture->profile, &fixture->selection, &fixture->frames, lane, 0,
                               9 * MS, 1, rows_max, &boxes));
    return boxes;
}

static void assert_box(const struct fixture *fixture, const struct sl_boxes *boxes, const char *name, uint32_t row,
                       uint64_t begin_ms, uint64_t end_ms)
{
    for (uint32_t i = 0; i < boxes->count; i++) {
        const struct sl_box *box = &boxes->boxes[i];
        if (box->begin_ns == begin_ms * MS && box->row == row) {
            assert_string_equal(name_of(fixture, fixture->frames.functions[box->frame]), name);
            assert_int_equal(box->end_ns, end_ms * MS);
            return;
        }
    }
    fail_msg("no box in row %u at %d ms", row, (int)begin_ms);
}

static void test_each_task_is_a_lane_the_longest_first(void **state)
{
    struct fixture *fixture = *state;
    uint32_t count;
    const struct sl_task_lane *lanes = tasks_of(fixture, &count);
    assert_int_equal(count, 3);
    const uint32_t numbers[] = {1, 2, 3};
    const uint64_t times_ms[] = {4, 3, 1};
    const uint32_t rows[] = {3, 2, 1};
    const char *const names[] = {"serve", "serve", "tidy"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_int_equal(lanes[i].task, numbers[i]);
        assert_int_equal(lanes[i].ns, times_ms[i] * MS);
        assert_int_equal(lanes[i].rows, rows[i]);
        assert_string_equal(name_of(fixture, lanes[i].coroutine), names[i]);
    }
}

static void test_a_lane_has_what_its_task_ran_and_nothing_below_its_coroutine(void **state)
{
    struct fixture *fixture = *state;
    struct sl_boxes boxes = boxes_of(fixture, 1, 30);
    assert_int_equal(boxes.count, 5);
    assert_int_equal(boxes.rows, 3);
    assert_box(fixture, &boxes, "serve", 0, 0, 2);
    assert_box(fixture, &boxes, "read", 1, 0, 2);
    assert_box(fixture, &boxes, "parse", 2, 0, 2);
    assert_box(fixture, &boxes, "serve", 0, 7, 9);
    assert_box(fixture, &boxes, "read", 1, 7, 9);
    boxes = boxes_of(fixture, 3, 30);
    assert_int_equal(boxes.count, 1);
    assert_box(fixture, &boxes, "tidy", 0, 6, 7);
}

static void test_a_lane_is_cut_at_the_rows_that_are_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct sl_boxes boxes = boxes_of(fixture, 1, 1);
    assert_int_equal(boxes.count, 2);
    assert_int_equal(boxes.rows, 3);
    assert_box(fixture, &boxes, "serve", 0, 0, 2);
    assert_box(fixture, &boxes, "serve", 0, 7, 9);
}

static void test_the_thread_has_all_of_it(void **state)
{
    struct fixture *fixture = *state;
    struct sl_boxes boxes = boxes_of(fixture, 0, 30);
    assert_box(fixture, &boxes, "main", 0, 0, 9);
    assert_box(fixture, &boxes, "run", 1, 0, 9);
    assert_box(fixture, &boxes, "serve", 2, 0, 5);
    assert_box(fixture, &boxes, "select", 2, 5, 6);
}

static void test_a_task_has_the_kinds_of_what_it_ran(void **state)
{
    struct fixture *fixture = *state;
    double amounts[3 * SL_KIND_COUNT] = {0};
    struct sl_lane lane = {.thread = 0, .task = 1};
    sl_chart_kinds(fixture->profile, &fixture->selection, NULL, lane, 0, 9 * MS, 3, amounts);
    assert_int_equal(amounts[SL_KIND_NATIVE], 2 * MS);
    assert_int_equal(amounts[2 * SL_KIND_COUNT + SL_KIND_CALL], 2 * MS);
    double sum = 0;
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        sum += amounts[i];
    }
    assert_int_equal(sum, 4 * MS);
}

static void test_the_mode_counts(void **state)
{
    struct fixture *fixture = *state;
    fixture->selection.mode = SL_MODE_CPU;
    uint32_t count;
    const struct sl_task_lane *lanes = tasks_of(fixture, &count);
    assert_int_equal(count, 3);
    assert_int_equal(lanes[0].task, 2);
    assert_int_equal(lanes[1].task, 1);
    assert_int_equal(lanes[1].ns, 2 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_task_is_a_lane_the_longest_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_lane_has_what_its_task_ran_and_nothing_below_its_coroutine, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_lane_is_cut_at_the_rows_that_are_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_thread_has_all_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_task_has_the_kinds_of_what_it_ran, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_mode_counts, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
