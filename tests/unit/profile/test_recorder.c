/* What the recorder makes of its calls, in and out of order. */
#include "profile/recorder.h"
#include "profile/trace_reader.h"
#include "support/sound_profile.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { INTERVAL = 1000000 };

static struct sl_recorder *create(uint32_t threads)
{
    struct sl_recorder_options options = {.interval_ns = INTERVAL, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    assert_non_null(recorder);
    struct sl_process_record process = {.pid = 7};
    assert_int_equal(sl_recorder_process(recorder, &process), 0);
    for (uint32_t i = 0; i < threads; i++) {
        struct sl_thread_record thread = {.id = 7 + i, .main = i == 0};
        assert_int_equal(sl_recorder_thread(recorder, &thread), i);
    }
    return recorder;
}

static void look(struct sl_recorder *recorder, uint64_t number)
{
    sl_recorder_look(recorder, number * INTERVAL, (number + 1) * INTERVAL, number * INTERVAL);
}

/* Bytes that are allocated; 0 always, where a sanitizer has its own allocator. */
static size_t allocated(void)
{
    struct mallinfo2 memory = mallinfo2();
    return memory.uordblks + memory.hblkhd;
}

/* What is allocated beside the trace. */
static size_t beside(const struct sl_recorder *recorder)
{
    size_t all = allocated();
    return all != 0 ? all - sl_recorder_trace(recorder)->capacity : 0;
}

static struct sl_profile *read_back(struct sl_recorder *recorder, uint64_t duration_ns)
{
    assert_true(sl_recorder_close(recorder, duration_ns, NULL));
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, NULL);
    assert_non_null(profile);
    assert_null(broken_promise(profile));
    assert_true(profile->facts.complete);
    return profile;
}

static void assert_run(const struct sl_profile *profile, uint32_t number, uint64_t begin_ns, uint64_t end_ns,
                       sl_stack stack, uint32_t samples)
{
    assert_true(number < profile->run_count);
    const struct sl_run *run = &profile->runs[number];
    assert_int_equal(run->begin_ns, begin_ns);
    assert_int_equal(run->end_ns, end_ns);
    assert_int_equal(run->stack, stack);
    assert_int_equal(run->samples, samples);
}

static void test_a_mark_is_a_stack_of_its_own(void **state)
{
    (void)state;
    struct sl_recorder *recorder = create(1);
    sl_stack broken = sl_recorder_mark(recorder, "[broken]");
    assert_int_equal(sl_recorder_mark(recorder, "[broken]"), broken);
    sl_stack missed = sl_recorder_mark(recorder, "[missed]");
    assert_int_not_equal(missed, broken);
    look(recorder, 0);
    sl_recorder_sample(recorder, 0, missed, 0);
    struct sl_profile *profile = read_back(recorder, INTERVAL);
    assert_run(profile, 0, 0, INTERVAL, missed, 1);
    const struct sl_function_record *function = &profile->functions[profile->stacks[missed].function];
    assert_string_equal(sl_profile_text(profile, function->name), "[missed]");
    assert_int_equal(function->kind, SL_FUNCTION_MARK);
    assert_int_equal(profile->stacks[missed].caller, 0);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static void test_a_thread_that_does_not_change_has_a_sample_in_each_look_and_takes_no_room(void **state)
{
    (void)state;
    enum { THREADS = 1000, LOOKS = 10000 };
    struct sl_recorder *recorder = create(THREADS);
    sl_stack stack = sl_recorder_mark(recorder, "[idle]");
    for (uint64_t i = 0; i < LOOKS; i++) {
        look(recorder, i);
        for (uint32_t thread = 0; i == 0 && thread < THREADS; thread++) {
            sl_recorder_sample(recorder, thread, stack, 0);
        }
    }
    assert_int_equal(sl_recorder_facts(recorder)->samples, (uint64_t)THREADS * LOOKS);
    struct sl_profile *profile = read_back(recorder, (uint64_t)LOOKS * INTERVAL);
    assert_int_equal(profile->run_count, THREADS);
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_run(profile, i, 0, (uint64_t)LOOKS * INTERVAL, stack, LOOKS);
    }
    /* The instants of the looks, and the threads' own records. */
    assert_true(profile->facts.trace_bytes < LOOKS + THREADS * 20);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static void test_a_thread_takes_part_from_its_first_sample_to_its_end(void **state)
{
    (void)state;
    struct sl_recorder *recorder = create(1);
    struct sl_thread_record late = {.id = 8, .begin_ns = INTERVAL * 5 / 2};
    sl_stack stack = sl_recorder_mark(recorder, "[x]");
    look(recorder, 0);
    look(recorder, 1);
    assert_int_equal(sl_recorder_thread(recorder, &late), 1);
    look(recorder, 2);
    sl_recorder_sample(recorder, 1, stack, 0);
    look(recorder, 3);
    sl_recorder_thread_end(recorder, 1, INTERVAL * 7 / 2, 123);
    look(recorder, 4);
    sl_recorder_sample(recorder, 1, stack, 0); /* it is gone: nothing */
    sl_recorder_thread_end(recorder, 1, INTERVAL * 9, 456);
    struct sl_profile *profile = read_back(recorder, 5 * INTERVAL);
    assert_int_equal(profile->facts.samples, 2);
    assert_int_equal(profile->run_count, 1);
    assert_run(profile, 0, INTERVAL * 5 / 2, INTERVAL * 7 / 2, stack, 2);
    assert_int_equal(profile->threads[1].cpu_ns, 123);
    assert_int_equal(profile->threads[1].end_ns, INTERVAL * 7 / 2);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static void test_a_sample_that_comes_after_the_flush_of_its_look_counts_from_the_next(void **state)
{
    (void)state;
    struct sl_recorder *recorder = create(2);
    sl_stack first = sl_recorder_mark(recorder, "[first]");
    sl_stack second = sl_recorder_mark(recorder, "[second]");
    look(recorder, 0);
    sl_recorder_sample(recorder, 0, first, 0);
    assert_true(sl_recorder_flush(recorder, NULL));
    sl_recorder_sample(recorder, 0, second, 0);
    look(recorder, 1);
    struct sl_profile *profile = read_back(recorder, 2 * INTERVAL);
    assert_int_equal(profile->run_count, 2);
    assert_run(profile, 0, 0, INTERVAL, first, 1);
    assert_run(profile, 1, INTERVAL, 2 * INTERVAL, second, 1);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static void test_numbers_that_name_nothing_are_ignored(void **state)
{
    (void)state;
    struct sl_recorder *recorder = create(1);
    sl_stack stack = sl_recorder_mark(recorder, "[x]");
    sl_recorder_sample(recorder, 0, stack, 0); /* before any look */
    look(recorder, 0);
    sl_recorder_sample(recorder, 1, stack, 0);
    sl_recorder_sample(recorder, 0, stack + 1, 0);
    sl_recorder_sample(recorder, SL_NONE, SL_NONE, 0);
    sl_recorder_thread_end(recorder, 1, 0, 0);
    sl_recorder_process_end(recorder, 1, 0, 0, 0);
    sl_recorder_thread_name(recorder, 0, 1000);
    assert_int_equal(sl_recorder_stack(recorder, 1000, 0, 0), SL_NONE);
    assert_int_equal(sl_recorder_stack(recorder, 0, 1000, 0), SL_NONE);
    assert_int_equal(sl_recorder_function(recorder, (struct sl_function_record){.name = 1000}), SL_NONE);
    struct sl_thread_record lost = {.process = 1};
    assert_int_equal(sl_recorder_thread(recorder, &lost), SL_NONE);
    struct sl_profile *profile = read_back(recorder, INTERVAL);
    assert_int_equal(profile->run_count, 0);
    assert_int_equal(profile->facts.samples, 0);
    assert_int_equal(profile->thread_count, 1);
    sl_profile_destroy(profile);

    /* A closed recorder takes nothing more. */
    size_t size = sl_recorder_trace(recorder)->size;
    look(recorder, 1);
    sl_recorder_sample(recorder, 0, stack, 0);
    assert_int_equal(sl_recorder_process(recorder, &(struct sl_process_record){.pid = 8}), SL_NONE);
    assert_true(sl_recorder_flush(recorder, NULL));
    assert_true(sl_recorder_close(recorder, 9 * INTERVAL, NULL));
    assert_int_equal(sl_recorder_trace(recorder)->size, size);
    sl_recorder_destroy(recorder);
}

static void test_what_becomes_known_of_a_process_replaces_what_was(void **state)
{
    (void)state;
    struct sl_recorder *recorder = create(1);
    struct sl_process_record child = {.pid = 8, .parent_pid = 7, .begin_ns = 5};
    child.command = sl_recorder_string(recorder, "sh", 2);
    assert_int_equal(sl_recorder_process(recorder, &child), 1);
    child.command = sl_recorder_string(recorder, "app.py", 6);
    child.python = sl_recorder_string(recorder, "3.12.1", 6);
    child.executable = sl_recorder_string(recorder, "/usr/bin/python3", 16);
    child.prefixes = sl_recorder_string(recorder, "/usr\n/usr/lib/python3.12", 24);
    child.path = sl_recorder_string(recorder, "/srv", 4);
    child.root = UINT64_MAX;
    child.pid = 99; /* not to be changed */
    sl_recorder_process_update(recorder, 1, &child);
    assert_true(sl_recorder_flush(recorder, NULL));
    size_t size = sl_recorder_trace(recorder)->size;
    sl_recorder_process_update(recorder, 1, &child);
    sl_recorder_thread_name(recorder, 0, 0);
    assert_true(sl_recorder_flush(recorder, NULL));
    assert_int_equal(sl_recorder_trace(recorder)->size, size);
    sl_recorder_thread_name(recorder, 0, sl_recorder_string(recorder, "worker", 6));
    sl_recorder_process_end(recorder, 1, 7, 1000, 9);
    struct sl_profile *profile = read_back(recorder, 10);
    const struct sl_process_record *process = &profile->processes[1];
    assert_int_equal(process->pid, 8);
    assert_int_equal(process->parent_pid, 7);
    assert_string_equal(sl_profile_text(profile, process->command), "app.py");
    assert_string_equal(sl_profile_text(profile, process->python), "3.12.1");
    assert_string_equal(sl_profile_text(profile, process->executable), "/usr/bin/python3");
    assert_string_equal(sl_profile_text(profile, process->prefixes), "/usr\n/usr/lib/python3.12");
    assert_string_equal(sl_profile_text(profile, process->path), "/srv");
    assert_true(process->root == UINT64_MAX);
    assert_int_equal(profile->processes[0].root, 0);
    assert_int_equal(process->begin_ns, 5);
    assert_int_equal(process->end_ns, 7);
    assert_int_equal(process->cpu_ns, 1000);
    assert_int_equal(process->exit_status, 9);
    assert_int_equal(profile->processes[0].end_ns, 10);
    assert_int_equal(profile->processes[0].exit_status, -1);
    assert_string_equal(sl_profile_text(profile, profile->threads[0].name), "worker");
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static void test_the_counters_are_in_a_trace_that_was_cut_off(void **state)
{
    (void)state;
    struct sl_recorder *recorder = create(1);
    sl_stack stack = sl_recorder_mark(recorder, "[x]");
    look(recorder, 0);
    sl_recorder_sample(recorder, 0, stack, 0);
    struct sl_facts *facts = sl_recorder_facts(recorder);
    facts->broken = 1;
    facts->missed = 2;
    facts->late = 3;
    facts->retried = 4;
    facts->sampler_cpu_ns = 5;
    facts->cpu_ns = 6;
    facts->children_cpu_ns = 7;
    assert_true(sl_recorder_flush(recorder, NULL));
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, NULL);
    assert_non_null(profile);
    assert_false(profile->facts.complete);
    assert_int_equal(profile->facts.broken, 1);
    assert_int_equal(profile->facts.missed, 2);
    assert_int_equal(profile->facts.late, 3);
    assert_int_equal(profile->facts.retried, 4);
    assert_int_equal(profile->facts.sampler_cpu_ns, 5);
    assert_int_equal(profile->facts.cpu_ns, 6);
    assert_int_equal(profile->facts.children_cpu_ns, 7);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static void test_looks_that_overlap_are_put_one_behind_the_other(void **state)
{
    (void)state;
    struct sl_recorder *recorder = create(1);
    sl_stack stack = sl_recorder_mark(recorder, "[x]");
    sl_recorder_look(recorder, 0, 1000, 2000);
    sl_recorder_sample(recorder, 0, stack, 0);
    sl_recorder_look(recorder, 500, 1500, 0);
    sl_recorder_look(recorder, 100, 200, 300);
    sl_recorder_look(recorder, 1500, UINT64_MAX, UINT64_MAX);
    struct sl_profile *profile = read_back(recorder, 3000);
    assert_int_equal(profile->run_count, 1);
    assert_run(profile, 0, 0, 3000, stack, 4);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static void test_memory_does_not_grow_with_looks(void **state)
{
    (void)state;
    struct sl_recorder *recorder = create(2);
    sl_stack stacks[10];
    for (uint32_t i = 0; i < 10; i++) {
        sl_string name = sl_recorder_string(recorder, "f", 1);
        struct sl_function_record function = {.name = name, .first_line = i};
        stacks[i] = sl_recorder_stack(recorder, 0, sl_recorder_function(recorder, function), i);
    }
    size_t used = 0;
    for (uint64_t i = 0; i < 200000; i++) {
        look(recorder, i);
        sl_recorder_sample(recorder, 0, stacks[i * 7 % 10], 0);
        sl_recorder_sample(recorder, 1, stacks[i / 3 % 10], 0);
        if (i % 1000 == 999) {
            assert_true(sl_recorder_flush(recorder, NULL));
        }
        if (i == 20000) {
            used = beside(recorder);
        }
    }
    assert_in_range(beside(recorder), 0, used + 4096);
    sl_recorder_destroy(recorder);
}

/* What a recording takes beside itself and the names of what is in it. */
static void test_a_recording_takes_little_memory_beside_itself(void **state)
{
    (void)state;
    enum { NAMES = 20000, NAME = 30 };
    size_t before = allocated();
    struct sl_recorder *recorder = create(1);
    for (unsigned i = 0; i < NAMES; i++) {
        char name[NAME + 1];
        snprintf(name, sizeof name, "%0*u", NAME, i * 2654435761u);
        assert_true(sl_recorder_string(recorder, name, NAME) != SL_NONE);
    }
    assert_true(sl_recorder_flush(recorder, NULL));
    assert_in_range(beside(recorder) - before, 0, 6000000);
    sl_recorder_destroy(recorder);
}

/* A program whose stacks are never the same, but for one that it comes back to. */
static void test_memory_does_not_grow_with_stacks_and_none_is_lost(void **state)
{
    (void)state;
    enum { LOOKS = 600000, WARM = 200000 };
    struct sl_recorder *recorder = create(1);
    sl_string name = sl_recorder_string(recorder, "f", 1);
    sl_function caller = sl_recorder_function(recorder, (struct sl_function_record){.name = name, .first_line = 1});
    sl_function often = sl_recorder_function(recorder, (struct sl_function_record){.name = name, .first_line = 2});
    sl_function seldom = sl_recorder_function(recorder, (struct sl_function_record){.name = name, .first_line = 3});
    sl_stack base = sl_recorder_stack(recorder, 0, caller, 1);
    size_t used = 0;
    for (uint32_t i = 0; i < LOOKS; i++) {
        look(recorder, i);
        bool back = i % 4 == 0;
        sl_recorder_sample(recorder, 0, sl_recorder_stack(recorder, base, back ? often : seldom, back ? 9 : i), i % 3);
        size_t held = beside(recorder);
        used = i < WARM && held > used ? held : used;
        assert_in_range(held, 0, used + 4096);
    }
    struct sl_profile *profile = read_back(recorder, (uint64_t)LOOKS * INTERVAL);
    assert_int_equal(profile->run_count, LOOKS);
    for (uint32_t i = 0; i < LOOKS; i++) {
        const struct sl_run *run = &profile->runs[i];
        const struct sl_stack_record *top = &profile->stacks[run->stack];
        const struct sl_stack_record *below = &profile->stacks[top->caller];
        bool back = i % 4 == 0;
        assert_int_equal(run->begin_ns, (uint64_t)i * INTERVAL);
        assert_int_equal(run->state, i % 3);
        assert_int_equal(profile->functions[top->function].first_line, back ? 2 : 3);
        assert_int_equal(top->line, back ? 9 : i);
        assert_int_equal(profile->functions[below->function].first_line, 1);
        assert_int_equal(below->caller, 0);
    }
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static void test_a_look_whose_slot_is_cut_off_by_the_end_weighs_as_much_as_others(void **state)
{
    (void)state;
    struct sl_recorder *recorder = create(2);
    sl_stack before = sl_recorder_mark(recorder, "before");
    sl_stack last = sl_recorder_mark(recorder, "last");
    look(recorder, 0);
    sl_recorder_sample(recorder, 0, before, 0);
    sl_recorder_sample(recorder, 1, before, 0);
    look(recorder, 1);
    look(recorder, 2);
    sl_recorder_thread_end(recorder, 1, 3 * INTERVAL, 0);
    sl_recorder_look(recorder, 3 * INTERVAL, 4 * INTERVAL, 3 * INTERVAL + INTERVAL / 8);
    sl_recorder_sample(recorder, 0, last, 0);
    uint64_t end_ns = 3 * INTERVAL + INTERVAL / 4;
    sl_recorder_end_in_slot(recorder, end_ns);
    struct sl_profile *profile = read_back(recorder, end_ns);
    assert_int_equal(profile->run_count, 3);
    assert_run(profile, 0, 0, end_ns - INTERVAL, before, 3);
    assert_run(profile, 1, end_ns - INTERVAL, end_ns, last, 1);
    assert_run(profile, 2, 0, 3 * INTERVAL, before, 3);
    assert_int_equal(profile->facts.duration_ns, end_ns);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static void test_but_not_more_than_there_is(void **state)
{
    (void)state;
    struct sl_recorder *recorder = create(1);
    sl_stack before = sl_recorder_mark(recorder, "before");
    sl_stack last = sl_recorder_mark(recorder, "last");
    sl_recorder_end_in_slot(recorder, 0);
    sl_recorder_look(recorder, 0, INTERVAL / 4, 0);
    sl_recorder_sample(recorder, 0, before, 0);
    sl_recorder_end_in_slot(recorder, INTERVAL / 8);
    sl_recorder_look(recorder, INTERVAL / 4, INTERVAL / 4 + INTERVAL, INTERVAL / 4);
    sl_recorder_sample(recorder, 0, last, 0);
    sl_recorder_end_in_slot(recorder, INTERVAL / 2);
    struct sl_profile *profile = read_back(recorder, INTERVAL / 2);
    assert_int_equal(profile->run_count, 2);
    assert_run(profile, 0, 0, 1, before, 1);
    assert_run(profile, 1, 1, INTERVAL / 2, last, 1);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static struct sl_profile *looks_of_lengths(const uint64_t *lengths, size_t count)
{
    struct sl_recorder *recorder = create(1);
    uint64_t time_ns = 0;
    for (size_t i = 0; i < count; i++) {
        sl_recorder_look(recorder, time_ns, time_ns + lengths[i], time_ns);
        sl_recorder_sample(recorder, 0, sl_recorder_mark(recorder, i % 2 == 0 ? "a" : "b"), 0);
        time_ns += lengths[i];
        if (i % 7 == 6) {
            assert_true(sl_recorder_flush(recorder, NULL));
        }
    }
    struct sl_profile *profile = read_back(recorder, time_ns);
    sl_recorder_destroy(recorder);
    return profile;
}

/* A look that stands for a second beside nine hundred that stand for a millisecond tells little of half of the time. */
static void test_looks_of_different_lengths_tell_as_much_as_fewer_equal_ones(void **state)
{
    (void)state;
    static uint64_t lengths[900];
    for (size_t i = 0; i < 900; i++) {
        lengths[i] = INTERVAL;
    }
    struct sl_profile *profile = looks_of_lengths(lengths, 900);
    assert_int_equal(profile->facts.even_looks, 900);
    sl_profile_destroy(profile);
    lengths[450] = (uint64_t)900 * INTERVAL;
    profile = looks_of_lengths(lengths, 900);
    assert_int_equal(profile->facts.looks, 900);
    assert_int_equal(profile->facts.even_looks, 4); /* 1799^2 / (899 + 900^2) */
    sl_profile_destroy(profile);
}

static void test_what_was_seen_behind_a_wrong_end_is_put_before_it(void **state)
{
    (void)state;
    struct sl_recorder *recorder = create(1);
    for (uint64_t i = 0; i < 4; i++) {
        look(recorder, i);
        sl_recorder_sample(recorder, 0, sl_recorder_mark(recorder, i % 2 == 0 ? "even" : "odd"), 0);
    }
    struct sl_profile *profile = read_back(recorder, 1);
    assert_int_equal(profile->facts.duration_ns, 1);
    assert_int_equal(profile->run_count, 4);
    for (uint32_t i = 0; i < profile->run_count; i++) {
        assert_true(profile->runs[i].begin_ns <= profile->runs[i].end_ns);
        assert_true(profile->runs[i].end_ns <= 1);
    }
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mark_is_a_stack_of_its_own),
        cmocka_unit_test(test_a_thread_that_does_not_change_has_a_sample_in_each_look_and_takes_no_room),
        cmocka_unit_test(test_a_thread_takes_part_from_its_first_sample_to_its_end),
        cmocka_unit_test(test_a_sample_that_comes_after_the_flush_of_its_look_counts_from_the_next),
        cmocka_unit_test(test_numbers_that_name_nothing_are_ignored),
        cmocka_unit_test(test_what_becomes_known_of_a_process_replaces_what_was),
        cmocka_unit_test(test_the_counters_are_in_a_trace_that_was_cut_off),
        cmocka_unit_test(test_looks_that_overlap_are_put_one_behind_the_other),
        cmocka_unit_test(test_a_look_whose_slot_is_cut_off_by_the_end_weighs_as_much_as_others),
        cmocka_unit_test(test_but_not_more_than_there_is),
        cmocka_unit_test(test_looks_of_different_lengths_tell_as_much_as_fewer_equal_ones),
        cmocka_unit_test(test_memory_does_not_grow_with_looks),
        cmocka_unit_test(test_a_recording_takes_little_memory_beside_itself),
        cmocka_unit_test(test_memory_does_not_grow_with_stacks_and_none_is_lost),
        cmocka_unit_test(test_what_was_seen_behind_a_wrong_end_is_put_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
