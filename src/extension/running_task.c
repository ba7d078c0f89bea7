#include "extension/running_task.h"

enum {
    ASYNCIO,
    GET_RUNNING_LOOP,
    CURRENT_TASK,
    GET_CORO,
    TRIO,
    LOWLEVEL,
    CORO,
    GREENLET,
    GETCURRENT,
    PARENT,
    NAMES,
};

static const char *const texts[] = {
    "asyncio", "_get_running_loop", "current_task", "get_coro", "trio", "lowlevel",
    "coro",    "greenlet",          "getcurrent",   "parent",
};

_Static_assert(sizeof texts / sizeof texts[0] == NAMES &&
                   sizeof((struct sl_running_task_names *)0)->names / sizeof(PyObject *) == NAMES,
               "every name has a place");

bool sl_running_task_setup(struct sl_running_task_names *tasks)
{
    for (int i = 0; i < NAMES; i++) {
        tasks->names[i] = PyUnicode_InternFromString(texts[i]);
        if (tasks->names[i] == NULL) {
            return false;
        }
    }
    return true;
}

void sl_running_task_clear(struct sl_running_task_names *tasks)
{
    for (int i = 0; i < NAMES; i++) {
        Py_CLEAR(tasks->names[i]);
    }
}

void sl_running_task_release(struct sl_running_task *task)
{
    Py_CLEAR(task->coroutine);
    Py_CLEAR(task->object);
}

/* Nothing was found, and that is no failure: a library answers so where nothing of it runs, and one that is being imported
 * lacks its functions. Other exceptions stay. */
static bool none(void)
{
    if (PyErr_ExceptionMatches(PyExc_RuntimeError) || PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        return true;
    }
    return false;
}

/* A module that was imported; NULL without an exception if it was not. One that another thread is importing is not waited
 * for, as PyImport_GetModule would. */
static PyObject *imported(PyObject *name)
{
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *module = modules != NULL && PyDict_Check(modules) ? PyDict_GetItemWithError(modules, name) : NULL;
    return module != Py_None ? Py_XNewRef(module) : NULL;
}

/* Without the coroutine that a task of the program's own making does not have. */
static PyObject *or_null(PyObject *object)
{
    if (object == Py_None) {
        Py_CLEAR(object);
    }
    return object;
}

static bool find_asyncio(const struct sl_running_task_names *tasks, struct sl_running_task *task)
{
    PyObject *asyncio = imported(tasks->names[ASYNCIO]);
    if (asyncio == NULL) {
        return PyErr_Occurred() == NULL;
    }
    /* Without a loop in this thread, the usual question is answered by an exception. */
    PyObject *loop = PyObject_CallMethodObjArgs(asyncio, tasks->names[GET_RUNNING_LOOP], NULL);
    PyObject *found = NULL;
    if (loop != NULL && loop != Py_None) {
        found = PyObject_CallMethodObjArgs(asyncio, tasks->names[CURRENT_TASK], loop, NULL);
    }
    Py_XDECREF(loop);
    Py_DECREF(asyncio);
    if (found == NULL || found == Py_None) {
        Py_XDECREF(found);
        return PyErr_Occurred() == NULL || none();
    }
    task->runs = true;
    task->object = found;
    task->coroutine = or_null(PyObject_CallMethodObjArgs(found, tasks->names[GET_CORO], NULL));
    /* Not asyncio's own, but an object of somebody's that it was told to take for one. */
    return PyErr_Occurred() == NULL || none();
}

static bool find_trio(const struct sl_running_task_names *tasks, struct sl_running_task *task)
{
    PyObject *trio = imported(tasks->names[TRIO]);
    if (trio == NULL) {
        return PyErr_Occurred() == NULL;
    }
    PyObject *lowlevel = PyObject_GetAttr(trio, tasks->names[LOWLEVEL]);
    Py_DECREF(trio);
    PyObject *found = lowlevel != NULL ? PyObject_CallMethodObjArgs(lowlevel, tasks->names[CURRENT_TASK], NULL) : NULL;
    Py_XDECREF(lowlevel);
    task->coroutine = found != NULL ? or_null(PyObject_GetAttr(found, tasks->names[CORO])) : NULL;
    if (PyErr_Occurred() != NULL) {
        Py_XDECREF(found);
        return none();
    }
    task->runs = true;
    task->object = found;
    return true;
}

/* The outermost one of a thread is the thread itself. */
static bool find_greenlet(const struct sl_running_task_names *tasks, struct sl_running_task *task)
{
    PyObject *greenlet = imported(tasks->names[GREENLET]);
    if (greenlet == NULL) {
        return PyErr_Occurred() == NULL;
    }
    PyObject *found = PyObject_CallMethodObjArgs(greenlet, tasks->names[GETCURRENT], NULL);
    Py_DECREF(greenlet);
    PyObject *parent = found != NULL ? PyObject_GetAttr(found, tasks->names[PARENT]) : NULL;
    Py_XDECREF(found);
    if (parent == NULL) {
        return none();
    }
    task->runs = parent != Py_None;
    Py_DECREF(parent);
    return true;
}

bool sl_running_task_find(const struct sl_running_task_names *tasks, struct sl_running_task *task)
{
    *task = (struct sl_running_task){0};
    static bool (*const finders[])(const struct sl_running_task_names *,
                                   struct sl_running_task *) = {find_asyncio, find_trio, find_greenlet};
    for (size_t i = 0; i < sizeof finders / sizeof finders[0] && !task->runs; i++) {
        if (!finders[i](tasks, task)) {
            sl_running_task_release(task);
            return false;
        }
    }
    return true;
}

PyObject *sl_running_task_tuple(const struct sl_running_task_names *tasks)
{
    struct sl_running_task task;
    if (!sl_running_task_find(tasks, &task)) {
        return NULL;
    }
    PyObject *tuple =
        Py_BuildValue("(OOO)", task.runs ? Py_True : Py_False, task.coroutine != NULL ? task.coroutine : Py_None,
                      task.object != NULL ? task.object : Py_None);
    sl_running_task_release(&task);
    return tuple;
}
