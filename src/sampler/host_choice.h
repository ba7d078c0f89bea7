/* host_choice.h - which of several threads that are in a scope its one sample is of. */
#ifndef SL_SAMPLER_HOST_CHOICE_H
#define SL_SAMPLER_HOST_CHOICE_H

#include "sampler/host_recording.h"

#include <stdbool.h>

/* How much a thread in a scope runs: the scope's time goes to the one that runs most. */
enum sl_host_rank {
    SL_HOST_RANK_RUNS,
    SL_HOST_RANK_WAITS_FOR_GIL,
    SL_HOST_RANK_WAITS_IN_STARTER,
    SL_HOST_RANK_WAITS,
    SL_HOST_RANK_NO_FRAME,
};

/* Chooses between the choice that was made in this look and another one; of several that run alike, each is as likely to be
 * chosen. Whether this one was. */
bool sl_host_choose(struct sl_host_recording *recording, const struct sl_host_choice *other);

#endif
