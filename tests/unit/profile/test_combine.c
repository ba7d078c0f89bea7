/* Recordings one after the other: times, samples and counters add up, and nothing is told that was not recorded. */
#include "profile/combine.h"
#include "profile/folded_reader.h"
#include "profile/recorder.h"
#include "profile/trace_reader.h"
#include "support/sound_profile.h"

#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { INTERVAL = 1000000, FUNCTIONS = 5 };

static sl_stack push(struct sl_recorder *recorder, sl_stack caller, uint32_t which)
{
    char name = (char)('a' + which);
    sl_string text = sl_recorder_string(recorder, &name, 1);
    sl_function function = sl_recorder_function(recorder, (struct sl_function_record){.name = text, .first_line = 10});
    return sl_recorder_stack(recorder, caller, function, 11 + which);
}

static struct sl_profile *read_trace(const struct sl_buffer *trace)
{
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, NULL);
    assert_non_null(profile);
    assert_null(broken_promise(profile));
    return profile;
}

/* Threads that begin and end anywhere, with stacks that change now and then; some looks come late. */
static struct sl_profile *record(uint64_t seed, uint32_t threads, uint32_t kind, bool complete)
{
    struct random random = {seed};
    struct sl_recorder_options options = {
        .start_time_ns = 1000 + seed, .interval_ns = INTERVAL, .description = "soup", .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    assert_non_null(recorder);
    struct sl_process_record process = {.pid = 7};
    sl_recorder_process(recorder, &process);
    for (uint32_t i = 0; i < threads; i++) {
        struct sl_thread_record thread = {.id = 7 + i, .kind = kind, .main = i == 0};
        assert_int_equal(sl_recorder_thread(recorder, &thread), i);
    }
    uint64_t time_ns = 0;
    for (uint32_t look = 0; look < 500; look++) {
        uint64_t end_ns = time_ns + INTERVAL * (random_below(&random, 10) == 0 ? 3 : 1);
        if (look == 300 && threads > 2) {
            sl_recorder_thread_end(recorder, 2, time_ns, 5);
        }
        sl_recorder_look(recorder, time_ns, end_ns, time_ns);
        for (uint32_t i = 0; i < threads; i++) {
            if (look == 0 || random_below(&random, 8) == 0) {
                sl_stack stack = push(recorder, 0, random_below(&random, FUNCTIONS));
                sl_recorder_sample(recorder, i, push(recorder, stack, random_below(&random, FUNCTIONS)), i);
            }
        }
        time_ns = end_ns;
    }
    struct sl_facts *facts = sl_recorder_facts(recorder);
    facts->late = seed;
    facts->cpu_ns = 100;
    for (uint32_t i = 0; i < threads; i++) {
        sl_recorder_thread_end(recorder, i, time_ns, 30);
    }
    if (complete) {
        assert_true(sl_recorder_close(recorder, time_ns, NULL));
    } else {
        assert_true(sl_recorder_flush(recorder, NULL));
    }
    struct sl_profile *profile = read_trace(sl_recorder_trace(recorder));
    sl_recorder_destroy(recorder);
    return profile;
}

static struct sl_profile *combine(const struct sl_profile *const *profiles, size_t count)
{
    struct sl_buffer trace;
    sl_buffer_init(&trace);
    assert_true(sl_profile_combine(profiles, count, &trace, NULL));
    struct sl_profile *combined = read_trace(&trace);
    sl_buffer_destroy(&trace);
    return combined;
}

/* What was seen of each pair of functions. */
struct shares {
    uint64_t ns[FUNCTIONS][FUNCTIONS];
    uint64_t samples[FUNCTIONS][FUNCTIONS];
};

static uint32_t which(const struct sl_profile *profile, sl_stack stack)
{
    const struct sl_function_record *function = &profile->functions[profile->stacks[stack].function];
    uint32_t number = (uint32_t)(sl_profile_text(profile, function->name)[0] - 'a');
    assert_in_range(number, 0, FUNCTIONS - 1);
    assert_int_equal(profile->stacks[stack].line, 11 + number);
    return number;
}

static void add_shares(struct shares *shares, const struct sl_profile *profile)
{
    for (uint32_t i = 0; i < profile->run_count; i++) {
        const struct sl_run *run = &profile->runs[i];
        uint32_t callee = which(profile, run->stack);
        uint32_t caller = which(profile, profile->stacks[run->stack].caller);
        shares->ns[caller][callee] += run->end_ns - run->begin_ns;
        shares->samples[caller][callee] += run->samples;
    }
}

static void assert_adds_up(const struct sl_profile *const *profiles, size_t count, const struct sl_profile *combined)
{
    struct shares expected = {0};
    struct shares found = {0};
    uint64_t duration_ns = 0;
    uint64_t samples = 0;
    for (size_t i = 0; i < count; i++) {
        add_shares(&expected, profiles[i]);
        duration_ns += profiles[i]->facts.duration_ns;
        samples += profiles[i]->facts.samples;
    }
    add_shares(&found, combined);
    assert_memory_equal(&expected, &found, sizeof found);
    assert_int_equal(combined->facts.duration_ns, duration_ns);
    assert_int_equal(combined->facts.samples, samples);
}

static void test_times_samples_and_counters_add_up(void **state)
{
    (void)state;
    const struct sl_profile *profiles[] = {record(1, 4, SL_THREAD_OS, true), record(2, 3, SL_THREAD_OS, true),
                                           record(3, 1, SL_THREAD_OS, true)};
    for (size_t count = 1; count <= 3; count++) {
        struct sl_profile *combined = combine(profiles, count);
        assert_adds_up(profiles, count, combined);
        assert_true(combined->facts.complete);
        assert_int_equal(combined->facts.late, count * (count + 1) / 2);
        assert_int_equal(combined->facts.cpu_ns, 100 * count);
        assert_int_equal(combined->facts.start_time_ns, 1001);
        assert_string_equal(sl_profile_text(combined, combined->facts.description), "soup");
        sl_profile_destroy(combined);
    }
    for (size_t i = 0; i < 3; i++) {
        sl_profile_destroy((struct sl_profile *)profiles[i]);
    }
}

/* A look that stands for no time at the end, as of a recording that is stopped where a slot begins. */
static void test_a_last_look_without_time_hides_nothing(void **state)
{
    (void)state;
    struct sl_recorder_options options = {.interval_ns = INTERVAL, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    sl_recorder_process(recorder, &(struct sl_process_record){.pid = 7});
    sl_recorder_thread(recorder, &(struct sl_thread_record){.id = 7, .kind = SL_THREAD_SCOPE});
    for (uint32_t look = 0; look < 2; look++) {
        sl_recorder_look(recorder, look * INTERVAL, INTERVAL, look * INTERVAL);
        sl_recorder_sample(recorder, 0, push(recorder, push(recorder, 0, look), look), 0);
    }
    sl_recorder_thread_end(recorder, 0, INTERVAL, 30);
    assert_true(sl_recorder_close(recorder, INTERVAL, NULL));
    struct sl_profile *profile = read_trace(sl_recorder_trace(recorder));
    sl_recorder_destroy(recorder);
    assert_int_equal(profile->run_count, 2);
    struct sl_profile *combined = combine((const struct sl_profile *const[]){profile, profile}, 2);
    assert_int_equal(combined->run_count, 1);
    assert_int_equal(combined->runs[0].end_ns - combined->runs[0].begin_ns, 2 * INTERVAL);
    sl_profile_destroy(combined);
    sl_profile_destroy(profile);
}

static void test_what_goes_on_is_one_thread_and_what_ended_is_not(void **state)
{
    (void)state;
    const struct sl_profile *profiles[] = {record(4, 4, SL_THREAD_OS, true), record(5, 4, SL_THREAD_OS, true)};
    struct sl_profile *combined = combine(profiles, 2);
    /* The third one, which had ended, is another one in the second recording. */
    assert_int_equal(combined->thread_count, 5);
    assert_int_equal(combined->threads[0].cpu_ns, 60);
    assert_int_equal(combined->threads[2].end_ns, profiles[0]->threads[2].end_ns);
    assert_int_equal(combined->threads[2].cpu_ns, 5);
    assert_int_equal(combined->process_count, 1);
    assert_adds_up(profiles, 2, combined);
    sl_profile_destroy(combined);
    sl_profile_destroy((struct sl_profile *)profiles[0]);
    sl_profile_destroy((struct sl_profile *)profiles[1]);
}

static void test_scopes_become_one_whatever_threads_they_were_started_in(void **state)
{
    (void)state;
    struct sl_profile *profile = record(6, 1, SL_THREAD_SCOPE, true);
    const struct sl_profile *profiles[] = {profile, profile, profile, profile};
    struct sl_profile *combined = combine(profiles, 4);
    assert_int_equal(combined->thread_count, 1);
    assert_adds_up(profiles, 4, combined);
    sl_profile_destroy(combined);
    sl_profile_destroy(profile);
}

static void test_a_recording_that_was_cut_off_stays_one(void **state)
{
    (void)state;
    const struct sl_profile *profiles[] = {record(7, 1, SL_THREAD_SCOPE, false), record(8, 1, SL_THREAD_SCOPE, true)};
    struct sl_profile *combined = combine(profiles, 2);
    assert_false(combined->facts.complete);
    assert_adds_up(profiles, 2, combined);
    sl_profile_destroy(combined);
    sl_profile_destroy((struct sl_profile *)profiles[0]);
    sl_profile_destroy((struct sl_profile *)profiles[1]);
}

static void test_there_must_be_something_to_combine(void **state)
{
    (void)state;
    struct sl_buffer trace;
    struct sl_error error = {0};
    sl_buffer_init(&trace);
    assert_false(sl_profile_combine(NULL, 0, &trace, &error));
    assert_int_equal(error.kind, SL_ERROR_USAGE);
    sl_buffer_destroy(&trace);
}

static void test_folded_stacks_become_a_recording(void **state)
{
    (void)state;
    struct sl_profile *folded = sl_folded_read("a;b 2\nb;c 5\n", 12, NULL);
    assert_non_null(folded);
    const struct sl_profile *profile = folded;
    struct sl_profile *combined = combine(&profile, 1);
    assert_int_equal(combined->facts.duration_ns, 7000);
    assert_int_equal(combined->run_count, 2);
    assert_int_equal(combined->runs[0].end_ns, 2000);
    sl_profile_destroy(combined);
    sl_profile_destroy(folded);
}

/* Of wall-clock time. */
#define EARLY UINT64_C(1700000000000000000)
#define LATE (EARLY + UINT64_C(5000000000))

/* What a process is called by, when it was there in a recording of two looks, how it ended, and when that was begun. */
struct life {
    const char *command;
    uint64_t begin_ns, end_ns;
    int32_t exit_status;
    uint64_t start_time_ns;
    uint32_t pid;
};

static struct sl_profile *record_life(const struct life *life)
{
    struct sl_recorder_options options = {
        .interval_ns = INTERVAL, .descriptor = -1, .start_time_ns = life->start_time_ns};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    struct sl_process_record process = {.pid = life->pid, .begin_ns = life->begin_ns};
    process.command = sl_recorder_string(recorder, life->command, strlen(life->command));
    process.executable = sl_recorder_string(recorder, "/usr/local/bin/python3.12", 25);
    sl_recorder_process(recorder, &process);
    struct sl_thread_record thread = {.id = life->pid, .main = true, .begin_ns = life->begin_ns};
    sl_recorder_thread(recorder, &thread);
    for (uint64_t time_ns = 0; time_ns < 2 * INTERVAL; time_ns += INTERVAL) {
        sl_recorder_look(recorder, time_ns, time_ns + INTERVAL, time_ns);
        if (time_ns >= life->begin_ns && time_ns < life->end_ns) {
            sl_recorder_sample(recorder, 0, push(recorder, push(recorder, 0, 0), 1), 0);
        } else if (time_ns >= life->end_ns) {
            sl_recorder_thread_end(recorder, 0, life->end_ns, 0);
        }
    }
    sl_recorder_process_end(recorder, 0, life->end_ns, 0, life->exit_status);
    assert_true(sl_recorder_close(recorder, 2 * INTERVAL, NULL));
    struct sl_profile *profile = read_trace(sl_recorder_trace(recorder));
    sl_recorder_destroy(recorder);
    return profile;
}

/* In two containers each program has the same number and interpreter, and numbers are given again. */
static void test_processes_are_one_only_if_one_goes_on(void **state)
{
    (void)state;
    static const struct {
        struct life lives[2];
        uint32_t processes;
    } cases[] = {
        {{{"gunicorn", 0, 2 * INTERVAL, -1, EARLY, 7}, {"gunicorn", 0, 2 * INTERVAL, 0, LATE, 7}}, 1},
        {{{"gunicorn", 0, 2 * INTERVAL, -1, EARLY, 7}, {"gunicorn", INTERVAL, 2 * INTERVAL, -1, LATE, 7}}, 1},
        {{{"gunicorn", 0, 2 * INTERVAL, -1, EARLY, 7}, {"celery", 0, 2 * INTERVAL, -1, LATE, 7}}, 2},
        {{{"gunicorn", 0, 2 * INTERVAL, -1, 0, 7}, {"celery", 0, 2 * INTERVAL, -1, 0, 7}}, 2},
        {{{"gunicorn", 0, 2 * INTERVAL, -1, EARLY, 7}, {"celery", 0, 2 * INTERVAL, -1, EARLY + 2 * INTERVAL, 7}}, 1},
        {{{"gunicorn", 0, INTERVAL, -1, EARLY, 7}, {"gunicorn", 0, 2 * INTERVAL, -1, LATE, 7}}, 2},
        {{{"gunicorn", 0, 2 * INTERVAL, 0, EARLY, 7}, {"gunicorn", 0, 2 * INTERVAL, -1, LATE, 7}}, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sl_profile *parts[] = {record_life(&cases[i].lives[0]), record_life(&cases[i].lives[1])};
        struct sl_profile *combined = combine((const struct sl_profile *const *)parts, 2);
        assert_int_equal(combined->process_count, cases[i].processes);
        const struct sl_process_record *last = &combined->processes[combined->process_count - 1];
        assert_string_equal(sl_profile_text(combined, last->command), cases[i].lives[cases[i].processes - 1].command);
        assert_int_equal(last->end_ns, 4 * INTERVAL);
        assert_int_equal(last->exit_status, cases[i].lives[1].exit_status);
        sl_profile_destroy(combined);
        sl_profile_destroy(parts[0]);
        sl_profile_destroy(parts[1]);
    }
}

/* Each of many short recordings may be of another worker. */
static void test_processes_may_be_away_for_a_while(void **state)
{
    (void)state;
    struct sl_profile *parts[4];
    for (uint32_t i = 0; i < 4; i++) {
        parts[i] =
            record_life(&(struct life){"gunicorn", 0, 2 * INTERVAL, -1, EARLY + i * (uint64_t)1000000000, 7 + i % 2});
    }
    struct sl_profile *combined = combine((const struct sl_profile *const *)parts, 4);
    assert_int_equal(combined->process_count, 2);
    sl_profile_destroy(combined);
    for (uint32_t i = 0; i < 4; i++) {
        sl_profile_destroy(parts[i]);
    }
}

static void test_processes_may_be_very_many(void **state)
{
    (void)state;
    enum { PROCESSES = 300000 };
    struct sl_recorder_options options = {.interval_ns = INTERVAL, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        sl_recorder_process(recorder, &(struct sl_process_record){.pid = i, .exit_status = -1});
    }
    assert_true(sl_recorder_close(recorder, INTERVAL, NULL));
    struct sl_profile *profile = read_trace(sl_recorder_trace(recorder));
    sl_recorder_destroy(recorder);
    struct sl_profile *combined = combine((const struct sl_profile *const[]){profile, profile}, 2);
    assert_int_equal(combined->process_count, PROCESSES);
    assert_int_equal(combined->processes[PROCESSES - 1].pid, PROCESSES - 1);
    sl_profile_destroy(combined);
    sl_profile_destroy(profile);
}

/* A trace of two looks, of 1000 ns each, with a block missing between them of which only numbers are left: 2^33 looks were
 * taken in a second. */
static void test_lost_looks_are_told_up_to_a_bound(void **state)
{
    (void)state;
    static const uint8_t trace[] = {
        137, 76,  65,  80,  83,  69,  13,  10,  1,   0,   0,   0,   63,  247, 203, 218, 177, 12,  139, 158, 1,  0,
        0,   0,   0,   0,   0,   0,   45,  0,   0,   0,   112, 255, 197, 165, 73,  50,  120, 173, 1,   0,   24, 128,
        128, 168, 177, 227, 159, 231, 203, 23,  232, 7,   0,   0,   1,   0,   0,   0,   0,   0,   0,   0,   0,  0,
        0,   6,   0,   15,  5,   1,   0,   77,  1,   0,   8,   4,   0,   0,   0,   77,  0,   1,   0,   177, 12, 139,
        158, 2,   0,   0,   0,   1,   0,   0,   0,   22,  0,   0,   0,   95,  187, 162, 172, 79,  90,  16,  27, 7,
        0,   5,   0,   0,   232, 7,   1,   8,   0,   1,   0,   10,  0,   2,   1,   1,   12,  0,   2,   0,   1,  177,
        12,  139, 158, 2,   0,   0,   0,   3,   0,   0,   0,   26,  0,   0,   0,   144, 160, 135, 92,  165, 65, 151,
        203, 7,   0,   13,  128, 148, 235, 220, 3,   128, 128, 128, 128, 32,  232, 7,   1,   8,   0,   1,   0,  9,
        0,   3,   1,   0,   0,   177, 12,  139, 158, 3,   0,   0,   0,   4,   0,   0,   0,   35,  0,   0,   0,  96,
        248, 122, 115, 235, 186, 239, 101, 1,   0,   32,  128, 128, 168, 177, 227, 159, 231, 203, 23,  232, 7,  232,
        155, 235, 220, 3,   129, 128, 128, 128, 32,  1,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    };
    struct sl_profile *profile = sl_trace_read(trace, sizeof trace, NULL);
    assert_non_null(profile);
    assert_int_equal(profile->facts.looks_read, 2);
    assert_true(profile->facts.looks > UINT32_MAX);
    const struct sl_profile *parts[] = {profile, profile};
    struct sl_profile *combined = combine(parts, 2);
    assert_in_range(combined->facts.looks, 1000, 1 << 22);
    assert_int_equal(combined->facts.duration_ns, 2 * profile->facts.duration_ns);
    uint64_t weight_ns = 0;
    for (uint32_t i = 0; i < combined->run_count; i++) {
        weight_ns += combined->runs[i].end_ns - combined->runs[i].begin_ns;
    }
    assert_int_equal(weight_ns, combined->facts.duration_ns);
    sl_profile_destroy(combined);
    sl_profile_destroy(profile);
}

/* One thread of process 7 that runs `count` tasks, each of coroutine `names[i]` for one look. */
static struct sl_profile *record_tasks(const char *names, uint32_t count)
{
    struct sl_recorder_options options = {.interval_ns = INTERVAL, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    struct sl_process_record process = {.pid = 7};
    sl_recorder_process(recorder, &process);
    struct sl_thread_record thread = {.id = 7, .main = true};
    sl_recorder_thread(recorder, &thread);
    for (uint32_t i = 0; i < count; i++) {
        sl_string name = sl_recorder_string(recorder, &names[i], 1);
        sl_function function = sl_recorder_function(recorder, (struct sl_function_record){.name = name});
        sl_recorder_task(recorder, 0, i + 1, function);
        sl_recorder_look(recorder, (uint64_t)i * INTERVAL, (uint64_t)(i + 1) * INTERVAL, (uint64_t)i * INTERVAL);
        sl_recorder_sample(recorder, 0, sl_recorder_stack(recorder, 0, function, 1),
                           sl_state_in_task(SL_STATE_KNOWN, i + 1));
    }
    assert_true(sl_recorder_close(recorder, (uint64_t)count * INTERVAL, NULL));
    struct sl_profile *profile = read_trace(sl_recorder_trace(recorder));
    sl_recorder_destroy(recorder);
    return profile;
}

static char coroutine_of(const struct sl_profile *profile, uint32_t number)
{
    for (uint32_t i = 0; i < profile->task_count; i++) {
        if (profile->tasks[i].number == number) {
            return sl_profile_text(profile, profile->functions[profile->tasks[i].coroutine].name)[0];
        }
    }
    return '-';
}

static void test_tasks_of_the_same_coroutine_follow_each_other(void **state)
{
    (void)state;
    struct sl_profile *parts[] = {record_tasks("aab", 3), record_tasks("ba", 2), record_tasks("caaa", 4)};
    assert_int_equal(parts[0]->task_count, 3);
    assert_int_equal(sl_state_task(parts[0]->runs[2].state), 3);
    struct sl_profile *combined = combine((const struct sl_profile *const *)parts, 3);
    assert_int_equal(combined->thread_count, 1);
    assert_int_equal(combined->task_count, 5);
    const char coroutines[] = {'a', 'a', 'b', 'c', 'a'};
    for (uint32_t i = 0; i < sizeof coroutines; i++) {
        assert_int_equal(combined->tasks[i].number, i + 1);
        assert_int_equal(coroutine_of(combined, i + 1), coroutines[i]);
    }
    /* The third goes on from the first recording into the second. */
    const uint32_t ran[] = {1, 2, 3, 1, 4, 1, 2, 5};
    assert_int_equal(combined->run_count, 8);
    for (uint32_t i = 0; i < combined->run_count; i++) {
        const struct sl_run *run = &combined->runs[i];
        assert_int_equal(sl_state_task(run->state), ran[i]);
        assert_int_equal(sl_state_activity(run->state), SL_STATE_KNOWN);
        sl_string name = combined->functions[combined->stacks[run->stack].function].name;
        assert_int_equal(sl_profile_text(combined, name)[0], coroutine_of(combined, ran[i]));
    }
    sl_profile_destroy(combined);
    for (size_t i = 0; i < 3; i++) {
        sl_profile_destroy(parts[i]);
    }
}

/* Threads, of the kernel and of scopes, that live through the recording; the first hundred have a thousand tasks each. */
static struct sl_profile *record_very_many(uint32_t threads)
{
    struct sl_recorder_options options = {.interval_ns = INTERVAL, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    struct sl_process_record process = {.pid = 7};
    sl_recorder_process(recorder, &process);
    sl_stack stack = push(recorder, 0, 0);
    sl_function function = sl_recorder_function(recorder, (struct sl_function_record){.first_line = 1});
    for (uint32_t i = 0; i < threads; i++) {
        struct sl_thread_record thread = {.id = 7 + i, .kind = i % 2 == 0 ? SL_THREAD_OS : SL_THREAD_SCOPE};
        assert_int_equal(sl_recorder_thread(recorder, &thread), i);
        for (uint32_t task = 1; i < 100 && task <= 1000; task++) {
            sl_recorder_task(recorder, i, task, function);
        }
    }
    sl_recorder_look(recorder, 0, INTERVAL, 0);
    sl_recorder_sample(recorder, 0, stack, 0);
    assert_true(sl_recorder_close(recorder, INTERVAL, NULL));
    struct sl_profile *profile = read_trace(sl_recorder_trace(recorder));
    sl_recorder_destroy(recorder);
    return profile;
}

/* What is not linear in them does not end within the time that a test has. */
static void test_threads_and_tasks_may_be_very_many(void **state)
{
    (void)state;
    enum { THREADS = 300000 };
    struct sl_profile *profile = record_very_many(THREADS);
    const struct sl_profile *parts[] = {profile, profile};
    struct sl_profile *combined = combine(parts, 2);
    assert_int_equal(combined->thread_count, THREADS);
    assert_int_equal(combined->task_count, 100 * 1000);
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(combined->threads[i].id, 7 + i);
        assert_int_equal(combined->threads[i].end_ns, 2 * INTERVAL);
    }
    sl_profile_destroy(combined);
    sl_profile_destroy(profile);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_samples_and_counters_add_up),
        cmocka_unit_test(test_a_last_look_without_time_hides_nothing),
        cmocka_unit_test(test_what_goes_on_is_one_thread_and_what_ended_is_not),
        cmocka_unit_test(test_scopes_become_one_whatever_threads_they_were_started_in),
        cmocka_unit_test(test_a_recording_that_was_cut_off_stays_one),
        cmocka_unit_test(test_there_must_be_something_to_combine),
        cmocka_unit_test(test_folded_stacks_become_a_recording),
        cmocka_unit_test(test_processes_are_one_only_if_one_goes_on),
        cmocka_unit_test(test_processes_may_be_away_for_a_while),
        cmocka_unit_test(test_processes_may_be_very_many),
        cmocka_unit_test(test_lost_looks_are_told_up_to_a_bound),
        cmocka_unit_test(test_tasks_of_the_same_coroutine_follow_each_other),
        cmocka_unit_test(test_threads_and_tasks_may_be_very_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
