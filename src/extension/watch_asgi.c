#include "extension/watch_asgi.h"

#include "extension/state.h"

struct asgi_watch {
    struct sl_watch watch;
    PyObject *scope;
    PyObject *send;
    long status; /* 0: no response has begun */
};

/* What a message says; NULL without an exception when it does not. New reference. */
static PyObject *said(PyObject *message, PyObject *name)
{
    PyObject *value = PyObject_GetItem(message, name);
    if (value == NULL) {
        PyErr_Clear(); /* what is wrong with it, the server says */
    }
    return value;
}

static void look_at(struct asgi_watch *watch, const struct sl_module_state *state, PyObject *message)
{
    PyObject *type = said(message, state->watch.name_type);
    if (type != NULL && PyUnicode_Check(type) && PyUnicode_CompareWithASCIIString(type, "http.response.start") == 0) {
        PyObject *status = said(message, state->watch.name_status);
        long number = status != NULL ? PyLong_AsLong(status) : 0;
        PyErr_Clear();
        watch->status = number > 0 ? number : 0;
        Py_XDECREF(status);
    }
    Py_XDECREF(type);
}

/* What the server's `send` gives, which is to be awaited. */
static PyObject *call(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    struct asgi_watch *watch = (struct asgi_watch *)self;
    const struct sl_module_state *state = sl_module_state_of(self);
    if (state == NULL) {
        return NULL;
    }
    if (watch->send == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the server of this request is gone");
        return NULL;
    }
    if (PyTuple_Size(arguments) > 0) {
        look_at(watch, state, PyTuple_GetItem(arguments, 0));
    }
    return PyObject_Call(watch->send, arguments, keywords);
}

static PyObject *finish(PyObject *self, PyObject *error)
{
    struct asgi_watch *watch = (struct asgi_watch *)self;
    bool ended = sl_watch_end(&watch->watch, watch->status, error != Py_None ? error : NULL, watch->scope);
    Py_CLEAR(watch->scope);
    return ended ? Py_NewRef(Py_None) : NULL;
}

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    struct asgi_watch *watch = (struct asgi_watch *)self;
    Py_VISIT(watch->scope);
    Py_VISIT(watch->send);
    return sl_watch_traverse(&watch->watch, visit, arg);
}

static int clear(PyObject *self)
{
    struct asgi_watch *watch = (struct asgi_watch *)self;
    sl_watch_clear(&watch->watch);
    Py_CLEAR(watch->scope);
    Py_CLEAR(watch->send);
    return 0;
}

static void deallocate(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    clear(self);
    sl_watch_free((struct sl_watch *)self);
}

PyObject *sl_watch_asgi_type(PyObject *module, PyObject *watch_type)
{
    static PyMethodDef methods[] = {
        {"finish", finish, METH_O, "finish($self, error, /)\n--\n\nThe application has returned, or raised `error`."},
        {0},
    };
    PyType_Slot slots[] = {
        {Py_tp_call, (void *)call},
        {Py_tp_dealloc, (void *)deallocate},
        {Py_tp_traverse, (void *)traverse},
        {Py_tp_clear, (void *)clear},
        {Py_tp_methods, methods},
        {Py_tp_doc, (void *)"A Watch that is the `send` of an ASGI application."},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "stacklapse._native.ASGIWatch",
        .basicsize = sizeof(struct asgi_watch),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };
    return PyType_FromModuleAndSpec(module, &spec, watch_type);
}

PyObject *sl_watch_asgi(const struct sl_module_state *state, struct sl_watches *watches, PyObject *scope,
                        PyObject *send, PyObject *caller)
{
    PyObject *method = PyObject_GetItem(scope, state->watch.name_method);
    if (method == NULL) {
        return NULL;
    }
    struct asgi_watch *watch = (struct asgi_watch *)sl_watches_begin(watches, state->watch.asgi_type, method, caller);
    Py_DECREF(method);
    if (watch != NULL) {
        watch->scope = Py_NewRef(scope);
        watch->send = Py_NewRef(send);
    }
    return (PyObject *)watch;
}
