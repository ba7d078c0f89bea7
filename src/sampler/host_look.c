#include "sampler/host_look.h"

#include "sampler/host_scope.h"
#include "sampler/host_sight.h"

static void forget_ended(struct sl_subject *subject)
{
    bool any = false;
    for (size_t i = 0; i < subject->count; i++) {
        if (subject->all[i]->ended) {
            sl_host_thread_end(subject->all[i]);
            any = true;
        }
    }
    if (any) {
        sl_subject_forget(subject);
    }
}

void sl_host_look(struct sl_host_look *look, uint64_t now_ns)
{
    struct sl_subject *subject = &look->target->subject;
    sl_subject_begin(subject, now_ns);
    size_t next = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (; next < subject->count; next++) {
            sl_host_look_at_thread(look, subject->all[next]);
        }
        sl_subject_end(subject);
    }
    for (size_t i = 0; i < look->count; i++) {
        struct sl_host_recording *recording = look->recordings[i];
        if (!recording->due) {
            continue;
        }
        sl_host_recording_retried(recording, subject->retried);
        if (recording->options.scope != SL_HOST_THREADS) {
            sl_host_tell_scope(look, recording);
            bool first = recording->options.caller != 0 && atomic_load(&recording->samples) == 0;
            if (first && (recording->choice.state & SL_STATE_ON_CPU) != 0) {
                sl_host_recording_ran(recording, now_ns);
            }
        }
        struct sl_span span = sl_host_span(recording);
        if (recording->open) {
            sl_recording_look(&recording->recording, &span);
            atomic_store(&recording->samples, sl_recorder_facts(recording->recorder)->samples);
        } else {
            recording->sketch.span = span;
            atomic_store(&recording->samples, 1);
        }
        recording->chosen = false;
        recording->due = false;
    }
    subject->retried = 0;
    forget_ended(subject);
}
