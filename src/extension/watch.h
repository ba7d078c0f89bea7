/* watch.h - the type `Watch` of the extension module: a request that nobody asked to profile, recorded to see whether it is
 * worth keeping. That is every request, and few are kept, so beginning and ending one costs as little as can be;
 * python/stacklapse/_native.pyi says what each method does.
 *
 * A Watch is what Django's middleware holds; WSGIWatch (watch_wsgi.h) and ASGIWatch (watch_asgi.h) are Watches that stand
 * between a server and an application. */
#ifndef SL_EXTENSION_WATCH_H
#define SL_EXTENSION_WATCH_H

#include "extension/watches.h"

/* Makes the type. NULL with an exception set when that fails. */
PyObject *sl_watch_type(PyObject *module);

/* The request has ended. It is forgotten, or handed to the function `keep` of its Watches, with what `subject` says of it
 * (borrowed; NULL: None). `error` may be NULL. A second time does nothing. An exception that is set stays. A failure of
 * `keep` is told; false, with it set, when it raised what is no Exception and is to end the program. */
bool sl_watch_end(struct sl_watch *watch, long status, PyObject *error, PyObject *subject);

/* For the types that are more than a Watch: `tp_traverse` and `tp_dealloc` end with these. `tp_clear` begins with it, because
 * whatever is released may ask for the Watches that run, and this is none any more. */
int sl_watch_traverse(struct sl_watch *watch, visitproc visit, void *arg);
void sl_watch_clear(struct sl_watch *watch);
void sl_watch_free(struct sl_watch *watch);

#endif
