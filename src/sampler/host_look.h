/* host_look.h - one look at our own process, for all recordings that are due. */
#ifndef SL_SAMPLER_HOST_LOOK_H
#define SL_SAMPLER_HOST_LOOK_H

#include "sampler/host_looking.h"

/* Looks, and tells every due recording. */
void sl_host_look(struct sl_host_look *look, uint64_t now_ns);

#endif
