/* clock.h - the time, and waking up on it.
 *
 * All times are nanoseconds of CLOCK_MONOTONIC unless a name says otherwise. */
#ifndef SL_TARGET_CLOCK_H
#define SL_TARGET_CLOCK_H

#include <stdint.h>

uint64_t sl_clock_now_ns(void);

/* The time, or `time_ns` if that is still to come. */
uint64_t sl_clock_not_before_ns(uint64_t time_ns);

/* Wall-clock time, since 1970. */
uint64_t sl_clock_wall_ns(void);

/* CPU time that the calling thread has used; exact to the nanosecond. */
uint64_t sl_clock_thread_cpu_ns(void);

/* Sleeps until `deadline_ns`, whatever signals come; returns at once when it has passed. How late it wakes is the
 * timer slack (50 us unless `sl_clock_precise` was called) plus what the scheduler needs. */
void sl_clock_sleep_until(uint64_t deadline_ns);

/* Sleeps until about a deadline: an alarm wakes it earlier, by what waking up from such a sleep took on average lately, so
 * that it is now a little early and now a little late, but neither on average; a deadline that is nearer than that is
 * waited for. Made for looks at random instants: what runs at a time is seen as often as it should be if looks at that time
 * are no later on average than looks at another. Were one that follows soon after another on time, and one that follows a
 * long sleep 10 us late, what lies between the places where the first and the second are common would be seen too seldom or
 * too often.
 *
 * Returns what it is now for whoever asked, which is not before the deadline. */
#define SL_CLOCK_SLEEPS 8
struct sl_clock_lead {
    uint64_t mean_ns[SL_CLOCK_SLEEPS]; /* of sleeps up to 32 us, 64 us, ... and of longer ones; 0: not known */
    uint64_t last_ns;                  /* the mean that was used or learnt last, which lengths not known begin with */
    unsigned sleep;                    /* of what length the sleep under way is */
};
uint64_t sl_clock_meet(struct sl_clock_lead *lead, uint64_t deadline_ns);

/* The same in steps, for who sleeps in a way of its own. When the alarm is due, after `now_ns`, the time; 0 where the
 * deadline is to be waited out. `sl_clock_woken` is told of an alarm that nothing else came before. */
uint64_t sl_clock_alarm(struct sl_clock_lead *lead, uint64_t now_ns, uint64_t deadline_ns);
void sl_clock_woken(struct sl_clock_lead *lead, uint64_t alarm_ns);
void sl_clock_wait_out(struct sl_clock_lead *lead, uint64_t deadline_ns);

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
