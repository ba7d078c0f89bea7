/* host.h - recordings of our own process: one native thread looks at it for as long as any recording runs.
 *
 * The thread is no Python thread: it never takes the GIL, runs no Python code and blocks every signal. It is started with
 * the first recording and is gone after the last. All recordings are served by the same looks: a thread is walked once
 * for all that are due at an instant. What is known of the interpreter is kept from one recording to the next, so that
 * starting and stopping is cheap.
 *
 * Every function here may be called from any thread; those that start, stop and look at the caller's own stack must be
 * called with the GIL held, because then that stack stands still. */
#ifndef SL_SAMPLER_HOST_H
#define SL_SAMPLER_HOST_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a recording is of. All but the first is one line of time in the recording (SL_THREAD_SCOPE): at each instant it
 * goes to one stack. */
enum sl_host_scope {
    SL_HOST_THREADS, /* every thread of the process, each for itself */
    SL_HOST_THREAD,  /* the thread that starts it, whatever context it enters, and whatever has inherited its token */
    SL_HOST_TASK,    /* the task or greenlet that starts it, and whatever has inherited its token */
};

/* A token marks a context as belonging to a recording: it is the value of a ContextVar, and whatever copies the context
 * has it, too. All that is read of it in memory is its type, its id at byte 16 and, at byte 24, the token that the
 * variable held before it, or NULL. */
#define SL_TOKEN_ID 16
#define SL_TOKEN_PARENT 24

/* When a `sparing` recording has lasted for so many of its slots, they become twice as long, and so on; */
#define SL_HOST_LOOKS_EVEN 200
/* and also while they are shorter than this for each sparing recording that has been looked at, so that all of them together
 * are looked at no more than 4,000 times a second, whatever becomes slow at once. */
#define SL_HOST_SLOT_EACH_NS 250000

struct sl_host_options {
    uint64_t interval_ns; /* SL_INTERVAL_MIN_NS to SL_INTERVAL_MAX_NS (session.h) */
    enum sl_host_scope scope;
    const char *description; /* what the recording is of, for the report; NULL: none */
    const char *task;        /* SL_HOST_TASK: what the starting task is called; NULL: it has no name */

    /* Not for SL_HOST_THREADS. Objects are given by their addresses, and must live until the recording was stopped. */
    uint64_t variable;   /* the ContextVar; 0: no context is followed */
    uint64_t token_type; /* of tokens */
    uint64_t token_id;   /* of this recording's; no other has it, ever */
    uint64_t coroutine;  /* SL_HOST_TASK: the one that the starting task runs, 0 when it runs none (a greenlet) */

    /* The caller's thread state and its interpreter, or 0: with them the list of threads need not be read again, if they
     * are known in it. */
    uint64_t thread_state;
    uint64_t interpreter;

    uint32_t skip; /* so many of the caller's innermost Python frames are those of the profiler itself */

    /* The address of a frame object of the caller's stack, or 0. With it the recording is one of many of which most are
     * discarded after a moment: starting it only takes note of it, what it needs of the interpreter is read when it is
     * looked at first, at a random instant of its first slot, of `first_ns`, and its recorder is made when it is looked at
     * once more or stopped. Stacks begin at this frame instead of the one that `skip` tells. `caller_outer` is the frame object of the frame that called it, or 0: by that the stack is known after
     * this one has returned. Both objects, `description` and `task` must live until the recording was stopped or discarded. */
    uint64_t caller, caller_outer;
    uint64_t first_ns;
    bool sparing; /* slots become longer the longer it lasts and where many last: for what nobody asked for */
    bool trim;    /* stacks begin at the frame that is then the innermost, not at the bottom of the thread's stack */
};

struct sl_host_recording;

/* Starts a recording; its time begins now. NULL with SL_ERROR_USAGE (an interval that cannot be), SL_ERROR_PERMISSION
 * (this process may not read its own memory), SL_ERROR_UNSUPPORTED (this interpreter cannot be read), SL_ERROR_SYSTEM. */
struct sl_host_recording *sl_host_start(const struct sl_host_options *options, struct sl_error *error);

/* Ends it. What runs now is looked at only if nothing was before, without the caller's `skip` innermost frames. A recording
 * that was stopped already stays as it is. False when memory is exhausted: the trace is then incomplete. */
bool sl_host_stop(struct sl_host_recording *recording, uint32_t skip, struct sl_error *error);

/* Ends it without keeping what was recorded, at a fraction of the price: for who looked only to see whether there is
 * something to see. It has no trace then. */
void sl_host_discard(struct sl_host_recording *recording);

/* Frees it. One that runs is discarded before. NULL is allowed. */
void sl_host_destroy(struct sl_host_recording *recording);

/* Whether it runs. One that ran when the process was forked does not run in the child, and never will. */
bool sl_host_running(const struct sl_host_recording *recording);

struct sl_host_progress {
    uint64_t elapsed_ns;
    uint64_t samples;
};
struct sl_host_progress sl_host_progress(const struct sl_host_recording *recording);

/* Appends the trace (docs/trace-format.md) of what was recorded so far; of one that was stopped it is complete. False
 * when memory is exhausted. */
bool sl_host_trace(struct sl_host_recording *recording, struct sl_buffer *trace);

/* To be called around fork(2), by the thread that forks. Before it the native thread ends, so that the process has one
 * thread less when it is copied. In the child no recording runs. In the parent they go on with sl_host_resume: that is
 * not part of the hook, because CPython counts the threads of the process after its hooks, to warn of them. A program
 * that forks in C may call only the child's: what ran then cannot be read there, and is never freed. */
void sl_host_before_fork(void);
void sl_host_after_fork_in_parent(void);
void sl_host_after_fork_in_child(void);
void sl_host_resume(void);

/* Makes sure that the variable of contexts is found where it is thought to be: to be called once in each process, while
 * the context object at `context` is entered in the calling thread, before the first recording that follows contexts.
 * False, with SL_ERROR_UNSUPPORTED, when this interpreter keeps it elsewhere. */
bool sl_host_check_context(uint64_t context, struct sl_error *error);

#endif
