#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "program_double.h"
#include "python_double.h"

#include "profile/trace_reader.h"
#include "sampler/session.h"
#include "target/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A recording of `program`, and what came of it. */
struct recorded {
    enum sl_session_end end;
    struct sl_error error;
    struct sl_profile *profile;
    struct sl_recorder *recorder;
};

static struct sl_session *current_session;

static struct recorded record_target(const struct sl_session_options *options, const struct sl_session_target *target)
{
    struct recorded recorded = {0};
    struct sl_error error = {0};
    struct sl_recorder_options recorder_options = {.interval_ns = options->interval_ns, .descriptor = -1};
    recorded.recorder = sl_recorder_create(&recorder_options, &error);
    assert_non_null(recorded.recorder);
    struct sl_session *session = sl_session_create(options, recorded.recorder, &error);
    assert_non_null(session);
    current_session = session;
    assert_true(sl_session_add(session, target, &error));
    recorded.end = sl_session_run(session, &recorded.error);
    sl_session_destroy(session);
    const struct sl_buffer *trace = sl_recorder_trace(recorded.recorder);
    recorded.profile = sl_trace_read(trace->bytes, trace->size, &error);
    assert_non_null(recorded.profile);
    assert_true(recorded.profile->facts.complete);
    return recorded;
}

static struct recorded record(const struct sl_session_options *options, bool starting)
{
    const struct sl_session_target target = {.pid = pid, .command = "app.py", .starting = starting};
    return record_target(options, &target);
}

static void destroy(struct recorded *recorded)
{
    sl_profile_destroy(recorded->profile);
    sl_recorder_destroy(recorded->recorder);
}

static const char *function_name(const struct sl_profile *profile, sl_stack stack)
{
    return sl_profile_text(profile, profile->functions[profile->stacks[stack].function].name);
}

/* The names of its functions, the innermost first. */
static void assert_is_stack(const struct sl_profile *profile, sl_stack stack, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(function_name(profile, stack), names[i]);
        stack = profile->stacks[stack].caller;
    }
    assert_int_equal(stack, 0);
}

/* The index of the thread with this id; its only one. */
static uint32_t thread_of(const struct sl_profile *profile, int id)
{
    uint32_t found = SL_NONE;
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        if (profile->threads[i].id == (uint64_t)id) {
            assert_int_equal(found, SL_NONE);
            found = i;
        }
    }
    assert_int_not_equal(found, SL_NONE);
    return found;
}

static uint64_t weight(const struct sl_profile *profile, uint32_t thread, const char *function)
{
    uint64_t weight_ns = 0;
    const struct sl_thread_record *record = &profile->threads[thread];
    for (uint32_t i = record->first_run; i < record->first_run + record->run_count; i++) {
        const struct sl_run *run = &profile->runs[i];
        if (function == NULL || strcmp(function_name(profile, run->stack), function) == 0) {
            weight_ns += run->end_ns - run->begin_ns;
        }
    }
    return weight_ns;
}

/* How long a thread that lived when the process was joined, and lives on, was recorded: all the time. */
static uint64_t whole(const struct sl_profile *profile, uint32_t thread)
{
    assert_int_equal(profile->threads[thread].begin_ns, profile->processes[0].begin_ns);
    assert_int_equal(profile->threads[thread].end_ns, profile->facts.duration_ns);
    return profile->facts.duration_ns - profile->processes[0].begin_ns;
}

/* For recordings that end when they have seen what they should, however slow the machine is. */
static const struct sl_session_options until_stopped = {.interval_ns = MS, .states = true, .duration_ns = 60000 * MS};

static const struct sl_session_options brief = {.interval_ns = MS, .states = true, .duration_ns = 200 * MS};

static void test_each_thread_is_recorded_with_its_stack_and_state_for_the_whole_time(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, spin, wait_for_gil, wait_for_lock}, 4);
    python_double.threads[1].holds_gil = true;
    struct recorded recorded = record(&brief, false);
    const struct sl_profile *profile = recorded.profile;
    assert_int_equal(recorded.end, SL_SESSION_STOPPED);
    assert_int_equal(profile->thread_count, 4);
    assert_int_equal(profile->process_count, 1);
    assert_string_equal(sl_profile_text(profile, profile->processes[0].command), "app.py");
    assert_string_equal(sl_profile_text(profile, profile->processes[0].python), "3.99.0");
    assert_string_equal(sl_profile_text(profile, profile->processes[0].prefixes), "/usr");
    assert_int_equal(profile->processes[0].pid, pid);
    assert_int_equal(profile->processes[0].parent_pid, getpid());

    const sl_state states[] = {
        sl_state_in_call(SL_STATE_KNOWN, SYS_clock_nanosleep),
        SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL,
        sl_state_in_call(SL_STATE_KNOWN | SL_STATE_WAITS_GIL, SYS_futex),
        sl_state_in_call(SL_STATE_KNOWN | SL_STATE_LOCK, SYS_futex),
    };
    const char *functions[] = {"f1", "f2", "f3", "f4"};
    for (size_t i = 0; i < 4; i++) {
        uint32_t thread = thread_of(profile, program->ids[i]);
        const struct sl_thread_record *record = &profile->threads[thread];
        assert_int_equal(record->main, i == 0);
        assert_int_equal(weight(profile, thread, functions[i]), whole(profile, thread));
        assert_int_equal(record->run_count, 1);
        const struct sl_run *run = &profile->runs[record->first_run];
        assert_int_equal(run->state, states[i]);
        assert_int_equal(profile->stacks[run->stack].line, 20 + i);
        assert_string_equal(function_name(profile, profile->stacks[run->stack].caller), "f0");
        assert_int_equal(run->samples, profile->facts.looks);
    }
    assert_true(profile->facts.duration_ns >= brief.duration_ns);
    assert_int_equal(profile->facts.broken + profile->facts.missed, 0);
    assert_int_equal(profile->facts.looks + profile->facts.late,
                     (profile->facts.duration_ns + brief.interval_ns - 1) / brief.interval_ns);
    destroy(&recorded);
}

static void test_a_thread_that_did_not_run_is_not_walked_again(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, spin}, 2);
    struct recorded recorded = record(&brief, false);
    assert_in_range(python_double.threads[0].walks, 1, 3);
    assert_true(python_double.threads[1].walks >= recorded.profile->facts.looks);
    destroy(&recorded);
}

static void test_only_the_main_thread_is_recorded_if_wanted(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, spin}, 2);
    struct sl_session_options options = brief;
    options.main_thread_only = true;
    struct recorded recorded = record(&options, false);
    assert_int_equal(recorded.profile->thread_count, 1);
    assert_true(recorded.profile->threads[0].main);
    assert_int_equal(recorded.profile->threads[0].id, pid);
    destroy(&recorded);
}

static void test_a_torn_walk_is_repeated(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    python_double.threads[0].torn = 5;
    struct recorded recorded = record(&brief, false);
    const struct sl_facts *facts = &recorded.profile->facts;
    assert_int_equal(facts->broken, 0);
    assert_int_equal(facts->retried, 5 * (facts->looks - 1));
    assert_int_equal(weight(recorded.profile, 0, "f1"), whole(recorded.profile, 0));
    destroy(&recorded);
}

static void test_a_walk_that_stays_torn_is_told_as_broken(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    python_double.threads[0].torn = UINT32_MAX;
    python_double.threads[0].torn_left = UINT32_MAX;
    struct recorded recorded = record(&brief, false);
    const struct sl_facts *facts = &recorded.profile->facts;
    assert_int_equal(facts->broken, facts->looks);
    assert_int_equal(weight(recorded.profile, 0, "[broken]"), whole(recorded.profile, 0));
    destroy(&recorded);
}

static void test_a_stack_that_is_too_deep_is_told_and_not_looked_at_again(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    python_double.threads[0].too_deep = true;
    struct recorded recorded = record(&brief, false);
    const struct sl_facts *facts = &recorded.profile->facts;
    assert_int_equal(facts->broken, facts->looks);
    assert_int_equal(facts->retried, 0);
    assert_int_equal(python_double.threads[0].walks, facts->looks);
    assert_int_equal(weight(recorded.profile, 0, "[too deep]"), whole(recorded.profile, 0));
    destroy(&recorded);
}

static void test_a_thread_without_frames_says_so(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, sleep_on}, 2);
    python_double.threads[1].depth = 0;
    struct recorded recorded = record(&brief, false);
    uint32_t thread = thread_of(recorded.profile, program->ids[1]);
    assert_int_equal(weight(recorded.profile, thread, "[no Python frame]"), whole(recorded.profile, thread));
    destroy(&recorded);
}

static unsigned steps;

static void begin_late(void)
{
    python_double.threads[0].depth = steps++ < 20 ? 0 : 2;
    if (steps == 40) {
        sl_session_stop(current_session);
    }
}

static void test_the_time_before_the_first_frame_is_another_programs_and_starting(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    python_double.attach_failures = 20;
    python_double.attach_error = SL_ERROR_NOT_PYTHON;
    python_double.not_yet = true;
    steps = 0;
    python_double_step = begin_late;
    struct recorded recorded = record(&until_stopped, true);
    const struct sl_profile *profile = recorded.profile;
    assert_int_equal(profile->thread_count, 1);
    uint64_t starting_ns = weight(profile, 0, "[starting]");
    assert_true(starting_ns >= 10 * MS);
    uint64_t wrapper_ns = weight(profile, 0, "[not Python: test_session]");
    assert_true(wrapper_ns >= 5 * MS);
    assert_int_equal(wrapper_ns + starting_ns + weight(profile, 0, "f1"), whole(profile, 0));
    assert_int_equal(profile->runs[0].begin_ns, profile->threads[0].begin_ns);
    destroy(&recorded);
}

static void stop_after_some_looks(void)
{
    if (++steps == 20) {
        sl_session_stop(current_session);
    }
}

/* What it does when it is first looked at says nothing of the time before. */
static void test_a_program_that_was_started_long_before_the_first_look_is_recorded_from_its_start(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    steps = 0;
    python_double_step = stop_after_some_looks;
    const uint64_t unseen_ns = 200 * MS;
    const struct sl_session_target target = {
        .pid = pid,
        .starting = true,
        .started_ns = sl_clock_now_ns() - unseen_ns,
    };
    struct recorded recorded = record_target(&until_stopped, &target);
    const struct sl_profile *profile = recorded.profile;
    assert_int_equal(profile->processes[0].begin_ns, 0);
    uint64_t starting_ns = weight(profile, 0, "[starting]");
    assert_true(starting_ns >= unseen_ns - MS);
    assert_true(weight(profile, 0, "f1") > 0);
    assert_int_equal(starting_ns + weight(profile, 0, "f1"), whole(profile, 0));
    assert_true(profile->facts.late >= unseen_ns / MS - 2);
    destroy(&recorded);
}

static void run_the_script(void)
{
    steps++;
    if (steps == 5) {
        python_double.path = "/script\n/usr/lib/python3.99";
        python_double.threads[0].frames[1].code = 7;
    }
    if (steps == 15) {
        sl_session_stop(current_session);
    }
}

static void test_the_folder_of_a_script_that_ends_soon_is_known(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    steps = 0;
    python_double.path = "/usr/lib/python3.99";
    python_double_step = run_the_script;
    struct recorded recorded = record(&until_stopped, true);
    const struct sl_profile *profile = recorded.profile;
    assert_string_equal(sl_profile_text(profile, profile->processes[0].path), "/script\n/usr/lib/python3.99");
    destroy(&recorded);
}

static bool has_thread(int id)
{
    return syscall(SYS_tgkill, pid, id, 0) == 0;
}

static void let_a_thread_end(void)
{
    atomic_store(&program->go, steps > 5);
    steps += steps <= 5 || !has_thread(program->ids[1]);
    if (steps == 20) {
        sl_session_stop(current_session);
    }
}

static void test_a_thread_that_ends_is_recorded_to_its_end(void **state)
{
    (void)state;
    start_program((activity[]){spin, live_briefly}, 2);
    steps = 0;
    python_double_step = let_a_thread_end;
    struct recorded recorded = record(&until_stopped, false);
    const struct sl_profile *profile = recorded.profile;
    const struct sl_thread_record *ended = &profile->threads[thread_of(profile, program->ids[1])];
    assert_true(ended->end_ns < profile->facts.duration_ns);
    assert_int_equal(weight(profile, thread_of(profile, program->ids[1]), NULL), ended->end_ns - ended->begin_ns);
    uint32_t main_thread = thread_of(profile, program->ids[0]);
    assert_int_equal(weight(profile, main_thread, "f1"), whole(profile, main_thread));
    destroy(&recorded);
}

static unsigned looks_before; /* the thread was told, of one that is walked at each */

static void let_a_thread_be_told(void)
{
    if (++steps == 10) {
        python_double.thread_count = 2;
        looks_before = python_double.threads[0].walks;
    }
    if (steps == 20) {
        sl_session_stop(current_session);
    }
}

/* The list is not read as long as stacks tell that it is the same, and a new thread is looked at in the same sweep. */
static void test_a_list_of_threads_that_is_seen_along_with_a_stack_is_read_when_it_changes(void **state)
{
    (void)state;
    start_program((activity[]){spin, sleep_on}, 2);
    python_double.follows_list = true;
    python_double.thread_count = 1;
    steps = 0;
    python_double_step = let_a_thread_be_told;
    struct recorded recorded = record(&until_stopped, false);
    const struct sl_profile *profile = recorded.profile;
    const struct sl_thread_record *late = &profile->threads[thread_of(profile, program->ids[1])];
    assert_int_equal(python_double.lists, 2);
    assert_int_equal(python_double.forgotten, profile->facts.looks); /* between sweeps only */
    assert_int_equal(profile->runs[late->first_run].samples, profile->facts.looks - looks_before);
    destroy(&recorded);
}

/* One of C's that comes into Python when it has worked for long already. */
static void test_what_a_thread_used_before_the_recording_is_left_out(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, spin}, 2);
    python_double.thread_count = 1;
    nanosleep(&(struct timespec){.tv_nsec = 300 * (long)MS}, NULL);
    steps = 0;
    python_double_step = let_a_thread_be_told;
    struct recorded recorded = record(&until_stopped, false);
    const struct sl_profile *profile = recorded.profile;
    const struct sl_thread_record *late = &profile->threads[thread_of(profile, program->ids[1])];
    assert_true(late->cpu_ns <= profile->facts.duration_ns);
    destroy(&recorded);
}

/* Nothing is walked while all threads wait: then the list is read on its own. */
static void test_a_list_of_threads_is_read_when_no_stack_is_walked(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, sleep_on}, 2);
    python_double.follows_list = true;
    python_double.thread_count = 1;
    steps = 0;
    python_double_step = let_a_thread_be_told;
    struct recorded recorded = record(&until_stopped, false);
    assert_int_equal(recorded.profile->thread_count, 2);
    assert_in_range(python_double.threads[0].walks, 1, 3);
    destroy(&recorded);
}

#define LATE 300

static void let_a_thread_be_told_late(void)
{
    python_double.thread_count = python_double.threads[0].walks < LATE ? 1 : 2;
    if (python_double.threads[1].walks > 0 || python_double.threads[0].walks > 10 * LATE) {
        sl_session_stop(current_session);
    }
}

/* A long list is not read at each look, but what begins is looked at in the same sweep. */
static void test_a_thread_that_begins_in_a_long_list_is_seen_at_once(void **state)
{
    (void)state;
    start_program((activity[]){spin, sleep_on}, 2);
    python_double.long_list = true;
    python_double_step = let_a_thread_be_told_late;
    struct recorded recorded = record(&until_stopped, false);
    const struct sl_profile *profile = recorded.profile;
    const struct sl_thread_record *late = &profile->threads[thread_of(profile, program->ids[1])];
    assert_in_range(python_double.lists, 2, profile->facts.looks / 2);
    assert_int_equal(profile->runs[late->first_run].samples, profile->facts.looks - LATE);
    destroy(&recorded);
}

static void kill_program(void)
{
    if (steps++ == 5) {
        kill(pid, SIGTERM);
    }
}

static void test_the_end_of_the_process_ends_the_session(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, spin}, 2);
    steps = 0;
    python_double_step = kill_program;
    struct sl_session_options options = {.interval_ns = MS, .states = true};
    struct recorded recorded = record(&options, false);
    const struct sl_profile *profile = recorded.profile;
    assert_int_equal(recorded.end, SL_SESSION_ENDED);
    assert_true(WIFSIGNALED(profile->processes[0].exit_status));
    assert_int_equal(WTERMSIG(profile->processes[0].exit_status), SIGTERM);
    assert_true(profile->processes[0].end_ns <= profile->facts.duration_ns);
    assert_true(profile->facts.cpu_ns > 0);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(weight(profile, i, NULL), profile->threads[i].end_ns - profile->threads[i].begin_ns);
    }
    destroy(&recorded);
}

static pid_t other; /* a second process, of one thread that sleeps */

static void kill_both(void)
{
    if (steps++ == 5) {
        siginfo_t ended;
        kill(pid, SIGKILL);
        kill(other, SIGKILL);
        waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT);
        waitid(P_PID, (id_t)other, &ended, WEXITED | WNOWAIT);
    }
}

static void test_processes_may_end_at_the_same_moment(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    other = fork();
    if (other == 0) {
        sleep_on(&program->ids[1]);
        _exit(0);
    }
    const struct sl_session_options options = {.interval_ns = 50 * MS, .states = true};
    const struct sl_session_target first = {.pid = pid};
    const struct sl_session_target second = {.pid = other};
    struct sl_recorder_options recorder_options = {.interval_ns = options.interval_ns, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&recorder_options, NULL);
    struct sl_session *session = sl_session_create(&options, recorder, NULL);
    assert_true(sl_session_add(session, &first, NULL) && sl_session_add(session, &second, NULL));
    steps = 0;
    python_double_step = kill_both;
    assert_int_equal(sl_session_run(session, NULL), SL_SESSION_ENDED);
    sl_session_destroy(session);
    sl_recorder_destroy(recorder);
    waitpid(other, NULL, 0);
}

static void *end_soon(void *argument)
{
    (void)argument;
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    atomic_store(&program->go, true);
    return NULL;
}

static void test_the_end_of_the_process_is_noticed_within_a_long_interval(void **state)
{
    (void)state;
    start_program((activity[]){live_briefly}, 1);
    pthread_t ender;
    pthread_create(&ender, NULL, end_soon, NULL);
    struct sl_session_options options = {.interval_ns = SL_INTERVAL_MAX_NS, .states = true};
    struct recorded recorded = record(&options, false);
    pthread_join(ender, NULL);
    assert_int_equal(recorded.end, SL_SESSION_ENDED);
    assert_true(recorded.profile->facts.duration_ns < SL_INTERVAL_MAX_NS / 2);
    destroy(&recorded);
}

static void *stop_soon(void *argument)
{
    (void)argument;
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    sl_session_stop(current_session);
    return NULL;
}

static void test_a_stop_ends_a_long_interval_with_a_look(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on}, 1);
    pthread_t stopper;
    struct sl_session_options options = {.interval_ns = SL_INTERVAL_MAX_NS, .states = true};
    pthread_create(&stopper, NULL, stop_soon, NULL);
    struct recorded recorded = record(&options, false);
    pthread_join(stopper, NULL);
    assert_int_equal(recorded.end, SL_SESSION_STOPPED);
    assert_true(recorded.profile->facts.duration_ns < SL_INTERVAL_MAX_NS / 2);
    assert_int_equal(weight(recorded.profile, 0, "f1"), whole(recorded.profile, 0));
    destroy(&recorded);
}

static void stop_after_execution(void)
{
    steps += python_double.attached == 2;
    if (steps == 10) {
        sl_session_stop(current_session);
    }
}

static void test_a_program_that_executes_another_is_followed(void **state)
{
    (void)state;
    start_program((activity[]){execute, spin}, 2);
    steps = 0;
    python_double_step = stop_after_execution;
    struct recorded recorded = record(&until_stopped, false);
    const struct sl_profile *profile = recorded.profile;
    assert_int_equal(python_double.attached, 2);
    assert_int_equal(profile->process_count, 1);
    const struct sl_thread_record *lost = &profile->threads[thread_of(profile, program->ids[1])];
    assert_true(lost->end_ns < profile->facts.duration_ns);
    assert_int_equal(weight(profile, thread_of(profile, pid), NULL), whole(profile, thread_of(profile, pid)));
    destroy(&recorded);
}

static void test_what_is_no_python_to_its_end_gives_nothing(void **state)
{
    (void)state;
    start_program((activity[]){live_briefly}, 1);
    pthread_t ender;
    pthread_create(&ender, NULL, end_soon, NULL);
    python_double.attach_failures = UINT32_MAX;
    python_double.attach_error = SL_ERROR_NOT_PYTHON;
    struct sl_session_options options = {.interval_ns = MS, .states = true};
    struct recorded recorded = record(&options, true);
    pthread_join(ender, NULL);
    assert_int_equal(recorded.end, SL_SESSION_NOTHING);
    assert_int_equal(recorded.error.kind, SL_ERROR_NOT_PYTHON);
    destroy(&recorded);
}

static void test_what_stays_unreadable_gives_nothing(void **state)
{
    (void)state;
    const enum sl_error_kind kinds[] = {SL_ERROR_UNSUPPORTED, SL_ERROR_PERMISSION};
    for (size_t i = 0; i < 2; i++) {
        start_program((activity[]){sleep_on}, 1);
        python_double.attach_failures = UINT32_MAX;
        python_double.attach_error = kinds[i];
        struct sl_session_options options = {.interval_ns = MS, .states = true};
        struct recorded recorded = record(&options, true);
        assert_int_equal(recorded.end, SL_SESSION_NOTHING);
        assert_int_equal(recorded.error.kind, kinds[i]);
        assert_int_equal(kill(pid, 0), 0);
        destroy(&recorded);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    pid = 0;
}

static void test_what_looks_unreadable_while_it_is_loaded_is_sampled(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    python_double.attach_failures = 5;
    python_double.attach_error = SL_ERROR_UNSUPPORTED;
    struct recorded recorded = record(&brief, true);
    assert_int_equal(recorded.end, SL_SESSION_STOPPED);
    assert_int_equal(python_double.attached, 1);
    destroy(&recorded);
}

static void test_joining_what_cannot_be_read_is_told_at_once(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on}, 1);
    python_double.attach_failures = 1;
    python_double.attach_error = SL_ERROR_NOT_PYTHON;
    struct sl_error error = {0};
    struct sl_recorder *recorder =
        sl_recorder_create(&(struct sl_recorder_options){.interval_ns = MS, .descriptor = -1}, &error);
    struct sl_session *session = sl_session_create(&brief, recorder, &error);
    assert_false(sl_session_add(session, &(struct sl_session_target){.pid = pid}, &error));
    assert_int_equal(error.kind, SL_ERROR_NOT_PYTHON);
    sl_session_destroy(session);
    sl_recorder_destroy(recorder);
}

static void test_what_ends_while_it_is_joined_leaves_no_trace(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on}, 1);
    python_double.kills = true;
    struct sl_error error = {0};
    struct sl_recorder *recorder =
        sl_recorder_create(&(struct sl_recorder_options){.interval_ns = MS, .descriptor = -1}, &error);
    struct sl_session *session = sl_session_create(&brief, recorder, &error);
    assert_false(sl_session_add(session, &(struct sl_session_target){.pid = pid}, &error));
    pid = 0;
    assert_int_equal(error.kind, SL_ERROR_GONE);
    sl_session_destroy(session);
    assert_true(sl_recorder_close(recorder, MS, &error));
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, &error);
    assert_non_null(profile);
    assert_int_equal(profile->process_count, 0);
    for (sl_string string = 0; string < profile->string_count; string++) {
        assert_null(strstr(sl_profile_text(profile, string), "test_session")); /* its command */
    }
    sl_profile_destroy(profile);
    sl_recorder_destroy(recorder);
}

static void test_interpreters_entered_by_one_thread_make_one_stack(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    python_double.thread_count = 2;
    python_double.threads[1] = python_double.threads[0];
    python_double.threads[1].frames[0].code = 5;
    python_double.threads[1].frames[1].code = 6;
    python_double.threads[0].interpreter_id = 1;
    struct recorded recorded = record(&brief, false);
    const struct sl_profile *profile = recorded.profile;
    assert_int_equal(profile->thread_count, 1);
    assert_int_equal(profile->threads[0].run_count, 1);
    assert_is_stack(profile, profile->runs[0].stack, (const char *[]){"f1", "f0", "f6", "f5"}, 4);
    destroy(&recorded);
}

static void test_of_more_interpreters_than_are_kept_the_main_one_stays(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    python_double.thread_count = 6;
    for (uint32_t i = 0; i < 6; i++) {
        python_double.threads[i] = python_double.threads[0];
        python_double.threads[i].interpreter_id = 5 - (int64_t)i; /* as in the runtime's list, the newest first */
        python_double.threads[i].depth = 1;
        python_double.threads[i].frames[0].code = 5 - i;
    }
    struct recorded recorded = record(&brief, false);
    const struct sl_profile *profile = recorded.profile;
    assert_int_equal(profile->thread_count, 1);
    assert_is_stack(profile, profile->runs[0].stack, (const char *[]){"f3", "f2", "f1", "f0"}, 4);
    destroy(&recorded);
}

static void test_a_gil_that_comes_after_its_thread_is_found(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, wait_for_gil}, 2);
    python_double.gil_late = 2; /* once for each thread */
    struct recorded recorded = record(&brief, false);
    const struct sl_profile *profile = recorded.profile;
    const struct sl_thread_record *record = &profile->threads[thread_of(profile, program->ids[1])];
    sl_state last = profile->runs[record->first_run + record->run_count - 1].state;
    assert_int_equal(last, sl_state_in_call(SL_STATE_KNOWN | SL_STATE_WAITS_GIL, SYS_futex));
    destroy(&recorded);
}

static void test_a_full_disk_fails_the_session_at_its_end(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on}, 1);
    struct sl_error error = {0};
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    struct sl_recorder *recorder =
        sl_recorder_create(&(struct sl_recorder_options){.interval_ns = MS, .descriptor = pipe_ends[1]}, &error);
    assert_non_null(recorder);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    dup2(full, pipe_ends[1]);
    struct sl_session *session = sl_session_create(&brief, recorder, &error);
    assert_true(sl_session_add(session, &(struct sl_session_target){.pid = pid}, &error));
    assert_int_equal(sl_session_run(session, &error), SL_SESSION_FAILED);
    assert_int_equal(error.kind, SL_ERROR_SYSTEM);
    sl_session_destroy(session);
    sl_recorder_destroy(recorder);
    close(full);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void test_the_signal_mask_is_as_before(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on}, 1);
    sigset_t before;
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    struct recorded recorded = record(&brief, false);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int number = 1; number < 32; number++) {
        assert_int_equal(sigismember(&before, number), sigismember(&after, number));
    }
    destroy(&recorded);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_thread_is_recorded_with_its_stack_and_state_for_the_whole_time),
        TEST(test_a_thread_that_did_not_run_is_not_walked_again),
        TEST(test_only_the_main_thread_is_recorded_if_wanted),
        TEST(test_a_torn_walk_is_repeated),
        TEST(test_a_walk_that_stays_torn_is_told_as_broken),
        TEST(test_a_stack_that_is_too_deep_is_told_and_not_looked_at_again),
        TEST(test_a_thread_without_frames_says_so),
        TEST(test_the_time_before_the_first_frame_is_another_programs_and_starting),
        TEST(test_a_program_that_was_started_long_before_the_first_look_is_recorded_from_its_start),
        TEST(test_a_list_of_threads_is_read_when_no_stack_is_walked),
        TEST(test_a_thread_that_begins_in_a_long_list_is_seen_at_once),
        TEST(test_a_list_of_threads_that_is_seen_along_with_a_stack_is_read_when_it_changes),
        TEST(test_the_folder_of_a_script_that_ends_soon_is_known),
        TEST(test_a_thread_that_ends_is_recorded_to_its_end),
        TEST(test_the_end_of_the_process_ends_the_session),
        TEST(test_processes_may_end_at_the_same_moment),
        TEST(test_what_a_thread_used_before_the_recording_is_left_out),
        TEST(test_the_end_of_the_process_is_noticed_within_a_long_interval),
        TEST(test_a_stop_ends_a_long_interval_with_a_look),
        TEST(test_a_program_that_executes_another_is_followed),
        TEST(test_what_is_no_python_to_its_end_gives_nothing),
        TEST(test_what_stays_unreadable_gives_nothing),
        TEST(test_what_looks_unreadable_while_it_is_loaded_is_sampled),
        TEST(test_joining_what_cannot_be_read_is_told_at_once),
        TEST(test_what_ends_while_it_is_joined_leaves_no_trace),
        TEST(test_interpreters_entered_by_one_thread_make_one_stack),
        TEST(test_of_more_interpreters_than_are_kept_the_main_one_stays),
        TEST(test_a_gil_that_comes_after_its_thread_is_found),
        TEST(test_a_full_disk_fails_the_session_at_its_end),
        TEST(test_the_signal_mask_is_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
