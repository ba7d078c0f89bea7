/* What a recording tells as the stem of a thread, a reader leaves out. */
#include "profile/profile_builder.h"
#include "profile/recorder.h"
#include "profile/trace_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static sl_stack push(struct sl_recorder *recorder, sl_stack caller, const char *name)
{
    const struct sl_function_record record = {.name = sl_recorder_string(recorder, name, 1)};
    return sl_recorder_stack(recorder, caller, sl_recorder_function(recorder, record), 1);
}

/* The names of a stack's functions, the outermost first. */
static void assert_stack(const struct sl_profile *profile, const char *names, sl_stack stack)
{
    for (size_t i = strlen(names); i > 0; i--) {
        assert_int_not_equal(stack, 0);
        const struct sl_function_record *function = &profile->functions[profile->stacks[stack].function];
        assert_int_equal(sl_profile_text(profile, function->name)[0], names[i - 1]);
        stack = profile->stacks[stack].caller;
    }
    assert_int_equal(stack, 0);
}

static void test_it_is_left_out_of_what_was_seen_before_and_after(void **state)
{
    (void)state;
    const struct sl_recorder_options options = {.interval_ns = 1000, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    assert_non_null(recorder);
    uint32_t process = sl_recorder_process(recorder, &(struct sl_process_record){.pid = 7});
    uint32_t one = sl_recorder_thread(recorder, &(struct sl_thread_record){.process = process, .id = 7});
    uint32_t other = sl_recorder_thread(recorder, &(struct sl_thread_record){.process = process, .id = 8});
    sl_stack a = push(recorder, 0, "a");
    sl_stack ab = push(recorder, a, "b");
    sl_stack abc = push(recorder, ab, "c");
    sl_stack abd = push(recorder, ab, "d");
    sl_stack x = push(recorder, 0, "x");
    sl_recorder_thread_stem(recorder, one, ab);
    sl_recorder_look(recorder, 0, 1000, 500);
    sl_recorder_sample(recorder, one, abc, 0);
    sl_recorder_sample(recorder, other, x, 0);
    assert_true(sl_recorder_flush(recorder, NULL));
    sl_recorder_thread_stem(recorder, one, a);
    sl_recorder_thread_stem(recorder, other, SL_NONE); /* no stack at all: not written */
    sl_recorder_look(recorder, 1000, 2000, 1500);
    sl_recorder_sample(recorder, one, abd, 0);
    assert_true(sl_recorder_close(recorder, 2000, NULL));

    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, NULL);
    assert_non_null(profile);
    assert_int_equal(profile->threads[0].run_count, 2);
    assert_stack(profile, "bc", profile->runs[0].stack);
    assert_stack(profile, "bd", profile->runs[1].stack);
    assert_stack(profile, "x", profile->runs[2].stack);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

/* A recording that was long comes back to stacks that it has forgotten, under other numbers. */
static void test_it_is_known_by_its_frames(void **state)
{
    (void)state;
    struct sl_profile_builder builder;
    sl_profile_builder_init(&builder);
    sl_build_string(&builder, 1, "a", 1);
    sl_build_string(&builder, 2, "b", 1);
    sl_build_function(&builder, 1, (struct sl_function_record){.name = 1});
    sl_build_function(&builder, 2, (struct sl_function_record){.name = 2});
    sl_build_stack(&builder, 1, 0, 1, 7);
    sl_build_stack(&builder, 2, 1, 2, 7);
    sl_build_stack(&builder, 3, 0, 1, 7); /* as the first */
    sl_build_stack(&builder, 4, 3, 2, 7);
    sl_build_stack(&builder, 5, 0, 1, 8); /* another line */
    sl_build_stack(&builder, 6, 5, 2, 7);
    sl_build_stem(&builder, 0, 1);
    const struct sl_facts facts = {.interval_ns = 1};
    struct sl_profile *profile = sl_profile_build(&builder, &facts);
    assert_non_null(profile);
    assert_stack(profile, "b", 2);
    assert_stack(profile, "b", 4);
    assert_stack(profile, "ab", 6);
    sl_profile_destroy(profile);
    sl_profile_builder_destroy(&builder);
}

/* More stacks than one block has. */
static void test_it_is_told_behind_its_stack(void **state)
{
    (void)state;
    const uint32_t depth = 70000;
    const struct sl_recorder_options options = {.interval_ns = 1000, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    uint32_t process = sl_recorder_process(recorder, &(struct sl_process_record){.pid = 7});
    uint32_t thread = sl_recorder_thread(recorder, &(struct sl_thread_record){.process = process, .id = 7});
    sl_stack stack = 0;
    for (uint32_t i = 0; i < depth; i++) {
        stack = push(recorder, stack, "a");
    }
    sl_recorder_thread_stem(recorder, thread, stack);
    sl_recorder_look(recorder, 0, 1000, 500);
    sl_recorder_sample(recorder, thread, push(recorder, stack, "b"), 0);
    assert_true(sl_recorder_close(recorder, 1000, NULL));

    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, NULL);
    assert_non_null(profile);
    assert_int_equal(profile->stack_count, depth + 2);
    assert_stack(profile, "b", profile->runs[0].stack);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_left_out_of_what_was_seen_before_and_after),
        cmocka_unit_test(test_it_is_known_by_its_frames),
        cmocka_unit_test(test_it_is_told_behind_its_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
