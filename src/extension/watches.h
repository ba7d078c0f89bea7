/* watches.h - the requests that are recorded to see whether they are worth keeping, and what decides that: a list of the
 * Watches that run. What Python sees of it is in watch_types.c. */
#ifndef SL_EXTENSION_WATCHES_H
#define SL_EXTENSION_WATCHES_H

#include "sampler/random.h"

#include <Python.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The beginning of every kind of Watch. */
struct sl_watch {
    PyObject_HEAD;
    PyObject *watches;                /* that it is one of; owned. NULL once it is none any more */
    struct sl_watch *previous, *next; /* of those that run; borrowed */
    PyObject *recording;              /* NULL: it has ended, or was taken */
    PyObject *session;                /* what was recorded until a limit was reached; NULL: none was */
    PyObject *method;
    uint64_t started_ns;
    bool counted; /* it is one of those that `most` is about */
    bool sampled; /* to be kept however it goes */
    bool in_task; /* it runs in a task or greenlet, and shares its thread with others */
};

struct sl_watches {
    PyObject_HEAD;
    uint64_t interval_ns, first_ns;
    uint64_t slow_ns; /* what takes longer is kept; UINT64_MAX: nothing is kept for that, nor because it failed */
    double sample;    /* the share that is kept however it goes */
    struct sl_random random;
    size_t most;    /* that are recorded at a time */
    PyObject *tend; /* called with the first, to have somebody look after them until `rest` */
    PyObject *keep;
    bool tended;
    struct sl_watch *first;
    size_t count; /* of those in the list that are recorded */
};

/* Draws a new beginning of its random numbers. */
void sl_watches_seed(struct sl_watches *watches);

/* Begins to record a request, in a new object of the type `type`, whose instances begin with struct sl_watch. `caller` is
 * the frame that its stacks begin at. NULL without an exception when it is not to be watched: as many are as may be, or it
 * is one of those that are left out. NULL with one when it could not be. */
PyObject *sl_watches_begin(struct sl_watches *watches, PyObject *type, PyObject *method, PyObject *caller);

/* It is not recorded any more, and takes the place of none that could be. */
void sl_watches_uncount(struct sl_watch *watch);

/* Takes one out of the list that it is in. The reference to that goes to the caller; NULL when it is in none. */
struct sl_watches *sl_watches_take_out(struct sl_watch *watch);

/* Why a request that took so long is kept; NULL: it is not. */
const char *sl_watches_reason(const struct sl_watches *watches, const struct sl_watch *watch, bool failed,
                              uint64_t spent_ns);

#endif
