/* session_loop.h - a session while it looks: sleeps until something is due, and does it. */
#ifndef SL_SAMPLER_SESSION_LOOP_H
#define SL_SAMPLER_SESSION_LOOP_H

#include "sampler/session_state.h"
#include "target/priority.h"

/* Looks at every process, for the time `span`; what of that our process was stopped for counts as waited,
 * or as missed if the processes went on, and is not late. */
void sl_session_look(struct sl_session *session, const struct sl_span *span);

/* The sink has failed; the first time counts. */
void sl_session_tell_sink(struct sl_session *session, const struct sl_error *failure);

/* Until nothing is left to look at, the recording has come to its limit, or the session is to stop. When that was. */
uint64_t sl_session_loop(struct sl_session *session, struct sl_priority *priority);

#endif
