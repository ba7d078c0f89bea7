#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "python_double.h"

#include "sampler/profiler_files.h"
#include "sampler/translation.h"

struct fixture {
    struct sl_recorder *recorder;
    struct sl_python *python;
    struct sl_translation translation;
    struct sl_strand strand;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.recorder = sl_recorder_create(&(struct sl_recorder_options){.interval_ns = 1, .descriptor = -1}, NULL);
    fixture.python = sl_python_attach(NULL, NULL, NULL);
    sl_translation_init(&fixture.translation, fixture.recorder);
    sl_strand_init(&fixture.strand);
    *state = &fixture;
    return fixture.recorder == NULL || fixture.python == NULL;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    sl_strand_destroy(&fixture->strand);
    sl_translation_destroy(&fixture->translation);
    sl_python_detach(fixture->python);
    sl_recorder_destroy(fixture->recorder);
    return 0;
}

/* `frames` are given outermost first, as one reads them; walks have them the other way round. */
static sl_stack translate(struct fixture *fixture, sl_stack root, const struct sl_frame *frames, size_t count,
                          uint64_t unchanged)
{
    struct sl_frame reversed[64];
    for (size_t i = 0; i < count; i++) {
        reversed[i] = frames[count - 1 - i];
    }
    struct sl_walk walk = {.frames = reversed, .count = count, .unchanged = unchanged};
    return sl_translate(&fixture->translation, fixture->python, &fixture->strand, root, 0, &walk);
}

static sl_stack expected(struct fixture *fixture, sl_stack root, const struct sl_frame *frames, size_t count)
{
    sl_stack stack = root;
    for (size_t i = 0; i < count; i++) {
        const struct sl_code *code = sl_python_code(fixture->python, frames[i].code);
        struct sl_function_record record = {
            .name = sl_recorder_string(fixture->recorder, code->name, code->name_size),
            .file = sl_recorder_string(fixture->recorder, code->file, code->file_size),
            .first_line = code->first_line,
        };
        stack = sl_recorder_stack(fixture->recorder, stack, sl_recorder_function(fixture->recorder, record),
                                  frames[i].line);
    }
    return stack;
}

static const struct sl_frame first[] = {{0, 10}, {1, 20}, {2, 30}};
static const struct sl_frame second[] = {{0, 10}, {1, 21}, {3, 40}, {4, 50}};

static void test_a_walk_becomes_the_stack_of_its_frames(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(translate(fixture, 0, first, 3, 0), expected(fixture, 0, first, 3));
    assert_int_equal(translate(fixture, 0, second, 4, 1), expected(fixture, 0, second, 4));
    assert_int_equal(translate(fixture, 0, second, 2, 2), expected(fixture, 0, second, 2));
    assert_int_equal(translate(fixture, 0, first, 0, 0), 0);
}

static void test_frames_told_as_unchanged_are_not_translated_again(void **state)
{
    struct fixture *fixture = *state;
    sl_stack stack = translate(fixture, 0, first, 3, 0);
    /* What is unchanged is not even read: nonsense there makes no difference. */
    const struct sl_frame nonsense[] = {{9, 9}, {9, 9}, {9, 9}};
    assert_int_equal(translate(fixture, 0, nonsense, 3, 3), stack);
}

static void test_more_unchanged_frames_than_were_translated_are_not_believed(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(translate(fixture, 0, first, 3, 3), expected(fixture, 0, first, 3));
    assert_int_equal(translate(fixture, 0, first, 2, UINT64_MAX), expected(fixture, 0, first, 2));
    assert_int_equal(translate(fixture, 0, first, 3, 3), expected(fixture, 0, first, 3));
}

static void test_another_root_changes_all_of_the_stack(void **state)
{
    struct fixture *fixture = *state;
    sl_stack root = expected(fixture, 0, second, 2);
    translate(fixture, 0, first, 3, 0);
    assert_int_equal(translate(fixture, root, first, 3, 3), expected(fixture, root, first, 3));
}

static void test_a_code_object_that_is_not_known_gives_no_stack(void **state)
{
    struct fixture *fixture = *state;
    const struct sl_frame unknown[] = {{0, 10}, {4000000, 1}};
    assert_int_equal(translate(fixture, 0, unknown, 2, 0), SL_NONE);
    assert_int_equal(translate(fixture, 0, first, 3, 1), expected(fixture, 0, first, 3));
}

static void test_frames_of_the_profiler_are_left_out_where_that_is_wanted(void **state)
{
    struct fixture *fixture = *state;
    sl_profiler_files_add(sl_python_code(fixture->python, 1)->file);
    assert_int_equal(translate(fixture, 0, first, 3, 0), expected(fixture, 0, first, 3));
    fixture->translation.without_profiler = true;
    const struct sl_frame left[] = {{0, 10}, {2, 30}};
    assert_int_equal(translate(fixture, 0, first, 3, 0), expected(fixture, 0, left, 2));
    assert_int_equal(translate(fixture, 0, first, 3, 2), expected(fixture, 0, left, 2));
    assert_int_equal(translate(fixture, 0, first, 2, 2), expected(fixture, 0, left, 1));
    const struct sl_frame nameless[] = {{0, 10}, {SL_CODE_NAMELESS, 1}};
    assert_int_not_equal(translate(fixture, 0, nameless, 2, 0), expected(fixture, 0, left, 1));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_walk_becomes_the_stack_of_its_frames),
        TEST(test_frames_told_as_unchanged_are_not_translated_again),
        TEST(test_more_unchanged_frames_than_were_translated_are_not_believed),
        TEST(test_another_root_changes_all_of_the_stack),
        TEST(test_a_code_object_that_is_not_known_gives_no_stack),
        TEST(test_frames_of_the_profiler_are_left_out_where_that_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
