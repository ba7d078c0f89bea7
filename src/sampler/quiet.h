/* quiet.h - whether the many threads of a process that have waited for long all wait still, without asking of each.
 *
 * The CPU time of the process less that of the threads that are asked is what the others have used: as long as it stays
 * the same, none of them has run. Who holds the GIL is looked up beside it. That costs 0.1 us for each thread, to ask
 * one of them 1 to 2 us.
 *
 * The kernel charges a thread when it stops running, and while it runs with each tick of the scheduler (4 ms at HZ=250).
 * So of a thread that had waited for half a second or more, what it does within its first tick on a CPU is not seen, if
 * that is without the GIL: at HZ=250 at most one part in a hundred of its time. */
#ifndef SL_SAMPLER_QUIET_H
#define SL_SAMPLER_QUIET_H

#include <stdbool.h>
#include <stdint.h>

struct sl_subject;
struct sl_subject_thread;

struct sl_quiet {
    bool rest_known;
    uint64_t rest_ns;    /* CPU time of the process beyond what `counted` says of its threads: of those that ended */
    bool rest_due;       /* each thread was asked, so `rest_ns` follows from `cpu_ns` and what they said */
    uint64_t cpu_ns;     /* of the process */
    uint64_t ask_due_ns; /* when each is asked in any case */
};

/* At the begin of a sweep: true when all threads that sl_quiet_has of are waiting where they were seen last. */
bool sl_quiet_all(struct sl_subject *subject, uint64_t now_ns);

/* Whether it is one of those that sl_quiet_all speaks of: waits, and has for a while. */
bool sl_quiet_has(const struct sl_subject *subject, const struct sl_subject_thread *thread);

/* A thread was asked and did not wait any more where it had. */
void sl_quiet_moved(const struct sl_subject *subject, struct sl_subject_thread *thread);

#endif
