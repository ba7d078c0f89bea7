/* load_times.h - until when the code of each file was loaded at the latest: a file that was modified later has other lines
 * than those that ran. */
#ifndef SL_ANALYSIS_LOAD_TIMES_H
#define SL_ANALYSIS_LOAD_TIMES_H

#include "base/arena.h"
#include "profile/profile.h"

/* For each string, taken as the name of a file: when a function of it was seen first, in nanoseconds since 1970 (since the
 * recording's start, where that is not known), and later by what that is not exact by. Of what was never seen, the end of
 * the recording. NULL when the arena is exhausted. Linear in runs and stacks. */
const uint64_t *sl_load_times(struct sl_arena *arena, const struct sl_profile *profile);

#endif
