/* recording.h - the type `Recording` of the extension module: a recording of this process, as Python sees it.
 *
 * Recording(interval_ns, scope, *, description=None, coroutine=None, task=None, trim=True, contexts=True, first_ns=0), where
 * scope is "threads", "thread" or "task" (sampler/host.h says what they are), without `contexts` nothing marks a context, and
 * with `first_ns` it is deferred; start(skip=0), stop(skip=0), discard(), trace(), progress(), running. */
#ifndef SL_EXTENSION_RECORDING_H
#define SL_EXTENSION_RECORDING_H

#include <Python.h>

#include <stdbool.h>

/* What the module keeps for recordings; part of its state. Owned references. */
struct sl_recording_state {
    PyObject *type;       /* Recording */
    PyObject *token_type; /* of what the variable holds */
    PyObject *variable;   /* the ContextVar that marks what belongs to a recording */
    PyObject *frame_type; /* types.FrameType */
    PyObject *name_get, *name_set, *name_reset, *name_old_value, *name_f_back;
};

/* Makes the types, adds `Recording` to the module and registers what is to be done around os.fork. -1 with an exception
 * set when that fails. */
int sl_recording_setup(PyObject *module, struct sl_recording_state *state);

/* For the module's m_traverse and m_clear. */
int sl_recording_traverse(struct sl_recording_state *state, visitproc visit, void *arg);
void sl_recording_clear(struct sl_recording_state *state);

/* Where a type of this module finds that state: to be provided by module.c. NULL with an exception set on failure. */
struct sl_recording_state *sl_module_recording_state(PyObject *module);

#endif
