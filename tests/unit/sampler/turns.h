/* turns.h - a session that makes one recording after the other, each of which is read back. */
#ifndef SL_TESTS_TURNS_H
#define SL_TESTS_TURNS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "profile/trace_reader.h"
#include "sampler/session.h"

#define TURNS_MAX 512

struct turns {
    struct sl_session *session;
    struct sl_recorder *recorder;
    uint64_t interval_ns;
    size_t wanted;                      /* the session is stopped at that turn; 0: it is not */
    bool refuses;                       /* it is given no recorder instead */
    bool forgets;                       /* recordings are checked, and not kept */
    void (*step)(struct turns *turns);  /* called at each turn; NULL: nothing */
    const struct sl_session_turn *turn; /* then */
    int descriptor;                     /* of the first recording; -1: memory, as the others */

    size_t count;
    struct sl_profile *profiles[TURNS_MAX];
    enum sl_session_end end;
    struct sl_error error;
    uint64_t elapsed_ns; /* as the session told at its end */
    uint64_t samples;
};

/* A session with these options, but for its turns, and with no process yet. */
void turns_start(struct turns *turns, const struct sl_session_options *options);

/* Runs it to its end. Every recording is sound and complete, and begins where the last one ended. */
void turns_run(struct turns *turns);

/* The recordings as one. The caller's to destroy. */
struct sl_profile *turns_combined(const struct turns *turns);

void turns_destroy(struct turns *turns);

/* The index of the process's, or thread's, record; SL_NONE when there is none. There is no second one. */
uint32_t turns_process(const struct sl_profile *profile, pid_t pid);
uint32_t turns_thread(const struct sl_profile *profile, pid_t id);

/* For how long the function was in the thread's stacks; NULL: any or none. */
uint64_t turns_weight(const struct sl_profile *profile, uint32_t thread, const char *function);

/* The thread was recorded from the begin to the end, and was there all the time in this function; NULL: in any. */
void turns_assert_whole(const struct sl_profile *profile, pid_t id, const char *function);

uint64_t turns_duration(const struct turns *turns);

#endif
