#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "target/clock.h"
#include "target/threads.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct sl_process process_of(pid_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    struct sl_process process = {.pid = pid, .folder = open(path, O_RDONLY | O_DIRECTORY), .memory = -1};
    assert_true(process.folder >= 0);
    return process;
}

enum task { SPIN, SLEEP, WAIT, READ };

/* A thread that does one thing until it is told to end. */
struct worker {
    enum task task;
    pthread_t handle;
    sem_t begun, end;
    atomic_int id;
    atomic_bool stop;
    int pipe[2];
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    pthread_setname_np(pthread_self(), "worker");
    atomic_store(&worker->id, (int)syscall(SYS_gettid));
    sem_post(&worker->begun);
    char byte;
    switch (worker->task) {
    case SPIN:
        while (!atomic_load(&worker->stop)) {
        }
        break;
    case SLEEP:
        while (!atomic_load(&worker->stop)) {
            nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        }
        break;
    case WAIT:
        sem_wait(&worker->end);
        break;
    case READ:
        assert_int_equal(read(worker->pipe[0], &byte, 1), 1);
        break;
    }
    return NULL;
}

static void start(struct worker *worker, enum task task)
{
    memset(worker, 0, sizeof *worker);
    worker->task = task;
    sem_init(&worker->begun, 0, 0);
    sem_init(&worker->end, 0, 0);
    assert_int_equal(pipe(worker->pipe), 0);
    assert_int_equal(pthread_create(&worker->handle, NULL, work, worker), 0);
    sem_wait(&worker->begun);
}

static void finish(struct worker *worker)
{
    atomic_store(&worker->stop, true);
    sem_post(&worker->end);
    assert_int_equal(write(worker->pipe[1], "x", 1), 1);
    pthread_join(worker->handle, NULL);
    close(worker->pipe[0]);
    close(worker->pipe[1]);
}

/* Looks until the thread is seen as expected: it needs a moment to get to where it waits. */
static bool comes_to(const struct sl_thread *thread, const struct sl_threads *threads, bool on_cpu, int32_t call,
                     uint64_t *argument)
{
    for (int attempt = 0; attempt < 10000; attempt++) {
        struct sl_thread_activity activity;
        assert_int_equal(sl_thread_activity(thread, threads, &activity), SL_THREAD_OK);
        if (activity.on_cpu == on_cpu && activity.call == call) {
            *argument = activity.argument;
            return true;
        }
        sched_yield();
    }
    return false;
}

/* Each case with kept descriptors, and with none left to keep. */
static void check_activity(enum task task, bool on_cpu, int32_t call, size_t descriptors)
{
    struct sl_process process = process_of(getpid());
    struct sl_threads threads;
    assert_true(sl_threads_open(&threads, &process, &descriptors));
    struct worker worker;
    start(&worker, task);
    struct sl_thread thread;
    assert_true(sl_thread_open(&thread, &threads, sl_threads_id(&threads, (uint64_t)worker.id)));
    uint64_t argument = 0;
    assert_true(comes_to(&thread, &threads, on_cpu, call, &argument));
    if (task == WAIT) {
        assert_in_range(argument, (uintptr_t)&worker.end, (uintptr_t)(&worker.end + 1));
    }
    if (task == READ) {
        assert_int_equal(argument, worker.pipe[0]);
    }
    finish(&worker);
    struct sl_thread_activity activity;
    enum sl_thread_read read = SL_THREAD_OK;
    for (int attempt = 0; attempt < 10000 && read != SL_THREAD_GONE; attempt++) {
        read = sl_thread_activity(&thread, &threads, &activity);
        sched_yield();
    }
    assert_int_equal(read, SL_THREAD_GONE);
    struct sl_thread_runs runs;
    assert_int_equal(sl_thread_runs(&thread, &threads, &runs), SL_THREAD_GONE);
    sl_thread_close(&thread, &threads);
    sl_threads_close(&threads);
    close(process.folder);
}

static void test_what_a_thread_does_is_told(void **state)
{
    (void)state;
    for (size_t descriptors = 0; descriptors < 3; descriptors++) {
        check_activity(SPIN, true, -1, descriptors);
        check_activity(SLEEP, false, SYS_clock_nanosleep, descriptors);
        check_activity(WAIT, false, SYS_futex, descriptors);
        check_activity(READ, false, SYS_read, descriptors);
    }
}

static void test_descriptors_are_given_back(void **state)
{
    (void)state;
    size_t descriptors = 3;
    struct sl_process process = process_of(getpid());
    struct sl_threads threads;
    assert_true(sl_threads_open(&threads, &process, &descriptors));
    struct sl_thread first;
    struct sl_thread second;
    assert_true(sl_thread_open(&first, &threads, getpid()));
    assert_true(sl_thread_open(&second, &threads, getpid()));
    assert_int_equal(descriptors, 0);
    sl_thread_close(&first, &threads);
    sl_thread_close(&second, &threads);
    assert_int_equal(descriptors, 3);
    sl_threads_close(&threads);
    close(process.folder);
}

static void test_a_thread_that_waits_counts_no_run_and_one_that_woke_does(void **state)
{
    (void)state;
    size_t descriptors = 100;
    struct sl_process process = process_of(getpid());
    struct sl_threads threads;
    assert_true(sl_threads_open(&threads, &process, &descriptors));
    struct worker worker;
    start(&worker, READ);
    struct sl_thread thread;
    assert_true(sl_thread_open(&thread, &threads, worker.id));
    uint64_t argument;
    assert_true(comes_to(&thread, &threads, false, SYS_read, &argument));
    struct sl_thread_runs before;
    enum sl_thread_read read = sl_thread_runs(&thread, &threads, &before);
    if (read == SL_THREAD_UNKNOWN) {
        /* A kernel without CONFIG_SCHED_INFO. */
        finish(&worker);
        skip();
    }
    assert_int_equal(read, SL_THREAD_OK);
    struct sl_thread_runs after;
    for (int n = 0; n < 1000; n++) {
        assert_int_equal(sl_thread_runs(&thread, &threads, &after), SL_THREAD_OK);
        assert_int_equal(after.runs, before.runs);
    }
    finish(&worker);
    sl_thread_close(&thread, &threads);

    start(&worker, SLEEP);
    assert_true(sl_thread_open(&thread, &threads, worker.id));
    assert_true(comes_to(&thread, &threads, false, SYS_clock_nanosleep, &argument));
    assert_int_equal(sl_thread_runs(&thread, &threads, &before), SL_THREAD_OK);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    assert_true(comes_to(&thread, &threads, false, SYS_clock_nanosleep, &argument));
    assert_int_equal(sl_thread_runs(&thread, &threads, &after), SL_THREAD_OK);
    assert_true(after.runs > before.runs);
    finish(&worker);
    sl_thread_close(&thread, &threads);
    sl_threads_close(&threads);
    close(process.folder);
}

static void test_only_a_name_of_its_own_is_told(void **state)
{
    (void)state;
    size_t descriptors = 0;
    struct sl_process process = process_of(getpid());
    struct sl_threads threads;
    assert_true(sl_threads_open(&threads, &process, &descriptors));
    struct worker worker;
    start(&worker, WAIT);
    char name[SL_THREAD_NAME_MAX];
    sl_thread_name(&threads, getpid(), name);
    assert_string_equal(name, "");
    sl_thread_name(&threads, worker.id, name);
    assert_string_equal(name, "worker");
    char process_name[SL_THREAD_NAME_MAX];
    pthread_getname_np(pthread_self(), process_name, sizeof process_name);
    pthread_setname_np(worker.handle, process_name);
    sl_thread_name(&threads, worker.id, name);
    assert_string_equal(name, "");
    finish(&worker);
    sl_threads_close(&threads);
    close(process.folder);
}

static void test_no_thread_of_another_process_is_taken_for_one_of_this(void **state)
{
    (void)state;
    size_t descriptors = 10;
    struct sl_process process = process_of(getpid());
    struct sl_threads threads;
    assert_true(sl_threads_open(&threads, &process, &descriptors));
    struct sl_thread thread;
    assert_false(sl_thread_open(&thread, &threads, getppid()));
    assert_int_equal(sl_threads_id(&threads, 0), 0);
    assert_int_equal(sl_threads_id(&threads, UINT64_MAX), 0);
    sl_threads_close(&threads);
    close(process.folder);
}

#define GROUPS 1000

/* A user may be in so many groups that they fill the kernel's answer many times over. */
static void test_ids_of_an_inner_namespace_are_mapped(void **state)
{
    (void)state;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t helper = fork();
    if (helper == 0) {
        gid_t groups[GROUPS];
        for (gid_t i = 0; i < GROUPS; i++) {
            groups[i] = 1000000000 + i;
        }
        if (unshare(CLONE_NEWPID) != 0 || setgroups(GROUPS, groups) != 0) {
            _exit(1);
        }
        pid_t inner = fork();
        if (inner == 0) {
            pause();
        }
        if (write(ready[1], &inner, sizeof inner) != sizeof inner) {
            _exit(1);
        }
        waitpid(inner, NULL, 0);
        _exit(0);
    }
    close(ready[1]);
    pid_t pid;
    if (read(ready[0], &pid, sizeof pid) != sizeof pid) {
        waitpid(helper, NULL, 0);
        skip();
    }
    size_t descriptors = 10;
    struct sl_process process = process_of(pid);
    struct sl_threads threads;
    assert_true(sl_threads_open(&threads, &process, &descriptors));
    assert_true(threads.inner_namespace);
    assert_int_equal(sl_threads_id(&threads, 1), pid);
    assert_int_equal(sl_threads_id(&threads, 2), 0);
    sl_threads_close(&threads);
    close(process.folder);
    kill(pid, SIGKILL);
    waitpid(helper, NULL, 0);
    close(ready[0]);
}

static void test_ids_that_are_not_known_are_scanned_for_once_for_each_list(void **state)
{
    (void)state;
    struct sl_process process = process_of(getpid());
    size_t descriptors_left = 0;
    struct sl_threads threads;
    assert_true(sl_threads_open(&threads, &process, &descriptors_left));
    threads.inner_namespace = true; /* as if we numbered them otherwise */
    assert_int_equal(sl_threads_id(&threads, (uint64_t)getpid()), getpid());
    struct worker worker;
    start(&worker, SLEEP);
    assert_int_equal(sl_threads_id(&threads, (uint64_t)worker.id), 0);
    sl_threads_listed(&threads);
    assert_int_equal(sl_threads_id(&threads, (uint64_t)worker.id), worker.id);
    finish(&worker);
    sl_threads_close(&threads);
    sl_process_close(&process);
}

static void test_the_lines_of_the_kernel_are_understood(void **state)
{
    (void)state;
    struct sl_thread_activity activity;
    assert_true(sl_thread_parse_call("running\n", &activity));
    assert_true(activity.on_cpu);
    assert_int_equal(activity.call, -1);

    assert_true(sl_thread_parse_call("-1 0x7ffd428f5478 0x7f3b473542ad\n", &activity));
    assert_false(activity.on_cpu);
    assert_int_equal(activity.call, -1);

    assert_true(
        sl_thread_parse_call("202 0x7f3b471d9abc 0x80 0x0 0x0 0x0 0x0 0x7ffd428f5478 0x7f3b473542ad\n", &activity));
    assert_false(activity.on_cpu);
    assert_int_equal(activity.call, 202);
    assert_int_equal(activity.argument, 0x7f3b471d9abc);

    const char *wrong[] = {"", "\n", "run", "x", "12", "12 ", "12 34", "99999999 0x1 ", "0x1 0x2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(sl_thread_parse_call(wrong[i], &activity));
    }
}

/* A stop is done when the parent is told. */
static void check_stop(pid_t pid, enum sl_thread_stop stop)
{
    if (stop != SL_THREAD_GOES_ON) {
        int status;
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(WIFSTOPPED(status));
    }
    struct sl_process process = process_of(pid);
    size_t descriptors = 8;
    struct sl_threads threads;
    struct sl_thread thread;
    assert_true(sl_threads_open(&threads, &process, &descriptors));
    assert_true(sl_thread_open(&thread, &threads, pid));
    assert_int_equal(sl_thread_stop(&thread, &threads), stop);
    sl_thread_close(&thread, &threads);
    sl_threads_close(&threads);
    close(process.folder);
}

static void test_who_stopped_a_thread_is_told(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        while (true) {
            pause();
        }
    }
    check_stop(pid, SL_THREAD_GOES_ON);
    kill(pid, SIGSTOP);
    check_stop(pid, SL_THREAD_STOPPED);
    kill(pid, SIGCONT);
    check_stop(pid, SL_THREAD_GOES_ON);
    assert_int_equal(ptrace(PTRACE_ATTACH, pid, NULL, NULL), 0);
    check_stop(pid, SL_THREAD_TRACED);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_it_is_told_whether_a_thread_was_there_before(void **state)
{
    (void)state;
    struct sl_process self = process_of(getpid());
    struct sl_threads threads;
    size_t descriptors_left = 8;
    assert_true(sl_threads_open(&threads, &self, &descriptors_left));
    uint64_t before_ns = sl_clock_now_ns();
    struct worker worker;
    start(&worker, SLEEP);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    struct sl_thread main_thread, later;
    assert_true(sl_thread_open(&main_thread, &threads, getpid()));
    assert_true(sl_thread_open(&later, &threads, worker.id));
    assert_false(sl_thread_older(&later, &threads, before_ns));
    assert_true(sl_thread_older(&later, &threads, sl_clock_now_ns()));
    assert_false(sl_thread_older(&main_thread, &threads, 1));
    assert_true(sl_thread_older(&main_thread, &threads, sl_clock_now_ns()));
    sl_thread_close(&main_thread, &threads);
    sl_thread_close(&later, &threads);
    finish(&worker);
    sl_threads_close(&threads);
    close(self.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_lines_of_the_kernel_are_understood),
        cmocka_unit_test(test_what_a_thread_does_is_told),
        cmocka_unit_test(test_who_stopped_a_thread_is_told),
        cmocka_unit_test(test_descriptors_are_given_back),
        cmocka_unit_test(test_a_thread_that_waits_counts_no_run_and_one_that_woke_does),
        cmocka_unit_test(test_only_a_name_of_its_own_is_told),
        cmocka_unit_test(test_no_thread_of_another_process_is_taken_for_one_of_this),
        cmocka_unit_test(test_ids_of_an_inner_namespace_are_mapped),
        cmocka_unit_test(test_ids_that_are_not_known_are_scanned_for_once_for_each_list),
        cmocka_unit_test(test_it_is_told_whether_a_thread_was_there_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
