#include "extension/watches.h"

#include "extension/recording.h"
#include "extension/running_task.h"
#include "extension/state.h"
#include "target/clock.h"

#include <sys/random.h>

static const double RANDOM_END = 18446744073709551616.0; /* 2^64: random numbers lie below */

void sl_watches_seed(struct sl_watches *watches)
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
    watch->counted = true;
    watches->count++;
}

void sl_watches_uncount(struct sl_watch *watch)
{
    if (watch->counted && watch->watches != NULL) {
        ((struct sl_watches *)watch->watches)->count--;
    }
    watch->counted = false;
}

struct sl_watches *sl_watches_take_out(struct sl_watch *watch)
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
    sl_watches_uncount(watch);
    watch->watches = NULL;
    watch->previous = NULL;
    watch->next = NULL;
    return watches;
}

/* Of the task that runs here, or of this thread. */
static PyObject *begin_recording(PyObject *module, const struct sl_watches *watches, struct sl_watch *watch,
                                 PyObject *caller)
{
    struct sl_module_state *state = sl_module_state(module);
    struct sl_running_task task;
    if (state == NULL || !sl_running_task_find(&state->tasks, &task)) {
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
        recording = sl_recording_begin(&state->recording, &request);
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

PyObject *sl_watches_begin(struct sl_watches *watches, PyObject *type, PyObject *method, PyObject *caller)
{
    bool sampled = watches->sample > 0 && (double)sl_random_next(&watches->random) < watches->sample * RANDOM_END;
    if ((watches->slow_ns == UINT64_MAX && !sampled) || watches->count >= watches->most) {
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
    link_in(watches, watch);
    if (tend(watches)) {
        watch->recording = begin_recording(module, watches, watch, caller);
    }
    if (watch->recording == NULL) {
        Py_DECREF(watch);
        return NULL;
    }
    return (PyObject *)watch;
}

const char *sl_watches_reason(const struct sl_watches *watches, const struct sl_watch *watch, bool failed,
                              uint64_t spent_ns)
{
    if (watches->slow_ns != UINT64_MAX && failed) {
        return "failed";
    }
    if (watches->slow_ns != UINT64_MAX && spent_ns > watches->slow_ns) {
        return "slow";
    }
    return watch->sampled ? "sampled" : NULL;
}
