#include "sampler/session_loop.h"

#include "sampler/session_members.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

#define MS UINT64_C(1000000)

/* Sleeps longer than this are ended by a stop or by the end of a process; shorter ones are slept out. */
#define SHORT_SLEEP_NS (2 * MS)

/* Sleeps until `deadline_ns`, a stop, or the end of a process. What it is now, as `sl_clock_meet` says: not before
 * `now_ns`. */
static uint64_t sleep_until(struct sl_session *session, uint64_t now_ns, uint64_t deadline_ns)
{
    if (deadline_ns <= now_ns + SHORT_SLEEP_NS) {
        return sl_clock_meet(&session->lead, deadline_ns);
    }
    struct pollfd *events = calloc(session->member_count + 1, sizeof *events);
    if (events == NULL) {
        return sl_clock_meet(&session->lead, now_ns + SHORT_SLEEP_NS);
    }
    nfds_t count = 0;
    events[count++] = (struct pollfd){.fd = session->wake, .events = POLLIN};
    for (size_t i = 0; i < session->member_count; i++) {
        if (!sl_member_over(session->members[i])) {
            events[count++] = (struct pollfd){.fd = session->members[i]->pid_descriptor, .events = POLLIN};
        }
    }
    uint64_t begin_ns = sl_clock_now_ns();
    uint64_t alarm_ns = sl_clock_alarm(&session->lead, begin_ns, deadline_ns);
    uint64_t left_ns = alarm_ns != 0 ? alarm_ns - begin_ns : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left_ns / (1000 * MS)), .tv_nsec = (long)(left_ns % (1000 * MS))};
    int ready = ppoll(events, count, &timeout, NULL);
    nfds_t next = 1;
    for (size_t i = 0; i < session->member_count && ready > 0; i++) {
        if (!sl_member_over(session->members[i]) && events[next++].revents != 0) {
            session->members[i]->attempt_due_ns = 0;
        }
    }
    free(events);
    if (ready != 0) {
        return sl_clock_not_before_ns(now_ns);
    }
    if (alarm_ns != 0) {
        sl_clock_woken(&session->lead, alarm_ns);
    }
    return sl_clock_not_before_ns(deadline_ns);
}

/* How many slots passed between two times of the recording while our process was stopped. */
static uint64_t slots_stopped(const struct sl_session *session, uint64_t begin_ns, uint64_t end_ns)
{
    uint64_t stopped_ns = atomic_load(&session->stopped_ns);
    uint64_t went_on_ns = atomic_load(&session->went_on_ns);
    uint64_t from_ns = stopped_ns > session->base_ns + begin_ns ? stopped_ns : session->base_ns + begin_ns;
    uint64_t to_ns = session->base_ns + end_ns;
    if (went_on_ns >= stopped_ns && went_on_ns < to_ns) {
        to_ns = went_on_ns;
    }
    bool any = stopped_ns > 0 && to_ns > from_ns;
    return any ? (to_ns - from_ns + session->options.interval_ns - 1) / session->options.interval_ns : 0;
}

/* Nobody looked in the slots before that of `span`, which are taken out of it: what is seen now would else be told to
 * have gone on all that time. */
static void miss(struct sl_session *session, struct sl_span *span)
{
    const struct sl_span missed = {
        .begin_ns = span->begin_ns,
        .end_ns = span->slot_begin_ns,
        .instant_ns = span->slot_begin_ns - 1,
        .slot_begin_ns = span->begin_ns,
    };
    for (size_t i = 0; i < session->member_count; i++) {
        sl_member_miss(session->members[i]);
    }
    sl_recording_look(&session->recording, &missed);
    span->begin_ns = span->slot_begin_ns;
    span->instant_ns = span->instant_ns > span->begin_ns ? span->instant_ns : span->begin_ns;
}

void sl_session_look(struct sl_session *session, const struct sl_span *span)
{
    struct sl_span taken = *span;
    if (taken.late > 0) {
        uint64_t stopped = slots_stopped(session, taken.begin_ns, taken.slot_begin_ns);
        bool alone = atomic_load(&session->stopped_alone);
        taken.late -= stopped < taken.late ? stopped : taken.late;
        session->recording.stopped = stopped > 0 && !alone;
        if (stopped > 0 && alone && taken.begin_ns < taken.slot_begin_ns && taken.slot_begin_ns < taken.end_ns) {
            miss(session, &taken);
        }
    }
    for (size_t i = 0; i < session->member_count; i++) {
        sl_member_look(session->members[i], &taken);
    }
    if (sl_session_any_left(session)) {
        sl_recording_look(&session->recording, &taken);
        atomic_store(&session->samples, session->samples_before + sl_recorder_facts(session->recorder)->samples);
    }
    session->recording.stopped = false;
}

void sl_session_tell_sink(struct sl_session *session, const struct sl_error *failure)
{
    if (!atomic_load(&session->sink_told)) {
        session->sink = *failure;
        atomic_store(&session->sink_told, true);
    }
}

/* That the sink fails is told at once, and made an error when the recording is closed: until then the recorder keeps
 * what it has and tries again. */
static void flush_recorder(struct sl_session *session)
{
    struct sl_error failure = {0};
    session->sink_failed = !sl_recorder_flush(session->recorder, &failure);
    if (session->sink_failed) {
        sl_session_tell_sink(session, &failure);
    }
}

/* Writes out what is pending when it is time. */
static void flush(struct sl_session *session, uint64_t now_ns)
{
    bool full = !session->sink_failed && sl_recorder_pending(session->recorder) >= SL_RECORDER_BLOCK_BYTES;
    if (now_ns < session->flush_due_ns && !full) {
        return;
    }
    sl_recorder_facts(session->recorder)->sampler_cpu_ns = sl_clock_thread_cpu_ns() - session->cpu_before_ns;
    flush_recorder(session);
    session->flush_due_ns = now_ns + session->options.flush_ns;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_wake(const struct sl_session *session)
{
    uint64_t wake_ns = earlier(session->flush_due_ns, session->family.due_ns);
    for (size_t i = 0; i < session->member_count; i++) {
        if (!sl_member_over(session->members[i])) {
            wake_ns = earlier(wake_ns, session->members[i]->attempt_due_ns);
        }
    }
    return earlier(wake_ns, session->base_ns + session->slots.instant_ns);
}

/* Attaches and notices ends where that is due. Returns whether anything was. */
static bool attempt(struct sl_session *session, uint64_t now_ns)
{
    bool any = false;
    for (size_t i = 0; i < session->member_count; i++) {
        if (!sl_member_over(session->members[i]) && now_ns >= session->members[i]->attempt_due_ns) {
            sl_member_attempt(session->members[i], now_ns);
            any = true;
        }
    }
    return any;
}

/* Takes the look that is due, if one is. */
static void look_when_due(struct sl_session *session, uint64_t now_ns)
{
    uint64_t time_ns = now_ns - session->base_ns;
    if (time_ns >= session->slots.instant_ns && time_ns < session->slots.limit_ns) {
        struct sl_span span = sl_slots_take(&session->slots, time_ns);
        sl_session_look(session, &span);
    }
}

uint64_t sl_session_loop(struct sl_session *session, struct sl_priority *priority)
{
    /* A look may be taken a little before its time has come: what is done next must not be before that. */
    uint64_t now_ns = sl_clock_not_before_ns(session->base_ns);
    /* Before anything is attached to: a program that was started a while ago would else be told to have done all that
     * time what it is first seen to do. */
    look_when_due(session, now_ns);
    while (sl_session_any_left(session) && !atomic_load(&session->stopping)) {
        uint64_t wake_ns = next_wake(session);
        if (wake_ns > now_ns) {
            now_ns = sleep_until(session, now_ns, wake_ns);
        }
        sl_session_follow(session, now_ns);
        if (attempt(session, now_ns)) {
            now_ns = sl_clock_not_before_ns(now_ns);
        }
        if (now_ns - session->base_ns >= session->slots.limit_ns) {
            break;
        }
        look_when_due(session, now_ns);
        for (size_t i = 0; i < session->member_count; i++) {
            sl_member_refresh(session->members[i], now_ns);
        }
        flush(session, now_ns);
        sl_priority_keep(priority, now_ns);
        now_ns = sl_clock_not_before_ns(now_ns);
        sl_slots_done(&session->slots, now_ns - session->base_ns);
    }
    return now_ns;
}
