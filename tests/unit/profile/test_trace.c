/* What goes into a recorder comes out of the reader: random recordings against a model that is too simple to be wrong.
 * The model keeps every sample of every look by itself and knows nothing of changes, blocks or numbers in a file. */
#include "profile/recorder.h"
#include "profile/trace_reader.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 12, FUNCTIONS = 40, INTERVAL = 1000000 };

struct model_sample {
    uint64_t begin_ns, end_ns;
    sl_stack stack;
    sl_state state;
};

struct model_thread {
    bool known, live, ended;
    uint32_t process;
    uint64_t begin_ns, end_ns, cpu_ns;
    sl_stack stack;
    sl_state state;
    struct model_sample *samples;
    size_t count, capacity;
};

struct model {
    struct random random;
    struct sl_recorder *recorder;
    struct model_thread threads[THREADS];
    uint32_t thread_count;
    struct sl_stack_record stacks[4096];
    uint32_t stack_count;
    uint64_t time_ns, looks, samples;
};

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static void keep_sample(struct model *model, struct model_thread *thread, uint64_t begin_ns, uint64_t end_ns)
{
    if (thread->count == thread->capacity) {
        thread->capacity = thread->capacity * 2 + 64;
        thread->samples = realloc(thread->samples, thread->capacity * sizeof *thread->samples);
        assert_non_null(thread->samples);
    }
    thread->samples[thread->count++] = (struct model_sample){begin_ns, end_ns, thread->stack, thread->state};
    model->samples++;
}

static sl_stack random_stack(struct model *model)
{
    sl_stack caller = random_below(&model->random, model->stack_count);
    if (model->stack_count > 3000 || random_below(&model->random, 4) > 0) {
        return caller;
    }
    uint32_t which = random_below(&model->random, FUNCTIONS);
    char name[32], file[32];
    int name_size = snprintf(name, sizeof name, "function_%u", which);
    int file_size = snprintf(file, sizeof file, "/srv/app/module_%u.py", which % 7);
    struct sl_function_record record = {
        .name = sl_recorder_string(model->recorder, name, (size_t)name_size),
        .file = sl_recorder_string(model->recorder, file, (size_t)file_size),
        .first_line = which * 10,
        .kind = which % 3,
    };
    sl_function function = sl_recorder_function(model->recorder, record);
    uint32_t line = which * 10 + random_below(&model->random, 5);
    sl_stack stack = sl_recorder_stack(model->recorder, caller, function, line);
    assert_true(stack <= model->stack_count);
    if (stack == model->stack_count) {
        model->stacks[model->stack_count++] = (struct sl_stack_record){caller, function, line};
    }
    return stack;
}

static sl_state random_state(struct model *model)
{
    uint32_t flags = random_below(&model->random, 64);
    return random_below(&model->random, 2) == 0 ? flags : sl_state_in_call(flags, random_below(&model->random, 400));
}

static void random_thread(struct model *model, uint32_t process)
{
    if (model->thread_count == THREADS) {
        return;
    }
    struct model_thread *thread = &model->threads[model->thread_count];
    *thread = (struct model_thread){
        .known = true,
        .process = process,
        .begin_ns = model->time_ns + random_below(&model->random, INTERVAL * 2),
    };
    struct sl_thread_record record = {
        .process = process,
        .id = 1000 + model->thread_count,
        .main = model->thread_count == 0,
        .begin_ns = thread->begin_ns,
    };
    assert_int_equal(sl_recorder_thread(model->recorder, &record), model->thread_count);
    model->thread_count++;
}

static void random_look(struct model *model)
{
    uint64_t begin_ns = model->time_ns;
    uint64_t length_ns = INTERVAL;
    switch (random_below(&model->random, 20)) {
    case 0:
        length_ns = random_below(&model->random, INTERVAL * 3); /* a partial slot, or any other length */
        break;
    case 1:
        length_ns = (uint64_t)INTERVAL * (2 + random_below(&model->random, 5)); /* late */
        break;
    case 2:
        if (random_below(&model->random, 4) == 0) {
            begin_ns += random_below(&model->random, INTERVAL * 10); /* nobody looked for a while */
        }
        break;
    default:
        break;
    }
    uint64_t end_ns = begin_ns + length_ns;
    uint64_t instant_ns = begin_ns + (length_ns > 0 ? random_next(&model->random) % length_ns : 0);
    sl_recorder_look(model->recorder, begin_ns, end_ns, instant_ns);
    for (uint32_t i = 0; i < model->thread_count; i++) {
        struct model_thread *thread = &model->threads[i];
        if (thread->ended) {
            continue;
        }
        uint32_t times = random_below(&model->random, 3);
        for (; times > 0; times--) {
            thread->live = true;
            if (random_below(&model->random, 3) > 0) {
                thread->stack = random_stack(model);
            }
            if (random_below(&model->random, 3) == 0) {
                thread->state = random_state(model);
            }
            sl_recorder_sample(model->recorder, i, thread->stack, thread->state);
        }
        if (thread->live) {
            keep_sample(model, thread, begin_ns, end_ns);
        }
    }
    model->time_ns = end_ns;
    model->looks++;
}

static void model_init(struct model *model, uint64_t seed)
{
    *model = (struct model){.random = {seed}, .stack_count = 1};
    struct sl_recorder_options options = {
        .start_time_ns = 1700000000000000000,
        .interval_ns = INTERVAL,
        .description = "a model",
        .descriptor = -1,
    };
    model->recorder = sl_recorder_create(&options, NULL);
    assert_non_null(model->recorder);
    for (uint32_t i = 0; i < 2; i++) {
        struct sl_process_record process = {.pid = 100 + i, .parent_pid = i * 100};
        assert_int_equal(sl_recorder_process(model->recorder, &process), i);
    }
}

static void model_destroy(struct model *model)
{
    for (uint32_t i = 0; i < model->thread_count; i++) {
        free(model->threads[i].samples);
    }
    sl_recorder_destroy(model->recorder);
}

/* The runs of one thread, as the model's samples have them. */
static void check_runs(const struct sl_profile *profile, const struct sl_thread_record *record,
                       const struct model_thread *thread)
{
    uint32_t run_number = 0;
    size_t i = 0;
    uint64_t weight = 0;
    while (i < thread->count) {
        struct model_sample run = thread->samples[i];
        uint32_t samples = 1;
        for (i++; i < thread->count && thread->samples[i].begin_ns == run.end_ns &&
                  thread->samples[i].stack == run.stack && thread->samples[i].state == run.state;
             i++) {
            run.end_ns = thread->samples[i].end_ns;
            samples++;
        }
        assert_true(run_number < record->run_count);
        const struct sl_run *seen = &profile->runs[record->first_run + run_number++];
        assert_int_equal(seen->begin_ns, clamp(run.begin_ns, thread->begin_ns, thread->end_ns));
        uint64_t end_ns = i == thread->count ? thread->end_ns : run.end_ns;
        assert_int_equal(seen->end_ns, clamp(end_ns, thread->begin_ns, thread->end_ns));
        assert_int_equal(seen->stack, run.stack);
        assert_int_equal(seen->state, run.state);
        assert_int_equal(seen->samples, samples);
        weight += seen->end_ns - seen->begin_ns;
    }
    assert_int_equal(run_number, record->run_count);
    assert_true(weight <= record->end_ns - record->begin_ns);
}

static void check_profile(const struct sl_profile *profile, const struct model *model, uint64_t duration_ns)
{
    assert_true(profile->facts.complete);
    assert_int_equal(profile->facts.lost_bytes, 0);
    assert_int_equal(profile->facts.start_time_ns, 1700000000000000000);
    assert_int_equal(profile->facts.interval_ns, INTERVAL);
    assert_int_equal(profile->facts.duration_ns, duration_ns);
    assert_int_equal(profile->facts.looks, model->looks);
    assert_int_equal(profile->facts.samples, model->samples);
    assert_string_equal(sl_profile_text(profile, profile->facts.description), "a model");
    assert_string_equal(sl_profile_text(profile, profile->facts.version), SL_VERSION);
    assert_int_equal(profile->stack_count, model->stack_count);
    assert_memory_equal(profile->stacks, model->stacks, model->stack_count * sizeof model->stacks[0]);
    for (uint32_t i = 1; i < profile->stack_count; i++) {
        const struct sl_function_record *function = &profile->functions[profile->stacks[i].function];
        char name[32];
        snprintf(name, sizeof name, "function_%u", function->first_line / 10);
        assert_string_equal(sl_profile_text(profile, function->name), name);
        assert_int_equal(sl_profile_text_size(profile, function->name), strlen(name));
        assert_int_equal(function->kind, function->first_line / 10 % 3);
    }
    assert_int_equal(profile->process_count, 2);
    assert_int_equal(profile->thread_count, model->thread_count);
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const struct sl_thread_record *record = &profile->threads[i];
        const struct model_thread *thread = &model->threads[i];
        assert_int_equal(record->id, 1000 + i);
        assert_int_equal(record->main, i == 0);
        assert_int_equal(record->process, thread->process);
        assert_int_equal(record->begin_ns, thread->begin_ns);
        assert_int_equal(record->end_ns, thread->end_ns);
        assert_int_equal(record->cpu_ns, thread->cpu_ns);
        check_runs(profile, record, thread);
    }
}

static void record_and_compare(uint64_t seed, uint32_t looks, uint32_t flush_every)
{
    static struct model model;
    model_init(&model, seed);
    random_thread(&model, 0);
    for (uint32_t i = 0; i < looks; i++) {
        if (random_below(&model.random, looks / THREADS + 1) == 0) {
            random_thread(&model, random_below(&model.random, 2));
        }
        if (random_below(&model.random, looks / 4 + 1) == 0) {
            struct model_thread *thread = &model.threads[random_below(&model.random, model.thread_count)];
            if (!thread->ended) {
                thread->ended = true;
                thread->live = false;
                uint64_t earlier_ns = random_below(&model.random, 3) * (uint64_t)INTERVAL / 4;
                thread->end_ns = model.time_ns > earlier_ns ? model.time_ns - earlier_ns : 0;
                thread->end_ns = thread->end_ns > thread->begin_ns ? thread->end_ns : thread->begin_ns;
                thread->cpu_ns = random_next(&model.random);
                sl_recorder_thread_end(model.recorder, (uint32_t)(thread - model.threads), thread->end_ns,
                                       thread->cpu_ns);
            }
        }
        random_look(&model);
        if (flush_every > 0 && i % flush_every == flush_every - 1) {
            assert_true(sl_recorder_flush(model.recorder, NULL));
        }
    }
    /* The last slot need not lie in the recording to its end. */
    uint64_t duration_ns = model.time_ns + random_below(&model.random, INTERVAL * 3);
    duration_ns = duration_ns > INTERVAL ? duration_ns - INTERVAL : 0;
    for (uint32_t i = 0; i < model.thread_count; i++) {
        if (!model.threads[i].ended) {
            model.threads[i].end_ns = duration_ns;
        }
        model.threads[i].begin_ns = clamp(model.threads[i].begin_ns, 0, duration_ns);
        model.threads[i].end_ns = clamp(model.threads[i].end_ns, model.threads[i].begin_ns, duration_ns);
    }
    assert_true(sl_recorder_close(model.recorder, duration_ns, NULL));
    const struct sl_buffer *trace = sl_recorder_trace(model.recorder);
    struct sl_error error = {0};
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, &error);
    assert_non_null(profile);
    check_profile(profile, &model, duration_ns);
    sl_profile_destroy(profile);
    model_destroy(&model);
}

static void test_a_trace_gives_exactly_what_was_put_in(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random random = {seed};
        uint32_t looks = 1 + random_below(&random, 300);
        record_and_compare(seed, looks, random_below(&random, 3) * random_below(&random, 40));
    }
}

static void test_a_recording_of_many_blocks_without_one_flush(void **state)
{
    (void)state;
    record_and_compare(77, 40000, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_trace_gives_exactly_what_was_put_in),
        cmocka_unit_test(test_a_recording_of_many_blocks_without_one_flush),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
