/* clock.h - the time, and waking up on it.
 *
 * All times are nanoseconds of CLOCK_MONOTONIC unless a name says otherwise. */
#ifndef SL_TARGET_CLOCK_H
#define SL_TARGET_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

uint64_t sl_clock_now_ns(void);

/* Wall-clock time, since 1970. */
uint64_t sl_clock_wall_ns(void);

/* CPU time that the calling thread has used; exact to the nanosecond. */
uint64_t sl_clock_thread_cpu_ns(void);

/* Sleeps until `deadline_ns`, whatever signals come; returns at once when it has passed. How late it wakes is the
 * timer slack (50 us unless `sl_clock_precise` was called) plus what the scheduler needs. */
void sl_clock_sleep_until(uint64_t deadline_ns);

/* Wakes up on time: sleeps for less, by as much as waking up lately took, and waits out the rest. For deadlines that are
 * at random: when a thread wakes 20 us late from each, those that come soon after another are late by more than the rest,
 * and what runs then is seen too seldom. Costs a few microseconds of CPU for each that is near; one that is far is met
 * within what waking up varies by, and costs next to none. */
struct sl_clock_lead {
    uint64_t short_ns; /* how much earlier than it has to be there it is woken from short sleeps; 0 at first */
    uint64_t long_ns;  /* and from long ones */
    bool is_long;      /* the sleep under way is one */
};
void sl_clock_meet(struct sl_clock_lead *lead, uint64_t deadline_ns);

/* The same in three steps, for who sleeps in a way of its own: until when; that it slept that long, and nobody woke it;
 * and the rest. */
uint64_t sl_clock_alarm(struct sl_clock_lead *lead, uint64_t now_ns, uint64_t deadline_ns);
void sl_clock_woken(struct sl_clock_lead *lead, uint64_t alarm_ns);
void sl_clock_wait_out(uint64_t deadline_ns);

/* Lets the calling thread's sleeps end within microseconds of their deadline: sets its timer slack to 1 ns, and asks
 * the scheduler for the shortest slice, with which a thread that wakes is put on a CPU sooner where others compete for
 * it (Linux 6.12 and later; needs no privilege). Keeps what there was in `before`, for `sl_clock_restore`. */
struct sl_clock_precision {
    uint64_t slack_ns;
    uint64_t slice_ns; /* 0: the scheduler was not asked */
};
void sl_clock_precise(struct sl_clock_precision *before);
void sl_clock_restore(const struct sl_clock_precision *before);

#endif
