/* sampling.h - a recording session in its own thread, writing to a new recording of the user's. */
#ifndef SL_CLI_SAMPLING_H
#define SL_CLI_SAMPLING_H

#include "base/error.h"
#include "cli/options.h"
#include "cli/recordings.h"
#include "profile/recorder.h"
#include "sampler/session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct sl_sampling {
    struct sl_recording recording;
    struct sl_error not_kept;     /* why the recording lies at no lasting place */
    struct sl_recorder *recorder; /* NULL where recordings follow each other */
    struct sl_session *session;
    int ended_descriptor; /* an eventfd: readable once the session has ended by itself or by sl_sampling_finish */
    pthread_t thread;
    bool running;            /* the thread is to be joined */
    enum sl_session_end end; /* the session's, valid when it has ended */
    struct sl_error error;   /* with SL_SESSION_NOTHING and SL_SESSION_FAILED */
};

/* Opens a recording and starts its clock. False: nothing is left behind. */
bool sl_sampling_prepare(struct sl_sampling *sampling, const struct sl_options *options, struct sl_error *error);

/* The same for a recording that is not kept: its trace goes to `descriptor`, which the caller closes after
 * sl_sampling_destroy, every `flush_ns`. Where that does not take it (EAGAIN), it is tried again the next time. */
bool sl_sampling_prepare_stream(struct sl_sampling *sampling, const struct sl_options *options, int descriptor,
                                uint64_t flush_ns, struct sl_error *error);

/* The same for recordings that follow each other: `recorder` is the first one's, the caller's, and the next ones come from
 * `turn` (sl_session_options), which is called with `context`. How long each is, the options say. */
bool sl_sampling_prepare_turns(struct sl_sampling *sampling, const struct sl_options *options,
                               struct sl_recorder *recorder,
                               struct sl_recorder *(*turn)(void *context, const struct sl_session_turn *turn),
                               void *context, struct sl_error *error);

/* A recorder for what the options say, to be begun at `start_time_ns` (wall clock, since 1970). It writes its header to
 * `descriptor` at once; -1: to memory. */
struct sl_recorder *sl_sampling_recorder(const struct sl_options *options, int descriptor, uint64_t start_time_ns,
                                         struct sl_error *error);

/* Adds a process to be looked at, before the start; as sl_session_add. */
bool sl_sampling_add(struct sl_sampling *sampling, const struct sl_session_target *target, struct sl_error *error);

/* The same for a process that runs already. With --children, one that is no Python counts for those that descend from
 * it. */
bool sl_sampling_join(struct sl_sampling *sampling, const struct sl_options *options, pid_t pid,
                      struct sl_error *error);

/* Looks at what was added from now on. The thread is created with the signal mask of the caller. */
bool sl_sampling_start(struct sl_sampling *sampling, struct sl_error *error);

/* Ends the session if it has not ended, and waits for it: the recording is complete. */
void sl_sampling_finish(struct sl_sampling *sampling);

/* Closes the recording, which stays if it lies in the state folder and `keep` is true. */
void sl_sampling_destroy(struct sl_sampling *sampling, bool keep);

#endif
