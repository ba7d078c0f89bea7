/* recording.h - the type `Recording` of the extension module: a recording of this process, as Python sees it.
 *
 * Recording(interval_ns, scope, *, description=None, coroutine=None, task=None, trim=True, contexts=True, first_ns=0), where
 * scope is "threads", "thread" or "task" (sampler/host.h says what they are), without `contexts` nothing marks a context, and
 * with `first_ns` it is deferred; start(skip=0), stop(skip=0), discard(), trace(), progress(), running. */
#ifndef SL_EXTENSION_RECORDING_H
#define SL_EXTENSION_RECORDING_H

#include "extension/state.h"

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

/* Makes the type and adds it to the module. -1 with an exception set when that fails. */
int sl_recording_setup(PyObject *module, struct sl_recording_state *state);

/* For the module's m_traverse and m_clear. */
int sl_recording_traverse(struct sl_recording_state *state, visitproc visit, void *arg);
void sl_recording_clear(struct sl_recording_state *state);

/* What a deferred recording is to be; borrowed references. */
struct sl_recording_request {
    uint64_t interval_ns, first_ns;
    bool task;             /* of the task or greenlet that runs, else of the thread; */
    PyObject *coroutine;   /* of that task's; NULL: none */
    PyObject *description; /* str */
    PyObject *caller;      /* the frame of the running stack that its stacks begin at */
};

/* A deferred recording that runs: what `Recording(...)` and `start(caller)` give, at a fraction of the price. NULL with an
 * exception set. */
PyObject *sl_recording_begin(struct sl_recording_state *state, const struct sl_recording_request *request);

/* What `discard()` does. */
void sl_recording_discard(struct sl_recording_state *state, PyObject *recording);

/* How many samples it has taken so far. */
uint64_t sl_recording_samples(PyObject *recording);

#endif
