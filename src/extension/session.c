#include "extension/session.h"

#include "analysis/kinds.h"
#include "base/arena.h"
#include "base/output.h"
#include "extension/raise.h"
#include "extension/text.h"
#include "profile/combine.h"
#include "profile/folded_reader.h"
#include "profile/trace_reader.h"
#include "render/render.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

struct session {
    PyObject_HEAD;
    PyObject *trace;            /* bytes, as it was given; NULL when that was no trace of ours */
    struct sl_profile *profile; /* read-only, so that any number of threads may render it at a time */
};

static struct session *session_new(PyTypeObject *type, PyObject *bytes)
{
    char *content = NULL;
    Py_ssize_t size = 0;
    if (PyBytes_AsStringAndSize(bytes, &content, &size) < 0) {
        return NULL;
    }
    struct sl_error error = {0};
    struct sl_profile *profile;
    bool folded;
    Py_BEGIN_ALLOW_THREADS folded = sl_folded_looks_like(content, (size_t)size);
    profile = folded ? sl_folded_read(content, (size_t)size, &error) : sl_trace_read(content, (size_t)size, &error);
    Py_END_ALLOW_THREADS if (profile == NULL)
    {
        sl_extension_raise(&error);
        return NULL;
    }
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    struct session *session = (struct session *)allocate(type, 0);
    if (session == NULL) {
        sl_profile_destroy(profile);
        return NULL;
    }
    session->profile = profile;
    session->trace = folded ? NULL : Py_NewRef(bytes);
    return session;
}

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static const char *names[] = {"trace", NULL};
    PyObject *bytes = NULL;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "S:Session", (char **)names, &bytes)) {
        return NULL;
    }
    return (PyObject *)session_new(type, bytes);
}

static void destroy(PyObject *self)
{
    struct session *session = (struct session *)self;
    PyTypeObject *type = Py_TYPE(self);
    sl_profile_destroy(session->profile);
    Py_XDECREF(session->trace);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

/* Texts as C strings; they belong to the list in `*owner`, which the caller releases with the array. */
static bool read_texts(PyObject *given, PyObject **owner, const char ***texts, size_t *count)
{
    *texts = NULL;
    *count = 0;
    *owner = PySequence_List(given);
    if (*owner == NULL) {
        return false;
    }
    Py_ssize_t size = PyList_Size(*owner);
    const char **array = calloc((size_t)size + 1, sizeof *array);
    if (array == NULL) {
        PyErr_NoMemory();
        return false;
    }
    *texts = array;
    *count = (size_t)size;
    for (Py_ssize_t i = 0; i < size; i++) {
        PyObject *text = sl_extension_text(PyList_GetItem(*owner, i));
        if (text == NULL || PyList_SetItem(*owner, i, text) < 0) {
            return false;
        }
        array[i] = PyUnicode_AsUTF8AndSize(text, NULL);
        if (array[i] == NULL) {
            return false;
        }
    }
    return true;
}

static PyObject *unknown_renderer(const char *name)
{
    struct sl_buffer names;
    sl_buffer_init(&names);
    for (const struct sl_renderer *renderer = sl_renderers; renderer->name != NULL; renderer++) {
        sl_buffer_format(&names, "%s%s", renderer == sl_renderers ? "" : ", ", renderer->name);
    }
    PyErr_Format(PyExc_ValueError, "there is no renderer '%s'; there are %s", name,
                 names.bytes != NULL ? names.bytes : "none");
    sl_buffer_destroy(&names);
    return NULL;
}

/* Renders with numbers as in C, whatever locale the program has set: pages and files are read by programs. The locale of
 * this thread alone is another one meanwhile. */
static bool render_in_c(const struct sl_renderer *renderer, const struct sl_profile *profile,
                        const struct sl_render_options *options, struct sl_output *output, struct sl_error *error)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0) {
        return sl_error_memory(error);
    }
    locale_t before = uselocale(c);
    bool done = renderer->render(profile, options, output, error);
    uselocale(before);
    freelocale(c);
    return done;
}

static PyObject *render_with(const struct session *session, const struct sl_renderer *renderer,
                             const struct sl_render_options *options)
{
    struct sl_error error = {0};
    struct sl_output output;
    bool done;
    sl_output_memory(&output);
    Py_BEGIN_ALLOW_THREADS done = render_in_c(renderer, session->profile, options, &output, &error);
    Py_END_ALLOW_THREADS PyObject *result = NULL;
    if (!done) {
        sl_extension_raise(&error);
    } else if (output.error_number != 0 || output.pending.failed) {
        PyErr_NoMemory();
    } else if (renderer->binary) {
        result = PyBytes_FromStringAndSize(output.pending.bytes, (Py_ssize_t)output.pending.size);
    } else {
        const char *text = output.pending.bytes != NULL ? output.pending.bytes : "";
        result = PyUnicode_FromStringAndSize(text, (Py_ssize_t)output.pending.size);
    }
    sl_output_abandon(&output);
    return result;
}

/* Of path, text, path, text, ...; NULL with an exception set. */
static struct sl_source_given *given_sources(const char **texts, size_t count)
{
    struct sl_source_given *given = calloc(count / 2 + 1, sizeof *given);
    if (given == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (size_t i = 0; i < count / 2; i++) {
        given[i] = (struct sl_source_given){.path = texts[2 * i], .text = texts[2 * i + 1]};
    }
    return given;
}

static PyObject *render(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    static const char *names[] = {
        "name",  "show_all",  "timeline", "flat", "flat_by_total", "color", "unicode", "percent", "short", "mode",
        "width", "threshold", "show",     "hide", "title",         "link",  "about",   "sources", NULL};
    const struct session *session = (struct session *)self;
    struct sl_render_options options = sl_render_defaults(session->profile);
    const char *name = NULL;
    int show_all = 0, timeline = 0, flat = 0, flat_by_total = 0, color = 0, unicode = 1, percent = 0, short_form = 0;
    int mode = SL_MODE_WALL;
    unsigned int width = 0;
    double threshold = -1;
    PyObject *show = NULL;
    PyObject *hide = NULL;
    PyObject *about = NULL;
    PyObject *sources = NULL;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "s|$ppppppppiIdOOzzOO:render", (char **)names, &name,
                                     &show_all, &timeline, &flat, &flat_by_total, &color, &unicode, &percent,
                                     &short_form, &mode, &width, &threshold, &show, &hide, &options.about.title,
                                     &options.about.link, &about, &sources)) {
        return NULL;
    }
    const struct sl_renderer *renderer = sl_renderer_named(name);
    if (renderer == NULL) {
        return unknown_renderer(name);
    }
    if (options.about.link != NULL && strncmp(options.about.link, "./", 2) != 0) {
        PyErr_SetString(PyExc_ValueError, "link must begin with './'");
        return NULL;
    }
    if (mode < SL_MODE_WALL || mode > SL_MODE_GIL) {
        PyErr_SetString(PyExc_ValueError, "mode must be 0 (wall), 1 (cpu) or 2 (gil)");
        return NULL;
    }
    options.selection.mode = (enum sl_mode)mode;
    options.roles.show_all = show_all != 0;
    options.timeline = timeline != 0;
    options.flat = flat != 0;
    options.flat_by_total = flat_by_total != 0;
    options.color = color != 0;
    options.unicode = unicode != 0;
    options.percent = percent != 0;
    options.short_form = short_form != 0;
    options.width = width;
    if (threshold >= 0) {
        options.threshold = threshold;
        options.threshold_given = true;
    }
    PyObject *result = NULL;
    PyObject *show_owner = NULL;
    PyObject *hide_owner = NULL;
    PyObject *about_owner = NULL;
    PyObject *source_owner = NULL;
    const char **show_texts = NULL;
    const char **hide_texts = NULL;
    const char **about_texts = NULL;
    const char **source_texts = NULL;
    struct sl_source_given *given = NULL;
    size_t about_count = 0;
    size_t source_count = 0;
    if ((show == NULL || read_texts(show, &show_owner, &show_texts, &options.roles.show_count)) &&
        (hide == NULL || read_texts(hide, &hide_owner, &hide_texts, &options.roles.hide_count)) &&
        (about == NULL || read_texts(about, &about_owner, &about_texts, &about_count)) &&
        (sources == NULL || read_texts(sources, &source_owner, &source_texts, &source_count)) &&
        (given = given_sources(source_texts, source_count)) != NULL) {
        options.roles.show = show_texts;
        options.roles.hide = hide_texts;
        options.about.facts = about_texts;
        options.about.fact_count = about_count / 2;
        options.given_sources = given;
        options.given_source_count = source_count / 2;
        result = render_with(session, renderer, &options);
    }
    free(show_texts);
    free(hide_texts);
    free(about_texts);
    free(source_texts);
    free(given);
    Py_XDECREF(show_owner);
    Py_XDECREF(hide_owner);
    Py_XDECREF(about_owner);
    Py_XDECREF(source_owner);
    return result;
}

/* The trace of `count` profiles, one after the other. */
static PyObject *combined_trace(const struct sl_profile *const *profiles, size_t count)
{
    struct sl_error error = {0};
    struct sl_buffer trace;
    bool done;
    sl_buffer_init(&trace);
    Py_BEGIN_ALLOW_THREADS done = sl_profile_combine(profiles, count, &trace, &error);
    Py_END_ALLOW_THREADS PyObject *bytes =
        done ? PyBytes_FromStringAndSize(trace.bytes, (Py_ssize_t)trace.size) : sl_extension_raise(&error);
    sl_buffer_destroy(&trace);
    return bytes;
}

static PyObject *trace(PyObject *self, void *closure)
{
    (void)closure;
    struct session *session = (struct session *)self;
    if (session->trace == NULL) {
        const struct sl_profile *profile = session->profile;
        PyObject *combined = combined_trace(&profile, 1);
        if (combined == NULL) {
            return NULL;
        }
        /* Another thread may have asked for it meanwhile. */
        if (session->trace == NULL) {
            session->trace = combined;
        } else {
            Py_DECREF(combined);
        }
    }
    return Py_XNewRef(session->trace);
}

static const struct sl_facts *facts_of(PyObject *self)
{
    return &((struct session *)self)->profile->facts;
}

static PyObject *program(PyObject *self, void *closure)
{
    (void)closure;
    const struct sl_profile *profile = ((struct session *)self)->profile;
    sl_string text = profile->facts.description;
    if (sl_profile_text_size(profile, text) == 0 && profile->process_count > 0) {
        text = profile->processes[0].command;
    }
    return PyUnicode_FromStringAndSize(sl_profile_text(profile, text), (Py_ssize_t)sl_profile_text_size(profile, text));
}

/* What the recording says in numbers; the closure is the member's place. */
static PyObject *fact(PyObject *self, void *closure)
{
    uint64_t value;
    memcpy(&value, (const char *)facts_of(self) + (size_t)closure, sizeof value);
    return PyLong_FromUnsignedLongLong(value);
}

/* Of the thread that a Profiler was started in; 0 where none was. */
static PyObject *starter_cpu_ns(PyObject *self, void *closure)
{
    (void)closure;
    const struct sl_profile *profile = ((struct session *)self)->profile;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        sum += profile->threads[i].kind == SL_THREAD_SCOPE ? profile->threads[i].cpu_ns : 0;
    }
    return PyLong_FromUnsignedLongLong(sum);
}

/* Nanoseconds by kind; every kind is there. */
static PyObject *kinds(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    static const char *const names[SL_KIND_COUNT] = {
        [SL_KIND_UNKNOWN] = "unknown",   [SL_KIND_PYTHON] = "python", [SL_KIND_NATIVE] = "native", [SL_KIND_GC] = "gc",
        [SL_KIND_GIL_WAIT] = "gil_wait", [SL_KIND_LOCK] = "lock",     [SL_KIND_CALL] = "call",
    };
    const struct sl_profile *profile = ((struct session *)self)->profile;
    uint64_t sums[SL_KIND_COUNT] = {0};
    uint32_t count = 0;
    struct sl_selection all = sl_selection_all(profile);
    struct sl_arena arena;
    sl_arena_init(&arena);
    const struct sl_kind_amount *amounts = sl_kind_amounts(&arena, profile, &all, &count);
    for (uint32_t i = 0; amounts != NULL && i < count; i++) {
        sums[amounts[i].kind] += amounts[i].amount.ns;
    }
    sl_arena_reset(&arena);
    PyObject *dictionary = amounts != NULL ? PyDict_New() : PyErr_NoMemory();
    for (int i = 0; i < SL_KIND_COUNT && dictionary != NULL; i++) {
        PyObject *value = PyLong_FromUnsignedLongLong(sums[i]);
        if (value == NULL || PyDict_SetItemString(dictionary, names[i], value) < 0) {
            Py_CLEAR(dictionary);
        }
        Py_XDECREF(value);
    }
    return dictionary;
}

static PyObject *is_complete(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(facts_of(self)->complete);
}

#define FACT(member)                                                                                                   \
    {                                                                                                                  \
#member, fact, NULL, NULL, (void *)offsetof(struct sl_facts, member)                                           \
    }
static PyGetSetDef members[] = {
    {"trace", trace, NULL, NULL, NULL},
    {"program", program, NULL, NULL, NULL},
    {"complete", is_complete, NULL, NULL, NULL},
    FACT(start_time_ns),
    FACT(interval_ns),
    FACT(duration_ns),
    FACT(samples),
    FACT(looks),
    FACT(missed),
    FACT(broken),
    FACT(late),
    FACT(cpu_ns),
    FACT(sampler_cpu_ns),
    {"starter_cpu_ns", starter_cpu_ns, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef methods[] = {
    {"kinds", kinds, METH_NOARGS, NULL},
    {"render", (PyCFunction)(void (*)(void))render, METH_VARARGS | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

PyObject *sl_session_type(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_new, (void *)create},
        {Py_tp_dealloc, (void *)destroy},
        {Py_tp_methods, methods},
        {Py_tp_getset, members},
        {Py_tp_doc, (void *)"A finished recording."},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "stacklapse._native.Session",
        .basicsize = sizeof(struct session),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type != NULL && PyModule_AddObjectRef(module, "Session", type) != 0) {
        Py_CLEAR(type);
    }
    return type;
}

PyObject *sl_session_combine(PyObject *type, PyObject *sessions)
{
    PyObject *all = PySequence_Tuple(sessions);
    PyObject *bytes = NULL;
    PyObject *combined = NULL;
    const struct sl_profile **profiles = NULL;
    Py_ssize_t count = all != NULL ? PyTuple_Size(all) : 0;
    if (all == NULL) {
        goto done;
    }
    profiles = calloc((size_t)count + 1, sizeof *profiles);
    if (profiles == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *session = PyTuple_GetItem(all, i);
        if (Py_TYPE(session) != (PyTypeObject *)type) {
            PyErr_SetString(PyExc_TypeError, "only Sessions can be combined");
            goto done;
        }
        profiles[i] = ((struct session *)session)->profile;
    }
    bytes = combined_trace(profiles, (size_t)count);
    if (bytes != NULL) {
        combined = (PyObject *)session_new((PyTypeObject *)type, bytes);
    }
done:
    free(profiles);
    Py_XDECREF(bytes);
    Py_XDECREF(all);
    return combined;
}
