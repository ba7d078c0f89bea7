/* session_turn.h - where a recording of a session ends and the next one begins. */
#ifndef SL_SAMPLER_SESSION_TURN_H
#define SL_SAMPLER_SESSION_TURN_H

#include "sampler/session_state.h"

/* Cuts the time from `base_ns` on into slots, to where the recording that begins there is to end. */
void sl_session_plan(struct sl_session *session);

/* The last look of a recording that ends at `now_ns`, if there is anything left to look at. */
void sl_session_last_look(struct sl_session *session, uint64_t now_ns);

/* Closes the recording, whose processes have left it, at `now_ns`. False when its sink failed. */
bool sl_session_close(struct sl_session *session, uint64_t now_ns, struct sl_error *error);

enum sl_session_turned {
    SL_TURN_NOT_DUE, /* the session is over, and its last recording yet to be ended */
    SL_TURN_TAKEN,   /* the next recording has begun */
    SL_TURN_REFUSED, /* there is no next one */
    SL_TURN_FAILED,  /* memory is exhausted, as `error` says; the next one has been closed */
};

/* After the last look: ends the recording and begins the next one, at `now_ns`, unless the session is over. */
enum sl_session_turned sl_session_take_turn(struct sl_session *session, uint64_t now_ns, struct sl_error *error);

#endif
