/* trace_follower.h - reads a trace while it is written, for as long as that takes: what a live view shows.
 *
 * Its memory does not grow with time: what is older than SL_FOLLOWER_KEEP_NS is folded into totals (profile_fold.h).
 * What grows are the tables of what is distinct: strings, functions, stacks, and threads that live at a time.
 * Not thread-safe. */
#ifndef SL_PROFILE_TRACE_FOLLOWER_H
#define SL_PROFILE_TRACE_FOLLOWER_H

#include "base/error.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So long at least the runs are kept as they were, unless there are more than SL_FOLLOWER_RUNS_MAX of them: then less
 * long, down to a second. */
#define SL_FOLLOWER_KEEP_NS ((uint64_t)60000000000)
#define SL_FOLLOWER_RUNS_MAX ((uint32_t)512 * 1024)

struct sl_trace_follower;

/* NULL when memory is exhausted. */
struct sl_trace_follower *sl_trace_follower_create(struct sl_error *error);
void sl_trace_follower_destroy(struct sl_trace_follower *follower);

/* The next bytes of the trace, cut anywhere. False with SL_ERROR_FORMAT when they are none of a trace, SL_ERROR_SYSTEM
 * when memory is exhausted: nothing more can be read then. A damaged block is skipped, and told by `lost_bytes`. */
bool sl_trace_follower_feed(struct sl_trace_follower *follower, const void *bytes, size_t size, struct sl_error *error);

/* What was read so far, up to the last look: valid until the next feed. NULL when memory is exhausted. A selection of it
 * is exact if it begins at 0 or not before `sl_trace_follower_exact_ns`. Linear in the runs that are kept. */
const struct sl_profile *sl_trace_follower_profile(struct sl_trace_follower *follower);
uint64_t sl_trace_follower_exact_ns(const struct sl_trace_follower *follower);

/* A copy that stays as it is, with the same numbers for everything; to be freed by sl_profile_destroy (trace_reader.h).
 * NULL when memory is exhausted. */
struct sl_profile *sl_profile_copy(const struct sl_profile *profile);

#endif
