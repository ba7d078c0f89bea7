/* locations.h - the distinct places (function and line) of a recording's stacks, for formats that list them once. */
#ifndef SL_RENDER_LOCATIONS_H
#define SL_RENDER_LOCATIONS_H

#include "base/arena.h"
#include "profile/profile.h"

struct sl_location {
    sl_function function;
    uint32_t line;
};

struct sl_locations {
    const struct sl_location *items; /* number 0 belongs to the empty stack */
    uint32_t count;
    const uint32_t *of_stack; /* for each stack the number of the location on top of it */
};

/* Numbers are given in order of first sight. NULL when memory is exhausted. Lives in the arena. */
const struct sl_locations *sl_locations_build(struct sl_arena *arena, const struct sl_profile *profile);

/* Writes the stack's locations, innermost first, to `numbers`, which has room for `depth_limit`. Returns how many.
 * `sl_stack_depth_max` says how much room any stack needs. */
uint32_t sl_locations_of_stack(const struct sl_locations *locations, const struct sl_profile *profile, sl_stack stack,
                               uint32_t *numbers, uint32_t depth_limit);

/* One byte for each string, non-zero where it is the name or the file of a function: a recording has others, such as the
 * command with its arguments, which are not everybody's. NULL when the arena is exhausted. */
const uint8_t *sl_location_strings(struct sl_arena *arena, const struct sl_profile *profile);

/* The depth of the deepest stack. Needs one number for each stack from the arena; SL_NONE when it is exhausted. */
uint32_t sl_stack_depth_max(struct sl_arena *arena, const struct sl_profile *profile);

#endif
