/* state_times.h - how long something (a stack, a line) was in each state: short lists that lie in one array.
 *
 * A list is named by the place of its first element plus one, 0 when it is empty, which the thing itself keeps. */
#ifndef SL_ANALYSIS_STATE_TIMES_H
#define SL_ANALYSIS_STATE_TIMES_H

#include "base/arena.h"
#include "profile/state.h"

struct sl_state_time {
    uint64_t ns;
    sl_state state;
    uint32_t next; /* plus one, 0: the last */
};

struct sl_state_times {
    struct sl_arena *arena;
    struct sl_state_time *times;
    uint32_t count, capacity;
};

/* States that one thing is seen in: a program has a few, a damaged recording any number. Those that come after so many
 * are not told apart. */
#define SL_STATE_TIMES_MAX 32

void sl_state_times_init(struct sl_state_times *times, struct sl_arena *arena);

/* Forgets all lists and keeps the memory. */
void sl_state_times_clear(struct sl_state_times *times);

/* Adds to the list `*first`. What is lost when the arena is exhausted shows in the arena. */
void sl_state_times_add(struct sl_state_times *times, uint32_t *first, sl_state state, uint64_t ns);

/* The state in which most of the time was spent, 0 for an empty list. */
sl_state sl_state_times_main(const struct sl_state_times *times, uint32_t first);

#endif
