#include "extension/recording.h"

#include "base/buffer.h"
#include "extension/contexts.h"
#include "extension/raise.h"
#include "extension/text.h"
#include "extension/token.h"
#include "sampler/host.h"

#include <string.h>
#include <unistd.h>

struct recording {
    PyObject_HEAD;
    struct sl_host_recording *host; /* NULL until it was started */
    uint64_t interval_ns;
    enum sl_host_scope scope;
    bool trim;
    bool contexts; /* follow what inherits the token */
    bool started;
    bool discarded;
    uint64_t first_ns; /* of a deferred one */
    bool deferred;
    bool sparing;
    pid_t process;         /* that made it */
    PyObject *description; /* as sl_extension_text gives it, or NULL */
    PyObject *coroutine;   /* NULL: none */
    PyObject *task;        /* what the task is called, likewise; NULL: nothing */
    struct sl_mark mark;
    PyObject *caller; /* of a deferred one that runs: where its stacks begin, */
    PyObject *outer;  /* and the frame that called that; or None */
};

static struct sl_recording_state *state_of(PyObject *self)
{
    struct sl_module_state *state = sl_module_state_of(self);
    return state != NULL ? &state->recording : NULL;
}

/* It runs no more: nothing of the program is needed. */
static void release(struct recording *recording, const struct sl_recording_state *state)
{
    sl_contexts_unmark(&state->contexts, &recording->mark);
    Py_CLEAR(recording->coroutine);
    Py_CLEAR(recording->caller);
    Py_CLEAR(recording->outer);
}

static bool parse_scope(const char *name, enum sl_host_scope *scope)
{
    static const struct {
        const char *name;
        enum sl_host_scope scope;
    } scopes[] = {{"threads", SL_HOST_THREADS}, {"thread", SL_HOST_THREAD}, {"task", SL_HOST_TASK}};
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        if (strcmp(name, scopes[i].name) == 0) {
            *scope = scopes[i].scope;
            return true;
        }
    }
    PyErr_Format(PyExc_ValueError, "a scope is 'threads', 'thread' or 'task', not '%s'", name);
    return false;
}

/* As the engine takes it; None stays NULL. */
static bool take_text(PyObject *given, PyObject **taken)
{
    *taken = given != Py_None ? sl_extension_text(given) : NULL;
    return *taken != NULL || given == Py_None;
}

static PyObject *new_recording(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static const char *names[] = {"interval_ns", "scope",    "description", "coroutine", "task",
                                  "trim",        "contexts", "first_ns",    "sparing",   NULL};
    unsigned long long interval_ns;
    const char *scope_name;
    PyObject *description = Py_None;
    PyObject *coroutine = Py_None;
    PyObject *task = Py_None;
    int trim = 1;
    int contexts = 1;
    unsigned long long first_ns = 0;
    int sparing = 0;
    enum sl_host_scope scope;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "Ks|$OOOppKp:Recording", (char **)names, &interval_ns,
                                     &scope_name, &description, &coroutine, &task, &trim, &contexts, &first_ns,
                                     &sparing) ||
        !parse_scope(scope_name, &scope)) {
        return NULL;
    }
    if ((description != Py_None && !PyUnicode_Check(description)) || (task != Py_None && !PyUnicode_Check(task))) {
        PyErr_SetString(PyExc_TypeError, "a description and a task's name are a str or None");
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    struct recording *recording = (struct recording *)allocate(type, 0);
    if (recording == NULL) {
        return NULL;
    }
    recording->interval_ns = interval_ns;
    recording->scope = scope;
    recording->trim = trim != 0;
    recording->first_ns = first_ns;
    recording->deferred = first_ns != 0;
    recording->sparing = sparing != 0;
    recording->process = getpid();
    recording->contexts = contexts != 0 && scope != SL_HOST_THREADS;
    recording->coroutine = coroutine != Py_None ? Py_NewRef(coroutine) : NULL;
    if (!take_text(description, &recording->description) || !take_text(task, &recording->task)) {
        Py_DECREF(recording);
        return NULL;
    }
    return (PyObject *)recording;
}

/* NULL stays NULL. The text lives as long as the object. */
static bool text_of(PyObject *object, const char **text)
{
    *text = object != NULL ? PyUnicode_AsUTF8AndSize(object, NULL) : NULL;
    return *text != NULL || object == NULL;
}

static bool start_host(struct recording *recording, const struct sl_recording_state *state, unsigned skip)
{
    const char *description = NULL;
    const char *task = NULL;
    if (!text_of(recording->description, &description) || !text_of(recording->task, &task)) {
        return false;
    }
    PyThreadState *thread_state = PyThreadState_Get();
    struct sl_host_options options = {
        .interval_ns = recording->interval_ns,
        .scope = recording->scope,
        .description = description,
        .task = task,
        .thread_state = (uint64_t)(uintptr_t)thread_state,
        .interpreter = (uint64_t)(uintptr_t)PyThreadState_GetInterpreter(thread_state),
        .skip = skip,
        .caller = (uint64_t)(uintptr_t)recording->caller,
        .caller_outer = recording->outer != Py_None ? (uint64_t)(uintptr_t)recording->outer : 0,
        .first_ns = recording->first_ns,
        .sparing = recording->sparing,
        .trim = recording->trim,
    };
    if (recording->mark.token != NULL) {
        options.variable = (uint64_t)(uintptr_t)state->contexts.variable;
        options.token_type = (uint64_t)(uintptr_t)state->contexts.token_type;
        options.token_id = sl_token_id(recording->mark.token);
        options.coroutine = (uint64_t)(uintptr_t)recording->coroutine;
    }
    struct sl_error error = {0};
    recording->host = sl_host_start(&options, &error);
    if (recording->host == NULL) {
        sl_extension_raise(&error);
    }
    return recording->host != NULL;
}

/* Makes it run. `caller`: the frame that the stacks of a deferred one begin at. */
static bool begin(struct recording *recording, const struct sl_recording_state *state, unsigned skip, PyObject *caller)
{
    if (caller != NULL && Py_TYPE(caller) != (PyTypeObject *)state->frame_type) {
        PyErr_SetString(PyExc_TypeError, "a deferred recording is started with a frame of the running stack");
        return false;
    }
    if (caller != NULL) {
        recording->outer = PyObject_GetAttr(caller, state->name_f_back);
        if (recording->outer == NULL) {
            return false;
        }
        recording->caller = Py_NewRef(caller);
    }
    if ((recording->contexts && (!sl_contexts_check() || !sl_contexts_mark(&state->contexts, &recording->mark))) ||
        !start_host(recording, state, skip)) {
        release(recording, state);
        return false;
    }
    recording->started = true;
    return true;
}

static PyObject *start(PyObject *self, PyObject *arguments)
{
    struct recording *recording = (struct recording *)self;
    unsigned skip = 0;
    PyObject *caller = NULL;
    if (!PyArg_ParseTuple(arguments, recording->deferred ? "O:start" : "|I:start",
                          recording->deferred ? (void *)&caller : (void *)&skip)) {
        return NULL;
    }
    if (recording->started) {
        PyErr_SetString(PyExc_RuntimeError, "this recording was started already");
        return NULL;
    }
    const struct sl_recording_state *state = state_of(self);
    return state != NULL && begin(recording, state, skip, caller) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *stop(PyObject *self, PyObject *arguments)
{
    struct recording *recording = (struct recording *)self;
    unsigned skip = 0;
    if (!PyArg_ParseTuple(arguments, "|I:stop", &skip)) {
        return NULL;
    }
    if (recording->host == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "this recording was not started");
        return NULL;
    }
    const struct sl_recording_state *state = state_of(self);
    if (state == NULL) {
        return NULL;
    }
    struct sl_error error = {0};
    bool stopped = sl_host_stop(recording->host, skip, &error);
    release(recording, state);
    if (!stopped) {
        return sl_extension_raise(&error);
    }
    Py_RETURN_NONE;
}

void sl_recording_discard(struct sl_recording_state *state, PyObject *recording)
{
    struct recording *self = (struct recording *)recording;
    if (self->host != NULL) {
        sl_host_discard(self->host);
        self->discarded = true;
        release(self, state);
    }
}

static PyObject *discard(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct sl_recording_state *state = state_of(self);
    if (state == NULL) {
        return NULL;
    }
    sl_recording_discard(state, self);
    Py_RETURN_NONE;
}

static PyObject *trace(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct recording *recording = (struct recording *)self;
    if (recording->host == NULL || recording->discarded) {
        PyErr_SetString(PyExc_RuntimeError,
                        recording->discarded ? "this recording was discarded" : "this recording was not started");
        return NULL;
    }
    struct sl_buffer bytes;
    sl_buffer_init(&bytes);
    PyObject *result = NULL;
    if (sl_host_trace(recording->host, &bytes)) {
        result = PyBytes_FromStringAndSize(bytes.bytes, (Py_ssize_t)bytes.size);
    } else {
        PyErr_NoMemory();
    }
    sl_buffer_destroy(&bytes);
    return result;
}

static PyObject *progress(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    const struct recording *recording = (struct recording *)self;
    struct sl_host_progress seen = {0};
    if (recording->host != NULL) {
        seen = sl_host_progress(recording->host);
    }
    return Py_BuildValue("KK", (unsigned long long)seen.elapsed_ns, (unsigned long long)seen.samples);
}

static PyObject *running(PyObject *self, void *ignored)
{
    (void)ignored;
    const struct recording *recording = (struct recording *)self;
    return PyBool_FromLong(recording->host != NULL && sl_host_running(recording->host));
}

static PyObject *ended(PyObject *self, void *ignored)
{
    (void)ignored;
    const struct recording *recording = (struct recording *)self;
    return PyBool_FromLong(recording->host != NULL ? !sl_host_running(recording->host)
                                                   : recording->process != getpid());
}

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    struct recording *recording = (struct recording *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(recording->coroutine);
    Py_VISIT(recording->mark.set);
    Py_VISIT(recording->caller);
    Py_VISIT(recording->outer);
    return 0;
}

/* One that is dropped while it runs is stopped first: the sampler must not look for what is freed. */
static int clear(PyObject *self)
{
    struct recording *recording = (struct recording *)self;
    if (recording->host != NULL) {
        sl_host_discard(recording->host);
    }
    if (recording->mark.token != NULL) {
        sl_token_end(recording->mark.token);
    }
    Py_CLEAR(recording->coroutine);
    Py_CLEAR(recording->mark.set);
    Py_CLEAR(recording->mark.token);
    Py_CLEAR(recording->caller);
    Py_CLEAR(recording->outer);
    return 0;
}

static void deallocate(PyObject *self)
{
    struct recording *recording = (struct recording *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear(self);
    Py_CLEAR(recording->description);
    Py_CLEAR(recording->task);
    sl_host_destroy(recording->host);
    freefunc free_object = (freefunc)PyType_GetSlot(type, Py_tp_free);
    free_object(self);
    Py_DECREF(type);
}

PyObject *sl_recording_begin(struct sl_recording_state *state, const struct sl_recording_request *request)
{
    PyTypeObject *type = (PyTypeObject *)state->type;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    struct recording *recording = (struct recording *)allocate(type, 0);
    if (recording == NULL) {
        return NULL;
    }
    recording->interval_ns = request->interval_ns;
    recording->first_ns = request->first_ns;
    recording->deferred = true;
    recording->sparing = true;
    recording->scope = request->task ? SL_HOST_TASK : SL_HOST_THREAD;
    recording->trim = true;
    recording->contexts = true;
    recording->description = sl_extension_text(request->description);
    recording->coroutine = Py_XNewRef(request->coroutine);
    if (recording->description == NULL || !begin(recording, state, 0, request->caller)) {
        Py_DECREF(recording);
        return NULL;
    }
    return (PyObject *)recording;
}

uint64_t sl_recording_samples(PyObject *recording)
{
    const struct recording *self = (struct recording *)recording;
    return self->host != NULL ? sl_host_progress(self->host).samples : 0;
}

static PyObject *recording_type(PyObject *module)
{
    static PyMethodDef methods[] = {
        {"start", start, METH_VARARGS,
         "start($self, skip=0, /)\n--\n\nStarts it. The caller's innermost `skip` frames are the profiler's own. In "
         "place "
         "of their number a deferred recording takes the frame that its stacks begin at."},
        {"stop", stop, METH_VARARGS, "stop($self, skip=0, /)\n--\n\nStops it, in any thread and context."},
        {"discard", discard, METH_NOARGS, "discard($self, /)\n--\n\nEnds it without keeping what was recorded."},
        {"trace", trace, METH_NOARGS, "trace($self, /)\n--\n\nThe recording as bytes, in the format of .lapse files."},
        {"progress", progress, METH_NOARGS,
         "progress($self, /)\n--\n\nNanoseconds since its start, and samples taken."},
        {0},
    };
    static PyGetSetDef attributes[] = {
        {"running", running, NULL, "Whether it was started and not stopped.", NULL},
        {"ended", ended, NULL, "Whether it runs no more, and will not.", NULL},
        {0},
    };
    PyType_Slot slots[] = {
        {Py_tp_new, (void *)new_recording},
        {Py_tp_dealloc, (void *)deallocate},
        {Py_tp_traverse, (void *)traverse},
        {Py_tp_clear, (void *)clear},
        {Py_tp_methods, methods},
        {Py_tp_getset, attributes},
        {Py_tp_doc, (void *)"A recording of this process."},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "stacklapse._native.Recording",
        .basicsize = sizeof(struct recording),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    return PyType_FromModuleAndSpec(module, &spec, NULL);
}

int sl_recording_setup(PyObject *module, struct sl_recording_state *state)
{
    PyObject *types = PyImport_ImportModule("types");
    state->frame_type = types != NULL ? PyObject_GetAttrString(types, "FrameType") : NULL;
    Py_XDECREF(types);
    state->name_f_back = PyUnicode_InternFromString("f_back");
    bool ready = state->frame_type != NULL && state->name_f_back != NULL && sl_contexts_setup(module, &state->contexts);
    state->type = ready ? recording_type(module) : NULL;
    return state->type != NULL ? PyModule_AddObjectRef(module, "Recording", state->type) : -1;
}

int sl_recording_traverse(struct sl_recording_state *state, visitproc visit, void *arg)
{
    Py_VISIT(state->type);
    Py_VISIT(state->frame_type);
    return sl_contexts_traverse(&state->contexts, visit, arg);
}

void sl_recording_clear(struct sl_recording_state *state)
{
    Py_CLEAR(state->type);
    Py_CLEAR(state->frame_type);
    Py_CLEAR(state->name_f_back);
    sl_contexts_clear(&state->contexts);
}
