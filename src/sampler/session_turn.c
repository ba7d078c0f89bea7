#include "sampler/session_turn.h"

#include "sampler/session_loop.h"
#include "sampler/session_members.h"

#include <sys/random.h>
#include <unistd.h>

static uint64_t random_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        seed = sl_clock_wall_ns() ^ (uint64_t)getpid() << 32;
    }
    return seed;
}

void sl_session_plan(struct sl_session *session)
{
    const struct sl_session_options *options = &session->options;
    uint64_t limit_ns = UINT64_MAX;
    if (options->turn_ns > 0) {
        bool first = session->base_ns == session->start_ns;
        limit_ns = first && options->first_turn_ns > 0 ? options->first_turn_ns : options->turn_ns;
    }
    if (options->duration_ns > 0) {
        uint64_t left_ns = options->duration_ns - (session->base_ns - session->start_ns);
        limit_ns = left_ns < limit_ns ? left_ns : limit_ns;
    }
    sl_slots_init(&session->slots, options->interval_ns, 0, limit_ns, random_seed());
}

void sl_session_last_look(struct sl_session *session, uint64_t now_ns)
{
    struct sl_span span;
    if (sl_session_any_left(session) && sl_slots_finish(&session->slots, now_ns - session->base_ns, &span)) {
        sl_session_look(session, &span);
    }
}

bool sl_session_close(struct sl_session *session, uint64_t now_ns, struct sl_error *error)
{
    uint64_t duration_ns = now_ns - session->base_ns;
    struct sl_facts *facts = sl_recorder_facts(session->recorder);
    uint64_t cpu_ns = sl_clock_thread_cpu_ns();
    facts->sampler_cpu_ns = cpu_ns - session->cpu_before_ns;
    session->cpu_before_ns = cpu_ns;
    sl_recorder_end_in_slot(session->recorder, duration_ns);
    bool written = sl_recorder_close(session->recorder, duration_ns, error);
    session->samples_before += facts->samples;
    atomic_store(&session->samples, session->samples_before);
    return written;
}

static bool is_due(struct sl_session *session, uint64_t now_ns)
{
    const struct sl_session_options *options = &session->options;
    bool ended = options->turn_ns == 0 || now_ns - session->base_ns < session->slots.limit_ns;
    bool over = options->duration_ns > 0 && now_ns - session->start_ns >= options->duration_ns;
    if (ended || over || atomic_load(&session->stopping)) {
        return false;
    }
    for (size_t i = 0; i < session->member_count; i++) {
        sl_member_notice(session->members[i], now_ns);
    }
    return sl_session_any_left(session);
}

/* Has the recording taken back, for the next one. NULL: there is none. */
static struct sl_recorder *hand_over(struct sl_session *session, uint64_t now_ns)
{
    struct sl_error sink = {0};
    bool written = sl_session_close(session, now_ns, &sink);
    if (!written) {
        sl_session_tell_sink(session, &sink);
    }
    const struct sl_session_turn turn = {
        .ended = session->recorder,
        .sink = written ? NULL : &sink,
        .time_ns = sl_clock_wall_ns() - (sl_clock_now_ns() - now_ns),
    };
    session->recorder = NULL; /* not ours any more */
    return session->options.turn(session->options.turn_context, &turn);
}

static bool begin_next(struct sl_session *session, struct sl_recorder *recorder, uint64_t now_ns,
                       struct sl_error *error)
{
    session->recorder = recorder;
    session->base_ns = now_ns;
    session->flush_due_ns = now_ns + session->options.flush_ns;
    session->sink_failed = false;
    sl_session_plan(session);
    sl_recording_destroy(&session->recording);
    bool entered = sl_recording_init(&session->recording, recorder, now_ns, NULL);
    for (size_t i = 0; i < session->member_count; i++) {
        entered = sl_member_enter(session->members[i]) && entered;
    }
    return entered || sl_error_memory(error);
}

enum sl_session_turned sl_session_take_turn(struct sl_session *session, uint64_t now_ns, struct sl_error *error)
{
    if (!is_due(session, now_ns)) {
        return SL_TURN_NOT_DUE;
    }
    for (size_t i = 0; i < session->member_count; i++) {
        sl_member_leave(session->members[i], now_ns);
    }
    struct sl_recorder *next = hand_over(session, now_ns);
    if (next == NULL) {
        return SL_TURN_REFUSED;
    }
    if (!begin_next(session, next, now_ns, error)) {
        sl_session_close(session, now_ns, NULL);
        return SL_TURN_FAILED;
    }
    return SL_TURN_TAKEN;
}
