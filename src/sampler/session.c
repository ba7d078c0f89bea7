#include "sampler/session.h"

#include "sampler/session_loop.h"
#include "sampler/session_members.h"
#include "sampler/session_turn.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define FLUSH_EVERY_MAX_NS UINT64_C(1000000000)

/* Descriptors that are left for everything but the files of threads: the trace, the processes, what is read in
 * passing. */
#define DESCRIPTORS_RESERVED 256

/* The soft limit on descriptors is raised to the hard one, if that is not larger than this. */
#define DESCRIPTORS_MAX ((rlim_t)65536)

struct sl_session *sl_session_create(const struct sl_session_options *options, struct sl_recorder *recorder,
                                     struct sl_error *error)
{
    if (options->interval_ns < SL_INTERVAL_MIN_NS || options->interval_ns > SL_INTERVAL_MAX_NS) {
        sl_error_set(error, SL_ERROR_USAGE, "an interval lies between 1 us and 10 s");
        return NULL;
    }
    struct sl_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        sl_error_memory(error);
        return NULL;
    }
    sl_family_init(&session->family, &session->descriptors_left);
    session->options = *options;
    if (options->flush_ns == 0 || options->flush_ns > FLUSH_EVERY_MAX_NS) {
        session->options.flush_ns = FLUSH_EVERY_MAX_NS;
    }
    session->recorder = recorder;
    session->start_ns = session->base_ns = sl_clock_now_ns();
    session->flush_due_ns = session->base_ns + session->options.flush_ns;
    session->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (session->wake < 0) {
        sl_error_system(error, errno, "cannot make an event descriptor");
        goto failed;
    }
    if (!sl_recording_init(&session->recording, recorder, session->base_ns, error)) {
        goto failed;
    }
    sl_session_plan(session);

    struct rlimit limit;
    size_t descriptors = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (size_t)limit.rlim_cur : 0;
    session->descriptors_left = descriptors > DESCRIPTORS_RESERVED ? descriptors - DESCRIPTORS_RESERVED : 0;
    return session;

failed:
    sl_session_destroy(session);
    return NULL;
}

void sl_session_destroy(struct sl_session *session)
{
    if (session == NULL) {
        return;
    }
    for (size_t i = 0; i < session->member_count; i++) {
        sl_member_destroy(session->members[i]);
    }
    free(session->members);
    sl_family_destroy(&session->family);
    sl_recording_destroy(&session->recording);
    if (session->wake >= 0) {
        close(session->wake);
    }
    free(session);
}

/* More threads than a soft limit of 1024 descriptors allows are common; the hard limit is there to be used. Not before the
 * program is started, which would inherit it. */
static void allow_descriptors(struct sl_session *session)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) {
        return;
    }
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
    if (limit.rlim_cur > before && setrlimit(RLIMIT_NOFILE, &limit) == 0) {
        session->descriptors_left += (size_t)(limit.rlim_cur - before);
    }
}

/* The first process begins the recording, at `begin_ns`. */
static void begin(struct sl_session *session, uint64_t begin_ns)
{
    if (session->begun) {
        return;
    }
    session->begun = true;
    allow_descriptors(session);
    session->start_ns = session->base_ns = begin_ns;
    session->recording.base_ns = begin_ns;
    session->flush_due_ns = begin_ns + session->options.flush_ns;
}

bool sl_session_add(struct sl_session *session, const struct sl_session_target *target, struct sl_error *error)
{
    uint64_t now_ns = sl_clock_now_ns();
    if (session->options.descendants != SL_DESCENDANTS_NONE && !session->family.searching) {
        sl_family_search(&session->family, now_ns);
    }
    begin(session, target->started_ns != 0 ? target->started_ns : now_ns);
    if (target->prospect) {
        session->root_command = target->command;
        return sl_family_add(&session->family, target->pid, now_ns, error);
    }
    return sl_session_add_member(session, target, now_ns, error) != NULL;
}

static void stops(struct sl_session *session, bool alone)
{
    atomic_store(&session->stopped_alone, alone);
    atomic_store(&session->stopped_ns, sl_clock_now_ns());
}

void sl_session_stops(struct sl_session *session)
{
    stops(session, false);
}

void sl_session_stops_alone(struct sl_session *session)
{
    stops(session, true);
}

void sl_session_went_on(struct sl_session *session)
{
    atomic_store(&session->went_on_ns, sl_clock_now_ns());
}

void sl_session_stop(struct sl_session *session)
{
    int error_number = errno;
    atomic_store(&session->stopping, true);
    uint64_t one = 1;
    /* Fails only when it was written to 2^64 - 2 times: then it wakes the session already. */
    ssize_t written = write(session->wake, &one, sizeof one);
    (void)written;
    errno = error_number;
}

struct sl_session_progress sl_session_progress(const struct sl_session *session)
{
    struct sl_session *shared = (struct sl_session *)session;
    uint64_t ended_ns = atomic_load(&shared->ended_ns);
    return (struct sl_session_progress){
        .elapsed_ns = ended_ns > 0 ? ended_ns : sl_clock_now_ns() - session->start_ns,
        .samples = atomic_load(&shared->samples),
        .sampling = atomic_load(&shared->sampling),
        .sink = atomic_load(&shared->sink_told) ? &session->sink : NULL,
    };
}

/* What the session is told to have come to; `error` is filled in with what kept it from sampling. */
static enum sl_session_end result(const struct sl_session *session, struct sl_error *error)
{
    bool ended = !sl_family_has_root(&session->family);
    bool sampled = session->past.sampled;
    const struct sl_error *reason = &session->past.error;
    for (size_t i = 0; i < session->member_count; i++) {
        const struct sl_member *member = session->members[i];
        sampled = sampled || sl_member_came_up(member);
        ended = ended && sl_member_over(member);
        if (reason->kind == SL_ERROR_NONE) {
            reason = &member->error;
        }
    }
    if (reason->kind == SL_ERROR_NONE) {
        reason = &session->family.refusal;
    }
    if (!sampled && reason->kind != SL_ERROR_NONE) {
        if (error != NULL) {
            *error = *reason;
        }
        return SL_SESSION_NOTHING;
    }
    return ended ? SL_SESSION_ENDED : SL_SESSION_STOPPED;
}

/* Ends the last recording of a session that came to `end`, and gives what it is told to have come to with that. */
static enum sl_session_end end_last(struct sl_session *session, uint64_t now_ns, enum sl_session_end end,
                                    struct sl_error *error)
{
    for (size_t i = 0; i < session->member_count; i++) {
        sl_member_finish(session->members[i], now_ns);
    }
    struct sl_error sink = {0};
    if (sl_session_close(session, now_ns, &sink)) {
        return end;
    }
    if (error != NULL) {
        *error = sink;
    }
    return SL_SESSION_FAILED;
}

enum sl_session_end sl_session_run(struct sl_session *session, struct sl_error *error)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct sl_clock_precision precision;
    sl_clock_precise(&precision);
    struct sl_priority priority;
    sl_priority_raise(&priority);
    session->cpu_before_ns = sl_clock_thread_cpu_ns();

    enum sl_session_turned turned;
    uint64_t now_ns;
    do {
        now_ns = sl_session_loop(session, &priority);
        sl_session_last_look(session, now_ns);
        turned = sl_session_take_turn(session, now_ns, error);
    } while (turned == SL_TURN_TAKEN);

    enum sl_session_end end = turned == SL_TURN_FAILED ? SL_SESSION_FAILED : result(session, error);
    if (turned == SL_TURN_NOT_DUE) {
        end = end_last(session, now_ns, end, error);
    }
    atomic_store(&session->sampling, false);
    atomic_store(&session->ended_ns, now_ns - session->start_ns);

    sl_priority_restore(&priority);
    sl_clock_restore(&precision);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return end;
}
