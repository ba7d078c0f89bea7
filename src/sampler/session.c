#include "sampler/session.h"

#include "sampler/family.h"
#include "sampler/member.h"
#include "target/clock.h"
#include "target/priority.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

/* Sleeps longer than this are ended by a stop or by the end of a process; shorter ones are slept out. */
#define SHORT_SLEEP_NS (2 * MS)

#define FLUSH_EVERY_MAX_NS (1000 * MS)

/* Descriptors that are left for everything but the files of threads: the trace, the processes, what is read in
 * passing. */
#define DESCRIPTORS_RESERVED 256

/* The soft limit on descriptors is raised to the hard one, if that is not larger than this. */
#define DESCRIPTORS_MAX ((rlim_t)65536)

/* More processes than this are not recorded at the same time; each takes so many descriptors beside those of its
 * threads. */
#define MEMBERS_MAX ((size_t)4096)
#define MEMBER_DESCRIPTORS 6
#define MEMBERS_FEW 16

struct sl_session {
    struct sl_session_options options;
    struct sl_recorder *recorder;
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
    bool begun;            /* a process was joined, which is when the recording's clock starts */
    uint64_t base_ns;
    uint64_t cpu_before_ns; /* used by the calling thread before the session ran */

    int wake; /* eventfd: written to by sl_session_stop */
    atomic_bool stopping;
    atomic_bool sampling;
    atomic_bool sink_told;
    atomic_uint_fast64_t stopped_ns; /* CLOCK_MONOTONIC: when our process was last stopped */
    atomic_uint_fast64_t went_on_ns; /* and went on; if that is before, it has not been told yet */
    atomic_uint_fast64_t samples;
    atomic_uint_fast64_t ended_ns; /* length of the recording once it has ended; 0 before */
};

static uint64_t random_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
        seed = sl_clock_wall_ns() ^ (uint64_t)getpid() << 32;
    }
    return seed;
}

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
    session->base_ns = sl_clock_now_ns();
    session->flush_due_ns = session->base_ns + session->options.flush_ns;
    session->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (session->wake < 0) {
        sl_error_system(error, errno, "cannot make an event descriptor");
        goto failed;
    }
    if (!sl_recording_init(&session->recording, recorder, session->base_ns, error)) {
        goto failed;
    }
    uint64_t limit_ns = options->duration_ns > 0 ? options->duration_ns : UINT64_MAX;
    sl_slots_init(&session->slots, options->interval_ns, 0, limit_ns, random_seed());

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

/* The first process begins the recording, at `begin_ns`. */
static void begin(struct sl_session *session, uint64_t begin_ns)
{
    if (session->begun) {
        return;
    }
    session->begun = true;
    session->base_ns = begin_ns;
    session->recording.base_ns = begin_ns;
    session->flush_due_ns = begin_ns + session->options.flush_ns;
}

static struct sl_member *add_member(struct sl_session *session, const struct sl_session_target *target, uint64_t now_ns,
                                    struct sl_error *error)
{
    size_t count = session->member_count;
    bool room = count < MEMBERS_FEW || session->descriptors_left >= MEMBER_DESCRIPTORS;
    if (count == MEMBERS_MAX || !room) {
        sl_error_set(error, SL_ERROR_USAGE, "more than %zu processes cannot be recorded at once", count);
        return NULL;
    }
    struct sl_member **members = realloc(session->members, (count + 1) * sizeof *members);
    if (members == NULL) {
        sl_error_memory(error);
        return NULL;
    }
    session->members = members;
    struct sl_member *member =
        sl_member_create(&session->recording, &session->options, target, &session->descriptors_left, now_ns, error);
    if (member == NULL) {
        return NULL;
    }
    member->descriptors = session->descriptors_left < MEMBER_DESCRIPTORS ? 0 : MEMBER_DESCRIPTORS;
    session->descriptors_left -= member->descriptors;
    session->members[session->member_count++] = member;
    return member;
}

bool sl_session_add(struct sl_session *session, const struct sl_session_target *target, struct sl_error *error)
{
    uint64_t now_ns = sl_clock_now_ns();
    if (session->options.descendants != SL_DESCENDANTS_NONE && !session->family.searching) {
        sl_family_search(&session->family, now_ns);
    }
    uint64_t begin_ns = target->started_ns != 0 ? target->started_ns : now_ns;
    if (target->prospect) {
        session->root_command = target->command;
        if (!sl_family_add(&session->family, target->pid, now_ns, error)) {
            return false;
        }
        begin(session, begin_ns);
        return true;
    }
    begin(session, begin_ns);
    return add_member(session, target, now_ns, error) != NULL;
}

void sl_session_stops(struct sl_session *session)
{
    atomic_store(&session->stopped_ns, sl_clock_now_ns());
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
        .elapsed_ns = ended_ns > 0 ? ended_ns : sl_clock_now_ns() - session->base_ns,
        .samples = atomic_load(&shared->samples),
        .sampling = atomic_load(&shared->sampling),
        .sink = atomic_load(&shared->sink_told) ? &session->sink : NULL,
    };
}

static struct sl_member *member_of(const struct sl_session *session, pid_t pid)
{
    for (size_t i = 0; i < session->member_count; i++) {
        if (session->members[i]->process.pid == pid) {
            return session->members[i];
        }
    }
    return NULL;
}

/* `covered_ns` of what the process `parent` has waited for are accounted for elsewhere. */
static void cover(struct sl_session *session, pid_t parent, uint64_t covered_ns)
{
    for (unsigned steps = 0; parent != 0 && steps < SL_ENDED_KIN_MAX; steps++) {
        struct sl_member *member = member_of(session, parent);
        if (member != NULL) {
            sl_member_cover(member, covered_ns);
            return;
        }
        if (sl_family_cover(&session->family, parent, covered_ns)) {
            return;
        }
        parent = sl_family_heir(&session->family, parent);
    }
}

static bool belongs(void *context, pid_t pid)
{
    return member_of(context, pid) != NULL;
}

static void cover_member(void *context, pid_t pid, uint64_t covered_ns)
{
    cover(context, pid, covered_ns);
}

/* Records what the last poll has found. */
static void take_found(struct sl_session *session, uint64_t now_ns)
{
    struct sl_family *family = &session->family;
    for (size_t i = 0; i < family->found_count; i++) {
        const struct sl_found *found = &family->found[i];
        const struct sl_session_target target = {
            .pid = found->pid,
            .command = found->root ? session->root_command : NULL,
            .starting = !found->before,
            .again = found->again,
        };
        struct sl_member *member = add_member(session, &target, now_ns, NULL);
        if (member != NULL && found->covered_ns > 0) {
            sl_member_cover(member, found->covered_ns);
        }
        if (member != NULL) {
            member->found = !found->root && session->options.descendants == SL_DESCENDANTS_ALL;
        }
        if (member != NULL && session->options.descendants == SL_DESCENDANTS_FIRST) {
            sl_family_rest(family);
            return;
        }
    }
}

/* Looks for descendants, if that is due. */
static void follow(struct sl_session *session, uint64_t now_ns)
{
    struct sl_family *family = &session->family;
    if (session->options.descendants == SL_DESCENDANTS_FIRST && session->member_count == 0 && !family->searching &&
        sl_family_has_root(family)) {
        sl_family_search(family, now_ns);
    }
    if (now_ns >= family->due_ns) {
        const struct sl_relation relation = {.context = session, .belongs = belongs, .cover = cover_member};
        sl_family_poll(family, now_ns, &relation);
        take_found(session, now_ns);
    }
}

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

/* Frees a member that is over, and remembers what of it counts beyond its end. */
static void bury(struct sl_session *session, struct sl_member *member)
{
    session->past.sampled = session->past.sampled || sl_member_came_up(member);
    if (session->past.error.kind == SL_ERROR_NONE) {
        session->past.error = member->error;
    }
    pid_t pid = member->process.pid;
    bool failed = member->phase == SL_MEMBER_FAILED;
    bool left = member->left;
    if (!failed) {
        cover(session, (pid_t)member->record.parent_pid, sl_member_new_cpu(member));
    }
    session->descriptors_left += member->descriptors;
    sl_member_destroy(member);
    if (failed && session->family.searching) {
        sl_family_keep(&session->family, pid, sl_clock_now_ns());
    } else if (left && session->family.searching) {
        sl_family_take_back(&session->family, pid, sl_clock_now_ns());
    }
}

/* Whether a process is left to look at, or to wait for. */
static bool any_left(struct sl_session *session)
{
    size_t kept = 0;
    bool sampling = false;
    for (size_t i = 0; i < session->member_count; i++) {
        struct sl_member *member = session->members[i];
        if (sl_member_over(member)) {
            bury(session, member);
            continue;
        }
        session->members[kept++] = member;
        sampling = sampling || member->phase == SL_MEMBER_SAMPLING;
    }
    session->member_count = kept;
    atomic_store(&session->sampling, sampling);
    return kept > 0 || sl_family_has_root(&session->family);
}

static void look(struct sl_session *session, const struct sl_span *span)
{
    for (size_t i = 0; i < session->member_count; i++) {
        sl_member_look(session->members[i], span);
    }
    if (any_left(session)) {
        sl_recording_look(&session->recording, span);
        atomic_store(&session->samples, sl_recorder_facts(session->recorder)->samples);
    }
}

/* That the sink fails is told at once, and made an error when the recording is closed: until then the recorder keeps what it
 * has and tries again. */
static void flush_recorder(struct sl_session *session)
{
    bool told = atomic_load(&session->sink_told);
    session->sink_failed = !sl_recorder_flush(session->recorder, told ? NULL : &session->sink);
    if (session->sink_failed) {
        atomic_store(&session->sink_told, true);
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

/* Takes the look that is due, if one is. */
static void look_when_due(struct sl_session *session, uint64_t now_ns)
{
    uint64_t time_ns = now_ns - session->base_ns;
    if (time_ns >= session->slots.instant_ns && time_ns < session->slots.limit_ns) {
        struct sl_span span = sl_slots_take(&session->slots, time_ns);
        if (span.late > 0) {
            uint64_t stopped = slots_stopped(session, span.begin_ns, span.slot_begin_ns);
            span.late -= stopped < span.late ? stopped : span.late;
            session->recording.stopped = stopped > 0;
        }
        look(session, &span);
        session->recording.stopped = false;
    }
}

/* Until nothing is left to look at, or it is to stop. When that was. */
static uint64_t loop(struct sl_session *session, struct sl_priority *priority)
{
    /* A look may be taken a little before its time has come: what is done next must not be before that. */
    uint64_t now_ns = sl_clock_now_ns();
    /* Before anything is attached to: a program that was started a while ago would else be told to have done all that time
     * what it is first seen to do. */
    look_when_due(session, now_ns);
    while (any_left(session) && !atomic_load(&session->stopping)) {
        uint64_t wake_ns = next_wake(session);
        if (wake_ns > now_ns) {
            now_ns = sleep_until(session, now_ns, wake_ns);
        }
        follow(session, now_ns);
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

/* More threads than a soft limit of 1024 descriptors allows are common; the hard limit is there to be used. */
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
    allow_descriptors(session);
    session->cpu_before_ns = sl_clock_thread_cpu_ns();

    uint64_t now_ns = loop(session, &priority);
    struct sl_span span;
    if (any_left(session) && sl_slots_finish(&session->slots, now_ns - session->base_ns, &span)) {
        look(session, &span);
    }
    enum sl_session_end end = result(session, error);
    for (size_t i = 0; i < session->member_count; i++) {
        sl_member_finish(session->members[i], now_ns);
    }
    atomic_store(&session->sampling, false);
    uint64_t duration_ns = now_ns - session->base_ns;
    atomic_store(&session->ended_ns, duration_ns);
    struct sl_facts *facts = sl_recorder_facts(session->recorder);
    facts->sampler_cpu_ns = sl_clock_thread_cpu_ns() - session->cpu_before_ns;
    sl_recorder_end_in_slot(session->recorder, duration_ns);
    struct sl_error sink = {0};
    if (!sl_recorder_close(session->recorder, duration_ns, &sink)) {
        end = SL_SESSION_FAILED;
        if (error != NULL) {
            *error = sink;
        }
    }
    atomic_store(&session->samples, facts->samples);

    sl_priority_restore(&priority);
    sl_clock_restore(&precision);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return end;
}
