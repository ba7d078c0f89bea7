#include "target/priority.h"

#include "target/clock.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#define NICE_FIRST (-20)
#define JUDGED_EVERY_NS UINT64_C(100000000)

/* A thread that such a one starts is an ordinary one: who has this policy and priority from the start was put before others
 * here. */
#define REALTIME (SCHED_RR | SCHED_RESET_ON_FORK)
static const struct sched_param realtime = {.sched_priority = 1};

static bool set_policy(int policy, int priority)
{
    const struct sched_param parameters = {.sched_priority = priority};
    return sched_setscheduler(0, policy, &parameters) == 0;
}

/* Whether the kernel kills a process one of whose real-time threads runs for some time without waiting. */
static bool realtime_is_limited(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_RTTIME, &limit) != 0 || limit.rlim_cur != RLIM_INFINITY;
}

static bool set_realtime(void)
{
    return !realtime_is_limited() && sched_setscheduler(0, REALTIME, &realtime) == 0;
}

/* A thread that may no more do what it did, because its process has dropped privileges, cannot take the flag back, but
 * can always become an ordinary one. */
static void set_ordinary(void)
{
    if (!set_policy(SCHED_OTHER, 0)) {
        set_policy(SCHED_OTHER | SCHED_RESET_ON_FORK, 0);
    }
}

/* Of the calling thread alone: on Linux a nice value belongs to a thread (setpriority(2), "C library/kernel
 * differences"). */
static bool set_nice(int nice)
{
    return setpriority(PRIO_PROCESS, 0, nice) == 0;
}

static bool set(struct sl_priority *priority, enum sl_place place)
{
    if (priority->now == SL_PLACE_REALTIME && place != SL_PLACE_REALTIME) {
        set_ordinary();
    }
    bool done = true;
    switch (place) {
    case SL_PLACE_REALTIME:
        done = set_realtime();
        break;
    case SL_PLACE_NICE:
        done = set_nice(priority->nice_raised);
        break;
    case SL_PLACE_BEFORE:
        done = priority->now != SL_PLACE_NICE || set_nice(priority->nice_before);
        break;
    }
    if (done) {
        priority->now = place;
    }
    return done;
}

/* Whether nobody else has put the calling thread where it is. */
static bool is_ours(void)
{
    int policy = sched_getscheduler(0);
    struct sched_param parameters;
    return policy == SCHED_OTHER || (policy == REALTIME && sched_getparam(0, &parameters) == 0 &&
                                     parameters.sched_priority == realtime.sched_priority);
}

void sl_priority_raise_started(pthread_t thread)
{
    int policy;
    struct sched_param parameters;
    if (!realtime_is_limited() && pthread_getschedparam(thread, &policy, &parameters) == 0 && policy == SCHED_OTHER) {
        pthread_setschedparam(thread, REALTIME, &realtime);
    }
}

void sl_priority_raise(struct sl_priority *priority)
{
    int nice_before = getpriority(PRIO_PROCESS, 0);
    *priority = (struct sl_priority){
        .nice_before = nice_before,
        .nice_raised = NICE_FIRST,
        .judged_ns = sl_clock_now_ns(),
        .cpu_ns = sl_clock_thread_cpu_ns(),
    };
    if (is_ours() && !set(priority, SL_PLACE_REALTIME) && !set(priority, SL_PLACE_NICE)) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_NICE, &limit) == 0 && limit.rlim_cur <= 40) {
            priority->nice_raised = 20 - (int)limit.rlim_cur;
            if (priority->nice_raised < nice_before) {
                set(priority, SL_PLACE_NICE);
            }
        }
    }
    priority->raised = priority->now;
}

void sl_priority_keep(struct sl_priority *priority, uint64_t now_ns)
{
    uint64_t passed_ns = now_ns - priority->judged_ns;
    if (priority->raised == SL_PLACE_BEFORE || passed_ns < JUDGED_EVERY_NS) {
        return;
    }
    uint64_t cpu_ns = sl_clock_thread_cpu_ns();
    uint64_t taken_ns = cpu_ns - priority->cpu_ns;
    if (priority->now == priority->raised && taken_ns > passed_ns / 3 * 2) {
        set(priority, SL_PLACE_BEFORE);
    } else if (priority->now != priority->raised && taken_ns < passed_ns / 2) {
        set(priority, priority->raised);
    }
    priority->judged_ns = now_ns;
    priority->cpu_ns = cpu_ns;
}

void sl_priority_restore(struct sl_priority *priority)
{
    if (priority->now != SL_PLACE_BEFORE) {
        set(priority, SL_PLACE_BEFORE);
    }
}
