/* session_state.h - a session from the inside: session.c is what others call, session_members.c knows which processes there
 * are, session_loop.c looks at them, session_turn.c goes over from one recording to the next. */
#ifndef SL_SAMPLER_SESSION_STATE_H
#define SL_SAMPLER_SESSION_STATE_H

#include "sampler/family.h"
#include "sampler/member.h"
#include "sampler/session.h"
#include "target/clock.h"

#include <stdatomic.h>

struct sl_session {
    struct sl_session_options options;
    struct sl_recorder *recorder; /* of the recording that is made; NULL when there is none any more */
    struct sl_recording recording;
    struct sl_slots slots;
    struct sl_clock_lead lead;
    struct sl_member **members; /* owned */
    size_t member_count;
    struct sl_family family; /* of the members, and prospects */
    const char *root_command;
    struct {
        bool sampled;          /* one was sampled, or was just about to be */
        struct sl_error error; /* why the first could not be */
    } past;                    /* what is to be known of members that are over and freed */
    size_t descriptors_left;
    uint64_t flush_due_ns; /* CLOCK_MONOTONIC, as base_ns */
    bool sink_failed;      /* the last flush could not write */
    struct sl_error sink;  /* why the first of them could not; written once, before `sink_told` is set */
    bool begun;            /* a process was joined, which is when the clock of the first recording starts: */
    uint64_t start_ns;
    uint64_t base_ns;        /* when that of this recording has started */
    uint64_t cpu_before_ns;  /* used by the calling thread before this recording */
    uint64_t samples_before; /* of the recordings that have ended */

    int wake; /* eventfd: written to by sl_session_stop */
    atomic_bool stopping;
    atomic_bool sampling;
    atomic_bool sink_told;
    atomic_bool stopped_alone;       /* the processes were not stopped with it; written before: */
    atomic_uint_fast64_t stopped_ns; /* CLOCK_MONOTONIC: when our process was last stopped */
    atomic_uint_fast64_t went_on_ns; /* and went on; if that is before, it has not been told yet */
    atomic_uint_fast64_t samples;
    atomic_uint_fast64_t ended_ns; /* length of all recordings once the last has ended; 0 before */
};

#endif
