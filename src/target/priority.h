/* priority.h - a sampler's place among the threads that want a CPU.
 *
 * On a machine that is busy, a thread that wakes for a look waits until one of those that run has had its time: it then
 * sees what comes after, and always misses what runs shortly after a wait. Where the system allows it, a sampler therefore
 * goes before all that share the time: as a real-time thread of the lowest priority (SCHED_RR, 1; root, CAP_SYS_NICE or
 * RLIMIT_RTPRIO), else with the best nice value that it may have (RLIMIT_NICE). See sched(7): a nice value alone counts
 * only within a session of the terminal where the kernel groups by session (autogroup), and within a control group; half of
 * the looks of a busy machine were late with it, one in a hundred are as a real-time thread. It takes no more of the CPU
 * for that, only sooner; and when it takes much, it steps back, so that the program is never starved by a sampler that has
 * more to do than there is time. Where the time of a real-time thread is limited (RLIMIT_RTTIME), it does not become
 * one: a single look can take longer, and the kernel would kill the process for it, which may be the user's program. */
#ifndef SL_TARGET_PRIORITY_H
#define SL_TARGET_PRIORITY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum sl_place {
    SL_PLACE_BEFORE, /* as it was */
    SL_PLACE_NICE,
    SL_PLACE_REALTIME,
};

/* The calling thread's. */
struct sl_priority {
    enum sl_place raised; /* the best that the system allows */
    enum sl_place now;
    int nice_before;
    int nice_raised;
    uint64_t judged_ns; /* when it was last seen how much CPU it takes, */
    uint64_t cpu_ns;    /* and how much it had taken by then */
};

/* Puts the calling thread before others, where that is allowed. One that is no ordinary thread (a scheduling policy other
 * than SCHED_OTHER) stays where somebody has put it. */
void sl_priority_raise(struct sl_priority *priority);

/* The same of a thread that the calling one has just started, if it can be a real-time thread: else it would have to wait
 * for a CPU before it can raise itself, behind the very program that it is to look at. It calls `sl_priority_raise` all the
 * same. */
void sl_priority_raise_started(pthread_t thread);

/* To be called often, by the same thread: every 100 ms, steps back if more than two thirds of the time went into it, and
 * forward again once it is less than half. */
void sl_priority_keep(struct sl_priority *priority, uint64_t now_ns);

/* As it was before. */
void sl_priority_restore(struct sl_priority *priority);

#endif
