/* recording.h - what a session says to its recorder: which thread does what now, told only where it changed.
 *
 * The samples of one look are collected first and told together once all threads were looked at, since threads begin
 * and end while one looks. */
#ifndef SL_SAMPLER_RECORDING_H
#define SL_SAMPLER_RECORDING_H

#include "profile/recorder.h"
#include "sampler/slots.h"
#include "sampler/tasks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_recording {
    struct sl_recorder *recorder;
    uint64_t base_ns; /* CLOCK_MONOTONIC at time 0 of the recording */

    /* Marks: what is recorded in the place of a stack. */
    sl_stack starting;   /* the process was started, and was not seen to run Python code yet */
    sl_stack no_frame;   /* the thread has no Python frame */
    sl_stack not_python; /* nothing has come up that can be read as one, and what runs is not known */
    sl_stack exiting;    /* the process has given up its memory, and has not ended yet */
    sl_stack broken;
    sl_stack too_deep; /* counted among the broken ones */
    sl_stack missed;

    struct sl_recording_sample {
        uint32_t thread;
        sl_stack stack;
        sl_state state;
    } * samples; /* of this look; owned */
    size_t sample_count;
    size_t sample_capacity;
    bool stopped; /* this look stands for time in which the threads were stopped, so that all of them waited */
};

/* A thread as it stands in the recording. */
struct sl_recording_thread {
    uint32_t index; /* in the recorder */
    bool told;      /* it has a sample already, the last of which said: */
    sl_stack stack;
    sl_state state;
    struct sl_tasks tasks;
};

bool sl_recording_init(struct sl_recording *recording, struct sl_recorder *recorder, uint64_t base_ns,
                       struct sl_error *error);
void sl_recording_destroy(struct sl_recording *recording);

/* The state of a thread that runs a task: `coroutine` is its outermost one, whose frame lies at `address` and runs code
 * number `code` of its process. */
sl_state sl_recording_in_task(struct sl_recording *recording, struct sl_recording_thread *thread, sl_state state,
                              uint64_t address, uint32_t code, sl_function coroutine);

/* What `thread` does in this look. */
void sl_recording_sample(struct sl_recording *recording, struct sl_recording_thread *thread, sl_stack stack,
                         sl_state state);

/* Tells the look and what was collected for it. */
void sl_recording_look(struct sl_recording *recording, const struct sl_span *span);

#endif
