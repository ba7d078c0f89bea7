/* watch_asgi.h - the type `ASGIWatch` of the extension module: a Watch that is the `send` of an ASGI application. It holds
 * no message back. */
#ifndef SL_EXTENSION_WATCH_ASGI_H
#define SL_EXTENSION_WATCH_ASGI_H

#include "extension/state.h"
#include "extension/watch.h"

/* Makes the type, below that of Watch. NULL with an exception set when that fails. */
PyObject *sl_watch_asgi_type(PyObject *module, PyObject *watch_type);

/* Begins to record a request: as sl_watches_begin. */
PyObject *sl_watch_asgi(const struct sl_module_state *state, struct sl_watches *watches, PyObject *scope,
                        PyObject *send, PyObject *caller);

#endif
