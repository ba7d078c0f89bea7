#include "extension/watches.h"

#include "extension/recording.h"
#include "extension/watch_asgi.h"
#include "extension/watch_wsgi.h"
#include "sampler/random.h"
#include "target/clock.h"

#include <sys/random.h>

struct sl_watches {
    PyObject_HEAD;
    uint64_t interval_ns, first_ns;
    uint64_t slow_ns; /* what takes longer is kept; UINT64_MAX: nothing is kept for that, nor because it failed */
    double sample;    /* the share that is kept however it goes */
    struct sl_random random;
    size_t most;
    PyObject *tend; /* called with the first, to have somebody look after them until `rest` */
    PyObject *keep;
    bool tended;
    struct sl_watch *first;
    size_t count;
};

static const double RANDOM_END = 18446744073709551616.0; /* 2^64: random numbers lie below */

static void seed(struct sl_watches *watches)
{
    if (getrandom(&watches->random.state, sizeof watches->random.state, GRND_NONBLOCK) !=
        (ssize_t)sizeof watches->random.state) {
        watches->random.state = sl_clock_wall_ns();
    }
}

static void link_in(struct sl_watches *watches, struct sl_watch *watch)
{
    watch->watches = Py_NewRef((PyObject *)watches);
    watch->next = watches->first;
    if (watch->next != NULL) {
        watch->next->previous = watch;
    }
    watches->first = watch;
    watches->count++;
}

PyObject *sl_watches_take_out(struct sl_watch *watch)
{
    struct sl_watches *watches = (struct sl_watches *)watch->watches;
    if (watches == NULL) {
        return NULL;
    }
    if (watch->previous != NULL) {
        watch->previous->next = watch->next;
    } else {
        watches->first = watch->next;
    }
    if (watch->next != NULL) {
        watch->next->previous = watch->previous;
    }
    watches->count--;
    watch->watches = NULL;
    watch->previous = NULL;
    watch->next = NULL;
    return (PyObject *)watches;
}

/* Of the task that runs here, or of this thread. */
static PyObject *begin_recording(PyObject *module, const struct sl_watches *watches, struct sl_watch *watch,
                                 PyObject *caller)
{
    struct sl_recording_state *recordings = sl_module_recording_state(module);
    const struct sl_running_task_names *tasks = sl_module_tasks(module);
    struct sl_running_task task;
    if (recordings == NULL || tasks == NULL || !sl_running_task_find(tasks, &task)) {
        return NULL;
    }
    watch->in_task = task.runs;
    PyObject *description = PyUnicode_FromFormat("%U request", watch->method);
    PyObject *recording = NULL;
    if (description != NULL) {
        const struct sl_recording_request request = {
            .interval_ns = watches->interval_ns,
            .first_ns = watch->sampled ? watches->interval_ns : watches->first_ns,
            .task = task.runs,
            .coroutine = task.coroutine,
            .description = description,
            .caller = caller,
        };
        recording = sl_recording_begin(recordings, &request);
        Py_DECREF(description);
    }
    sl_running_task_release(&task);
    return recording;
}

/* Sees to it that somebody looks after what is in the list. */
static bool tend(struct sl_watches *watches)
{
    if (watches->tended) {
        return true;
    }
    watches->tended = true;
    PyObject *result = watches->tend != NULL ? PyObject_CallObject(watches->tend, NULL) : NULL;
    watches->tended = result != NULL;
    Py_XDECREF(result);
    return watches->tended;
}

PyObject *sl_watches_begin(PyObject *watches, PyObject *type, PyObject *method, PyObject *caller)
{
    struct sl_watches *self = (struct sl_watches *)watches;
    bool sampled = self->sample > 0 && (double)sl_random_next(&self->random) < self->sample * RANDOM_END;
    if ((self->slow_ns == UINT64_MAX && !sampled) || self->count >= self->most) {
        return NULL;
    }
    if (!PyUnicode_Check(method)) {
        PyErr_SetString(PyExc_TypeError, "the method of a request is a str");
        return NULL;
    }
    PyObject *module = type != NULL ? PyType_GetModule((PyTypeObject *)type) : NULL;
    if (module == NULL) {
        return NULL; /* nothing is begun any more when the interpreter ends */
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot((PyTypeObject *)type, Py_tp_alloc);
    struct sl_watch *watch = (struct sl_watch *)allocate((PyTypeObject *)type, 0);
    if (watch == NULL) {
        return NULL;
    }
    watch->method = Py_NewRef(method);
    watch->sampled = sampled;
    watch->started_ns = sl_clock_now_ns();
    /* In the list before anybody is asked to look after it: who looks rests only when the list is empty. */
    link_in(self, watch);
    if (tend(self)) {
        watch->recording = begin_recording(module, self, watch, caller);
    }
    if (watch->recording == NULL) {
        Py_DECREF(watch);
        return NULL;
    }
    return (PyObject *)watch;
}

const char *sl_watches_reason(const PyObject *watches, const struct sl_watch *watch, bool failed, uint64_t spent_ns)
{
    const struct sl_watches *self = (const struct sl_watches *)watches;
    if (self->slow_ns != UINT64_MAX && failed) {
        return "failed";
    }
    if (self->slow_ns != UINT64_MAX && spent_ns > self->slow_ns) {
        return "slow";
    }
    return watch->sampled ? "sampled" : NULL;
}

PyObject *sl_watches_keep(const PyObject *watches)
{
    return ((const struct sl_watches *)watches)->keep;
}

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
    seed(watches);
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
    const struct sl_watch_state *state = sl_watch_state_of(self);
    if (state == NULL || !PyArg_ParseTuple(arguments, "OO:begin", &method, &caller)) {
        return NULL;
    }
    return or_none(sl_watches_begin(self, state->watch_type, method, caller));
}

static PyObject *begin_wsgi(PyObject *self, PyObject *arguments)
{
    PyObject *environ;
    PyObject *start_response;
    PyObject *caller;
    const struct sl_watch_state *state = sl_watch_state_of(self);
    if (state == NULL || !PyArg_ParseTuple(arguments, "OOO:wsgi", &environ, &start_response, &caller)) {
        return NULL;
    }
    return or_none(sl_watch_wsgi(state, self, environ, start_response, caller));
}

static PyObject *begin_asgi(PyObject *self, PyObject *arguments)
{
    PyObject *scope;
    PyObject *send;
    PyObject *caller;
    const struct sl_watch_state *state = sl_watch_state_of(self);
    if (state == NULL || !PyArg_ParseTuple(arguments, "OOO:asgi", &scope, &send, &caller)) {
        return NULL;
    }
    return or_none(sl_watch_asgi(state, self, scope, send, caller));
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
    watches->tended = watches->tended && watches->count > 0;
    return PyBool_FromLong(watches->count == 0);
}

static PyObject *forget(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct sl_watches *watches = (struct sl_watches *)self;
    while (watches->first != NULL) {
        Py_XDECREF(sl_watches_take_out(watches->first));
    }
    watches->tended = false;
    seed(watches);
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

PyObject *sl_watches_type(PyObject *module)
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
