/* host_look.h - one look at our own process, for all recordings that are due. */
#ifndef SL_SAMPLER_HOST_LOOK_H
#define SL_SAMPLER_HOST_LOOK_H

#include "sampler/host_recording.h"

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
    bool torn; /* its tokens could not be read */
};

/* Looks, and tells every due recording. */
void sl_host_look(struct sl_host_look *look, uint64_t now_ns);

#endif
