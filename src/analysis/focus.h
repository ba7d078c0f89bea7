/* focus.h - a recording as if it had begun at one function, and in that at another: what a person digs into. */
#ifndef SL_ANALYSIS_FOCUS_H
#define SL_ANALYSIS_FOCUS_H

#include "base/arena.h"
#include "profile/profile.h"

struct sl_focus {
    const struct sl_profile *profile; /* shares all tables but its stacks with the profile it was made of */
    const uint8_t *functions;         /* for sl_selection.functions: leaves out the samples that lack the focus */
};

/* The profile whose stacks begin at the outermost frame of `trail[0]`, in what lies above that at the outermost frame of
 * `trail[1]`, and so on. A stack without all of them in this order consists of the empty function, number 0; `functions`
 * has no other restriction than to leave that one out, unless `wanted` (one byte for each function, NULL: all) asks for
 * more. Stack numbers stay as they are; two of them may now stand for the same frames. Linear in stacks and functions.
 * Without a trail it is the profile itself, and `wanted`. The profile is NULL when the arena is exhausted. */
struct sl_focus sl_focus_on(struct sl_arena *arena, const struct sl_profile *profile, const sl_function *trail,
                            uint32_t trail_count, const uint8_t *wanted);

#endif
