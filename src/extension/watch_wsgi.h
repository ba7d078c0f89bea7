/* watch_wsgi.h - the type `WSGIWatch` of the extension module: a Watch that stands between a WSGI server and an application
 * (PEP 3333): it is the application's start_response, and the server's iterable, if what the application gave is not sent
 * as it is. It holds nothing back. */
#ifndef SL_EXTENSION_WATCH_WSGI_H
#define SL_EXTENSION_WATCH_WSGI_H

#include "extension/state.h"
#include "extension/watch.h"

/* Makes the type, below that of Watch. NULL with an exception set when that fails. */
PyObject *sl_watch_wsgi_type(PyObject *module, PyObject *watch_type);

/* Begins to record a request: as sl_watches_begin. */
PyObject *sl_watch_wsgi(const struct sl_module_state *state, struct sl_watches *watches, PyObject *environ,
                        PyObject *start_response, PyObject *caller);

#endif
