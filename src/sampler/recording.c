#include "sampler/recording.h"

#include <stdlib.h>

bool sl_recording_init(struct sl_recording *recording, struct sl_recorder *recorder, uint64_t base_ns,
                       struct sl_error *error)
{
    *recording = (struct sl_recording){
        .recorder = recorder,
        .base_ns = base_ns,
        .starting = sl_recorder_mark(recorder, "[starting]"),
        .no_frame = sl_recorder_mark(recorder, "[no Python frame]"),
        .not_python = sl_recorder_mark(recorder, "[not Python]"),
        .exiting = sl_recorder_mark(recorder, "[exiting]"),
        .broken = sl_recorder_mark(recorder, "[broken]"),
        .too_deep = sl_recorder_mark(recorder, "[too deep]"),
        .missed = sl_recorder_mark(recorder, "[missed]"),
    };
    bool complete = recording->starting != SL_NONE && recording->no_frame != SL_NONE &&
                    recording->not_python != SL_NONE && recording->exiting != SL_NONE && recording->broken != SL_NONE &&
                    recording->too_deep != SL_NONE && recording->missed != SL_NONE;
    return complete || sl_error_memory(error);
}

void sl_recording_destroy(struct sl_recording *recording)
{
    free(recording->samples);
    recording->samples = NULL;
}

sl_state sl_recording_in_task(struct sl_recording *recording, struct sl_recording_thread *thread, sl_state state,
                              uint64_t address, uint32_t code, sl_function coroutine)
{
    bool is_new;
    uint32_t number = sl_tasks_number(&thread->tasks, address, code, &is_new);
    if (is_new) {
        sl_recorder_task(recording->recorder, thread->index, number, number < SL_STATE_TASK_MAX ? coroutine : 0);
    }
    return sl_state_in_task(state, number);
}

void sl_recording_sample(struct sl_recording *recording, struct sl_recording_thread *thread, sl_stack stack,
                         sl_state state)
{
    if (recording->stopped && (state & SL_STATE_KNOWN) != 0) {
        state = sl_state_in_task(SL_STATE_KNOWN, sl_state_task(state));
    }
    if (thread->told && thread->stack == stack && thread->state == state) {
        return;
    }
    if (recording->sample_count == recording->sample_capacity) {
        size_t capacity = recording->sample_capacity > 0 ? recording->sample_capacity * 2 : 64;
        struct sl_recording_sample *samples = realloc(recording->samples, capacity * sizeof *samples);
        if (samples == NULL) {
            /* The thread keeps what was last told of it, and is told again in the next look. */
            sl_recorder_facts(recording->recorder)->missed++;
            return;
        }
        recording->samples = samples;
        recording->sample_capacity = capacity;
    }
    recording->samples[recording->sample_count++] =
        (struct sl_recording_sample){.thread = thread->index, .stack = stack, .state = state};
    thread->told = true;
    thread->stack = stack;
    thread->state = state;
}

void sl_recording_look(struct sl_recording *recording, const struct sl_span *span)
{
    sl_recorder_look(recording->recorder, span->begin_ns, span->end_ns, span->instant_ns);
    for (size_t i = 0; i < recording->sample_count; i++) {
        const struct sl_recording_sample *sample = &recording->samples[i];
        sl_recorder_sample(recording->recorder, sample->thread, sample->stack, sample->state);
    }
    recording->sample_count = 0;
    sl_recorder_facts(recording->recorder)->late += span->late;
}
