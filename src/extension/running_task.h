/* running_task.h - the task or greenlet that runs where a recording is started: asyncio's, trio's, a greenlet. Of a library
 * that was not imported, nothing runs. */
#ifndef SL_EXTENSION_RUNNING_TASK_H
#define SL_EXTENSION_RUNNING_TASK_H

#include "extension/state.h"

#include <Python.h>

#include <stdbool.h>

struct sl_running_task {
    bool runs;
    PyObject *coroutine; /* the task's outermost; NULL: it has none (a greenlet). Owned */
    PyObject *object;    /* the task; NULL for a greenlet. Owned */
};

/* False with an exception set when memory is exhausted. */
bool sl_running_task_setup(struct sl_running_task_names *tasks);
void sl_running_task_clear(struct sl_running_task_names *tasks);

/* What runs in the calling thread. False with an exception set, of which the program is the author: it may have tasks of
 * its own making. */
bool sl_running_task_find(const struct sl_running_task_names *tasks, struct sl_running_task *task);
void sl_running_task_release(struct sl_running_task *task);

/* (runs, coroutine, task) for Python: `current_task()`. */
PyObject *sl_running_task_tuple(const struct sl_running_task_names *tasks);

#endif
