/* `stacklapse._native`: a thin door from Python to libstacklapse. What it offers is documented where a person reads it, in
 * python/stacklapse/_native.pyi.
 *
 * One module for CPython 3.11 and later: it uses the Limited API only (Py_LIMITED_API, defined by meson.build), so it knows
 * no object's insides. */
#include "base/output.h"
#include "extension/forks.h"
#include "extension/raise.h"
#include "extension/recording.h"
#include "extension/running_task.h"
#include "extension/session.h"
#include "extension/state.h"
#include "extension/text.h"
#include "extension/watch_types.h"
#include "render/render.h"
#include "sampler/profiler_files.h"

static PyObject *renderers(PyObject *module, PyObject *arguments)
{
    (void)module;
    (void)arguments;
    PyObject *names = PyDict_New();
    for (const struct sl_renderer *renderer = sl_renderers; names != NULL && renderer->name != NULL; renderer++) {
        PyObject *entry = Py_BuildValue("(sO)", renderer->extensions[0], renderer->binary ? Py_True : Py_False);
        if (entry == NULL || PyDict_SetItemString(names, renderer->name, entry) < 0) {
            Py_CLEAR(names);
        }
        Py_XDECREF(entry);
    }
    return names;
}

static PyObject *renderer_for_path(PyObject *module, PyObject *argument)
{
    (void)module;
    PyObject *path = NULL;
    if (!PyUnicode_FSConverter(argument, &path)) {
        return NULL;
    }
    const struct sl_renderer *renderer = sl_renderer_for_path(PyBytes_AsString(path));
    Py_DECREF(path);
    if (renderer == NULL) {
        Py_RETURN_NONE;
    }
    return PyUnicode_FromString(renderer->name);
}

static PyObject *write_file(PyObject *module, PyObject *arguments)
{
    (void)module;
    PyObject *file = NULL;
    Py_buffer content;
    if (!PyArg_ParseTuple(arguments, "Os*:write_file", &file, &content)) {
        return NULL;
    }
    PyObject *name = PyOS_FSPath(file);
    PyObject *path = NULL;
    if (name == NULL || !PyUnicode_FSConverter(name, &path)) {
        Py_XDECREF(name);
        PyBuffer_Release(&content);
        return NULL;
    }
    struct sl_error error = {0};
    struct sl_output output;
    bool done;
    Py_BEGIN_ALLOW_THREADS done = sl_output_file(&output, PyBytes_AsString(path), &error);
    if (done) {
        sl_output_write(&output, content.buf, (size_t)content.len);
        done = sl_output_close(&output, &error);
    }
    Py_END_ALLOW_THREADS PyBuffer_Release(&content);
    Py_DECREF(path);
    PyObject *result = done ? Py_NewRef(Py_None) : sl_extension_raise_for_file(&error, name);
    Py_DECREF(name);
    return result;
}

static PyObject *combine(PyObject *module, PyObject *sessions)
{
    const struct sl_module_state *state = sl_module_state(module);
    return state != NULL ? sl_session_combine(state->session_type, sessions) : NULL;
}

static PyObject *current_task(PyObject *module, PyObject *ignored)
{
    (void)ignored;
    const struct sl_module_state *state = sl_module_state(module);
    return state != NULL ? sl_running_task_tuple(&state->tasks) : NULL;
}

static PyObject *leave_out(PyObject *module, PyObject *argument)
{
    (void)module;
    PyObject *path = sl_extension_text(argument);
    const char *bytes = path != NULL ? PyUnicode_AsUTF8AndSize(path, NULL) : NULL;
    if (bytes != NULL) {
        sl_profiler_files_add(bytes);
    }
    Py_XDECREF(path);
    return bytes != NULL ? Py_NewRef(Py_None) : NULL;
}

static PyMethodDef methods[] = {
    {"renderers", renderers, METH_NOARGS, NULL},
    {"renderer_for_path", renderer_for_path, METH_O, NULL},
    {"write_file", write_file, METH_VARARGS, NULL},
    {"combine", combine, METH_O, NULL},
    {"current_task", current_task, METH_NOARGS, NULL},
    {"leave_out", leave_out, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    struct sl_module_state *state = sl_module_state(module);
    if (PyModule_AddStringConstant(module, "version", SL_VERSION) != 0) {
        return -1;
    }
    state->session_type = sl_session_type(module);
    bool made = state->session_type != NULL && sl_recording_setup(module, &state->recording) == 0 &&
                sl_running_task_setup(&state->tasks) && sl_watch_types_setup(module, &state->watch) && sl_forks_setup();
    return made ? 0 : -1;
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    struct sl_module_state *state = sl_module_state(module);
    Py_VISIT(state->session_type);
    int visited = sl_recording_traverse(&state->recording, visit, arg);
    return visited != 0 ? visited : sl_watch_types_traverse(&state->watch, visit, arg);
}

static int clear(PyObject *module)
{
    struct sl_module_state *state = sl_module_state(module);
    Py_CLEAR(state->session_type);
    sl_recording_clear(&state->recording);
    sl_running_task_clear(&state->tasks);
    sl_watch_types_clear(&state->watch);
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)execute},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "stacklapse._native",
    .m_size = sizeof(struct sl_module_state),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
};

PyMODINIT_FUNC PyInit__native(void);
PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&definition);
}
