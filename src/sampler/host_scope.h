/* host_scope.h - the one sample that a scope has in a look: what runs in it, or what it waits for. */
#ifndef SL_SAMPLER_HOST_SCOPE_H
#define SL_SAMPLER_HOST_SCOPE_H

#include "sampler/host_looking.h"

/* Tells it, once all threads were looked at. Of a scope that runs and waits by turns, the longer turn would be told too
 * often if it were looked at until anything is seen. What counts is what it was found to do at first, and that is looked
 * for. */
void sl_host_tell_scope(struct sl_host_look *look, struct sl_host_recording *recording);

#endif
