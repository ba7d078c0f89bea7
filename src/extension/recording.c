#include "extension/recording.h"

#include "base/buffer.h"
#include "extension/module.h"
#include "extension/token.h"
#include "sampler/host.h"
#include "target/own.h"

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
    PyObject *description; /* str or NULL */
    PyObject *coroutine;   /* NULL: none */
    PyObject *task;        /* what the task is called; NULL: nothing */
    PyObject *token;       /* what marks its contexts, */
    PyObject *set;         /* and what ContextVar.set gave for it */
    PyObject *caller;      /* of a deferred one that runs: where its stacks begin, */
    PyObject *outer;       /* and the frame that called that; or None */
};

static struct sl_recording_state *state_of(PyObject *self)
{
    PyObject *module = PyType_GetModule(Py_TYPE(self));
    return module == NULL ? NULL : sl_module_recording_state(module);
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

/* Enters a context that is known, to see where the interpreter keeps it. Once. */
static bool check_contexts(void)
{
    static bool checked;
    if (checked) {
        return true;
    }
    bool ok = false;
    PyObject *contextvars = PyImport_ImportModule("contextvars");
    PyObject *context = contextvars != NULL ? PyObject_CallMethod(contextvars, "Context", NULL) : NULL;
    PyObject *check = context != NULL ? PyCFunction_New(&check_method, NULL) : NULL;
    PyObject *result = NULL;
    if (check != NULL) {
        result = PyObject_CallMethod(context, "run", "OK", check, (unsigned long long)(uintptr_t)context);
    }
    ok = result != NULL;
    checked = ok;
    Py_XDECREF(result);
    Py_XDECREF(check);
    Py_XDECREF(context);
    Py_XDECREF(contextvars);
    return ok;
}

/* What the variable holds in the current context; NULL without an exception when it holds nothing. New reference. */
static PyObject *held(const struct sl_recording_state *state)
{
    PyObject *value = PyObject_CallMethodObjArgs(state->variable, state->name_get, Py_None, NULL);
    if (value == Py_None) {
        Py_DECREF(value);
        return NULL;
    }
    return value;
}

/* Marks the current context. */
static bool mark(struct recording *recording, const struct sl_recording_state *state)
{
    PyObject *before = held(state);
    if (before == NULL && PyErr_Occurred() != NULL) {
        return false;
    }
    recording->token = sl_token_create(state->token_type, before);
    Py_XDECREF(before);
    if (recording->token != NULL) {
        recording->set = PyObject_CallMethodObjArgs(state->variable, state->name_set, recording->token, NULL);
    }
    return recording->set != NULL;
}

/* Takes the mark away again, if the current context is the one that was marked, and nobody has marked it since. Other
 * contexts keep a token whose recording has ended. Leaves exceptions as they are. */
static void unmark(struct recording *recording, const struct sl_recording_state *state)
{
    if (recording->token == NULL) {
        return;
    }
    PyObject *type;
    PyObject *value;
    PyObject *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    sl_token_end(recording->token);
    PyObject *now = held(state);
    if (now == recording->token && recording->set != NULL) {
        PyObject *old = PyObject_GetAttr(recording->set, state->name_old_value);
        PyObject *outer = old != NULL ? sl_token_running(state->token_type, old) : NULL;
        PyObject *result = NULL;
        if (old != NULL && (outer != NULL || Py_TYPE(old) == (PyTypeObject *)state->token_type)) {
            result =
                PyObject_CallMethodObjArgs(state->variable, state->name_set, outer != NULL ? outer : Py_None, NULL);
        } else {
            result = PyObject_CallMethodObjArgs(state->variable, state->name_reset, recording->set, NULL);
        }
        Py_XDECREF(result);
        Py_XDECREF(old);
    }
    Py_XDECREF(now);
    Py_CLEAR(recording->set);
    Py_CLEAR(recording->token);
    PyErr_Restore(type, value, traceback);
}

/* It runs no more: nothing of the program is needed. */
static void release(struct recording *recording, const struct sl_recording_state *state)
{
    unmark(recording, state);
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

static PyObject *new_recording(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static const char *names[] = {"interval_ns", "scope",    "description", "coroutine", "task",
                                  "trim",        "contexts", "first_ns",    NULL};
    unsigned long long interval_ns;
    const char *scope_name;
    PyObject *description = Py_None;
    PyObject *coroutine = Py_None;
    PyObject *task = Py_None;
    int trim = 1;
    int contexts = 1;
    unsigned long long first_ns = 0;
    enum sl_host_scope scope;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "Ks|$OOOppK:Recording", (char **)names, &interval_ns,
                                     &scope_name, &description, &coroutine, &task, &trim, &contexts, &first_ns) ||
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
    recording->contexts = contexts != 0 && scope != SL_HOST_THREADS;
    recording->description = description != Py_None ? Py_NewRef(description) : NULL;
    recording->coroutine = coroutine != Py_None ? Py_NewRef(coroutine) : NULL;
    recording->task = task != Py_None ? Py_NewRef(task) : NULL;
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
    if (!text_of(recording->description, &description)) {
        return false;
    }
    if (!text_of(recording->task, &task)) {
        PyErr_Clear(); /* the program may call its tasks what it likes */
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
        .trim = recording->trim,
    };
    if (recording->token != NULL) {
        options.variable = (uint64_t)(uintptr_t)state->variable;
        options.token_type = (uint64_t)(uintptr_t)state->token_type;
        options.token_id = sl_token_id(recording->token);
        options.coroutine = (uint64_t)(uintptr_t)recording->coroutine;
    }
    struct sl_error error = {0};
    recording->host = sl_host_start(&options, &error);
    if (recording->host == NULL) {
        sl_extension_raise(&error);
    }
    return recording->host != NULL;
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
    if (state == NULL) {
        return NULL;
    }
    if (caller != NULL && Py_TYPE(caller) != (PyTypeObject *)state->frame_type) {
        PyErr_SetString(PyExc_TypeError, "a deferred recording is started with a frame of the running stack");
        return NULL;
    }
    if (caller != NULL) {
        recording->outer = PyObject_GetAttr(caller, state->name_f_back);
        if (recording->outer == NULL) {
            return NULL;
        }
        recording->caller = Py_NewRef(caller);
    }
    if ((recording->contexts && (!check_contexts() || !mark(recording, state))) ||
        !start_host(recording, state, skip)) {
        release(recording, state);
        return NULL;
    }
    recording->started = true;
    Py_RETURN_NONE;
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

static PyObject *discard(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    struct recording *recording = (struct recording *)self;
    const struct sl_recording_state *state = state_of(self);
    if (state == NULL) {
        return NULL;
    }
    if (recording->host != NULL) {
        sl_host_discard(recording->host);
        recording->discarded = true;
        release(recording, state);
    }
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

static int traverse(PyObject *self, visitproc visit, void *arg)
{
    struct recording *recording = (struct recording *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(recording->coroutine);
    Py_VISIT(recording->set);
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
    if (recording->token != NULL) {
        sl_token_end(recording->token);
    }
    Py_CLEAR(recording->coroutine);
    Py_CLEAR(recording->set);
    Py_CLEAR(recording->token);
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

static bool register_fork_hooks(void)
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

int sl_recording_setup(PyObject *module, struct sl_recording_state *state)
{
    PyObject *contextvars = PyImport_ImportModule("contextvars");
    if (contextvars == NULL) {
        return -1;
    }
    state->variable = PyObject_CallMethod(contextvars, "ContextVar", "s", "stacklapse");
    Py_DECREF(contextvars);
    PyObject *types = state->variable != NULL ? PyImport_ImportModule("types") : NULL;
    state->frame_type = types != NULL ? PyObject_GetAttrString(types, "FrameType") : NULL;
    Py_XDECREF(types);
    state->name_get = PyUnicode_InternFromString("get");
    state->name_set = PyUnicode_InternFromString("set");
    state->name_f_back = PyUnicode_InternFromString("f_back");
    state->name_reset = PyUnicode_InternFromString("reset");
    state->name_old_value = PyUnicode_InternFromString("old_value");
    bool named = state->name_get != NULL && state->name_set != NULL && state->name_f_back != NULL &&
                 state->name_reset != NULL && state->name_old_value != NULL;
    state->token_type = state->frame_type != NULL && named ? sl_token_type(module) : NULL;
    state->type = state->token_type != NULL ? recording_type(module) : NULL;
    if (state->type == NULL || PyModule_AddObjectRef(module, "Recording", state->type) != 0) {
        return -1;
    }
    return register_fork_hooks() ? 0 : -1;
}

int sl_recording_traverse(struct sl_recording_state *state, visitproc visit, void *arg)
{
    Py_VISIT(state->type);
    Py_VISIT(state->token_type);
    Py_VISIT(state->variable);
    Py_VISIT(state->frame_type);
    return 0;
}

void sl_recording_clear(struct sl_recording_state *state)
{
    Py_CLEAR(state->type);
    Py_CLEAR(state->token_type);
    Py_CLEAR(state->variable);
    Py_CLEAR(state->frame_type);
    Py_CLEAR(state->name_get);
    Py_CLEAR(state->name_set);
    Py_CLEAR(state->name_f_back);
    Py_CLEAR(state->name_reset);
    Py_CLEAR(state->name_old_value);
}
