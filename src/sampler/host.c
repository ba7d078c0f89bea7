#include "sampler/host.h"

#include "sampler/host_look.h"
#include "sampler/host_pulse.h"
#include "sampler/session.h"
#include "target/clock.h"
#include "target/own.h"
#include "target/priority.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* The native thread calls nothing deep: the largest frames are those of reading several pieces of memory, 20 kB. */
#define STACK_BYTES ((size_t)256 * 1024)

/* How often names and CPU times of threads are brought up to date. */
#define REFRESH_EVERY_NS UINT64_C(10000000)

/* One for the process, because whatever happens to the process (fork(2)) happens to all recordings. */
static struct {
    pthread_mutex_t gate; /* held while one starts, stops, or the native thread is made to end; taken before `lock`.
                           * Who holds it waits for nobody but the native thread, so it may be taken with the GIL held */
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;  /* the native thread sleeps on it */
    bool wake_made;

    struct sl_host_target target;
    struct sl_host_recording **recordings; /* those that run; owned by who started them */
    size_t count, capacity;
    uint64_t epoch_ns; /* of everyone's slots; 0 before the first recording */
    uint64_t seed;
    struct sl_host_pulse pulse;
    uint64_t refresh_due_ns;
    uint64_t looks;
    uint64_t wake_ns;   /* until when the native thread sleeps */
    uint64_t looked_ns; /* when it looked last, which may be a little before that time has come */

    bool threaded; /* there is a native thread */
    bool ending;   /* it is to end */
    bool forking;  /* it may not be started */
    pthread_t thread;
    pid_t thread_id;
    uint64_t ended_cpu_ns; /* of native threads that have ended */
} host = {.gate = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER};

static uint64_t sampler_cpu_ns(void)
{
    return host.ended_cpu_ns + (host.thread_id != 0 ? sl_own_thread_cpu_ns(host.thread_id) : 0);
}

/* Whether the thread that starts a recording is among those that are known, as it is now. */
static bool is_known(const struct sl_host_options *options, pid_t starter)
{
    const struct sl_subject *subject = &host.target.subject;
    for (size_t i = 0; i < subject->count; i++) {
        const struct sl_subject_thread *thread = subject->all[i];
        for (size_t s = 0; s < thread->strand_count && thread->thread.id == starter && !thread->ended; s++) {
            const struct sl_python_thread *state = &thread->strands[s].python;
            if (options->thread_state != 0 && state->address == options->thread_state &&
                state->interpreter == options->interpreter) {
                return true;
            }
        }
    }
    return false;
}

/* Makes sure that the thread that started a recording is known. */
static void know_starter(const struct sl_host_recording *recording, uint64_t now_ns)
{
    if (!is_known(&recording->options, recording->starter)) {
        host.target.subject.list_due_ns = 0;
    }
    sl_subject_sweep(&host.target.subject, now_ns);
}

/* Prepares a recording for looks. */
static bool open_recording(struct sl_host_recording *recording, uint64_t now_ns, struct sl_error *error)
{
    know_starter(recording, now_ns);
    return sl_host_recording_open(recording, &host.target, sampler_cpu_ns(), error);
}

/* Prepares it for the look that is due. One that cannot be prepared is told when it is stopped. */
static bool prepare(struct sl_host_recording *recording, uint64_t now_ns)
{
    if (recording->open) {
        return true;
    }
    if (recording->options.caller != 0 && !recording->met) {
        know_starter(recording, now_ns);
        return sl_host_recording_meet(recording, &host.target, sampler_cpu_ns(), NULL);
    }
    return open_recording(recording, now_ns, NULL);
}

/* Looks for one recording, in a thread that is its `caller` (0: in the native one). */
static void look_for(struct sl_host_recording *recording, uint64_t now_ns, pid_t caller, uint32_t skip)
{
    struct sl_host_look looking = {
        .target = &host.target,
        .recordings = &recording,
        .count = 1,
        .number = ++host.looks,
        .caller = caller,
        .skip = skip,
    };
    sl_host_look(&looking, now_ns);
}

/* Of a recording that is being stopped: the slots before the one of this look that nobody looked at go to what was seen
 * before them, or are missed. What is seen now says nothing of them: whoever stops a recording is always at the same place.
 * `caller` as in look_for. */
static void tell_skipped(struct sl_host_recording *recording, uint64_t now_ns, pid_t caller)
{
    if (!recording->open || recording->span.late == 0) {
        return;
    }
    bool nothing_seen = atomic_load(&recording->samples) == 0;
    struct sl_span last = recording->span;
    recording->span.end_ns = last.slot_begin_ns;
    recording->span.instant_ns = last.slot_begin_ns - 1;
    if (nothing_seen && recording->options.scope == SL_HOST_THREADS) {
        recording->blind = true;
        look_for(recording, now_ns, caller, 0);
        recording->blind = false;
    } else if (nothing_seen) {
        sl_host_recording_miss(recording);
    } else {
        struct sl_span skipped = sl_host_span(recording);
        sl_recording_look(&recording->recording, &skipped);
    }
    recording->span = last;
    recording->span.begin_ns = last.slot_begin_ns;
    recording->span.late = 0;
    recording->due = true;
}

/* Looks for every recording that is due. */
static void look(uint64_t now_ns)
{
    bool any = false;
    host.looked_ns = now_ns;
    for (size_t i = 0; i < host.count; i++) {
        struct sl_host_recording *recording = host.recordings[i];
        uint64_t time_ns = now_ns - host.epoch_ns;
        recording->due = time_ns >= recording->slots.instant_ns;
        if (recording->due) {
            recording->span = sl_slots_take(&recording->slots, time_ns);
            recording->due = prepare(recording, now_ns);
            any = any || recording->due;
            if (recording->due && atomic_load(&recording->stopping)) {
                tell_skipped(recording, now_ns, 0);
            }
        }
    }
    if (any) {
        struct sl_host_look looking = {
            .target = &host.target, .recordings = host.recordings, .count = host.count, .number = ++host.looks};
        sl_host_look(&looking, now_ns);
    }
}

/* What changes slowly, and blocks that are full. */
static void refresh(uint64_t now_ns)
{
    for (size_t i = 0; i < host.count; i++) {
        struct sl_recorder *recorder = host.recordings[i]->recorder;
        if (recorder != NULL && sl_recorder_pending(recorder) >= SL_RECORDER_BLOCK_BYTES) {
            sl_recorder_flush(recorder, NULL);
        }
    }
    if (now_ns < host.refresh_due_ns) {
        return;
    }
    host.refresh_due_ns = now_ns + REFRESH_EVERY_NS;
    struct sl_subject *subject = &host.target.subject;
    for (size_t i = 0; i < subject->count; i++) {
        struct sl_subject_thread *observed = subject->all[i];
        const struct sl_host_thread *thread = observed->viewer;
        for (struct sl_host_view *view = thread != NULL ? thread->views : NULL; view != NULL; view = view->next) {
            if (view->thread != NULL && !observed->ended) {
                sl_member_thread_refresh(view->thread, &view->recording->recording, subject, observed, now_ns);
            }
        }
    }
}

static uint64_t next_instant_ns(void)
{
    uint64_t instant_ns = sl_host_pulse_instant_ns(&host.pulse);
    for (size_t i = 0; i < host.count; i++) {
        uint64_t due_ns = host.recordings[i]->slots.instant_ns;
        instant_ns = due_ns < instant_ns ? due_ns : instant_ns;
    }
    return instant_ns == UINT64_MAX ? instant_ns : host.epoch_ns + instant_ns;
}

/* Until the time has come, or somebody has woken it. Gives the lock away meanwhile. What it is now, as `sl_clock_meet`
 * says: not before the time that it is given. */
static uint64_t sleep_until(struct sl_clock_lead *lead, uint64_t now_ns, uint64_t deadline_ns)
{
    host.wake_ns = deadline_ns;
    if (deadline_ns == UINT64_MAX) {
        pthread_cond_wait(&host.wake, &host.lock);
        return sl_clock_not_before_ns(now_ns);
    }
    uint64_t alarm_ns = sl_clock_alarm(lead, sl_clock_now_ns(), deadline_ns);
    if (alarm_ns != 0) {
        const struct timespec alarm = {.tv_sec = (time_t)(alarm_ns / 1000000000u),
                                       .tv_nsec = (long)(alarm_ns % 1000000000u)};
        if (pthread_cond_timedwait(&host.wake, &host.lock, &alarm) != ETIMEDOUT) {
            return sl_clock_not_before_ns(now_ns);
        }
        sl_clock_woken(lead, alarm_ns);
    } else {
        pthread_mutex_unlock(&host.lock);
        sl_clock_wait_out(lead, deadline_ns);
        pthread_mutex_lock(&host.lock);
    }
    return sl_clock_not_before_ns(deadline_ns);
}

static void *run(void *ignored)
{
    (void)ignored;
    struct sl_clock_precision precision;
    sl_clock_precise(&precision);
    struct sl_clock_lead lead = {0};
    struct sl_priority priority;
    sl_priority_raise(&priority);
    pthread_mutex_lock(&host.lock);
    host.thread_id = sl_own_thread_id();
    pthread_cond_broadcast(&host.wake);
    uint64_t now_ns = sl_clock_now_ns();
    while (!host.ending) {
        uint64_t instant_ns = next_instant_ns();
        if (instant_ns > now_ns) {
            now_ns = sleep_until(&lead, now_ns, instant_ns);
            continue;
        }
        look(now_ns);
        sl_host_pulse_pass(&host.pulse, now_ns - host.epoch_ns);
        refresh(now_ns);
        now_ns = sl_clock_not_before_ns(now_ns);
        sl_priority_keep(&priority, now_ns);
        for (size_t i = 0; i < host.count; i++) {
            sl_slots_done(&host.recordings[i]->slots, now_ns - host.epoch_ns);
        }
    }
    host.ended_cpu_ns += sl_clock_thread_cpu_ns();
    host.thread_id = 0;
    pthread_mutex_unlock(&host.lock);
    return NULL;
}

static bool make_wake(void)
{
    if (host.wake_made) {
        return true;
    }
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    host.wake_made = pthread_cond_init(&host.wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return host.wake_made;
}

/* Starts the native thread if there is none. The lock is held. */
static bool start_thread(struct sl_error *error)
{
    if (host.threaded || host.forking) {
        return true;
    }
    pthread_attr_t attributes;
    int failed = pthread_attr_init(&attributes);
    if (failed == 0) {
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
        host.ending = false;
        /* It inherits the signals that are blocked: all, so that none of the program's is ever delivered to it. */
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        failed = pthread_create(&host.thread, &attributes, run, NULL);
        if (failed == 0) {
            sl_priority_raise_started(host.thread);
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
    }
    if (failed != 0) {
        return sl_error_system(error, failed, "cannot start the sampling thread");
    }
    host.threaded = true;
    pthread_setname_np(host.thread, "stacklapse");
    return true;
}

/* Ends the native thread. The gate is held, the lock is not. */
static void end_thread(void)
{
    if (!host.threaded) {
        return;
    }
    pthread_mutex_lock(&host.lock);
    while (host.thread_id == 0) {
        pthread_cond_wait(&host.wake, &host.lock); /* it has not begun yet */
    }
    pid_t id = host.thread_id;
    host.ending = true;
    pthread_cond_broadcast(&host.wake);
    pthread_mutex_unlock(&host.lock);
    pthread_join(host.thread, NULL);
    sl_own_thread_gone(id);
    host.threaded = false;
}

static void take_out(const struct sl_host_recording *recording)
{
    for (size_t i = 0; i < host.count; i++) {
        if (host.recordings[i] == recording) {
            host.recordings[i] = host.recordings[--host.count];
            return;
        }
    }
}

static void forget_threads(void)
{
    for (size_t i = 0; i < host.target.subject.count; i++) {
        sl_host_thread_end(host.target.subject.all[i]);
    }
}

static void close_target(void)
{
    forget_threads();
    sl_host_target_close(&host.target);
}

static bool add(const struct sl_host_options *options, struct sl_host_recording **recording, struct sl_error *error)
{
    if (host.count == host.capacity) {
        size_t capacity = host.capacity > 0 ? host.capacity * 2 : 8;
        struct sl_host_recording **recordings = realloc(host.recordings, capacity * sizeof *recordings);
        if (recordings == NULL) {
            return sl_error_memory(error);
        }
        host.recordings = recordings;
        host.capacity = capacity;
    }
    uint64_t now_ns = sl_clock_now_ns();
    if (host.epoch_ns == 0) {
        host.epoch_ns = now_ns;
        if (getrandom(&host.seed, sizeof host.seed, GRND_NONBLOCK) != (ssize_t)sizeof host.seed) {
            host.seed = sl_clock_wall_ns();
        }
    }
    if (!make_wake()) {
        return sl_error_memory(error);
    }
    if (!sl_host_target_open(&host.target, error)) {
        return false;
    }
    *recording = sl_host_recording_create(options, host.epoch_ns, host.seed);
    if (*recording == NULL) {
        return sl_error_memory(error);
    }
    bool later = options->caller != 0;
    if ((!later && !open_recording(*recording, now_ns, error)) || !start_thread(error)) {
        sl_host_recording_destroy(*recording);
        *recording = NULL;
        return false;
    }
    host.recordings[host.count++] = *recording;
    if (later) {
        sl_host_pulse_keep(&host.pulse, options->first_ns, now_ns - host.epoch_ns, host.seed);
    }
    if (host.epoch_ns + (*recording)->slots.instant_ns < host.wake_ns) {
        pthread_cond_broadcast(&host.wake);
    }
    return true;
}

struct sl_host_recording *sl_host_start(const struct sl_host_options *options, struct sl_error *error)
{
    if (options->interval_ns < SL_INTERVAL_MIN_NS || options->interval_ns > SL_INTERVAL_MAX_NS) {
        sl_error_set(error, SL_ERROR_USAGE, "an interval lies between 1 us and 10 s");
        return NULL;
    }
    struct sl_host_recording *recording = NULL;
    pthread_mutex_lock(&host.gate);
    pthread_mutex_lock(&host.lock);
    bool added = add(options, &recording, error);
    if (!added && host.count == 0) {
        close_target();
    }
    pthread_mutex_unlock(&host.lock);
    pthread_mutex_unlock(&host.gate);
    return recording;
}

/* The rest of the last slot goes to what the caller does now. */
static void look_at_last(struct sl_host_recording *recording, uint64_t now_ns, uint32_t skip)
{
    bool unseen = recording->options.caller != 0 && atomic_load(&recording->samples) == 0;
    recording->due = sl_slots_finish(&recording->slots, now_ns - host.epoch_ns, &recording->span);
    if (recording->due && unseen) {
        /* It ended within its first slot, and how it ends says nothing of the rest of that. */
        sl_host_recording_miss(recording);
    } else if (recording->due) {
        pid_t caller = sl_own_thread_id();
        tell_skipped(recording, now_ns, caller);
        look_for(recording, now_ns, caller, skip);
    }
}

/* Gives the lock and the gate back after a recording was taken out. */
static void leave(bool last)
{
    host.pulse.beats = host.pulse.beats && !last;
    pthread_mutex_unlock(&host.lock);
    if (last) {
        end_thread();
        close_target();
    }
    pthread_mutex_unlock(&host.gate);
}

bool sl_host_stop(struct sl_host_recording *recording, uint32_t skip, struct sl_error *error)
{
    bool closed = true;
    atomic_store(&recording->stopping, true);
    pthread_mutex_lock(&host.gate);
    pthread_mutex_lock(&host.lock);
    bool last = false;
    if (recording->running) {
        uint64_t now_ns = sl_clock_not_before_ns(host.looked_ns);
        closed = recording->open || open_recording(recording, now_ns, error);
        if (closed) {
            look_at_last(recording, now_ns, skip);
            closed = sl_host_recording_close(recording, &host.target, now_ns, sampler_cpu_ns(), error);
        } else {
            sl_host_recording_abandon(recording, &host.target, now_ns);
        }
        take_out(recording);
        last = host.count == 0;
    }
    leave(last);
    return closed;
}

void sl_host_discard(struct sl_host_recording *recording)
{
    pthread_mutex_lock(&host.gate);
    pthread_mutex_lock(&host.lock);
    bool last = false;
    if (recording->running) {
        sl_host_recording_abandon(recording, &host.target, sl_clock_now_ns());
        take_out(recording);
        last = host.count == 0;
    }
    leave(last);
}

void sl_host_destroy(struct sl_host_recording *recording)
{
    if (recording != NULL) {
        /* Nobody but its owner, who is here, and a fork change that. */
        if (recording->running) {
            sl_host_discard(recording);
        }
        sl_host_recording_destroy(recording);
    }
}

bool sl_host_running(const struct sl_host_recording *recording)
{
    pthread_mutex_lock(&host.lock);
    bool running = recording->running;
    pthread_mutex_unlock(&host.lock);
    return running;
}

struct sl_host_progress sl_host_progress(const struct sl_host_recording *recording)
{
    pthread_mutex_lock(&host.lock);
    struct sl_host_progress progress = {
        .elapsed_ns = recording->running ? sl_clock_now_ns() - recording->begin_ns : recording->duration_ns,
        .samples = atomic_load(&((struct sl_host_recording *)recording)->samples),
    };
    pthread_mutex_unlock(&host.lock);
    return progress;
}

bool sl_host_trace(struct sl_host_recording *recording, struct sl_buffer *trace)
{
    pthread_mutex_lock(&host.lock);
    if (recording->abandoned || recording->recorder == NULL) {
        pthread_mutex_unlock(&host.lock);
        return !trace->failed;
    }
    if (recording->running) {
        sl_recorder_flush(recording->recorder, NULL);
    }
    const struct sl_buffer *bytes = sl_recorder_trace(recording->recorder);
    sl_buffer_append(trace, bytes->bytes, bytes->size);
    bool complete = !trace->failed && !bytes->failed;
    pthread_mutex_unlock(&host.lock);
    return complete;
}

void sl_host_before_fork(void)
{
    pthread_mutex_lock(&host.gate);
    end_thread();
    host.forking = true;
    pthread_mutex_unlock(&host.gate);
}

void sl_host_after_fork_in_parent(void)
{
    pthread_mutex_lock(&host.gate);
    host.forking = false;
    pthread_mutex_unlock(&host.gate);
}

void sl_host_resume(void)
{
    pthread_mutex_lock(&host.gate);
    pthread_mutex_lock(&host.lock);
    if (host.count > 0) {
        /* Without a thread nothing is recorded any more, which is no reason to stop the program. */
        start_thread(NULL);
    }
    pthread_mutex_unlock(&host.lock);
    pthread_mutex_unlock(&host.gate);
}

/* The process was copied while the native thread ran, which may have been changing any of this: it is left as it is. */
static void abandon(void)
{
    for (size_t i = 0; i < host.count; i++) {
        host.recordings[i]->running = false;
        host.recordings[i]->abandoned = true;
    }
    host.target = (struct sl_host_target){0};
    host.recordings = NULL;
    host.count = 0;
    host.capacity = 0;
    host.threaded = false;
    host.thread_id = 0;
}

void sl_host_after_fork_in_child(void)
{
    /* Whoever may have held them does not exist here. */
    host.gate = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    host.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    host.wake_made = false;
    host.forking = false;
    if (host.threaded) {
        abandon();
    }
    uint64_t now_ns = sl_clock_not_before_ns(host.looked_ns);
    while (host.count > 0) {
        struct sl_host_recording *recording = host.recordings[0];
        if (recording->open) {
            sl_host_recording_close(recording, &host.target, now_ns, 0, NULL);
        } else {
            sl_host_recording_abandon(recording, &host.target, now_ns);
        }
        take_out(recording);
    }
    forget_threads();
    sl_host_target_forget(&host.target);
    host.epoch_ns = 0;
    host.pulse.beats = false;
    host.ended_cpu_ns = 0;
}

bool sl_host_check_context(uint64_t context, struct sl_error *error)
{
    pthread_mutex_lock(&host.gate);
    pthread_mutex_lock(&host.lock);
    bool found = sl_host_target_open(&host.target, error);
    if (found && !sl_context_locate(host.target.python, (uint64_t)sl_own_thread_id(), context)) {
        found = sl_error_set(error, SL_ERROR_UNSUPPORTED,
                             "this Python %s keeps the context of a thread in an unknown place",
                             sl_python_version(host.target.python));
    }
    host.target.subject.list_due_ns = 0;
    if (host.count == 0) {
        close_target();
    }
    pthread_mutex_unlock(&host.lock);
    pthread_mutex_unlock(&host.gate);
    return found;
}
