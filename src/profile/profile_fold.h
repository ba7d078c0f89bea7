/* profile_fold.h - keeps a profile that is built for hours small: of what is long past, only totals stay.
 *
 * Runs that end at or before an instant become one for each thread, stack and state, which lasts as long as they did
 * together. Those of a thread lie one behind the other from its beginning on, in no order that means anything. So what a
 * selection adds up to stays exact to the nanosecond and the sample if it begins at 0 or not before the instant, and ends
 * after it; what it says of an order in time does not.
 *
 * Threads that ended before the instant are merged with each other: into as many threads without id and name as their
 * time needs, so that a program that starts one for each request needs no more than one that does not. */
#ifndef SL_PROFILE_PROFILE_FOLD_H
#define SL_PROFILE_PROFILE_FOLD_H

#include "profile/profile_builder.h"

/* Folds what lies before `before_ns`, which the caller never lowers; `duration_ns` is the time so far. `places` has one
 * element for each thread of the builder, and gets the thread's new place, or SL_NONE where it was merged. `folded` gets
 * the number of runs that stand for what was folded. False when memory is exhausted: then everything is as it was.
 * Linear in runs and threads. */
bool sl_profile_fold(struct sl_profile_builder *builder, uint64_t before_ns, uint64_t duration_ns, uint32_t *places,
                     uint32_t *folded);

#endif
