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

/* Were each run's stack walked to its end, this would be ended for the minutes that it takes. */
static void test_a_lane_costs_what_changes_however_deep_its_stack_is(void **state)
{
    enum { depth = 1000000, runs = 60000, rows_max = 14 };
    (void)state;
    struct sl_stack_record *stacks = calloc(depth + 1, sizeof *stacks);
    struct sl_run *list = calloc(runs, sizeof *list);
    for (uint32_t i = 1; i <= depth; i++) {
        stacks[i] = (struct sl_stack_record){.caller = i - 1, .function = i == 3 ? 1 : 2, .line = 1};
    }
    for (uint32_t i = 0; i < runs; i++) {
        list[i] = (struct sl_run){.begin_ns = i * MS,
                                  .end_ns = (i + 1) * MS,
                                  .samples = 1,
                                  .stack = depth - i % 2,
                                  .state = sl_state_in_task(running, 1)};
    }
    static const struct sl_function_record functions[3];
    struct sl_thread_record thread = {.run_count = runs};
    struct sl_task_record task = {.thread = 0, .number = 1, .coroutine = 1};
    struct sl_profile profile = {.functions = functions,
                                 .function_count = 3,
                                 .stacks = stacks,
                                 .stack_count = depth + 1,
                                 .threads = &thread,
                                 .thread_count = 1,
                                 .runs = list,
                                 .run_count = runs,
                                 .tasks = &task,
                                 .task_count = 1};
    profile.facts.duration_ns = runs * MS;
    struct sl_selection selection = sl_selection_all(&profile);
    struct sl_arena arena;
    sl_arena_init(&arena);
    struct sl_frames frames;
    assert_true(sl_frames_build(&arena, &profile, NULL, &frames));
    for (uint32_t number = 0; number <= 1; number++) {
        struct sl_boxes boxes;
        struct sl_lane lane = {.thread = 0, .task = number};
        assert_true(
            sl_chart_boxes(&arena, &profile, &selection, &frames, lane, 0, runs * MS, MS / 2, rows_max, &boxes));
        assert_int_equal(boxes.count, rows_max);
        assert_int_equal(boxes.rows, number == 0 ? depth : depth - 2);
        for (uint32_t i = 0; i < boxes.count; i++) {
            assert_int_equal(boxes.boxes[i].begin_ns, 0);
            assert_int_equal(boxes.boxes[i].end_ns, runs * MS);
            assert_int_equal(frames.depths[boxes.boxes[i].frame], boxes.boxes[i].row + (number == 0 ? 1 : 3));
        }
    }
    uint32_t count = 0;
    const struct sl_task_lane *lanes = sl_chart_tasks(&arena, &profile, &selection, &frames, 0, &count);
    assert_non_null(lanes);
    assert_int_equal(count, 1);
    assert_int_equal(lanes[0].rows, depth - 2);
    sl_arena_reset(&arena);
    free(list);
    free(stacks);
}

/* The same coroutine is called from another place, then from another depth, then is not there. */
static void test_the_outermost_row_follows_the_coroutine(void **state)
{
    struct fixture *fixture = *state;
    struct builder *builder = fixture->builder;
    uint32_t thread = builder_thread(builder, 0, "worker");
    static const char *const stacks[] = {"main:1 run:2 serve:3 read:4 parse:5", "main:1 run:2 serve:3 read:4 serve:6",
                                         "main:1 serve:3 read:4", "main:1 run:2 select:9", "serve:3 read:4 parse:5"};
    static const char *const seconds[] = {"read", "read", "read", "run", "read"};
    for (uint32_t i = 0; i < 5; i++) {
        builder_ran(builder, thread, stacks[i], sl_state_in_task(running, 1), 1);
    }
    builder_task(builder, thread, 1, builder_function(builder, "serve", "/app/app.py"));
    fixture->profile = builder_profile(builder);
    assert_true(sl_frames_build(&fixture->arena, fixture->profile, NULL, &fixture->frames));
    struct sl_selection selection = sl_selection_all(fixture->profile);
    for (uint32_t i = 0; i < 5; i++) {
        /* Each by itself, and after those before it. */
        for (uint32_t from = 0; from <= i; from++) {
            struct sl_boxes boxes;
            struct sl_lane lane = {.thread = thread, .task = 1};
            assert_true(sl_chart_boxes(&fixture->arena, fixture->profile, &selection, &fixture->frames, lane, from * MS,
                                       (i + 1) * MS, 1, 2, &boxes));
            const struct sl_box *last = &boxes.boxes[boxes.count - 1];
            assert_int_equal(last->row, 0);
            assert_string_equal(name_of(fixture, fixture->frames.functions[last->frame]), i == 3 ? "main" : "serve");
            assert_int_equal(last[-1].row, 1);
            assert_string_equal(name_of(fixture, fixture->frames.functions[last[-1].frame]), seconds[i]);
        }
    }
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
        cmocka_unit_test(test_a_lane_costs_what_changes_however_deep_its_stack_is),
        cmocka_unit_test_setup_teardown(test_the_outermost_row_follows_the_coroutine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_thread_has_all_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_task_has_the_kinds_of_what_it_ran, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_mode_counts, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
