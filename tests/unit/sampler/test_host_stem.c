/* The stem of a recording is what all of its stacks lie above. */
#include "profile/recorder.h"
#include "profile/trace_reader.h"
#include "sampler/host_stem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_it_is_what_is_shared_by_all(void **state)
{
    (void)state;
    struct sl_host_stem stem = {0};
    assert_int_equal(sl_host_stem_stack(&stem), 0);
    assert_true(sl_host_stem_see(&stem, (const sl_stack[]){1, 2, 3, 4}, 4, 3));
    assert_int_equal(sl_host_stem_stack(&stem), 3);
    assert_false(sl_host_stem_see(&stem, (const sl_stack[]){1, 2, 3, 5, 6}, 5, 3));
    assert_true(sl_host_stem_see(&stem, (const sl_stack[]){1, 2, 7, 8}, 4, 3)); /* the third went on to another line */
    assert_int_equal(sl_host_stem_stack(&stem), 2);
    assert_false(sl_host_stem_see(&stem, (const sl_stack[]){1, 2, 3, 4}, 4, 3)); /* what was left does not come back */
    assert_true(sl_host_stem_see(&stem, (const sl_stack[]){1, 2}, 2, 2));        /* one is always left */
    assert_int_equal(sl_host_stem_stack(&stem), 1);
    assert_true(sl_host_stem_see(&stem, NULL, 0, 2));
    assert_int_equal(sl_host_stem_stack(&stem), 0);
    sl_host_stem_destroy(&stem);
}

static void test_one_that_was_empty_stays_empty(void **state)
{
    (void)state;
    struct sl_host_stem stem = {0};
    assert_false(sl_host_stem_see(&stem, (const sl_stack[]){1, 2}, 2, 0));
    assert_false(sl_host_stem_see(&stem, (const sl_stack[]){1, 2}, 2, 1));
    assert_int_equal(sl_host_stem_stack(&stem), 0);
    sl_host_stem_destroy(&stem);
}

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

static void test_a_reader_leaves_it_out_of_what_was_seen_before_and_after(void **state)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_what_is_shared_by_all),
        cmocka_unit_test(test_one_that_was_empty_stays_empty),
        cmocka_unit_test(test_a_reader_leaves_it_out_of_what_was_seen_before_and_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
