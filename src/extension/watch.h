/* watch.h - the type `Watch` of the extension module: a request that nobody asked to profile, recorded to see whether it is
 * worth keeping. That is every request, and few are kept, so beginning and ending one costs as little as can be;
 * python/stacklapse/_native.pyi says what each method does.
 *
 * A Watch is what Django's middleware holds; WSGIWatch (watch_wsgi.h) and ASGIWatch (watch_asgi.h) are Watches that stand
 * between a server and an application. */
#ifndef SL_EXTENSION_WATCH_H
#define SL_EXTENSION_WATCH_H

#include "extension/running_task.h"

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

/* What the module keeps for them; part of its state. Owned references. */
struct sl_watch_state {
    PyObject *watches_type, *watch_type, *wsgi_type, *asgi_type;
    PyObject *name_type, *name_status, *name_method, *name_close, *name_length; /* interned */
    PyObject *name_request_method, *name_werkzeug_request, *name_file_wrapper;
};

/* The beginning of every kind of Watch. */
struct sl_watch {
    PyObject_HEAD;
    PyObject *watches;                /* that it is one of; owned. NULL once it is none any more */
    struct sl_watch *previous, *next; /* of those that run; borrowed */
    PyObject *recording;              /* NULL: it has ended, or was taken */
    PyObject *session;                /* what was recorded until a limit was reached; NULL: none was */
    PyObject *method;
    uint64_t started_ns;
    bool sampled; /* to be kept however it goes */
    bool in_task; /* it runs in a task or greenlet, and shares its thread with others */
};

/* Makes the types and adds them to the module. False with an exception set when that fails. */
bool sl_watch_setup(PyObject *module, struct sl_watch_state *state);
int sl_watch_state_traverse(struct sl_watch_state *state, visitproc visit, void *arg);
void sl_watch_state_clear(struct sl_watch_state *state);

/* The request has ended. It is forgotten, or handed to the function `keep` of its Watches, with what `subject` says of it
 * (borrowed; NULL: None). `error` may be NULL. A second time does nothing. An exception that is set stays. A failure of
 * `keep` is told; false, with it set, when it raised what is no Exception and is to end the program. */
bool sl_watch_end(struct sl_watch *watch, long status, PyObject *error, PyObject *subject);

/* For the types that are more than a Watch: `tp_traverse` and `tp_dealloc` end with these. `tp_clear` begins with it, because
 * whatever is released may ask for the Watches that run, and this is none any more. */
int sl_watch_traverse(struct sl_watch *watch, visitproc visit, void *arg);
void sl_watch_clear(struct sl_watch *watch);
void sl_watch_free(struct sl_watch *watch);

/* What the module of an object of one of these types keeps. NULL with an exception set on failure. */
struct sl_watch_state *sl_watch_state_of(PyObject *self);

/* Where a type of this module finds what is kept: to be provided by module.c. NULL with an exception set on failure. */
struct sl_watch_state *sl_module_watch_state(PyObject *module);
const struct sl_running_task_names *sl_module_tasks(PyObject *module);

#endif
