#include "target/clock.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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

uint64_t sl_clock_not_before_ns(uint64_t time_ns)
{
    uint64_t now_ns = sl_clock_now_ns();
    return now_ns > time_ns ? now_ns : time_ns;
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

/* A longer time counts as this much: the thread was kept from its CPU, which says little of what waking up takes. */
#define LEAD_MAX_NS UINT64_C(60000)

/* The shortest sleeps last up to so long; each further length is twice the one before. */
#define SHORTEST_SLEEP_NS UINT64_C(32768)

/* The mean is that of about so many sleeps. */
#define LEAD_SLEEPS 16

/* Each deadline that is waited out takes such a part from the mean: one that is larger than the sleeps that it is of would
 * never be learnt anew. */
#define LEAD_FADES 256

uint64_t sl_clock_alarm(struct sl_clock_lead *lead, uint64_t now_ns, uint64_t deadline_ns)
{
    uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    lead->sleep = 0;
    while (lead->sleep + 1 < SL_CLOCK_SLEEPS && left_ns > SHORTEST_SLEEP_NS << lead->sleep) {
        lead->sleep++;
    }
    uint64_t *mean_ns = &lead->mean_ns[lead->sleep];
    *mean_ns = *mean_ns != 0 ? *mean_ns : lead->last_ns;
    lead->last_ns = *mean_ns;
    return left_ns > *mean_ns ? deadline_ns - *mean_ns : 0;
}

void sl_clock_woken(struct sl_clock_lead *lead, uint64_t alarm_ns)
{
    uint64_t now_ns = sl_clock_now_ns();
    uint64_t late_ns = now_ns > alarm_ns ? now_ns - alarm_ns : 0;
    late_ns = late_ns < LEAD_MAX_NS ? late_ns : LEAD_MAX_NS;
    uint64_t *mean_ns = &lead->mean_ns[lead->sleep];
    *mean_ns = *mean_ns != 0 ? (*mean_ns * (LEAD_SLEEPS - 1) + late_ns) / LEAD_SLEEPS : late_ns;
    lead->last_ns = *mean_ns;
}

void sl_clock_wait_out(struct sl_clock_lead *lead, uint64_t deadline_ns)
{
    lead->mean_ns[lead->sleep] -= lead->mean_ns[lead->sleep] / LEAD_FADES;
    while (sl_clock_now_ns() < deadline_ns) {
    }
}

uint64_t sl_clock_meet(struct sl_clock_lead *lead, uint64_t deadline_ns)
{
    uint64_t alarm_ns = sl_clock_alarm(lead, sl_clock_now_ns(), deadline_ns);
    if (alarm_ns != 0) {
        sl_clock_sleep_until(alarm_ns);
        sl_clock_woken(lead, alarm_ns);
    } else {
        sl_clock_wait_out(lead, deadline_ns);
    }
    return sl_clock_not_before_ns(deadline_ns);
}

/* struct sched_attr of sched_setattr(2), as of its first version. */
struct scheduling {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns; /* for SCHED_OTHER: the slice, since Linux 6.12 */
    uint64_t deadline_ns;
    uint64_t period_ns;
};

/* The shortest slice that the kernel grants (kernel/sched/fair.c, __setparam_fair). */
#define SLICE_MIN_NS UINT64_C(100000)

/* Sets the slice and leaves all else as it is. Returns what it was; 0 when nothing was done: an older kernel, or a
 * thread that is not scheduled in the normal way. */
static uint64_t set_slice(uint64_t slice_ns)
{
    struct scheduling scheduling = {0};
    if (syscall(SYS_sched_getattr, 0, &scheduling, sizeof scheduling, 0) != 0 || scheduling.policy != SCHED_OTHER ||
        scheduling.runtime_ns == 0) {
        return 0;
    }
    uint64_t before_ns = scheduling.runtime_ns;
    scheduling.size = sizeof scheduling;
    scheduling.flags = 0;
    scheduling.runtime_ns = slice_ns;
    return syscall(SYS_sched_setattr, 0, &scheduling, 0) == 0 ? before_ns : 0;
}

void sl_clock_precise(struct sl_clock_precision *before)
{
    int slack_ns = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0);
    before->slack_ns = slack_ns > 0 ? (uint64_t)slack_ns : 0;
    /* Fails under a real-time policy only, where there is no slack. */
    prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
    before->slice_ns = set_slice(SLICE_MIN_NS);
}

void sl_clock_restore(const struct sl_clock_precision *before)
{
    /* A slack of 0 asks for the thread's default. */
    prctl(PR_SET_TIMERSLACK, (unsigned long)before->slack_ns, 0, 0, 0);
    if (before->slice_ns > 0) {
        set_slice(before->slice_ns);
    }
}
