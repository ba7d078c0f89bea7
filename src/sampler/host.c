#include "sampler/host.h"

#include "sampler/host_due.h"
#include "sampler/host_native.h"
#include "sampler/host_state.h"
#include "sampler/host_view.h"
#include "sampler/session.h"
#include "target/clock.h"
#include "target/own.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

struct sl_host sl_host = {.gate = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER};

static void take_out(const struct sl_host_recording *recording)
{
    for (size_t i = 0; i < sl_host.count; i++) {
        if (sl_host.recordings[i] == recording) {
            sl_host.recordings[i] = sl_host.recordings[--sl_host.count];
            return;
        }
    }
}

static void forget_threads(void)
{
    for (size_t i = 0; i < sl_host.target.subject.count; i++) {
        sl_host_thread_end(sl_host.target.subject.all[i]);
    }
}

static void close_target(void)
{
    forget_threads();
    sl_host_target_close(&sl_host.target);
}

static bool add(const struct sl_host_options *options, struct sl_host_recording **recording, struct sl_error *error)
{
    if (sl_host.count == sl_host.capacity) {
        size_t capacity = sl_host.capacity > 0 ? sl_host.capacity * 2 : 8;
        struct sl_host_recording **recordings = realloc(sl_host.recordings, capacity * sizeof *recordings);
        if (recordings == NULL) {
            return sl_error_memory(error);
        }
        sl_host.recordings = recordings;
        sl_host.capacity = capacity;
    }
    uint64_t now_ns = sl_clock_now_ns();
    if (sl_host.epoch_ns == 0) {
        sl_host.epoch_ns = now_ns;
        if (getrandom(&sl_host.seed, sizeof sl_host.seed, GRND_NONBLOCK) != (ssize_t)sizeof sl_host.seed) {
            sl_host.seed = sl_clock_wall_ns();
        }
        sl_host.random.state = ~sl_host.seed;
    }
    if (!sl_host_make_wake()) {
        return sl_error_memory(error);
    }
    if (!sl_host_target_open(&sl_host.target, error)) {
        return false;
    }
    *recording = sl_host_recording_create(options, sl_host.epoch_ns, sl_host.seed, &sl_host.random);
    if (*recording == NULL) {
        return sl_error_memory(error);
    }
    bool later = options->caller != 0;
    if ((!later && !sl_host_open_recording(*recording, now_ns, error)) || !sl_host_start_native(error)) {
        sl_host_recording_destroy(*recording);
        *recording = NULL;
        return false;
    }
    sl_host.recordings[sl_host.count++] = *recording;
    if (later) {
        sl_host_pulse_keep(&sl_host.pulse, options->first_ns, now_ns - sl_host.epoch_ns, sl_host.seed);
    }
    if (sl_host.epoch_ns + (*recording)->slots.instant_ns < sl_host.wake_ns) {
        pthread_cond_broadcast(&sl_host.wake);
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
    pthread_mutex_lock(&sl_host.gate);
    pthread_mutex_lock(&sl_host.lock);
    bool added = add(options, &recording, error);
    if (!added && sl_host.count == 0) {
        close_target();
    }
    pthread_mutex_unlock(&sl_host.lock);
    pthread_mutex_unlock(&sl_host.gate);
    return recording;
}

/* What becomes of the last slot, if its look has not come yet. Looking now would say nothing of it, since whoever stops a
 * recording is always at the same place: that would have a sixth of an interval too much in each recording. */
static void end_last_slot(struct sl_host_recording *recording, uint64_t now_ns, uint32_t skip)
{
    recording->due = sl_slots_finish(&recording->slots, now_ns - sl_host.epoch_ns, &recording->span);
    if (!recording->due) {
        return;
    }
    pid_t caller = sl_own_thread_id();
    if (recording->options.caller != 0 || atomic_load(&recording->samples) > 0) {
        sl_host_tell_unseen(recording, now_ns, caller);
    } else {
        /* All that is known of one that ends before its first look. */
        sl_host_tell_skipped(recording, now_ns, caller);
        sl_host_look_for(recording, now_ns, caller, skip);
    }
}

/* Gives the lock and the gate back after a recording was taken out. */
static void leave(bool last)
{
    sl_host.pulse.beats = sl_host.pulse.beats && !last;
    sl_host.crowd = last ? 0 : sl_host.crowd;
    pthread_mutex_unlock(&sl_host.lock);
    if (last) {
        sl_host_end_native();
        close_target();
    }
    pthread_mutex_unlock(&sl_host.gate);
}

bool sl_host_stop(struct sl_host_recording *recording, uint32_t skip, struct sl_error *error)
{
    bool closed = true;
    atomic_store(&recording->stopping, true);
    pthread_mutex_lock(&sl_host.gate);
    pthread_mutex_lock(&sl_host.lock);
    bool last = false;
    if (recording->running) {
        uint64_t now_ns = sl_clock_not_before_ns(sl_host.looked_ns);
        closed = recording->open || sl_host_open_recording(recording, now_ns, error);
        if (closed) {
            end_last_slot(recording, now_ns, skip);
            closed = sl_host_recording_close(recording, &sl_host.target, now_ns, sl_host_sampler_cpu_ns(), error);
        } else {
            sl_host_recording_abandon(recording, &sl_host.target, now_ns);
        }
        take_out(recording);
        last = sl_host.count == 0;
    }
    leave(last);
    return closed;
}

void sl_host_discard(struct sl_host_recording *recording)
{
    pthread_mutex_lock(&sl_host.gate);
    pthread_mutex_lock(&sl_host.lock);
    bool last = false;
    if (recording->running) {
        sl_host_recording_abandon(recording, &sl_host.target, sl_clock_now_ns());
        take_out(recording);
        last = sl_host.count == 0;
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
    pthread_mutex_lock(&sl_host.lock);
    bool running = recording->running;
    pthread_mutex_unlock(&sl_host.lock);
    return running;
}

struct sl_host_progress sl_host_progress(const struct sl_host_recording *recording)
{
    pthread_mutex_lock(&sl_host.lock);
    struct sl_host_progress progress = {
        .elapsed_ns = recording->running ? sl_clock_now_ns() - recording->begin_ns : recording->duration_ns,
        .samples = atomic_load(&((struct sl_host_recording *)recording)->samples),
    };
    pthread_mutex_unlock(&sl_host.lock);
    return progress;
}

bool sl_host_trace(struct sl_host_recording *recording, struct sl_buffer *trace)
{
    pthread_mutex_lock(&sl_host.lock);
    if (recording->abandoned || recording->recorder == NULL) {
        pthread_mutex_unlock(&sl_host.lock);
        return !trace->failed;
    }
    if (recording->running) {
        sl_recorder_flush(recording->recorder, NULL);
    }
    const struct sl_buffer *bytes = sl_recorder_trace(recording->recorder);
    sl_buffer_append(trace, bytes->bytes, bytes->size);
    bool complete = !trace->failed && !bytes->failed;
    pthread_mutex_unlock(&sl_host.lock);
    return complete;
}

void sl_host_before_fork(void)
{
    pthread_mutex_lock(&sl_host.gate);
    sl_host_end_native();
    sl_host.forking = true;
    pthread_mutex_unlock(&sl_host.gate);
}

void sl_host_after_fork_in_parent(void)
{
    pthread_mutex_lock(&sl_host.gate);
    sl_host.forking = false;
    pthread_mutex_unlock(&sl_host.gate);
}

void sl_host_resume(void)
{
    pthread_mutex_lock(&sl_host.gate);
    pthread_mutex_lock(&sl_host.lock);
    if (sl_host.count > 0) {
        /* Without a thread nothing is recorded any more, which is no reason to stop the program. */
        sl_host_start_native(NULL);
    }
    pthread_mutex_unlock(&sl_host.lock);
    pthread_mutex_unlock(&sl_host.gate);
}

/* The process was copied while the native thread ran, which may have been changing any of this: it is left as it is. */
static void abandon(void)
{
    for (size_t i = 0; i < sl_host.count; i++) {
        sl_host.recordings[i]->running = false;
        sl_host.recordings[i]->abandoned = true;
    }
    sl_host.target = (struct sl_host_target){0};
    sl_host.recordings = NULL;
    sl_host.count = 0;
    sl_host.capacity = 0;
    sl_host.threaded = false;
    sl_host.thread_id = 0;
}

void sl_host_after_fork_in_child(void)
{
    /* Whoever may have held them does not exist here. */
    sl_host.gate = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    sl_host.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    sl_host.wake_made = false;
    sl_host.forking = false;
    if (sl_host.threaded) {
        abandon();
    }
    uint64_t now_ns = sl_clock_not_before_ns(sl_host.looked_ns);
    while (sl_host.count > 0) {
        struct sl_host_recording *recording = sl_host.recordings[0];
        if (recording->open) {
            sl_host_recording_close(recording, &sl_host.target, now_ns, 0, NULL);
        } else {
            sl_host_recording_abandon(recording, &sl_host.target, now_ns);
        }
        take_out(recording);
    }
    forget_threads();
    sl_host_target_forget(&sl_host.target);
    sl_host.epoch_ns = 0;
    sl_host.pulse.beats = false;
    sl_host.crowd = 0;
    sl_host.ended_cpu_ns = 0;
}

bool sl_host_check_context(uint64_t context, struct sl_error *error)
{
    pthread_mutex_lock(&sl_host.gate);
    pthread_mutex_lock(&sl_host.lock);
    bool found = sl_host_target_open(&sl_host.target, error);
    if (found && !sl_context_locate(sl_host.target.python, (uint64_t)sl_own_thread_id(), context)) {
        found = sl_error_set(error, SL_ERROR_UNSUPPORTED,
                             "this Python %s keeps the context of a thread in an unknown place",
                             sl_python_version(sl_host.target.python));
    }
    sl_host.target.subject.list_due_ns = 0;
    if (sl_host.count == 0) {
        close_target();
    }
    pthread_mutex_unlock(&sl_host.lock);
    pthread_mutex_unlock(&sl_host.gate);
    return found;
}
