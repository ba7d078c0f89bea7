/* tasks.h - the task or greenlet that runs where a recording is started: asyncio's, trio's, a greenlet. Of a library that
 * was not imported, nothing runs. */
#ifndef SL_EXTENSION_TASKS_H
#define SL_EXTENSION_TASKS_H

#include <Python.h>

#include <stdbool.h>

/* What the module keeps for it; part of its state. Interned names, owned. */
struct sl_tasks {
    PyObject *names[10];
};

struct sl_task {
    bool runs;
    PyObject *coroutine; /* the task's outermost; NULL: it has none (a greenlet). Owned */
    PyObject *object;    /* the task; NULL for a greenlet. Owned */
};

/* False with an exception set when memory is exhausted. */
bool sl_tasks_setup(struct sl_tasks *tasks);
void sl_tasks_clear(struct sl_tasks *tasks);

/* What runs in the calling thread. False with an exception set, of which the program is the author: it may have tasks of
 * its own making. */
bool sl_tasks_current(const struct sl_tasks *tasks, struct sl_task *task);
void sl_task_release(struct sl_task *task);

/* (runs, coroutine, task) for Python: `current_task()`. */
PyObject *sl_tasks_current_tuple(const struct sl_tasks *tasks);

#endif
