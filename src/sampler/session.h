/* session.h - a recording from outside, or one after the other: looks at the threads of one or more Python processes, slot by
 * slot, and hands what it sees to a recorder, until it is stopped or the processes have ended.
 *
 * A session is run by one thread, its own, which does nothing else; it blocks every signal in itself and may be
 * stopped from any other thread or from a signal handler. It writes nothing to the processes, stops none and signals
 * none. */
#ifndef SL_SAMPLER_SESSION_H
#define SL_SAMPLER_SESSION_H

#include "base/error.h"
#include "profile/recorder.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sl_session;

/* A recording has ended, and another is to begin. */
struct sl_session_turn {
    struct sl_recorder *ended; /* closed, with its counters filled in; the caller's again, to free it */
    /* Why the sink could not take all of it: the recorder holds the rest, and sl_recorder_flush tries again. The session goes
     * on: what it could not write an hour ago is no reason not to record what happens now. NULL: all was written. */
    const struct sl_error *sink;
    uint64_t time_ns; /* wall clock, since 1970: when it ended, and the next one begins */
};

struct sl_session_options {
    uint64_t interval_ns; /* length of a slot: 1 us (SL_INTERVAL_MIN_NS) to 10 s (SL_INTERVAL_MAX_NS) */
    bool main_thread_only;
    bool states;          /* look up what each thread is doing (state.h) */
    uint64_t duration_ns; /* ends by itself after this, all recordings together; 0: no limit */
    enum sl_descendants_mode {
        SL_DESCENDANTS_NONE = 0,
        SL_DESCENDANTS_FIRST, /* while no process is recorded: the first Python among the descendants, as for a command
                               * that ends up in one */
        SL_DESCENDANTS_ALL,   /* every Python that descends from the processes (family.h says what is missed) */
    } descendants;
    /* Recording after recording, for what goes on for days: each ends after `turn_ns`, and the next one begins there, with
     * nothing between. The processes stay attached to. 0: there is one recording. */
    uint64_t turn_ns;
    /* Of the first recording, in place of that: so that what was started at once on many machines does not all turn at once.
     * 0: as the others. */
    uint64_t first_turn_ns;
    /* Called by the session's thread, which does not look until it returns: slots that pass are told as late. Gives the
     * recorder of the next recording, which has the same interval. NULL: there is none, and the session ends as when it is
     * stopped. Of the session's functions it may call sl_session_stop and sl_session_progress only. It runs, and so does a
     * thread that it starts, with all signals blocked. It has the sampler's priority (target/priority.h); such a thread has
     * of that the nice value at most, and is no real-time thread. */
    struct sl_recorder *(*turn)(void *context, const struct sl_session_turn *turn);
    void *turn_context;
    uint64_t flush_ns; /* how often the recorder writes out what it has; 0, or more than a second: once a second */
};

#define SL_INTERVAL_MIN_NS ((uint64_t)1000)
#define SL_INTERVAL_MAX_NS ((uint64_t)10000000000)

/* A session that writes to `recorder`, which the caller keeps, and may only touch again once the session was run to its
 * end, or `turn` has given it back. The clock of the first recording starts when the first process was started, if that is
 * told, else when it is added. */
struct sl_session *sl_session_create(const struct sl_session_options *options, struct sl_recorder *recorder,
                                     struct sl_error *error);

struct sl_session_target {
    pid_t pid;
    const char *command; /* for the report; NULL: from /proc. Borrowed for the session's life */
    bool starting; /* it was only just started: that it is no Python yet, or has not initialised, is not an error until
                    * SL_STARTUP_LIMIT_NS (or, when it exits sooner, its exit) has passed; its time until then is
                    * recorded as [starting], or as that of another program while it runs a wrapper */
    uint64_t started_ns; /* when, as of sl_clock_now_ns: it is recorded from then on. 0: from when it is added on */
    bool again;          /* it was recorded already, as another program: what it has used until now was told then */
    /* It may be no Python itself, but the beginning of one: it is recorded from when it is a Python on, and until then only
     * its descendants count. Not with SL_DESCENDANTS_NONE. */
    bool prospect;
};
#define SL_STARTUP_LIMIT_NS ((uint64_t)10000000000)

/* Adds a process, before or while the session runs (from the session's own thread). Unless it is `starting`, what is
 * wrong with it is told at once: SL_ERROR_GONE, SL_ERROR_PERMISSION, SL_ERROR_NOT_PYTHON, SL_ERROR_UNSUPPORTED. */
bool sl_session_add(struct sl_session *session, const struct sl_session_target *target, struct sl_error *error);

enum sl_session_end {
    SL_SESSION_ENDED,   /* every process has ended */
    SL_SESSION_STOPPED, /* sl_session_stop, its duration is over, or there is no next recording */
    SL_SESSION_NOTHING, /* nothing could be sampled at all; `error` says why, the processes go on unharmed */
    SL_SESSION_FAILED, /* the sink of the last recorder failed for good, or memory was exhausted when it took over; `error`
                         * says how. What was written is kept */
};

/* Looks until the end. Fills in the recorder's counters and closes the recorder: with turns, the last one that was given. */
enum sl_session_end sl_session_run(struct sl_session *session, struct sl_error *error);

/* Makes `sl_session_run` return within one interval (at most 50 ms). From any thread, async-signal-safe. */
void sl_session_stop(struct sl_session *session);

/* The caller is about to stop its own process, and went on: slots that passed meanwhile were not missed by looks that came
 * late, and the threads waited in them: the program was stopped, too. From any thread, while the session lives. */
void sl_session_stops(struct sl_session *session);
/* The same where the processes that are looked at are not stopped with it: what they did meanwhile nobody saw, which is
 * recorded as [missed]. */
void sl_session_stops_alone(struct sl_session *session);
void sl_session_went_on(struct sl_session *session);

/* For a progress line, from any thread, while the session lives. Of all recordings together. */
struct sl_session_progress {
    uint64_t elapsed_ns;
    uint64_t samples;
    bool sampling;               /* at least one process is being read */
    const struct sl_error *sink; /* why what was due could not be written, the first time: the recorder has kept it and
                                  * tries again. NULL: that never happened */
};
struct sl_session_progress sl_session_progress(const struct sl_session *session);

/* Only when it does not run. */
void sl_session_destroy(struct sl_session *session);

#endif
