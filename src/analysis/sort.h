/* sort.h - sorting and grouping of numbers, without recursion, in memory from an arena. Stable. */
#ifndef SL_ANALYSIS_SORT_H
#define SL_ANALYSIS_SORT_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether `a` must come before `b`. */
typedef bool sl_before(const void *context, uint32_t a, uint32_t b);

/* Sorts `items`. False when the arena is exhausted. */
bool sl_sort(struct sl_arena *scratch, uint32_t *items, size_t count, sl_before *before, const void *context);

/* The numbers from 0 to before `count`, brought together by the group that each belongs to. */
struct sl_groups {
    uint32_t *items;  /* group after group; within one in rising order */
    uint32_t *starts; /* items of group g: from starts[g] to before starts[g + 1] */
};

/* `group_of[n]` is the group of n, below `group_count`, or UINT32_MAX for a number that is left out. False when the
 * arena is exhausted. */
bool sl_group(struct sl_arena *arena, const uint32_t *group_of, uint32_t count, uint32_t group_count,
              struct sl_groups *groups);

/* Sorts within each group. */
bool sl_sort_groups(struct sl_arena *scratch, struct sl_groups *groups, uint32_t group_count, sl_before *before,
                    const void *context);

#endif
