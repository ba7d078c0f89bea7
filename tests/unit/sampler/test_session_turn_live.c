#include "live.h"
#include "turns.h"

#include "target/clock.h"
#include "target/usage.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

static const struct sl_session_options options = {.interval_ns = MS, .states = true, .turn_ns = 150 * MS};

#define TURNS 6

static struct child child;
static char said[16384];

static void listen(void)
{
    struct sl_buffer lines;
    read_lines(&child, &lines);
    assert_true(lines.size < sizeof said);
    if (lines.size > 0) {
        memcpy(said, lines.bytes, lines.size);
    }
    said[lines.size] = '\0';
    sl_buffer_destroy(&lines);
}

static void begin(const char *python, const char *scene)
{
    start(&child, python, PROGRAM, scene);
    listen();
}

/* The number behind the nth line that begins with `word`; 0: there is none. */
static long number_said(const char *word, size_t n)
{
    size_t size = strlen(word);
    for (const char *line = said; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, word, size) == 0 && line[size] == ' ' && n-- == 0) {
            return strtol(line + size, NULL, 10);
        }
    }
    return 0;
}

static uint64_t cpu_of(pid_t pid)
{
    struct sl_process process;
    struct sl_error error = {0};
    uint64_t cpu_ns;
    assert_true(sl_process_open(&process, pid, &error));
    assert_true(sl_usage_cpu(&process, &cpu_ns));
    sl_process_close(&process);
    return cpu_ns;
}

static void record(struct turns *turns, const struct sl_session_options *chosen)
{
    turns->descriptor = -1;
    turns_start(turns, chosen);
    struct sl_error error = {0};
    if (!sl_session_add(turns->session, &(struct sl_session_target){.pid = child.pid}, &error)) {
        fail_msg("%s", error.sentence);
    }
    turns_run(turns);
}

static void for_each_python(void (*test)(const char *python))
{
    if (python_count == 0) {
        skip();
    }
    for (size_t i = 0; i < python_count; i++) {
        print_message("%s\n", pythons[i]);
        test(pythons[i]);
        finish(&child);
        child.pid = 0;
    }
}

/* Of a test that has failed. */
static int tear_down(void **state)
{
    (void)state;
    if (child.pid > 0) {
        finish(&child);
        child.pid = 0;
    }
    return 0;
}

static const char *text_of(const struct sl_profile *profile, sl_string string)
{
    return sl_profile_text(profile, string);
}

/* Each recording knows of a process what the first says, and that is something. */
static void assert_same_process(const struct turns *turns, pid_t pid, size_t from)
{
    const struct sl_profile *first = turns->profiles[from];
    const struct sl_process_record *expected = &first->processes[turns_process(first, pid)];
    assert_string_not_equal(text_of(first, expected->path), "");
    assert_string_not_equal(text_of(first, expected->prefixes), "");
    assert_non_null(strstr(text_of(first, expected->command), "turns.py"));
    assert_string_not_equal(text_of(first, expected->executable), "");
    assert_true(text_of(first, expected->python)[0] == '3');
    for (size_t i = from + 1; i < turns->count; i++) {
        const struct sl_profile *profile = turns->profiles[i];
        const struct sl_process_record *process = &profile->processes[turns_process(profile, pid)];
        assert_string_equal(text_of(profile, process->path), text_of(first, expected->path));
        assert_string_equal(text_of(profile, process->prefixes), text_of(first, expected->prefixes));
        assert_string_equal(text_of(profile, process->python), text_of(first, expected->python));
        assert_string_equal(text_of(profile, process->command), text_of(first, expected->command));
        assert_string_equal(text_of(profile, process->executable), text_of(first, expected->executable));
        assert_int_equal(process->parent_pid, expected->parent_pid);
        assert_int_equal(process->root, expected->root);
        assert_int_equal(process->begin_ns, 0);
    }
}

static void assert_thread(const struct sl_profile *profile, pid_t id, const char *name, const char *function)
{
    turns_assert_whole(profile, id, function);
    const struct sl_thread_record *thread = &profile->threads[turns_thread(profile, id)];
    assert_string_equal(text_of(profile, thread->name), name);
}

static uint64_t last_cpu_ns;

static void note_cpu(struct turns *turns)
{
    (void)turns;
    last_cpu_ns = cpu_of(child.pid);
}

/* The kernel counts a thread that runs at its ticks. */
#define TICKS_NS (50 * MS)

static void check_threads(const char *python)
{
    begin(python, "threads");
    uint64_t before_cpu_ns = cpu_of(child.pid);
    struct timespec before;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    uint64_t before_ns = sl_clock_now_ns();
    struct turns turns = {.wanted = TURNS, .step = note_cpu};
    record(&turns, &options);
    uint64_t after_ns = sl_clock_now_ns();
    struct timespec after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    uint64_t after_cpu_ns = cpu_of(child.pid);

    uint64_t busy_ns = 0;
    uint64_t three_ns = 0;
    uint64_t one_ns = 0;
    uint64_t cpu_ns = 0;
    uint64_t facts_cpu_ns = 0;
    uint64_t main_cpu_ns = 0;
    uint64_t sampler_ns = 0;
    assert_int_equal(turns.count, TURNS + 1);
    for (size_t i = 0; i < TURNS; i++) {
        const struct sl_profile *profile = turns.profiles[i];
        assert_int_equal(profile->process_count, 1);
        assert_int_equal(profile->thread_count, 3);
        assert_thread(profile, child.pid, "", NULL);
        assert_thread(profile, (pid_t)number_said("waits", 0), "waits", "wait_for_ever");
        assert_thread(profile, (pid_t)number_said("sleeps", 0), "sleeps", "sleep_often");
        uint32_t main_thread = turns_thread(profile, child.pid);
        assert_true(profile->threads[main_thread].main);
        busy_ns += turns_weight(profile, main_thread, "work_on");
        three_ns += turns_weight(profile, main_thread, "three_quarters");
        one_ns += turns_weight(profile, main_thread, "one_quarter");
        assert_true(profile->facts.sampler_cpu_ns > 0);
    }
    for (size_t i = 0; i < turns.count; i++) {
        const struct sl_profile *profile = turns.profiles[i];
        cpu_ns += profile->processes[0].cpu_ns;
        facts_cpu_ns += profile->facts.cpu_ns;
        sampler_ns += profile->facts.sampler_cpu_ns;
        uint32_t main_thread = turns_thread(profile, child.pid);
        main_cpu_ns += main_thread != SL_NONE ? profile->threads[main_thread].cpu_ns : 0;
    }
    assert_same_process(&turns, child.pid, 0);
    assert_true(busy_ns >= turns_duration(&turns) / 10 * 9);
    assert_in_range(three_ns * 100 / (three_ns + one_ns), 60, 90); /* 75, by some hundred looks */

    assert_int_equal(turns_duration(&turns), turns.elapsed_ns);
    assert_true(turns.elapsed_ns <= after_ns - before_ns);
    assert_true(turns.elapsed_ns >= TURNS * options.turn_ns);
    assert_int_equal(cpu_ns, facts_cpu_ns);
    assert_true(cpu_ns <= after_cpu_ns - before_cpu_ns + TICKS_NS);
    assert_true(cpu_ns + TICKS_NS + options.turn_ns >= last_cpu_ns - before_cpu_ns);
    assert_true(main_cpu_ns <= cpu_ns + TICKS_NS);
    assert_true(main_cpu_ns + TICKS_NS >= cpu_ns / 10 * 9);
    uint64_t spent_ns =
        (uint64_t)(after.tv_sec - before.tv_sec) * 1000 * MS + (uint64_t)after.tv_nsec - (uint64_t)before.tv_nsec;
    assert_true(sampler_ns <= spent_ns);
    turns_destroy(&turns);
}

static void test_each_recording_tells_all_of_its_time(void **state)
{
    (void)state;
    for_each_python(check_threads);
}

static size_t with_child;

static void wait_for_child(struct turns *turns)
{
    const struct sl_profile *profile = turns->profiles[turns->count - 1];
    uint32_t thread = turns_thread(profile, (pid_t)number_said("child", 0));
    with_child += thread != SL_NONE && turns_weight(profile, thread, "child") > 0;
    if (with_child == 4) {
        turns->wanted = turns->count;
    }
}

static void check_child(const char *python)
{
    begin(python, "threads");
    pid_t pid = (pid_t)number_said("child", 0);
    with_child = 0;
    struct turns turns = {.step = wait_for_child};
    struct sl_session_options all = options;
    all.descendants = SL_DESCENDANTS_ALL;
    record(&turns, &all);
    size_t from = turns.count - 4;
    assert_same_process(&turns, pid, from);
    for (size_t i = from; i < turns.count - 1; i++) {
        assert_thread(turns.profiles[i], pid, "", NULL);
        assert_thread(turns.profiles[i], child.pid, "", NULL);
        assert_true(turns_weight(turns.profiles[i], turns_thread(turns.profiles[i], pid), "child") > 0);
    }
    struct sl_profile *combined = turns_combined(&turns);
    assert_int_equal(combined->process_count, 2);
    assert_int_equal(combined->thread_count, 4);
    sl_profile_destroy(combined);
    turns_destroy(&turns);
}

static void test_a_child_goes_on_from_recording_to_recording(void **state)
{
    (void)state;
    for_each_python(check_child);
}

static void check_queue(const char *python)
{
    begin(python, "queue");
    struct turns turns = {.wanted = TURNS};
    record(&turns, &options);
    for (size_t i = 0; i < TURNS; i++) {
        assert_int_equal(turns.profiles[i]->thread_count, 41);
        for (size_t n = 0; n < 40; n++) {
            assert_thread(turns.profiles[i], (pid_t)number_said("waits", n), "waits", "wait_for_ever");
        }
    }
    struct sl_profile *combined = turns_combined(&turns);
    assert_int_equal(combined->thread_count, 41);
    assert_int_equal(combined->facts.duration_ns, turns.elapsed_ns);
    sl_profile_destroy(combined);
    turns_destroy(&turns);
}

static void test_many_threads_that_wait_are_in_each_recording(void **state)
{
    (void)state;
    for_each_python(check_queue);
}

static void check_tasks(const char *python)
{
    begin(python, "tasks");
    struct turns turns = {.wanted = TURNS};
    record(&turns, &options);
    size_t both = 0;
    for (size_t i = 1; i < TURNS; i++) {
        const struct sl_profile *profile = turns.profiles[i];
        size_t servers = 0;
        for (uint32_t n = 0; n < profile->task_count; n++) {
            const struct sl_function_record *coroutine = &profile->functions[profile->tasks[n].coroutine];
            servers += strcmp(text_of(profile, coroutine->name), "tasks.<locals>.serve") == 0;
        }
        assert_in_range(servers, 1, 2);
        both += servers == 2;
    }
    /* On a busy machine a recording may end before both had a turn. */
    assert_true(both >= TURNS / 2);
    turns_destroy(&turns);
}

static void test_tasks_are_known_in_each_recording(void **state)
{
    (void)state;
    for_each_python(check_tasks);
}

static void wait_for_the_other_program(struct turns *turns)
{
    const struct sl_profile *profile = turns->profiles[turns->count - 1];
    if (turns->wanted == 0 && turns_weight(profile, turns_thread(profile, child.pid), "executed") > 0) {
        turns->wanted = turns->count + 2;
    }
}

static void check_executes(const char *python)
{
    begin(python, "executes");
    struct turns turns = {.step = wait_for_the_other_program};
    record(&turns, &options);
    for (size_t i = 0; i < turns.count - 1; i++) {
        turns_assert_whole(turns.profiles[i], child.pid, NULL);
    }
    const struct sl_profile *first = turns.profiles[0];
    const struct sl_profile *last = turns.profiles[turns.count - 2];
    assert_true(turns_weight(first, turns_thread(first, child.pid), "three_quarters") > 0);
    assert_int_equal(turns_weight(last, turns_thread(last, child.pid), "three_quarters"), 0);
    assert_non_null(strstr(text_of(first, first->processes[0].command), " executes"));
    assert_non_null(strstr(text_of(last, last->processes[0].command), " executed"));
    struct sl_profile *combined = turns_combined(&turns);
    assert_int_equal(combined->process_count, 1);
    turns_assert_whole(combined, child.pid, NULL);
    sl_profile_destroy(combined);
    turns_destroy(&turns);
}

static void test_a_program_that_executes_another_is_followed_on(void **state)
{
    (void)state;
    for_each_python(check_executes);
}

/* What a process has used is read now and then, which may be so long before its end; and the clocks of the program have steps
 * of 10 ms. */
#define UNSEEN_NS (250 * MS)

static void let_it_work(struct turns *turns)
{
    if (turns->count == 1) {
        assert_int_equal(write(child.input, "\n", 1), 1);
    }
    struct pollfd told = {.fd = fileno(child.output), .events = POLLIN};
    if (turns->wanted == 0 && poll(&told, 1, 0) > 0) {
        turns->wanted = turns->count + 1;
    }
}

static uint64_t difference(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

static void check_children(const char *python)
{
    begin(python, "children");
    uint64_t before_ns = cpu_of(child.pid);
    struct turns turns = {.step = let_it_work};
    struct sl_session_options all = options;
    all.descendants = SL_DESCENDANTS_ALL;
    record(&turns, &all);
    listen();
    uint64_t recorded_cpu_ns = 0;
    uint64_t children_cpu_ns = 0;
    for (size_t i = 0; i < turns.count; i++) {
        recorded_cpu_ns += turns.profiles[i]->facts.cpu_ns;
        children_cpu_ns += turns.profiles[i]->facts.children_cpu_ns;
    }
    uint64_t whole_cpu_ns = (uint64_t)(number_said("own", 0) + number_said("children", 0)) * 1000 - before_ns;
    assert_true(difference(recorded_cpu_ns + children_cpu_ns, whole_cpu_ns) < UNSEEN_NS);
    assert_true(recorded_cpu_ns + UNSEEN_NS >= 2 * 400 * MS);
    assert_true(children_cpu_ns > 0);
    turns_destroy(&turns);
}

static void test_cpu_time_of_children_adds_up_over_all_recordings(void **state)
{
    (void)state;
    for_each_python(check_children);
}

#define TEST(function) cmocka_unit_test_teardown(function, tear_down)

int main(void)
{
    read_pythons();
    const struct CMUnitTest tests[] = {
        TEST(test_each_recording_tells_all_of_its_time),
        TEST(test_a_child_goes_on_from_recording_to_recording),
        TEST(test_many_threads_that_wait_are_in_each_recording),
        TEST(test_tasks_are_known_in_each_recording),
        TEST(test_a_program_that_executes_another_is_followed_on),
        TEST(test_cpu_time_of_children_adds_up_over_all_recordings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
