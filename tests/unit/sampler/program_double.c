#include "program_double.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct program *program;
pid_t pid;

void *spin(void *argument)
{
    atomic_store((atomic_int *)argument, (int)syscall(SYS_gettid));
    for (;;) {
    }
    return NULL;
}

void *wait_for_gil(void *argument)
{
    atomic_store((atomic_int *)argument, (int)syscall(SYS_gettid));
    for (;;) {
        syscall(SYS_futex, &program->gil, 0, 0, NULL);
    }
    return NULL;
}

void *wait_for_lock(void *argument)
{
    atomic_store((atomic_int *)argument, (int)syscall(SYS_gettid));
    for (;;) {
        syscall(SYS_futex, &program->lock, 0, 0, NULL);
    }
    return NULL;
}

void *sleep_on(void *argument)
{
    atomic_store((atomic_int *)argument, (int)syscall(SYS_gettid));
    for (;;) {
        sleep(1000);
    }
    return NULL;
}

void *live_briefly(void *argument)
{
    atomic_store((atomic_int *)argument, (int)syscall(SYS_gettid));
    while (!atomic_load(&program->go)) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return NULL;
}

void *execute(void *argument)
{
    atomic_store((atomic_int *)argument, (int)syscall(SYS_gettid));
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    execl("/bin/sleep", "sleep", "1000", (char *)NULL);
    return NULL;
}

void start_program(const activity *activities, size_t count)
{
    pid = fork();
    if (pid == 0) {
        for (size_t i = 1; i < count; i++) {
            pthread_t thread;
            pthread_create(&thread, NULL, activities[i], &program->ids[i]);
        }
        activities[0](&program->ids[0]);
        _exit(0);
    }
    memset(&python_double, 0, sizeof python_double);
    python_double_step = NULL;
    python_double.thread_count = count;
    python_double.gil_begin = (uintptr_t)&program->gil;
    python_double.gil_end = (uintptr_t)(&program->gil + 1);
    for (size_t i = 0; i < count; i++) {
        while (atomic_load(&program->ids[i]) == 0) {
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
        struct double_thread *thread = &python_double.threads[i];
        thread->id = program->ids[i];
        thread->depth = 2;
        thread->frames[0] = (struct sl_frame){.code = 0, .line = 10};
        thread->frames[1] = (struct sl_frame){.code = 1 + (uint32_t)i, .line = 20 + (uint32_t)i};
    }
}

int set_up(void **state)
{
    (void)state;
    program = mmap(NULL, sizeof *program, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return program == MAP_FAILED;
}

int tear_down(void **state)
{
    (void)state;
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        pid = 0;
    }
    munmap(program, sizeof *program);
    return 0;
}
