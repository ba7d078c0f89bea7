/* state.h - what a thread was doing when it was looked at, in 32 bits.
 *
 * Bits 0 to 5 are flags; bits 6 to 15 tell which of its tasks it ran; bits 16 to 31 hold the number of the system call it
 * waited in, plus one (0: none or unknown). System call numbers are those of the recorded machine (x86-64). */
#ifndef SL_PROFILE_STATE_H
#define SL_PROFILE_STATE_H

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t sl_state;

enum {
    SL_STATE_KNOWN = 1 << 0,  /* the flags below were looked up; without it nothing is known */
    SL_STATE_ON_CPU = 1 << 1, /* running or runnable, not waiting in a system call */
    SL_STATE_HAS_GIL = 1 << 2,
    SL_STATE_WAITS_GIL = 1 << 3, /* in the futex of the GIL */
    SL_STATE_GC = 1 << 4,        /* holds the GIL while its interpreter collects garbage */
    SL_STATE_LOCK = 1 << 5,      /* in a futex that is not the GIL's */
};

static inline sl_state sl_state_in_call(uint32_t flags, uint32_t system_call)
{
    return flags | ((system_call + 1) << 16);
}

/* A task is a coroutine that an event loop runs, as asyncio's are. Each thread numbers its own from 1 on; 0: it ran none. The
 * highest number stands for all tasks that would have had a higher one. */
#define SL_STATE_TASK_SHIFT 6
#define SL_STATE_TASK_MAX 1023u

static inline sl_state sl_state_in_task(sl_state state, uint32_t task)
{
    return state | task << SL_STATE_TASK_SHIFT;
}

static inline uint32_t sl_state_task(sl_state state)
{
    return state >> SL_STATE_TASK_SHIFT & SL_STATE_TASK_MAX;
}

/* The same without the task. */
static inline sl_state sl_state_activity(sl_state state)
{
    return state & ~(SL_STATE_TASK_MAX << SL_STATE_TASK_SHIFT);
}

/* The system call's number, or -1. */
static inline int32_t sl_state_call(sl_state state)
{
    return (int32_t)(state >> 16) - 1;
}

/* Waiting, by any of its names: known, and not on a CPU. */
static inline bool sl_state_waits(sl_state state)
{
    return (state & SL_STATE_KNOWN) != 0 && (state & SL_STATE_ON_CPU) == 0;
}

#endif
