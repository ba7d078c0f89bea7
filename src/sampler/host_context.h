/* host_context.h - which recordings a thread belongs to, by the context that it has entered: one that has inherited a
 * recording's token. The tokens of a thread are read once for all recordings that are due in a look. */
#ifndef SL_SAMPLER_HOST_CONTEXT_H
#define SL_SAMPLER_HOST_CONTEXT_H

#include "sampler/host_looking.h"

#include <stdbool.h>

/* Whether the thread is in the recording's scope. Sets look->torn when that cannot be told. */
bool sl_host_wants(struct sl_host_look *look, const struct sl_host_recording *recording,
                   struct sl_subject_thread *observed);

/* From now on sl_host_wants speaks of the contexts that were entered when the thread was walked, in this look. Whether
 * these are others than it spoke of. Sets look->torn when what they hold cannot be told. */
bool sl_host_turn_to_walks(struct sl_host_look *look, struct sl_subject_thread *observed);

/* The tokens of the thread are to be read again. */
void sl_host_forget_tokens(const struct sl_subject_thread *observed);

#endif
