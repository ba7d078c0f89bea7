/* host_due.h - looks for recordings whose time has come, or that are being stopped. The lock is held in all of these. */
#ifndef SL_SAMPLER_HOST_DUE_H
#define SL_SAMPLER_HOST_DUE_H

#include "sampler/host_recording.h"

/* The CPU time of the native thread, and of those before it. */
uint64_t sl_host_sampler_cpu_ns(void);

/* Prepares a recording for looks. */
bool sl_host_open_recording(struct sl_host_recording *recording, uint64_t now_ns, struct sl_error *error);

/* Looks for every recording that is due. */
void sl_host_look_at_due(uint64_t now_ns);

/* Looks for one recording, in a thread that is its `caller` (0: in the native one), without `skip` innermost frames of that. */
void sl_host_look_for(struct sl_host_recording *recording, uint64_t now_ns, pid_t caller, uint32_t skip);

/* Of a recording that is being stopped: nobody looked at what the look that is due stands for. It goes to what was seen before,
 * or is missed if nothing was; of every thread for itself. `caller` as above. */
void sl_host_tell_unseen(struct sl_host_recording *recording, uint64_t now_ns, pid_t caller);

/* Of a recording that is being stopped: the slots before the one of this look that nobody looked at go to what was seen
 * before them, or are missed. What is seen now says nothing of them: whoever stops a recording is always at the same place.
 * `caller` as above. */
void sl_host_tell_skipped(struct sl_host_recording *recording, uint64_t now_ns, pid_t caller);

#endif
