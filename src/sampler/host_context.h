/* host_context.h - which recordings a thread belongs to, by the context that it has entered: one that has inherited a
 * recording's token. The tokens of a thread are read once for all recordings that are due in a look. */
#ifndef SL_SAMPLER_HOST_CONTEXT_H
#define SL_SAMPLER_HOST_CONTEXT_H

#include "sampler/host_look.h"

#include <stdbool.h>

/* Whether the thread is in the recording's scope. Sets look->torn when that cannot be told. */
bool sl_host_wants(struct sl_host_look *look, const struct sl_host_recording *recording,
                   struct sl_subject_thread *observed);

/* Whether the contexts that were entered when the thread was walked are those whose tokens were read. Where another one
 * was, its tokens are read next, which is no longer about what was walked if by now yet another one is entered. */
bool sl_host_same_contexts(struct sl_host_look *look, struct sl_subject_thread *observed);

/* The tokens of the thread are to be read again. */
void sl_host_forget_tokens(const struct sl_subject_thread *observed);

#endif
