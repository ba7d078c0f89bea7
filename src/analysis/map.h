/* map.h - numbers found by two numbers: open addressing, in memory from an arena. */
#ifndef SL_ANALYSIS_MAP_H
#define SL_ANALYSIS_MAP_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

struct sl_map_entry {
    uint64_t key;
    uint32_t value; /* plus one; 0: the place is free */
};

struct sl_map {
    struct sl_arena *arena;
    struct sl_map_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

void sl_map_init(struct sl_map *map, struct sl_arena *arena);

/* Makes room for so many more at once. What cannot be had shows when they are added. */
void sl_map_reserve(struct sl_map *map, size_t more);

/* The value kept for (`high`, `low`). When there is none yet, `fresh` (below UINT32_MAX) is kept and returned, so that
 * a caller who numbers things passes the next number and compares. UINT32_MAX when the arena is exhausted. */
uint32_t sl_map_number(struct sl_map *map, uint32_t high, uint32_t low, uint32_t fresh);

/* The value kept for (`high`, `low`), UINT32_MAX when there is none. */
uint32_t sl_map_find(const struct sl_map *map, uint32_t high, uint32_t low);

#endif
