#include "extension/forks.h"

#include "sampler/host.h"
#include "target/own.h"

#include <Python.h>

#include <unistd.h>

static PyObject *before_fork(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    sl_host_before_fork();
    Py_RETURN_NONE;
}

static int resume(void *ignored)
{
    (void)ignored;
    sl_host_resume();
    return 0;
}

/* Recordings go on as soon as os.fork has returned, which is when the interpreter runs what is pending: only then has it
 * counted the threads. Where there is no room for that, they go on at once, at the price of a warning. */
static PyObject *after_fork_in_parent(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    sl_host_after_fork_in_parent();
    if (sl_own_thread_id() != getpid() || Py_AddPendingCall(resume, NULL) != 0) {
        sl_host_resume();
    }
    Py_RETURN_NONE;
}

static PyObject *after_fork_in_child(PyObject *self, PyObject *ignored)
{
    (void)self;
    (void)ignored;
    sl_host_after_fork_in_child();
    Py_RETURN_NONE;
}

static PyMethodDef fork_methods[] = {
    {"before_fork", before_fork, METH_NOARGS, NULL},
    {"after_fork_in_parent", after_fork_in_parent, METH_NOARGS, NULL},
    {"after_fork_in_child", after_fork_in_child, METH_NOARGS, NULL},
};

bool sl_forks_setup(void)
{
    static const char *const names[] = {"before", "after_in_parent", "after_in_child"};
    PyObject *os = PyImport_ImportModule("os");
    PyObject *hook_register = os != NULL ? PyObject_GetAttrString(os, "register_at_fork") : NULL;
    PyObject *hooks = hook_register != NULL ? PyDict_New() : NULL;
    PyObject *nothing = hooks != NULL ? PyTuple_New(0) : NULL;
    bool ok = nothing != NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && ok; i++) {
        PyObject *function = PyCFunction_New(&fork_methods[i], NULL);
        ok = function != NULL && PyDict_SetItemString(hooks, names[i], function) == 0;
        Py_XDECREF(function);
    }
    PyObject *result = ok ? PyObject_Call(hook_register, nothing, hooks) : NULL;
    ok = result != NULL;
    Py_XDECREF(result);
    Py_XDECREF(nothing);
    Py_XDECREF(hooks);
    Py_XDECREF(hook_register);
    Py_XDECREF(os);
    return ok;
}
