/* watches.h - the type `Watches` of the extension module: the requests that are recorded to see whether they are worth
 * keeping, and what decides that. python/stacklapse/_native.pyi says what each method does. */
#ifndef SL_EXTENSION_WATCHES_H
#define SL_EXTENSION_WATCHES_H

#include "extension/watch.h"

/* Makes the type. NULL with an exception set when that fails. */
PyObject *sl_watches_type(PyObject *module);

/* Begins to record a request, in a new object of the type `type`, whose instances begin with struct sl_watch. `caller` is
 * the frame that its stacks begin at. NULL without an exception when it is not to be watched: as many are as may be, or it
 * is one of those that are left out. NULL with one when it could not be. */
PyObject *sl_watches_begin(PyObject *watches, PyObject *type, PyObject *method, PyObject *caller);

/* Takes one out of the list that it is in. The reference to that goes to the caller; NULL when it is in none. */
PyObject *sl_watches_take_out(struct sl_watch *watch);

/* Why a request that took so long is kept; NULL: it is not. */
const char *sl_watches_reason(const PyObject *watches, const struct sl_watch *watch, bool failed, uint64_t spent_ns);

/* The function that a request is handed to which is kept. Borrowed; NULL when there is none any more. */
PyObject *sl_watches_keep(const PyObject *watches);

#endif
