#include "extension/watch_wsgi.h"

#include "extension/state.h"

#include <ctype.h>

struct wsgi_watch {
    struct sl_watch watch;
    PyObject *environ;
    PyObject *start_response;
    long status;       /* 0: no response has begun */
    PyObject *request; /* Werkzeug's, which Flask takes out of the environ at the request's end; NULL: there is none */
    PyObject *body;    /* that is passed on; NULL: none is, */
    PyObject *parts;   /* and the iterator over it */
    PyObject *error;   /* that left the application; NULL: none has */
};

/* Of the environ, which is a dict by PEP 3333; NULL without an exception if it has none. New reference. */
static PyObject *found(const struct wsgi_watch *watch, PyObject *name)
{
    PyObject *value = NULL;
    if (watch->environ != NULL && PyDict_Check(watch->environ)) {
        value = PyDict_GetItemWithError(watch->environ, name);
        PyErr_Clear();
    }
    return Py_XNewRef(value);
}

/* The number at the beginning of "200 OK"; 0 when there is none. */
static long number_of(PyObject *status)
{
    Py_ssize_t size = 0;
    const char *text = PyUnicode_Check(status) ? PyUnicode_AsUTF8AndSize(status, &size) : NULL;
    PyErr_Clear(); /* of surrogates */
    long number = 0;
    for (Py_ssize_t i = 0; text != NULL && i < 3; i++) {
        if (i >= size || !isdigit((unsigned char)text[i])) {
            return 0;
        }
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

/* False with an exception set: as sl_watch_end. */
static bool finish(struct wsgi_watch *watch)
{
    bool ended = sl_watch_end(&watch->watch, watch->status, watch->error, (PyObject *)watch);
    Py_CLEAR(watch->environ);
    Py_CLEAR(watch->request);
    Py_CLEAR(watch->error);
    return ended;
}

static void note_error(struct wsgi_watch *watch, PyObject *error)
{
    if (error != NULL && PyObject_IsInstance(error, PyExc_GeneratorExit) == 0) {
        PyObject *before = watch->error;
        watch->error = Py_NewRef(error);
        Py_XDECREF(before);
    }
}

/* Notes the exception that is set, which stays. */
static void note_raised(struct wsgi_watch *watch)
{
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    note_error(watch, value);
    PyErr_Restore(type, value, traceback);
}

/* What the application calls as start_response. */
static PyObject *call(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    struct wsgi_watch *watch = (struct wsgi_watch *)self;
    const struct sl_module_state *state = sl_module_state_of(self);
    if (state == NULL) {
        return NULL;
    }
    if (watch->start_response == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the server of this request is gone");
        return NULL;
    }
    if (PyTuple_Size(arguments) > 0 && watch->watch.watches != NULL) {
        PyObject *before = watch->request;
        watch->status = number_of(PyTuple_GetItem(arguments, 0));
        watch->request = found(watch, state->watch.name_werkzeug_request);
        Py_XDECREF(before);
    }
    return PyObject_Call(watch->start_response, arguments, keywords);
}

/* Whether the server sends the body by itself, if it is handed what it made: a file in the server's own wrapper. A wrapper
 * that is a function may give back the file that it was given, and know it again (uWSGI's does): what can be read is left as
 * it is, then. */
static bool is_file(const struct wsgi_watch *watch, const struct sl_module_state *state, PyObject *body)
{
    PyObject *wrapper = found(watch, state->watch.name_file_wrapper);
    int is = 0;
    if (wrapper != NULL && PyType_Check(wrapper)) {
        is = PyObject_IsInstance(body, wrapper);
    } else if (wrapper != NULL && PyCallable_Check(wrapper)) {
        is = PyObject_HasAttr(body, state->watch.name_read);
    }
    PyErr_Clear();
    Py_XDECREF(wrapper);
    return is > 0;
}

static PyObject *pass_on(PyObject *self, PyObject *body)
{
    struct wsgi_watch *watch = (struct wsgi_watch *)self;
    const struct sl_module_state *state = sl_module_state_of(self);
    if (state == NULL) {
        return NULL;
    }
    /* With a list, nothing of the application runs any more. */
    if (PyList_Check(body) || PyTuple_Check(body) || is_file(watch, state, body)) {
        return finish(watch) ? Py_NewRef(body) : NULL;
    }
    PyObject *parts = PyObject_GetIter(body);
    if (parts == NULL) {
        return NULL;
    }
    PyObject *before[] = {watch->parts, watch->body};
    watch->parts = parts;
    watch->body = Py_NewRef(body);
    Py_XDECREF(before[0]);
    Py_XDECREF(before[1]);
    return Py_NewRef(PyObject_HasAttr(body, state->watch.name_length) ? Py_None : self);
}

static PyObject *next_part(PyObject *self)
{
    struct wsgi_watch *watch = (struct wsgi_watch *)self;
    PyObject *part = watch->parts != NULL ? PyIter_Next(watch->parts) : NULL;
    if (part == NULL && PyErr_Occurred() != NULL) {
        note_raised(watch);
    }
    return part;
}

static PyObject *itself(PyObject *self)
{
    return Py_NewRef(self);
}

static PyObject *close_body(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct wsgi_watch *watch = (struct wsgi_watch *)self;
    const struct sl_module_state *state = sl_module_state_of(self);
    if (state == NULL) {
        return NULL;
    }
    PyObject *method = watch->body != NULL ? PyObject_GetAttr(watch->body, state->watch.name_close) : NULL;
    if (method == NULL && PyErr_Occurred() != NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    }
    PyObject *result = method != NULL && method != Py_None ? PyObject_CallObject(method, NULL) : NULL;
    Py_XDECREF(result);
    Py_XDECREF(method);
    bool closed = PyErr_Occurred() == NULL;
    if (!closed) {
        note_raised(watch);
    }
    bool ended = finish(watch);
    Py_CLEAR(watch->parts);
    Py_CLEAR(watch->body);
    return closed && ended ? Py_NewRef(Py_None) : NULL;
}

static PyObject *fail(PyObject *self, PyObject *error)
{
    struct wsgi_watch *watch = (struct wsgi_watch *)self;
    note_error(watch, error);
    PyErr_Clear();
    return finish(watch) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *get_environ(PyObject *self, void *ignored)
{
    (void)ignored;
    const struct wsgi_watch *watch = (struct wsgi_watch *)self;
    return Py_NewRef(watch->environ != NULL ? watch->environ : Py_None);
}

static PyObject *get_request(PyObject *self, void *ignored)
{
    (void)ignored;
    const struct wsgi_watch *watch = (struct wsgi_watch *)self;
    return Py_NewRef(watch->request != NULL ? watch->request : Py_None);
}

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    struct wsgi_watch *watch = (struct wsgi_watch *)self;
    Py_VISIT(watch->environ);
    Py_VISIT(watch->start_response);
    Py_VISIT(watch->request);
    Py_VISIT(watch->body);
    Py_VISIT(watch->parts);
    Py_VISIT(watch->error);
    return sl_watch_traverse(&watch->watch, visit, arg);
}

static int clear(PyObject *self)
{
    struct wsgi_watch *watch = (struct wsgi_watch *)self;
    sl_watch_clear(&watch->watch);
    Py_CLEAR(watch->environ);
    Py_CLEAR(watch->start_response);
    Py_CLEAR(watch->request);
    Py_CLEAR(watch->body);
    Py_CLEAR(watch->parts);
    Py_CLEAR(watch->error);
    return 0;
}

static void deallocate(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    clear(self);
    sl_watch_free((struct sl_watch *)self);
}

PyObject *sl_watch_wsgi_type(PyObject *module, PyObject *watch_type)
{
    static PyMethodDef methods[] = {
        {"pass_on", pass_on, METH_O,
         "pass_on($self, body, /)\n--\n\nWhat to give the server for it: the body itself where its end can be told "
         "from "
         "here, else this object; None for one with a length, which is to be given one, too."},
        {"close", close_body, METH_NOARGS, "close($self, /)\n--\n\nThe server's to call. The request ends with it."},
        {"fail", fail, METH_O, "fail($self, error, /)\n--\n\nThe application raised it. The request ends with it."},
        {0},
    };
    static PyGetSetDef attributes[] = {
        {"environ", get_environ, NULL, "That of the request.", NULL},
        {"request", get_request, NULL, "Werkzeug's, as the response began, or None.", NULL},
        {0},
    };
    PyType_Slot slots[] = {
        {Py_tp_call, (void *)call},
        {Py_tp_iter, (void *)itself},
        {Py_tp_iternext, (void *)next_part},
        {Py_tp_dealloc, (void *)deallocate},
        {Py_tp_traverse, (void *)traverse},
        {Py_tp_clear, (void *)clear},
        {Py_tp_methods, methods},
        {Py_tp_getset, attributes},
        {Py_tp_doc, (void *)"A Watch that is start_response for a WSGI application, and its body for the server."},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "stacklapse._native.WSGIWatch",
        .basicsize = sizeof(struct wsgi_watch),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };
    return PyType_FromModuleAndSpec(module, &spec, watch_type);
}

PyObject *sl_watch_wsgi(const struct sl_module_state *state, struct sl_watches *watches, PyObject *environ,
                        PyObject *start_response, PyObject *caller)
{
    PyObject *method = PyObject_GetItem(environ, state->watch.name_request_method);
    if (method == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_KeyError)) {
            return NULL;
        }
        PyErr_Clear();
        method = PyUnicode_FromString("");
        if (method == NULL) {
            return NULL;
        }
    }
    struct wsgi_watch *watch = (struct wsgi_watch *)sl_watches_begin(watches, state->watch.wsgi_type, method, caller);
    Py_DECREF(method);
    if (watch != NULL) {
        watch->environ = Py_NewRef(environ);
        watch->start_response = Py_NewRef(start_response);
    }
    return (PyObject *)watch;
}
