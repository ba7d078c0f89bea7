#include "sampler/host_due.h"

#include "sampler/host_look.h"
#include "sampler/host_state.h"
#include "sampler/session.h"
#include "target/own.h"

uint64_t sl_host_sampler_cpu_ns(void)
{
    return sl_host.ended_cpu_ns + (sl_host.thread_id != 0 ? sl_own_thread_cpu_ns(sl_host.thread_id) : 0);
}

/* Whether the thread that starts a recording is among those that are known, as it is now. */
static bool is_known(const struct sl_host_options *options, pid_t starter)
{
    const struct sl_subject *subject = &sl_host.target.subject;
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
        sl_host.target.subject.list_due_ns = 0;
    }
    sl_subject_sweep(&sl_host.target.subject, now_ns);
}

bool sl_host_open_recording(struct sl_host_recording *recording, uint64_t now_ns, struct sl_error *error)
{
    know_starter(recording, now_ns);
    return sl_host_recording_open(recording, &sl_host.target, sl_host_sampler_cpu_ns(), error);
}

/* Prepares it for the look that is due. One that cannot be prepared is told when it is stopped. */
static bool prepare(struct sl_host_recording *recording, uint64_t now_ns)
{
    if (recording->open) {
        return true;
    }
    if (recording->options.caller != 0 && !recording->met) {
        know_starter(recording, now_ns);
        return sl_host_recording_meet(recording, &sl_host.target, sl_host_sampler_cpu_ns(), NULL);
    }
    return sl_host_open_recording(recording, now_ns, NULL);
}

void sl_host_look_for(struct sl_host_recording *recording, uint64_t now_ns, pid_t caller, uint32_t skip)
{
    struct sl_host_look looking = {
        .target = &sl_host.target,
        .recordings = &recording,
        .count = 1,
        .number = ++sl_host.looks,
        .caller = caller,
        .skip = skip,
    };
    sl_host_look(&looking, now_ns);
}

void sl_host_tell_unseen(struct sl_host_recording *recording, uint64_t now_ns, pid_t caller)
{
    if (recording->options.scope == SL_HOST_THREADS) {
        recording->blind = true;
        sl_host_look_for(recording, now_ns, caller, 0);
        recording->blind = false;
    } else if (atomic_load(&recording->samples) == 0) {
        sl_host_recording_miss(recording);
    } else {
        struct sl_span unseen = sl_host_span(recording);
        sl_recording_look(&recording->recording, &unseen);
        recording->due = false;
    }
}

void sl_host_tell_skipped(struct sl_host_recording *recording, uint64_t now_ns, pid_t caller)
{
    if (!recording->open || recording->span.slot_begin_ns <= recording->span.begin_ns) {
        return;
    }
    struct sl_span last = recording->span;
    recording->span.end_ns = last.slot_begin_ns;
    recording->span.instant_ns = last.slot_begin_ns - 1;
    sl_host_tell_unseen(recording, now_ns, caller);
    recording->span = last;
    recording->span.begin_ns = last.slot_begin_ns;
    recording->span.late = 0;
    recording->due = true;
}

/* A sparing one may last for hours, such as a stream of events, and there may be hundreds of them: its slots become longer. */
static void keep_cheap(struct sl_host_recording *recording, uint64_t time_ns)
{
    uint64_t lasted_ns = time_ns - (recording->begin_ns - recording->epoch_ns);
    uint64_t interval_ns = recording->slots.interval_ns;
    bool long_enough =
        lasted_ns / SL_HOST_LOOKS_EVEN >= interval_ns || sl_host.crowd * SL_HOST_SLOT_EACH_NS > interval_ns;
    if (recording->options.sparing && long_enough && interval_ns <= SL_INTERVAL_MAX_NS / 2) {
        sl_slots_double(&recording->slots);
    }
}

void sl_host_look_at_due(uint64_t now_ns)
{
    bool any = false;
    sl_host.looked_ns = now_ns;
    size_t crowd = 0;
    for (size_t i = 0; i < sl_host.count; i++) {
        struct sl_host_recording *recording = sl_host.recordings[i];
        crowd += recording->options.sparing && recording->met;
        uint64_t time_ns = now_ns - sl_host.epoch_ns;
        recording->due = time_ns >= recording->slots.instant_ns;
        if (recording->due) {
            recording->span = sl_slots_take(&recording->slots, time_ns);
            keep_cheap(recording, time_ns);
            recording->due = prepare(recording, now_ns);
            any = any || recording->due;
            if (recording->due && atomic_load(&recording->stopping)) {
                sl_host_tell_skipped(recording, now_ns, 0);
            }
        }
    }
    sl_host.crowd = crowd;
    if (any) {
        struct sl_host_look looking = {.target = &sl_host.target,
                                       .recordings = sl_host.recordings,
                                       .count = sl_host.count,
                                       .number = ++sl_host.looks};
        sl_host_look(&looking, now_ns);
    }
}
