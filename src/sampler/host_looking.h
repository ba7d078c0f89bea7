/* host_looking.h - a look at our own process that is under way. */
#ifndef SL_SAMPLER_HOST_LOOKING_H
#define SL_SAMPLER_HOST_LOOKING_H

#include "sampler/host_recording.h"
#include "sampler/host_view.h"

struct sl_host_look {
    struct sl_host_target *target;
    struct sl_host_recording **recordings; /* all of them; those that are `due` are told what is seen */
    size_t count;
    pid_t caller;    /* the thread that looks, if it is one of those looked at; else 0 */
    uint64_t number; /* of the look: no other has it */
    uint32_t skip;   /* so many of its innermost frames are left out */

    /* Of the thread that is looked at. */
    struct {
        size_t strand;
        struct sl_walk walk;
    } walks[SL_STRANDS_MAX];
    size_t walk_count;
    bool torn;  /* its tokens could not be read */
    bool again; /* it was looked at before in this look */

    uint64_t patience_ns; /* until when (CLOCK_MONOTONIC) threads are looked at again; 0: none was yet */
};

#endif
