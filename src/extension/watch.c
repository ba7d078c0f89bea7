#include "extension/watch.h"

#include "extension/recording.h"
#include "extension/state.h"
#include "target/clock.h"

/* Ends the recording without a result, if it was not taken. Leaves exceptions as they are. */
static void discard(struct sl_watch *watch)
{
    PyObject *recording = watch->recording;
    watch->recording = NULL;
    if (recording == NULL) {
        return;
    }
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    struct sl_module_state *state = sl_module_state_of((PyObject *)watch);
    if (state != NULL) {
        sl_recording_discard(&state->recording, recording);
    }
    Py_DECREF(recording);
    PyErr_Restore(type, value, traceback);
}

/* What `keep` raised, on top of what was pending, which is given away. What is no more than a failure is told; false, with
 * it set again, when it is to end the program (KeyboardInterrupt). */
static bool keep_failed(PyObject *keep, PyObject *type, PyObject *value, PyObject *traceback)
{
    if (PyErr_ExceptionMatches(PyExc_Exception)) {
        PyErr_WriteUnraisable(keep);
        PyErr_Restore(type, value, traceback);
        return true;
    }
    PyObject *raised[3];
    PyErr_Fetch(&raised[0], &raised[1], &raised[2]);
    PyErr_NormalizeException(&raised[0], &raised[1], &raised[2]);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (raised[1] != NULL && value != NULL) {
        PyException_SetContext(raised[1], Py_NewRef(value));
    }
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(traceback);
    PyErr_Restore(raised[0], raised[1], raised[2]);
    return false;
}

bool sl_watch_end(struct sl_watch *watch, long status, PyObject *error, PyObject *subject)
{
    struct sl_watches *watches = sl_watches_take_out(watch);
    if (watches == NULL) {
        return true;
    }
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    uint64_t spent_ns = sl_clock_now_ns() - watch->started_ns;
    const char *why = sl_watches_reason(watches, watch, error != NULL || status >= 500, spent_ns);
    PyObject *keep = why != NULL ? Py_XNewRef(watches->keep) : NULL;
    PyObject *kept = NULL;
    if (keep != NULL) {
        kept = PyObject_CallFunction(keep, "OlOsdO", (PyObject *)watch, status, error != NULL ? error : Py_None, why,
                                     (double)spent_ns / 1e9, subject != NULL ? subject : Py_None);
    }
    bool ended = true;
    if (keep != NULL && kept == NULL) {
        ended = keep_failed(keep, type, value, traceback);
    } else {
        PyErr_Restore(type, value, traceback);
    }
    Py_XDECREF(kept);
    Py_XDECREF(keep);
    discard(watch);
    Py_CLEAR(watch->session);
    Py_DECREF((PyObject *)watches);
    return ended;
}

static PyObject *end(PyObject *self, PyObject *arguments)
{
    long status;
    PyObject *error;
    PyObject *subject = NULL;
    if (!PyArg_ParseTuple(arguments, "lO|O:end", &status, &error, &subject)) {
        return NULL;
    }
    bool ended = sl_watch_end((struct sl_watch *)self, status, error != Py_None ? error : NULL, subject);
    return ended ? Py_NewRef(Py_None) : NULL;
}

static PyObject *take(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct sl_watch *watch = (struct sl_watch *)self;
    PyObject *recording = watch->recording;
    watch->recording = NULL;
    sl_watches_uncount(watch);
    return recording != NULL ? recording : Py_NewRef(Py_None);
}

static PyObject *get_method(PyObject *self, void *ignored)
{
    (void)ignored;
    const struct sl_watch *watch = (struct sl_watch *)self;
    return Py_NewRef(watch->method != NULL ? watch->method : Py_None);
}

static PyObject *get_seconds(PyObject *self, void *ignored)
{
    (void)ignored;
    return PyFloat_FromDouble((double)(sl_clock_now_ns() - ((struct sl_watch *)self)->started_ns) / 1e9);
}

static PyObject *get_samples(PyObject *self, void *ignored)
{
    (void)ignored;
    const struct sl_watch *watch = (struct sl_watch *)self;
    return PyLong_FromUnsignedLongLong(watch->recording != NULL ? sl_recording_samples(watch->recording) : 0);
}

static PyObject *get_in_task(PyObject *self, void *ignored)
{
    (void)ignored;
    return PyBool_FromLong(((struct sl_watch *)self)->in_task);
}

static PyObject *get_session(PyObject *self, void *ignored)
{
    (void)ignored;
    const struct sl_watch *watch = (struct sl_watch *)self;
    return Py_NewRef(watch->session != NULL ? watch->session : Py_None);
}

static int set_session(PyObject *self, PyObject *session, void *ignored)
{
    (void)ignored;
    struct sl_watch *watch = (struct sl_watch *)self;
    PyObject *before = watch->session;
    watch->session = Py_XNewRef(session);
    Py_XDECREF(before);
    return 0;
}

int sl_watch_traverse(struct sl_watch *watch, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE((PyObject *)watch));
    Py_VISIT(watch->watches);
    Py_VISIT(watch->recording);
    Py_VISIT(watch->session);
    return 0;
}

/* One that is dropped while it runs, because a server did not end its request, is forgotten. */
void sl_watch_clear(struct sl_watch *watch)
{
    struct sl_watches *watches = sl_watches_take_out(watch);
    discard(watch);
    Py_CLEAR(watch->session);
    Py_XDECREF((PyObject *)watches);
}

void sl_watch_free(struct sl_watch *watch)
{
    PyTypeObject *type = Py_TYPE((PyObject *)watch);
    PyObject_GC_UnTrack((PyObject *)watch);
    sl_watch_clear(watch);
    Py_CLEAR(watch->method);
    freefunc free_object = (freefunc)PyType_GetSlot(type, Py_tp_free);
    free_object(watch);
    Py_DECREF(type);
}

static int traverse_watch(PyObject *self, visitproc visit, void *arg)
{
    return sl_watch_traverse((struct sl_watch *)self, visit, arg);
}

static int clear_watch(PyObject *self)
{
    sl_watch_clear((struct sl_watch *)self);
    return 0;
}

static void deallocate_watch(PyObject *self)
{
    sl_watch_free((struct sl_watch *)self);
}

PyObject *sl_watch_type(PyObject *module)
{
    static PyMethodDef methods[] = {
        {"end", end, METH_VARARGS,
         "end($self, status, error, subject=None, /)\n--\n\nThe request has ended, with this status (0: none was "
         "given) and this error or None. A second time does nothing."},
        {"take", take, METH_NOARGS,
         "take($self, /)\n--\n\nThe recording, to whom it belongs from then on; None when it was taken or has ended."},
        {0},
    };
    static PyGetSetDef attributes[] = {
        {"method", get_method, NULL, "That of the request.", NULL},
        {"seconds", get_seconds, NULL, "Since its begin.", NULL},
        {"samples", get_samples, NULL, "Taken so far.", NULL},
        {"in_task", get_in_task, NULL, "Whether it runs in a task or greenlet.", NULL},
        {"session", get_session, set_session, "What was recorded until a limit was reached, or None.", NULL},
        {0},
    };
    PyType_Slot slots[] = {
        {Py_tp_dealloc, (void *)deallocate_watch},
        {Py_tp_traverse, (void *)traverse_watch},
        {Py_tp_clear, (void *)clear_watch},
        {Py_tp_methods, methods},
        {Py_tp_getset, attributes},
        {Py_tp_doc, (void *)"A request that is recorded to see whether it is worth keeping."},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "stacklapse._native.Watch",
        .basicsize = sizeof(struct sl_watch),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE |
                 Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };
    return PyType_FromModuleAndSpec(module, &spec, NULL);
}
