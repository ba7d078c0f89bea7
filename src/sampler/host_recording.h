/* host_recording.h - one recording of our own process: its slots of time, its recorder, and what its scope is. */
#ifndef SL_SAMPLER_HOST_RECORDING_H
#define SL_SAMPLER_HOST_RECORDING_H

#include "cpython/await.h"
#include "cpython/stem.h"
#include "sampler/host.h"
#include "sampler/host_sketch.h"
#include "sampler/host_stem.h"
#include "sampler/host_target.h"
#include "sampler/recording.h"
#include "sampler/slots.h"
#include "sampler/translation.h"

#include <stdatomic.h>

/* What stands above the frames that were seen, or for all of them. */
enum sl_host_top {
    SL_HOST_TOP_FRAME = 0,
    SL_HOST_TOP_NO_FRAME,
    SL_HOST_TOP_AWAIT,
    SL_HOST_TOP_SWITCHED_OUT,
    SL_HOST_TOP_RAN, /* not seen: the frames are those of what is awaited since, or of the last stack */
    SL_HOST_TOP_BROKEN,
    SL_HOST_TOP_TOO_DEEP,
    SL_HOST_TOP_MISSED,
};

struct sl_host_recording {
    struct sl_host_options options; /* the texts only until it is open */
    bool running;
    bool met;       /* it is known where it is found in memory; of one with a `caller` only from the first look on, */
    bool open;      /* and from the second on all that is between here and `epoch_ns` is there */
    bool abandoned; /* ended by a fork in the middle of a look: nothing of it may be touched */
    atomic_bool stopping; /* whoever stops it waits for the look under way */
    struct sl_recorder *recorder;
    struct sl_recording recording;
    struct sl_translation translation;
    uint32_t process; /* in the recorder */
    struct sl_process_record record;

    uint64_t epoch_ns;      /* CLOCK_MONOTONIC at time 0 of the slots; */
    uint64_t begin_ns;      /* and of the recording */
    uint64_t start_time_ns; /* CLOCK_REALTIME then */
    struct sl_slots slots;  /* on the host's clock */
    struct sl_random random;

    pid_t starter; /* the thread that started it */
    struct sl_stem stem;
    uint64_t stem_state;        /* the thread state that has the stem; 0: none was found */
    struct sl_host_stem waited; /* the frames of it that are left out of the trace */
    uint64_t interpreter;       /* the state's interpreter; 0: not known */
    struct sl_context_variable variable;

    /* What the scope waits for when nothing in it runs. */
    struct sl_await await;
    struct sl_strand await_strand;
    sl_stack last_stack; /* that was seen in it */
    sl_stack first_call; /* of the frame that was last seen right above the stem; 0: none was */
    sl_function await_mark, switched_out_mark, broken_mark;

    /* The scope's one line of time; not for SL_HOST_THREADS. */
    struct sl_recording_thread scope;
    uint64_t cpu_before_ns; /* of the starter */

    uint64_t process_cpu_before_ns, children_cpu_before_ns, sampler_cpu_before_ns;

    /* Of the look under way. */
    bool due;
    bool blind;          /* it stands for a time in which nobody looked: only what begins and ends is taken note of */
    bool again;          /* due, but another one is looked at again */
    struct sl_span span; /* on the slots' clock */
    bool chosen;
    struct sl_host_choice {
        unsigned rank; /* the lower, the more it runs */
        unsigned equals;
        sl_stack stack;
        sl_state state;
        uint64_t task; /* as struct sl_walk */
        uint32_t task_code;
        enum sl_host_top top;
    } choice;

    struct sl_host_sketch sketch; /* of one with a `caller`, until it is open; the choice is that of this look then */

    atomic_uint_fast64_t samples;
    uint64_t duration_ns; /* once it has been stopped */
};

/* Makes one. If it has a `caller`, its time begins now, and it is looked at first at an instant of the pulse (host_pulse.h);
 * else it begins when it is opened. Its slots follow from the `seed` that all share; what it draws besides, from `random`: where
 * it lies in memory is where the one before it lay. NULL when memory is exhausted. */
struct sl_host_recording *sl_host_recording_create(const struct sl_host_options *options, uint64_t epoch_ns,
                                                   uint64_t seed, struct sl_random *random);

/* Prepares one with a `caller` for its first look, which then is sketched. The caller has opened the target, and made sure
 * that it knows the starting thread. */
bool sl_host_recording_meet(struct sl_host_recording *recording, struct sl_host_target *target, uint64_t sampler_cpu_ns,
                            struct sl_error *error);

/* Prepares it for looks that are recorded. The same of the caller; what was sketched is told now. */
bool sl_host_recording_open(struct sl_host_recording *recording, struct sl_host_target *target, uint64_t sampler_cpu_ns,
                            struct sl_error *error);

/* One with a `caller` was seen on a CPU in its first look, which stands for all the time until now: its CPU time begins to be
 * counted only then, because asking for it when it is started makes the kernel reconsider who is to run. */
void sl_host_recording_ran(struct sl_host_recording *recording, uint64_t now_ns);

/* The stack of what stands on the stem: `stacks` are those of `count` frames on top of `root`, the stem's and further ones,
 * the outermost first. Where all of the further ones were left out, it is that of the frame which was last seen in their
 * place: they have just called it, or it has just returned to them. If none was, the mark [profiler] is in its place. Tells
 * the trace which stack the stem is, if it is another one by now. Of one that is open; `thread` is the number in the
 * recorder of the line of time that it is the stem of. SL_NONE when memory is exhausted. */
sl_stack sl_host_recording_on_stem(struct sl_host_recording *recording, uint32_t thread, sl_stack root,
                                   const sl_stack *stacks, size_t count);

/* What a thread does, with the task that it runs (as in struct sl_walk); 0: none. Of one that is open. */
sl_state sl_host_recording_state(struct sl_host_recording *recording, const struct sl_python *python,
                                 struct sl_recording_thread *thread, sl_state state, uint64_t task, uint32_t code);

/* The stack of what is known to stand on top of `frames`; SL_NONE when memory is exhausted. Of one that is open. */
sl_stack sl_host_recording_stack(struct sl_host_recording *recording, sl_stack frames, enum sl_host_top top);

/* So many looks were repeated. */
void sl_host_recording_retried(struct sl_host_recording *recording, uint64_t retried);

/* What the look that is due stands for was not seen. Not for SL_HOST_THREADS. */
void sl_host_recording_miss(struct sl_host_recording *recording);

/* Ends it, after its last look; `sampler_cpu_ns` as above. */
bool sl_host_recording_close(struct sl_host_recording *recording, struct sl_host_target *target, uint64_t now_ns,
                             uint64_t sampler_cpu_ns, struct sl_error *error);

/* The same for one whose trace nobody wants. */
void sl_host_recording_abandon(struct sl_host_recording *recording, struct sl_host_target *target, uint64_t now_ns);
void sl_host_recording_destroy(struct sl_host_recording *recording);

/* What the look that is due stands for, on the recording's clock. */
struct sl_span sl_host_span(const struct sl_host_recording *recording);

#endif
