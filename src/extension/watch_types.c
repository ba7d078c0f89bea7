#include "extension/watch_types.h"

#include "extension/watch.h"
#include "extension/watch_asgi.h"
#include "extension/watch_wsgi.h"

static PyObject *new_watches(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static const char *names[] = {"interval_ns", "first_ns", "slow_ns", "sample", "most", "tend", "keep", NULL};
    unsigned long long interval_ns;
    unsigned long long first_ns;
    PyObject *slow;
    double sample;
    Py_ssize_t most;
    PyObject *tend;
    PyObject *keep;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "$KKOdnOO:Watches", (char **)names, &interval_ns, &first_ns,
                                     &slow, &sample, &most, &tend, &keep)) {
        return NULL;
    }
    unsigned long long slow_ns = slow != Py_None ? PyLong_AsUnsignedLongLong(slow) : UINT64_MAX;
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    struct sl_watches *watches = (struct sl_watches *)allocate(type, 0);
    if (watches == NULL) {
        return NULL;
    }
    watches->interval_ns = interval_ns;
    watches->first_ns = first_ns;
    watches->slow_ns = slow_ns;
    watches->sample = sample;
    watches->most = most > 0 ? (size_t)most : 0;
    watches->tend = Py_NewRef(tend);
    watches->keep = Py_NewRef(keep);
    sl_watches_seed(watches);
    return (PyObject *)watches;
}

/* NULL without an exception is None. */
static PyObject *or_none(PyObject *watch)
{
    return watch != NULL || PyErr_Occurred() != NULL ? watch : Py_NewRef(Py_None);
}

static PyObject *begin(PyObject *self, PyObject *arguments)
{
    PyObject *method;
    PyObject *caller;
    const struct sl_module_state *state = sl_module_state_of(self);
    if (state == NULL || !PyArg_ParseTuple(arguments, "OO:begin", &method, &caller)) {
        return NULL;
    }
    return or_none(sl_watches_begin((struct sl_watches *)self, state->watch.watch_type, method, caller));
}

static PyObject *begin_wsgi(PyObject *self, PyObject *arguments)
{
    PyObject *environ;
    PyObject *start_response;
    PyObject *caller;
    const struct sl_module_state *state = sl_module_state_of(self);
    if (state == NULL || !PyArg_ParseTuple(arguments, "OOO:wsgi", &environ, &start_response, &caller)) {
        return NULL;
    }
    return or_none(sl_watch_wsgi(state, (struct sl_watches *)self, environ, start_response, caller));
}

static PyObject *begin_asgi(PyObject *self, PyObject *arguments)
{
    PyObject *scope;
    PyObject *send;
    PyObject *caller;
    const struct sl_module_state *state = sl_module_state_of(self);
    if (state == NULL || !PyArg_ParseTuple(arguments, "OOO:asgi", &scope, &send, &caller)) {
        return NULL;
    }
    return or_none(sl_watch_asgi(state, (struct sl_watches *)self, scope, send, caller));
}

static PyObject *running(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    PyObject *list = PyList_New(0);
    for (struct sl_watch *watch = ((struct sl_watches *)self)->first; watch != NULL && list != NULL;
         watch = watch->next) {
        if (PyList_Append(list, (PyObject *)watch) != 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *rest(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct sl_watches *watches = (struct sl_watches *)self;
    watches->tended = watches->tended && watches->first != NULL;
    return PyBool_FromLong(watches->first == NULL);
}

static PyObject *forget(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct sl_watches *watches = (struct sl_watches *)self;
    while (watches->first != NULL) {
        Py_XDECREF((PyObject *)sl_watches_take_out(watches->first));
    }
    watches->tended = false;
    sl_watches_seed(watches);
    Py_RETURN_NONE;
}

static int traverse_watches(PyObject *self, visitproc visit, void *arg)
{
    struct sl_watches *watches = (struct sl_watches *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(watches->tend);
    Py_VISIT(watches->keep);
    return 0;
}

static int clear_watches(PyObject *self)
{
    struct sl_watches *watches = (struct sl_watches *)self;
    Py_CLEAR(watches->tend);
    Py_CLEAR(watches->keep);
    return 0;
}

static void deallocate_watches(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear_watches(self);
    freefunc free_object = (freefunc)PyType_GetSlot(type, Py_tp_free);
    free_object(self);
    Py_DECREF(type);
}

static PyObject *watches_type(PyObject *module)
{
    static PyMethodDef methods[] = {
        {"begin", begin, METH_VARARGS,
         "begin($self, method, caller, /)\n--\n\nA Watch whose stacks begin at the frame `caller`, or None."},
        {"wsgi", begin_wsgi, METH_VARARGS,
         "wsgi($self, environ, start_response, caller, /)\n--\n\nThe same for a WSGI request."},
        {"asgi", begin_asgi, METH_VARARGS, "asgi($self, scope, send, caller, /)\n--\n\nThe same for an ASGI request."},
        {"running", running, METH_NOARGS, "running($self, /)\n--\n\nThose that have not ended."},
        {"rest", rest, METH_NOARGS,
         "rest($self, /)\n--\n\nWhether none runs. If so, `tend` is called again with the next."},
        {"forget", forget, METH_NOARGS, "forget($self, /)\n--\n\nIn a forked child: those of the parent are not here."},
        {0},
    };
    PyType_Slot slots[] = {
        {Py_tp_new, (void *)new_watches},
        {Py_tp_dealloc, (void *)deallocate_watches},
        {Py_tp_traverse, (void *)traverse_watches},
        {Py_tp_clear, (void *)clear_watches},
        {Py_tp_methods, methods},
        {Py_tp_doc, (void *)"The requests that are recorded to see whether they are worth keeping."},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "stacklapse._native.Watches",
        .basicsize = sizeof(struct sl_watches),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    return PyType_FromModuleAndSpec(module, &spec, NULL);
}

bool sl_watch_types_setup(PyObject *module, struct sl_watch_state *state)
{
    const struct {
        PyObject **name;
        const char *text;
    } names[] = {
        {&state->name_type, "type"},
        {&state->name_status, "status"},
        {&state->name_method, "method"},
        {&state->name_close, "close"},
        {&state->name_length, "__len__"},
        {&state->name_read, "read"},
        {&state->name_request_method, "REQUEST_METHOD"},
        {&state->name_werkzeug_request, "werkzeug.request"},
        {&state->name_file_wrapper, "wsgi.file_wrapper"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        *names[i].name = PyUnicode_InternFromString(names[i].text);
        if (*names[i].name == NULL) {
            return false;
        }
    }
    state->watches_type = watches_type(module);
    state->watch_type = state->watches_type != NULL ? sl_watch_type(module) : NULL;
    state->wsgi_type = state->watch_type != NULL ? sl_watch_wsgi_type(module, state->watch_type) : NULL;
    state->asgi_type = state->wsgi_type != NULL ? sl_watch_asgi_type(module, state->watch_type) : NULL;
    return state->asgi_type != NULL && PyModule_AddObjectRef(module, "Watches", state->watches_type) == 0 &&
           PyModule_AddObjectRef(module, "Watch", state->watch_type) == 0 &&
           PyModule_AddObjectRef(module, "WSGIWatch", state->wsgi_type) == 0 &&
           PyModule_AddObjectRef(module, "ASGIWatch", state->asgi_type) == 0;
}

int sl_watch_types_traverse(struct sl_watch_state *state, visitproc visit, void *arg)
{
    Py_VISIT(state->watches_type);
    Py_VISIT(state->watch_type);
    Py_VISIT(state->wsgi_type);
    Py_VISIT(state->asgi_type);
    return 0;
}

void sl_watch_types_clear(struct sl_watch_state *state)
{
    Py_CLEAR(state->watches_type);
    Py_CLEAR(state->watch_type);
    Py_CLEAR(state->wsgi_type);
    Py_CLEAR(state->asgi_type);
    Py_CLEAR(state->name_type);
    Py_CLEAR(state->name_status);
    Py_CLEAR(state->name_method);
    Py_CLEAR(state->name_close);
    Py_CLEAR(state->name_length);
    Py_CLEAR(state->name_read);
    Py_CLEAR(state->name_request_method);
    Py_CLEAR(state->name_werkzeug_request);
    Py_CLEAR(state->name_file_wrapper);
}
