/* clock.h - the time, and waking up on it.
 *
 * All times are nanoseconds of CLOCK_MONOTONIC unless a name says otherwise. */
#ifndef SL_TARGET_CLOCK_H
#define SL_TARGET_CLOCK_H

#include <stdint.h>

uint64_t sl_clock_now_ns(void);

/* Wall-clock time, since 1970. */
uint64_t sl_clock_wall_ns(void);

/* CPU time that the calling thread has used; exact to the nanosecond. */
uint64_t sl_clock_thread_cpu_ns(void);

/* Sleeps until `deadline_ns`, whatever signals come; returns at once when it has passed. How late it wakes is the
 * timer slack (50 us unless `sl_clock_precise`) plus what the scheduler needs. */
void sl_clock_sleep_until(uint64_t deadline_ns);

/* Lets the calling thread's sleeps end within microseconds of their deadline: sets its timer slack to 1 ns. Returns
 * the slack it had, for `sl_clock_slack`. */
uint64_t sl_clock_precise(void);
void sl_clock_slack(uint64_t slack_ns);

#endif
