/* session_members.h - which processes a session looks at, and until when: those that were added, and those that descend from
 * them. */
#ifndef SL_SAMPLER_SESSION_MEMBERS_H
#define SL_SAMPLER_SESSION_MEMBERS_H

#include "sampler/session_state.h"

/* Adds a process, which then is looked at. */
struct sl_member *sl_session_add_member(struct sl_session *session, const struct sl_session_target *target,
                                        uint64_t now_ns, struct sl_error *error);

/* Looks for descendants, if that is due. */
void sl_session_follow(struct sl_session *session, uint64_t now_ns);

/* Whether a process is left to look at, or to wait for. Lets go of those that are over. */
bool sl_session_any_left(struct sl_session *session);

#endif
