/* A trace that is read while it is written says what it says when it is read as a whole, and needs no more memory for a
 * long one than for a short one. */
#include "analysis/selection.h"
#include "profile/recorder.h"
#include "profile/trace_follower.h"
#include "profile/trace_reader.h"
#include "random.h"
#include "support/sound_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define INTERVAL (SECOND / 10)

enum { STACKS = 40, LASTING = 3, PASSING = 4 };

/* A program of three threads that last and four at a time that come and go. */
struct program {
    struct random random;
    struct sl_recorder *recorder;
    sl_stack stacks[STACKS];
    uint32_t lasting[LASTING];
    uint32_t passing[PASSING];
    uint64_t ends[PASSING]; /* number of a look */
    uint32_t threads;
    uint64_t looks;
    struct sl_trace_follower *follower;
    size_t fed;
};

static uint32_t add_thread(struct program *program)
{
    struct sl_thread_record thread = {.id = 100 + program->threads++, .begin_ns = program->looks * INTERVAL};
    thread.main = thread.id == 100;
    uint32_t number = sl_recorder_thread(program->recorder, &thread);
    assert_int_not_equal(number, SL_NONE);
    return number;
}

static void begin(struct program *program)
{
    *program = (struct program){.random = {7}};
    struct sl_recorder_options options = {.interval_ns = INTERVAL, .descriptor = -1};
    program->recorder = sl_recorder_create(&options, NULL);
    program->follower = sl_trace_follower_create(NULL);
    assert_non_null(program->recorder);
    assert_non_null(program->follower);
    struct sl_process_record process = {.pid = 7};
    sl_recorder_process(program->recorder, &process);
    for (uint32_t i = 0; i < STACKS; i++) {
        char name[16] = {'f', (char)('A' + i)};
        sl_string text = sl_recorder_string(program->recorder, name, 2);
        sl_function function =
            sl_recorder_function(program->recorder, (struct sl_function_record){.name = text, .file = text});
        sl_stack caller = i == 0 ? 0 : program->stacks[random_below(&program->random, i)];
        program->stacks[i] = sl_recorder_stack(program->recorder, caller, function, i);
    }
    for (uint32_t i = 0; i < LASTING; i++) {
        program->lasting[i] = add_thread(program);
    }
    for (uint32_t i = 0; i < PASSING; i++) {
        program->passing[i] = SL_NONE;
    }
}

static void sample(struct program *program, uint32_t thread)
{
    static const sl_state states[] = {0, SL_STATE_KNOWN, SL_STATE_KNOWN | SL_STATE_ON_CPU,
                                      SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL};
    sl_recorder_sample(program->recorder, thread, program->stacks[random_below(&program->random, STACKS)],
                       states[random_below(&program->random, 4)]);
}

static void look(struct program *program)
{
    for (uint32_t i = 0; i < PASSING; i++) {
        if (program->passing[i] != SL_NONE && program->ends[i] <= program->looks) {
            uint64_t end_ns = program->looks * INTERVAL - random_below(&program->random, INTERVAL);
            sl_recorder_thread_end(program->recorder, program->passing[i], end_ns, 0);
            program->passing[i] = SL_NONE;
        } else if (program->passing[i] == SL_NONE && random_below(&program->random, 2) == 0) {
            program->passing[i] = add_thread(program);
            program->ends[i] = program->looks + 1 + random_below(&program->random, 40);
        }
    }
    uint64_t begin_ns = program->looks * INTERVAL;
    sl_recorder_look(program->recorder, begin_ns, begin_ns + INTERVAL, begin_ns);
    /* The first one sleeps for most of the time, which is told by no change. */
    for (uint32_t i = program->looks == 0 || random_below(&program->random, 1000) == 0 ? 0 : 1; i < LASTING; i++) {
        sample(program, program->lasting[i]);
    }
    for (uint32_t i = 0; i < PASSING; i++) {
        if (program->passing[i] != SL_NONE) {
            sample(program, program->passing[i]);
        }
    }
    program->looks++;
}

/* Hands over what the recorder has written, in pieces. */
static void feed(struct program *program)
{
    const struct sl_buffer *trace = sl_recorder_trace(program->recorder);
    while (program->fed < trace->size) {
        size_t left = trace->size - program->fed;
        size_t size = 1 + random_below(&program->random, 400);
        size = size < left ? size : left;
        /* From memory of its own, so that a sanitizer sees whoever reads beyond it. */
        char *piece = malloc(size);
        assert_non_null(piece);
        memcpy(piece, trace->bytes + program->fed, size);
        assert_true(sl_trace_follower_feed(program->follower, piece, size, NULL));
        free(piece);
        program->fed += size;
        /* Also between the blocks of one flush somebody may look. */
        if (random_below(&program->random, 4) == 0) {
            assert_non_null(sl_trace_follower_profile(program->follower));
        }
    }
}

static void assert_same_amounts(const struct sl_profile *profile, const struct sl_profile *truth,
                                const struct sl_selection *selection)
{
    struct sl_amount *self = calloc(profile->stack_count, sizeof *self);
    struct sl_amount *true_self = calloc(truth->stack_count, sizeof *true_self);
    assert_non_null(self);
    assert_non_null(true_self);
    struct sl_amount sum = sl_stack_amounts(profile, selection, SL_NONE, self);
    struct sl_amount true_sum = sl_stack_amounts(truth, selection, SL_NONE, true_self);
    assert_int_equal(sum.ns, true_sum.ns);
    assert_int_equal(sum.samples, true_sum.samples);
    assert_true(sum.ns > 0);
    for (sl_stack stack = 0; stack < truth->stack_count; stack++) {
        assert_int_equal(self[stack].ns, true_self[stack].ns);
        assert_int_equal(self[stack].samples, true_self[stack].samples);
    }
    free(self);
    free(true_self);
}

static void assert_follows(struct program *program)
{
    const struct sl_buffer *trace = sl_recorder_trace(program->recorder);
    struct sl_profile *truth = sl_trace_read(trace->bytes, trace->size, NULL);
    const struct sl_profile *profile = sl_trace_follower_profile(program->follower);
    assert_non_null(truth);
    assert_non_null(profile);
    assert_null(broken_promise(profile));
    assert_int_equal(profile->facts.duration_ns, truth->facts.duration_ns);
    assert_int_equal(profile->stack_count, truth->stack_count);
    uint64_t end_ns = profile->facts.duration_ns;
    uint64_t exact_ns = sl_trace_follower_exact_ns(program->follower);
    assert_true(exact_ns == 0 || end_ns - exact_ns >= SL_FOLLOWER_KEEP_NS);
    for (enum sl_mode mode = SL_MODE_WALL; mode <= SL_MODE_GIL; mode++) {
        const uint64_t begins[] = {0, exact_ns, end_ns - 5 * SECOND, end_ns - SECOND / 2};
        for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
            struct sl_selection selection = {.begin_ns = begins[i], .end_ns = end_ns, .mode = mode};
            assert_same_amounts(profile, truth, &selection);
        }
    }
    sl_profile_destroy(truth);
}

static void test_hours_are_followed_exactly_in_bounded_memory(void **state)
{
    (void)state;
    enum { LOOKS = 60000 };
    struct program program;
    begin(&program);
    uint32_t most_runs = 0;
    for (uint32_t i = 0; i < LOOKS; i++) {
        look(&program);
        if (random_below(&program.random, 10) == 0) {
            sl_recorder_flush(program.recorder, NULL);
            feed(&program);
            /* Most of the time somebody looks at it, which must change nothing. */
            const struct sl_profile *profile =
                random_below(&program.random, 10) == 0 ? sl_trace_follower_profile(program.follower) : NULL;
            most_runs = profile != NULL && profile->run_count > most_runs ? profile->run_count : most_runs;
        }
        if (i == 100 || i == LOOKS / 2) {
            sl_recorder_flush(program.recorder, NULL);
            feed(&program);
            assert_follows(&program);
        }
    }
    sl_recorder_close(program.recorder, LOOKS * INTERVAL, NULL);
    feed(&program);
    assert_follows(&program);
    const struct sl_profile *profile = sl_trace_follower_profile(program.follower);
    assert_true(program.threads > 5000);
    /* Those of before the last folding are a handful. */
    assert_true(profile->thread_count < 1500);
    assert_true(sl_trace_follower_exact_ns(program.follower) > 60 * SECOND);
    assert_true(most_runs < 64 * 1024);
    sl_trace_follower_destroy(program.follower);
    sl_recorder_destroy(program.recorder);
}

static void test_a_copy_stays_when_more_comes(void **state)
{
    (void)state;
    struct program program;
    begin(&program);
    for (uint32_t i = 0; i < 100; i++) {
        look(&program);
    }
    sl_recorder_flush(program.recorder, NULL);
    feed(&program);
    struct sl_profile *copy = sl_profile_copy(sl_trace_follower_profile(program.follower));
    assert_non_null(copy);
    assert_null(broken_promise(copy));
    const struct sl_buffer *trace = sl_recorder_trace(program.recorder);
    struct sl_profile *truth = sl_trace_read(trace->bytes, trace->size, NULL);
    for (uint32_t i = 0; i < 100; i++) {
        look(&program);
    }
    sl_recorder_flush(program.recorder, NULL);
    feed(&program);
    struct sl_selection selection = sl_selection_all(truth);
    assert_same_amounts(copy, truth, &selection);
    for (sl_string i = 0; i < truth->string_count; i++) {
        assert_string_equal(sl_profile_text(copy, i), sl_profile_text(truth, i));
    }
    sl_profile_destroy(copy);
    sl_profile_destroy(truth);
    sl_trace_follower_destroy(program.follower);
    sl_recorder_destroy(program.recorder);
}

static void test_what_is_no_trace_is_told(void **state)
{
    (void)state;
    struct sl_error error = {0};
    struct sl_trace_follower *follower = sl_trace_follower_create(NULL);
    assert_true(sl_trace_follower_feed(follower, "<html>", 6, &error));
    assert_non_null(sl_trace_follower_profile(follower));
    assert_false(sl_trace_follower_feed(follower, "<body>, and more of it", 22, &error));
    assert_int_equal(error.kind, SL_ERROR_FORMAT);
    sl_trace_follower_destroy(follower);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hours_are_followed_exactly_in_bounded_memory),
        cmocka_unit_test(test_a_copy_stays_when_more_comes),
        cmocka_unit_test(test_what_is_no_trace_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
