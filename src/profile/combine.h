/* combine.h - several recordings one after the other, as one.
 *
 * The second begins where the first ends, and so on: durations, samples and counters add up. A process that is in several is
 * one in the result (combine_processes.h), and so is a thread that lasts to the end of one recording and is there from the
 * beginning of the next; what two Profilers saw in one process (SL_THREAD_SCOPE) is, too.
 * Description, start and interval are the first one's. */
#ifndef SL_PROFILE_COMBINE_H
#define SL_PROFILE_COMBINE_H

#include "base/buffer.h"
#include "base/error.h"
#include "profile/profile.h"

#include <stddef.h>

/* Appends the trace of all of them to `trace`. The time that each stack took is exact; the number of a thread's samples
 * may differ by one from what it was where a thread began or ended within a slot, since a profile does not say where
 * slots begin; nor how long each was, so within a run all looks are told to weigh the same. False with SL_ERROR_USAGE when
 * there is none at all, or they last too long together. Time: that of sorting their runs. */
bool sl_profile_combine(const struct sl_profile *const *profiles, size_t count, struct sl_buffer *trace,
                        struct sl_error *error);

#endif
