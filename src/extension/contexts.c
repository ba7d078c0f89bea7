#include "extension/contexts.h"

#include "extension/raise.h"
#include "extension/token.h"
#include "sampler/host.h"

#include <unistd.h>

bool sl_contexts_setup(PyObject *module, struct sl_contexts *contexts)
{
    PyObject *contextvars = PyImport_ImportModule("contextvars");
    if (contextvars == NULL) {
        return false;
    }
    contexts->variable = PyObject_CallMethod(contextvars, "ContextVar", "s", "stacklapse");
    Py_DECREF(contextvars);
    contexts->name_get = PyUnicode_InternFromString("get");
    contexts->name_set = PyUnicode_InternFromString("set");
    contexts->name_reset = PyUnicode_InternFromString("reset");
    contexts->name_old_value = PyUnicode_InternFromString("old_value");
    bool named = contexts->name_get != NULL && contexts->name_set != NULL && contexts->name_reset != NULL &&
                 contexts->name_old_value != NULL;
    contexts->token_type = contexts->variable != NULL && named ? sl_token_type(module) : NULL;
    return contexts->token_type != NULL;
}

int sl_contexts_traverse(struct sl_contexts *contexts, visitproc visit, void *arg)
{
    Py_VISIT(contexts->token_type);
    Py_VISIT(contexts->variable);
    return 0;
}

void sl_contexts_clear(struct sl_contexts *contexts)
{
    Py_CLEAR(contexts->token_type);
    Py_CLEAR(contexts->variable);
    Py_CLEAR(contexts->name_get);
    Py_CLEAR(contexts->name_set);
    Py_CLEAR(contexts->name_reset);
    Py_CLEAR(contexts->name_old_value);
}

/* Runs within the context whose address is given. */
static PyObject *check_entered_context(PyObject *self, PyObject *address)
{
    (void)self;
    struct sl_error error = {0};
    uint64_t context = PyLong_AsUnsignedLongLong(address);
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    return sl_host_check_context(context, &error) ? Py_NewRef(Py_None) : sl_extension_raise(&error);
}

static PyMethodDef check_method = {"check_entered_context", check_entered_context, METH_O, NULL};

/* By entering one that is known. */
bool sl_contexts_check(void)
{
    /* In a child of fork(2) the sampler has forgotten where it is. */
    static pid_t checked_in;
    if (checked_in == getpid()) {
        return true;
    }
    PyObject *contextvars = PyImport_ImportModule("contextvars");
    PyObject *context = contextvars != NULL ? PyObject_CallMethod(contextvars, "Context", NULL) : NULL;
    PyObject *check = context != NULL ? PyCFunction_New(&check_method, NULL) : NULL;
    PyObject *result = NULL;
    if (check != NULL) {
        result = PyObject_CallMethod(context, "run", "OK", check, (unsigned long long)(uintptr_t)context);
    }
    bool checked = result != NULL;
    checked_in = checked ? getpid() : checked_in;
    Py_XDECREF(result);
    Py_XDECREF(check);
    Py_XDECREF(context);
    Py_XDECREF(contextvars);
    return checked;
}

/* What the variable holds in the current context; NULL without an exception when it holds nothing. New reference. */
static PyObject *held(const struct sl_contexts *contexts)
{
    PyObject *value = PyObject_CallMethodObjArgs(contexts->variable, contexts->name_get, Py_None, NULL);
    if (value == Py_None) {
        Py_DECREF(value);
        return NULL;
    }
    return value;
}

bool sl_contexts_mark(const struct sl_contexts *contexts, struct sl_mark *mark)
{
    PyObject *before = held(contexts);
    if (before == NULL && PyErr_Occurred() != NULL) {
        return false;
    }
    mark->token = sl_token_create(contexts->token_type, before);
    Py_XDECREF(before);
    if (mark->token != NULL) {
        mark->set = PyObject_CallMethodObjArgs(contexts->variable, contexts->name_set, mark->token, NULL);
    }
    return mark->set != NULL;
}

/* Lets the variable hold what it held before the mark, or the innermost of that which still runs. */
static void put_back(const struct sl_contexts *contexts, const struct sl_mark *mark)
{
    PyObject *old = PyObject_GetAttr(mark->set, contexts->name_old_value);
    PyObject *outer = old != NULL ? sl_token_running(contexts->token_type, old) : NULL;
    PyObject *result = NULL;
    if (old != NULL && (outer != NULL || Py_TYPE(old) == (PyTypeObject *)contexts->token_type)) {
        result =
            PyObject_CallMethodObjArgs(contexts->variable, contexts->name_set, outer != NULL ? outer : Py_None, NULL);
    } else {
        result = PyObject_CallMethodObjArgs(contexts->variable, contexts->name_reset, mark->set, NULL);
    }
    Py_XDECREF(result);
    Py_XDECREF(old);
}

void sl_contexts_unmark(const struct sl_contexts *contexts, struct sl_mark *mark)
{
    if (mark->token == NULL) {
        return;
    }
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    sl_token_end(mark->token);
    PyObject *now = held(contexts);
    if (now == mark->token && mark->set != NULL) {
        put_back(contexts, mark);
    }
    Py_XDECREF(now);
    Py_CLEAR(mark->set);
    Py_CLEAR(mark->token);
    PyErr_Restore(type, value, traceback);
}
