/* Memory that runs out for a moment: what could not be kept then is missing and told, and nothing else is. */
#include "profile/recorder.h"
#include "profile/trace_reader.h"
#include "support/sound_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { INTERVAL = 1000000, LOOKS = 3000, FLUSHED_EVERY = 1000, THREADS = 200 };

/* In the place of realloc(3): the one that is so many calls away fails. 0: none. */
static unsigned failing;

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_realloc(void *memory, size_t size)
{
    return failing > 0 && --failing == 0 ? NULL : __real_realloc(memory, size);
}

static sl_stack stack_of_look(struct sl_recorder *recorder, uint32_t look)
{
    char name[32];
    int size = snprintf(name, sizeof name, "function_%u", look / 100);
    sl_string text = sl_recorder_string(recorder, name, (size_t)size);
    return sl_recorder_stack(recorder, 0, sl_recorder_function(recorder, (struct sl_function_record){.name = text}), 1);
}

/* Returns how many the recorder took. */
static uint32_t record_threads_that_come_and_go(struct sl_recorder *recorder)
{
    uint32_t taken = 0;
    for (uint32_t i = 0; i < THREADS; i++) {
        uint32_t thread = sl_recorder_thread(recorder, &(struct sl_thread_record){.id = 8 + i});
        taken += thread != SL_NONE;
        sl_recorder_thread_end(recorder, thread, INTERVAL, 0);
    }
    return taken;
}

static void assert_that_every_stack_is_known(const struct sl_profile *profile)
{
    uint32_t looks = 0;
    for (uint32_t i = 0; i < profile->run_count; i++) {
        const struct sl_run *run = &profile->runs[i];
        char name[32];
        snprintf(name, sizeof name, "function_%u", looks / 100);
        sl_function function = profile->stacks[run->stack].function;
        assert_string_equal(sl_profile_text(profile, profile->functions[function].name), name);
        looks += run->samples;
    }
    assert_int_equal(looks, LOOKS);
}

static void assert_that_it_is_complete_only_with_all_events(const struct sl_profile *profile, uint32_t threads)
{
    uint32_t whole = 0;
    for (uint32_t thread = 1; thread < profile->thread_count; thread++) {
        whole += profile->threads[thread].id != 0 && profile->threads[thread].end_ns == INTERVAL;
    }
    assert_int_equal(profile->facts.complete, whole == threads);
}

/* Whether that allocation was made, and failed. */
static bool survives(unsigned allocation)
{
    struct sl_recorder *recorder =
        sl_recorder_create(&(struct sl_recorder_options){.interval_ns = INTERVAL, .descriptor = -1}, NULL);
    assert_non_null(recorder);
    assert_int_equal(sl_recorder_process(recorder, &(struct sl_process_record){.pid = 7}), 0);
    assert_int_equal(sl_recorder_thread(recorder, &(struct sl_thread_record){.id = 7, .main = true}), 0);
    uint32_t threads = 0;
    bool failed = false;
    for (uint32_t i = 0; i < LOOKS; i++) {
        sl_recorder_look(recorder, (uint64_t)i * INTERVAL, (uint64_t)(i + 1) * INTERVAL, (uint64_t)i * INTERVAL);
        sl_recorder_sample(recorder, 0, stack_of_look(recorder, i), 0);
        if (i == FLUSHED_EVERY / 2) {
            failing = allocation;
            threads = record_threads_that_come_and_go(recorder);
            failed = failing == 0;
            failing = 0;
        }
        if (i % FLUSHED_EVERY == FLUSHED_EVERY - 1) {
            assert_true(sl_recorder_flush(recorder, NULL));
        }
    }
    assert_true(sl_recorder_close(recorder, (uint64_t)LOOKS * INTERVAL, NULL));
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, NULL);
    assert_non_null(profile);
    assert_null(broken_promise(profile));
    assert_that_every_stack_is_known(profile);
    assert_that_it_is_complete_only_with_all_events(profile, threads);
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
    return failed;
}

static void test_an_event_that_finds_no_memory_is_all_that_is_lost(void **state)
{
    (void)state;
    unsigned allocation = 1;
    while (survives(allocation)) {
        allocation++;
    }
    assert_true(allocation > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_event_that_finds_no_memory_is_all_that_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
