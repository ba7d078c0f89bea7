/* dump.h - what every thread of a Python process is doing now, once.
 *
 * Nothing holds still: each stack is of one instant together with what its thread does, but the threads are looked at
 * one after another, some microseconds apart. */
#ifndef SL_SAMPLER_DUMP_H
#define SL_SAMPLER_DUMP_H

#include "base/error.h"
#include "cpython/python.h"
#include "profile/state.h"
#include "target/process.h"
#include "target/threads.h"

#include <stdbool.h>
#include <stddef.h>

struct sl_dump_thread {
    pid_t id;
    bool main;
    bool consistent; /* false: the stack changed faster than it could be read, or could not be read at all, or: */
    bool too_deep;   /* it is deeper than stacks are followed (python.h) */
    char name[SL_THREAD_NAME_MAX]; /* as the kernel has it; "" when it has none of its own */
    sl_state state;
    struct sl_thread_activity activity; /* what it waits in, when `state` says that it waits */
    enum sl_thread_stop stop;           /* what made it stop, whatever `state` says that it waits in */
    struct sl_frame *frames;            /* outermost first; owned */
    size_t count;
};

struct sl_dump {
    struct sl_python *python;       /* knows the code of the frames (sl_python_code); owned */
    struct sl_dump_thread *threads; /* the main thread first, the others in order of their ids; owned */
    size_t count;
};

/* Looks at all threads of `process`, which is borrowed for the dump's life. As sl_python_attach on failure. To be
 * destroyed in either case. */
bool sl_dump_take(struct sl_dump *dump, struct sl_process *process, struct sl_error *error);
void sl_dump_destroy(struct sl_dump *dump);

#endif
