/* subject.h - one Python process under observation: its threads, and what each does when it is looked at.
 *
 * Knows nothing of recordings: what a walk saw goes to a viewer, so that one look can serve several. A thread here is
 * one of the kernel's; the thread states of the interpreter that it runs (one, more with subinterpreters) are its
 * strands.
 *
 * What a thread does and its stack are made one observation: a thread that waits is asked after the walk whether it
 * ran meanwhile, and if so is looked at again. A thread that waited at the last look and was not put on a CPU since is
 * still where it was, so it costs one read and no walk; of many that have waited for long, not even that (quiet.h). */
#ifndef SL_SAMPLER_SUBJECT_H
#define SL_SAMPLER_SUBJECT_H

#include "cpython/python.h"
#include "profile/state.h"
#include "sampler/quiet.h"
#include "target/image.h"
#include "target/threads.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Thread states that one OS thread may have at a time: one for each interpreter it has entered. Of more, those of the
 * interpreters that were made last are left out. */
#define SL_STRANDS_MAX 4

struct sl_subject_thread {
    struct sl_thread thread;
    bool main;
    bool ended;
    uint64_t cpu_ns;                    /* used since its start, as last read */
    sl_state state;                     /* as of the last look */
    struct sl_thread_activity activity; /* what `state` says it waits in, with the call's arguments */
    void *viewer;                       /* the viewer's own; NULL in a new thread */

    struct sl_subject_strand {
        struct sl_python_thread python;
        uint64_t serial; /* names this thread state among all that were ever seen here */
        uint64_t gil_begin, gil_end;
    } strands[SL_STRANDS_MAX]; /* the main interpreter's first: what it calls runs on top of it */
    size_t strand_count;

    bool settled;  /* it waited at the last look, and was walked while it did */
    uint64_t runs; /* as of that look */

    uint64_t lively_until_ns;      /* it has moved not long ago; see quiet.h */
    struct sl_thread_runs counted; /* what is known to be its of the process's CPU time */
};

struct sl_subject {
    struct sl_process *process;
    struct sl_python *python;
    struct sl_threads threads;
    struct sl_image image;
    bool own; /* the process is ours: it never waits */
    bool main_thread_only;
    bool states;

    struct sl_subject_thread **all; /* owned, in order of first sight */
    size_t count;
    size_t capacity;

    struct sl_python_thread *listed; /* the interpreter's list as last read */
    size_t listed_count;
    size_t listed_capacity;
    uint64_t list_due_ns;  /* when it is read in any case, */
    uint64_t begun_due_ns; /* and from when on if a thread has begun, where that is told without reading it */
    uint64_t list_cost_ns; /* of reading it, as far as is believed */
    bool list_open;        /* in this sweep, nothing has told yet whether the list is as it was */
    uint64_t image_due_ns;
    uint64_t next_serial;
    uint64_t sweep_ns;
    struct sl_quiet quiet;
    bool quiet_wait;      /* in this sweep all threads that sl_quiet_has of wait still */
    unsigned pauses_left; /* in this sweep; see PAUSES_MAX */
    uint64_t retried;     /* walks that were repeated */
};

/* The process and python are borrowed. False when the process is gone or memory is exhausted. */
bool sl_subject_open(struct sl_subject *subject, struct sl_process *process, struct sl_python *python,
                     size_t *descriptors_left, bool main_thread_only, bool states);
void sl_subject_close(struct sl_subject *subject);

enum sl_sight {
    SL_SIGHT_SAME = 0, /* stack and state are as at the last look */
    SL_SIGHT_STACK,    /* the viewer was given a walk of each strand that has frames */
    SL_SIGHT_EMPTY,    /* no Python frame */
    SL_SIGHT_BROKEN,   /* inconsistent after all retries */
    SL_SIGHT_TOO_DEEP, /* the stack is deeper than stacks are followed (python.h) */
    SL_SIGHT_MISSED,   /* could not be read */
    SL_SIGHT_ENDED,    /* the thread has ended */
    SL_SIGHT_GONE,     /* the process has ended, or is another program now */
};

/* Given each walk that succeeded, whether or not the look that it belongs to is then repeated: frames are told relative
 * to the walk before. `first` with the first strand that has frames. The frames stay until the thread is looked at again,
 * or the next sweep. */
struct sl_viewer {
    void *context;
    void (*walked)(void *context, struct sl_subject_thread *thread, size_t strand, bool first,
                   const struct sl_walk *walk);
};

/* Begins a sweep over all threads: brings `all` up to date. Threads are not looked at here. SL_SIGHT_SAME, or
 * SL_SIGHT_GONE. Lists are read as often as costs no more than 5 % of the time; long ones, as long as no thread begins, half a
 * percent. */
enum sl_sight sl_subject_sweep(struct sl_subject *subject, uint64_t now_ns);

/* The same, but a short list of threads is only looked at along with the first stack, which is cheaper: threads that
 * have come since are added to `all` while the sweep goes on. `sl_subject_end` must be called after all threads were
 * looked at: it reads the list if no stack was walked, and so may add threads too. Both SL_SIGHT_SAME, or SL_SIGHT_GONE. */
enum sl_sight sl_subject_begin(struct sl_subject *subject, uint64_t now_ns);
enum sl_sight sl_subject_end(struct sl_subject *subject);

/* Looks at one thread. */
enum sl_sight sl_subject_look(struct sl_subject *subject, struct sl_subject_thread *thread,
                              const struct sl_viewer *viewer);

/* Whoever sees them next has not seen what they did at the last look: it is told of each, never SL_SIGHT_SAME. */
void sl_subject_tell_anew(struct sl_subject *subject);

/* Frees the threads that have ended, whose `viewer` must not be needed any more. */
void sl_subject_forget(struct sl_subject *subject);

#endif
