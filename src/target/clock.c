#include "target/clock.h"

#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

#define NS_PER_SECOND UINT64_C(1000000000)

static uint64_t read_clock(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
}

uint64_t sl_clock_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t sl_clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

uint64_t sl_clock_thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void sl_clock_sleep_until(uint64_t deadline_ns)
{
    struct timespec deadline = {
        .tv_sec = (time_t)(deadline_ns / NS_PER_SECOND),
        .tv_nsec = (long)(deadline_ns % NS_PER_SECOND),
    };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR) {
    }
}

uint64_t sl_clock_precise(void)
{
    int slack_ns = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
    sl_clock_slack(1);
    return slack_ns > 0 ? (uint64_t)slack_ns : 0;
}

void sl_clock_slack(uint64_t slack_ns)
{
    /* 0 asks for the thread's default. It fails under a real-time policy only, where there is no slack. */
    prctl(PR_SET_TIMERSLACK, (unsigned long)slack_ns, 0, 0, 0);
}
