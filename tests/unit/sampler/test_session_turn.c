#include "turns.h"

#include "program_double.h"

#include "sampler/session_turn.h"

#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Turns come often, and as many are waited for as are wanted, however slow the machine is. */
static const struct sl_session_options often = {.interval_ns = MS, .states = true, .turn_ns = 10 * MS};

#define TURNS 10

static void run(struct turns *turns, const struct sl_session_options *options, const struct sl_session_target *target)
{
    if (turns->descriptor == 0) {
        turns->descriptor = -1;
    }
    turns_start(turns, options);
    struct sl_error error = {0};
    assert_true(sl_session_add(turns->session, target, &error));
    turns_run(turns);
}

static void join(struct turns *turns, const struct sl_session_options *options)
{
    const struct sl_session_target target = {.pid = pid, .command = "app.py"};
    run(turns, options, &target);
}

static void launch(struct turns *turns, const struct sl_session_options *options)
{
    const struct sl_session_target target = {.pid = pid, .command = "app.py", .starting = true};
    run(turns, options, &target);
}

static void assert_text(const struct sl_profile *profile, sl_string string, const char *expected)
{
    assert_string_equal(sl_profile_text(profile, string), expected);
}

static void assert_known(const struct sl_profile *profile)
{
    assert_int_equal(profile->process_count, 1);
    const struct sl_process_record *process = &profile->processes[0];
    assert_int_equal(process->pid, pid);
    assert_int_equal(process->parent_pid, getpid());
    assert_text(profile, process->command, "app.py");
    assert_text(profile, process->python, "3.99.0");
    assert_text(profile, process->executable, "/usr/bin/python3.99");
    assert_text(profile, process->prefixes, "/usr");
    assert_text(profile, process->path, "/app\n/usr/lib/python3.99");
}

static void test_each_recording_has_all_threads_for_the_whole_time(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, spin, wait_for_gil, wait_for_lock}, 4);
    python_double.threads[1].holds_gil = true;
    struct turns turns = {.wanted = TURNS};
    join(&turns, &often);
    assert_int_equal(turns.end, SL_SESSION_STOPPED);
    assert_int_equal(turns.count, TURNS + 1);
    assert_int_equal(python_double.attached, 1);
    const char *functions[] = {"f1", "f2", "f3", "f4"};
    uint64_t samples = 0;
    for (size_t i = 0; i < turns.count; i++) {
        const struct sl_profile *profile = turns.profiles[i];
        const struct sl_facts *facts = &profile->facts;
        assert_known(profile);
        assert_int_equal(profile->processes[0].exit_status, -1);
        assert_true(i == 0 || profile->processes[0].begin_ns == 0);
        assert_true(i == TURNS || facts->duration_ns >= often.turn_ns);
        samples += facts->samples;
        assert_int_equal(facts->broken + facts->missed, 0);
        assert_int_equal(facts->looks + facts->late, (facts->duration_ns + MS - 1) / MS);
        for (size_t t = 0; t < 4 && facts->looks > 0; t++) {
            turns_assert_whole(profile, program->ids[t], functions[t]);
            const struct sl_thread_record *record = &profile->threads[turns_thread(profile, program->ids[t])];
            assert_int_equal(record->main, t == 0);
            assert_true(i == 0 || record->begin_ns == 0);
        }
    }
    assert_int_equal(turns_duration(&turns), turns.elapsed_ns);
    assert_int_equal(samples, turns.samples);
    turns_destroy(&turns);
}

/* Threads that wait are walked once for each recording; a look may be repeated. */
static void test_a_thread_that_waits_is_walked_once_for_each_recording(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, spin}, 2);
    struct turns turns = {.wanted = TURNS};
    join(&turns, &often);
    assert_in_range(python_double.threads[0].walks, TURNS, 3 * TURNS);
    turns_destroy(&turns);
}

static void test_the_recordings_combined_are_one_process_and_its_threads(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, spin}, 2);
    struct turns turns = {.wanted = TURNS};
    join(&turns, &often);
    struct sl_profile *combined = turns_combined(&turns);
    assert_known(combined);
    assert_int_equal(combined->thread_count, 2);
    assert_int_equal(combined->facts.duration_ns, turns.elapsed_ns);
    const char *functions[] = {"f1", "f2"};
    uint64_t cpu_ns = 0;
    for (size_t t = 0; t < 2; t++) {
        uint64_t weight_ns = 0;
        uint64_t thread_cpu_ns = 0;
        for (size_t i = 0; i < turns.count; i++) {
            uint32_t thread = turns_thread(turns.profiles[i], program->ids[t]);
            if (thread != SL_NONE) {
                weight_ns += turns_weight(turns.profiles[i], thread, functions[t]);
                thread_cpu_ns += turns.profiles[i]->threads[thread].cpu_ns;
            }
            cpu_ns += t == 0 ? turns.profiles[i]->facts.cpu_ns : 0;
        }
        uint32_t thread = turns_thread(combined, program->ids[t]);
        assert_int_equal(turns_weight(combined, thread, functions[t]), weight_ns);
        assert_int_equal(combined->threads[thread].cpu_ns, thread_cpu_ns);
    }
    assert_int_equal(combined->facts.cpu_ns, cpu_ns);
    assert_int_equal(combined->processes[0].cpu_ns, cpu_ns);
    sl_profile_destroy(combined);
    turns_destroy(&turns);
}

static void test_tasks_are_numbered_and_named_in_each_recording(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    python_double.threads[0].task = 0x7000;
    python_double.threads[0].task_code = 5;
    struct turns turns = {.wanted = TURNS};
    join(&turns, &often);
    for (size_t i = 0; i < TURNS; i++) {
        const struct sl_profile *profile = turns.profiles[i];
        assert_int_equal(profile->task_count, 1);
        assert_int_equal(profile->tasks[0].number, 1);
        assert_text(profile, profile->functions[profile->tasks[0].coroutine].name, "f5");
        assert_int_equal(sl_state_task(profile->runs[profile->threads[0].first_run].state), 1);
    }
    turns_destroy(&turns);
}

static void test_the_first_recording_may_be_of_another_length(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    struct sl_session_options options = often;
    options.turn_ns = 60000 * MS;
    options.first_turn_ns = 20 * MS;
    struct turns turns = {.wanted = 1};
    join(&turns, &options);
    assert_int_equal(turns.count, 2);
    assert_true(turns.profiles[0]->facts.duration_ns >= options.first_turn_ns);
    assert_true(turns.profiles[0]->facts.duration_ns < options.turn_ns);
    turns_destroy(&turns);

    options.turn_ns = 5 * MS;
    turns = (struct turns){.wanted = 4};
    join(&turns, &options);
    assert_true(turns.profiles[0]->facts.duration_ns >= options.first_turn_ns);
    for (size_t i = 1; i < 4; i++) {
        assert_true(turns.profiles[i]->facts.duration_ns >= options.turn_ns);
    }
    turns_destroy(&turns);
}

static void test_the_duration_is_that_of_all_recordings(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    struct sl_session_options options = often;
    options.duration_ns = 65 * MS;
    struct turns turns = {0};
    join(&turns, &options);
    assert_int_equal(turns.end, SL_SESSION_STOPPED);
    assert_in_range(turns.count, 1, 7);
    assert_true(turns.elapsed_ns >= options.duration_ns);
    assert_int_equal(turns_duration(&turns), turns.elapsed_ns);
    uint64_t before_ns = turns.elapsed_ns - turns.profiles[turns.count - 1]->facts.duration_ns;
    assert_true(before_ns < options.duration_ns);
    turns_destroy(&turns);
}

static void test_a_recording_is_planned_to_end_when_the_session_does(void **state)
{
    (void)state;
    struct sl_session_options options = often;
    options.duration_ns = 45 * MS;
    options.first_turn_ns = 7 * MS;
    struct turns turns = {.descriptor = -1};
    turns_start(&turns, &options);
    struct sl_session *session = turns.session;
    assert_int_equal(session->slots.limit_ns, options.first_turn_ns);
    session->base_ns += options.first_turn_ns;
    sl_session_plan(session);
    assert_int_equal(session->slots.limit_ns, options.turn_ns);
    session->base_ns = session->start_ns + 40 * MS;
    sl_session_plan(session);
    assert_int_equal(session->slots.limit_ns, 5 * MS);
    sl_session_destroy(session);
    sl_recorder_destroy(turns.recorder);
}

static void test_without_a_recorder_the_session_ends(void **state)
{
    (void)state;
    start_program((activity[]){spin, sleep_on}, 2);
    struct turns turns = {.wanted = 3, .refuses = true};
    join(&turns, &often);
    assert_int_equal(turns.end, SL_SESSION_STOPPED);
    assert_int_equal(turns.count, 3);
    assert_int_equal(turns_duration(&turns), turns.elapsed_ns);
    turns_destroy(&turns);
}

static struct sl_error told_failure;

static void take_failure(struct turns *turns)
{
    if (turns->turn->sink != NULL) {
        told_failure = *turns->turn->sink;
    }
    const struct sl_error *sink = sl_session_progress(turns->session).sink;
    assert_non_null(sink);
    assert_int_equal(sink->kind, SL_ERROR_SYSTEM);
}

static void test_a_full_disk_is_told_and_the_session_goes_on(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    told_failure = (struct sl_error){0};
    struct turns turns = {.wanted = 3, .step = take_failure, .descriptor = pipe_ends[1]};
    turns_start(&turns, &often);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    dup2(full, pipe_ends[1]);
    struct sl_error error = {0};
    assert_true(sl_session_add(turns.session, &(struct sl_session_target){.pid = pid, .command = "app.py"}, &error));
    turns_run(&turns);
    assert_int_equal(turns.end, SL_SESSION_STOPPED);
    assert_int_equal(told_failure.kind, SL_ERROR_SYSTEM);
    for (size_t i = 0; i < 3; i++) {
        turns_assert_whole(turns.profiles[i], pid, "f1");
    }
    turns_destroy(&turns);
    close(full);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void come_up(struct turns *turns)
{
    if (turns->count == 3) {
        python_double.attach_failures = 0;
    }
}

static void test_what_has_not_come_up_yet_is_told_in_each_recording(void **state)
{
    (void)state;
    start_program((activity[]){spin}, 1);
    python_double.attach_failures = UINT32_MAX;
    python_double.attach_error = SL_ERROR_NOT_PYTHON;
    python_double.not_yet = true;
    struct turns turns = {.wanted = 6, .step = come_up};
    launch(&turns, &often);
    for (size_t i = 0; i < 6; i++) {
        const struct sl_profile *profile = turns.profiles[i];
        turns_assert_whole(profile, pid, NULL);
        if (i < 3) {
            uint64_t wrapper_ns = turns_weight(profile, 0, "[not Python: test_session_turn]");
            uint64_t starting_ns = turns_weight(profile, 0, "[starting]");
            assert_int_equal(wrapper_ns + starting_ns, profile->facts.duration_ns);
            assert_true(i == 0 || starting_ns == 0);
        }
        assert_text(profile, profile->processes[0].command, "app.py");
        assert_int_equal(profile->processes[0].begin_ns, 0);
    }
    turns_assert_whole(turns.profiles[5], pid, "f1");
    assert_text(turns.profiles[0], turns.profiles[0]->processes[0].python, "");
    assert_known(turns.profiles[5]);
    turns_destroy(&turns);
}

static void *execute_when_told(void *argument)
{
    atomic_store((atomic_int *)argument, (int)syscall(SYS_gettid));
    while (!atomic_load(&program->go)) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    execl("/bin/sleep", "sleep", "1000", (char *)NULL);
    return NULL;
}

static void let_go(struct turns *turns)
{
    atomic_store(&program->go, turns->count >= 2);
    if (turns->count >= 5 && python_double.attached == 2 && turns->wanted == 0) {
        turns->wanted = turns->count + 2;
    }
}

static void test_a_program_that_executes_another_is_followed_on(void **state)
{
    (void)state;
    start_program((activity[]){execute_when_told, spin}, 2);
    struct turns turns = {.step = let_go};
    join(&turns, &often);
    assert_int_equal(python_double.attached, 2);
    for (size_t i = 0; i < turns.count - 1; i++) {
        assert_known(turns.profiles[i]);
        turns_assert_whole(turns.profiles[i], pid, NULL);
    }
    assert_int_not_equal(turns_thread(turns.profiles[0], program->ids[1]), SL_NONE);
    struct sl_profile *combined = turns_combined(&turns);
    assert_int_equal(combined->process_count, 1);
    turns_assert_whole(combined, pid, NULL);
    const struct sl_thread_record *lost = &combined->threads[turns_thread(combined, program->ids[1])];
    assert_true(lost->end_ns < combined->facts.duration_ns);
    sl_profile_destroy(combined);
    turns_destroy(&turns);
}

static void stop_executing(struct turns *turns)
{
    python_double.attach_failures = UINT32_MAX;
    python_double.attach_error = SL_ERROR_NOT_PYTHON;
    let_go(turns);
}

/* For ever: the recordings after it have nothing but that. */
static void test_a_program_that_executes_what_is_no_python_is_told_in_each_recording(void **state)
{
    (void)state;
    start_program((activity[]){execute_when_told}, 1);
    struct turns turns = {.step = stop_executing, .wanted = 30};
    join(&turns, &often);
    const struct sl_profile *last = turns.profiles[29];
    assert_known(last);
    turns_assert_whole(last, pid, "[not Python: sleep]");
    turns_destroy(&turns);
}

static void end_program_now(void)
{
    kill(pid, SIGTERM);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static void end_program(struct turns *turns)
{
    if (turns->count == 3) {
        end_program_now();
    }
}

/* It was there when the next recording began, so that one says how it ended. */
static void test_a_process_that_ends_at_a_turn_ends_in_the_next_recording(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, spin}, 2);
    struct turns turns = {.step = end_program};
    join(&turns, &often);
    assert_int_equal(turns.end, SL_SESSION_ENDED);
    assert_int_equal(turns.count, 4);
    assert_known(turns.profiles[3]);
    const struct sl_process_record *process = &turns.profiles[3]->processes[0];
    assert_true(WIFSIGNALED(process->exit_status));
    assert_int_equal(process->begin_ns, 0);
    assert_true(process->end_ns <= turns.profiles[3]->facts.duration_ns);
    struct sl_profile *combined = turns_combined(&turns);
    assert_known(combined);
    assert_int_equal(combined->thread_count, 2);
    assert_true(WIFSIGNALED(combined->processes[0].exit_status));
    for (uint32_t i = 0; i < 2; i++) {
        const struct sl_thread_record *thread = &combined->threads[i];
        assert_int_equal(turns_weight(combined, i, NULL), thread->end_ns - thread->begin_ns);
    }
    sl_profile_destroy(combined);
    turns_destroy(&turns);
}

/* Between the last look and the turn. */
static void test_a_process_that_ends_before_a_turn_is_in_no_later_recording(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, spin}, 2);
    pid_t other = fork();
    if (other == 0) {
        pause();
        _exit(0);
    }
    struct turns turns = {.wanted = 2, .descriptor = -1};
    turns_start(&turns, &often);
    struct sl_session *session = turns.session;
    struct sl_error error = {0};
    assert_true(sl_session_add(session, &(struct sl_session_target){.pid = pid}, &error));
    assert_true(sl_session_add(session, &(struct sl_session_target){.pid = other}, &error));
    uint64_t end_ns = session->base_ns + often.turn_ns;
    sl_session_last_look(session, end_ns);
    end_program_now();
    assert_int_equal(sl_session_take_turn(session, end_ns, &error), SL_TURN_TAKEN);
    turns_run(&turns);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
    assert_int_equal(turns.count, 3);
    const struct sl_profile *first = turns.profiles[0];
    assert_true(WIFSIGNALED(first->processes[turns_process(first, pid)].exit_status));
    turns_assert_whole(first, pid, "f1");
    assert_int_equal(turns_process(turns.profiles[1], pid), SL_NONE);
    assert_int_not_equal(turns_process(turns.profiles[1], other), SL_NONE);
    turns_destroy(&turns);
}

static void end_thread(struct turns *turns)
{
    if (turns->count == 3) {
        atomic_store(&program->go, true);
        while (syscall(SYS_tgkill, pid, program->ids[1], 0) == 0) {
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
    }
}

static void test_a_thread_that_ends_at_a_turn_is_in_no_later_recording(void **state)
{
    (void)state;
    start_program((activity[]){spin, live_briefly}, 2);
    struct turns turns = {.wanted = 6, .step = end_thread};
    join(&turns, &often);
    for (size_t i = 0; i < 6; i++) {
        turns_assert_whole(turns.profiles[i], pid, "f1");
        assert_int_equal(turns.profiles[i]->thread_count, i < 3 ? 2 : 1);
    }
    struct sl_profile *combined = turns_combined(&turns);
    const struct sl_thread_record *ended = &combined->threads[turns_thread(combined, program->ids[1])];
    uint64_t before_ns = 0;
    for (size_t i = 0; i < 3; i++) {
        before_ns += turns.profiles[i]->facts.duration_ns;
    }
    assert_int_equal(ended->end_ns, before_ns);
    assert_int_equal(turns_weight(combined, turns_thread(combined, program->ids[1]), "f2"), before_ns);
    sl_profile_destroy(combined);
    turns_destroy(&turns);
}

static size_t open_files(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

#define SETTLED 50
#define MANY 400

static size_t bytes_settled, files_settled, bytes_most;

static void measure(struct turns *turns)
{
    size_t bytes = mallinfo2().uordblks;
    if (turns->count == SETTLED) {
        bytes_settled = bytes;
        files_settled = open_files();
    }
    if (turns->count > SETTLED) {
        bytes_most = bytes > bytes_most ? bytes : bytes_most;
        assert_int_equal(open_files(), files_settled);
    }
}

/* Measured where there is no recorder. A few tables may still grow; what a recording holds would be more. */
static void test_hundreds_of_turns_keep_nothing(void **state)
{
    (void)state;
    start_program((activity[]){sleep_on, spin, wait_for_gil}, 3);
    python_double.threads[1].task = 0x7000;
    python_double.threads[1].task_code = 5;
    bytes_most = 0;
    struct turns turns = {.wanted = MANY, .forgets = true, .step = measure};
    struct sl_session_options options = often;
    options.turn_ns = 3 * MS;
    join(&turns, &options);
    assert_int_equal(turns.count, MANY + 1);
    assert_in_range(bytes_most, 0, bytes_settled + 4096);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_recording_has_all_threads_for_the_whole_time),
        TEST(test_a_thread_that_waits_is_walked_once_for_each_recording),
        TEST(test_the_recordings_combined_are_one_process_and_its_threads),
        TEST(test_tasks_are_numbered_and_named_in_each_recording),
        TEST(test_the_first_recording_may_be_of_another_length),
        TEST(test_the_duration_is_that_of_all_recordings),
        TEST(test_a_recording_is_planned_to_end_when_the_session_does),
        TEST(test_without_a_recorder_the_session_ends),
        TEST(test_a_full_disk_is_told_and_the_session_goes_on),
        TEST(test_what_has_not_come_up_yet_is_told_in_each_recording),
        TEST(test_a_program_that_executes_another_is_followed_on),
        TEST(test_a_program_that_executes_what_is_no_python_is_told_in_each_recording),
        TEST(test_a_process_that_ends_at_a_turn_ends_in_the_next_recording),
        TEST(test_a_process_that_ends_before_a_turn_is_in_no_later_recording),
        TEST(test_a_thread_that_ends_at_a_turn_is_in_no_later_recording),
        TEST(test_hundreds_of_turns_keep_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
