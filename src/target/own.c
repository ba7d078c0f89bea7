#include "target/own.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* A thread that has ended is gone within microseconds; this many looks at it take some milliseconds. */
#define LOOKS_MAX 20000

static uint64_t nanoseconds(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    return clock_gettime(clock, &now) == 0 ? nanoseconds(&now) : 0;
}

uint64_t sl_own_symbol(const char *name)
{
    return (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, name);
}

uint64_t sl_own_cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t sl_own_children_cpu_ns(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_CHILDREN, &usage) != 0) {
        return 0;
    }
    return ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * 1000000000u +
           ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000u;
}

uint64_t sl_own_thread_cpu_ns(pid_t thread)
{
    /* The clock of a thread (linux/posix-timers.h: CPUCLOCK_SCHED, 2, and CPUCLOCK_PERTHREAD_MASK, 4), as
     * pthread_getcpuclockid(3) makes it. */
    return clock_ns((clockid_t)(~(unsigned)thread << 3 | 6u));
}

pid_t sl_own_thread_id(void)
{
    return (pid_t)syscall(SYS_gettid);
}

void sl_own_thread_gone(pid_t thread)
{
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        if (syscall(SYS_tgkill, getpid(), thread, 0) != 0 && errno == ESRCH) {
            return;
        }
        sched_yield();
    }
}
