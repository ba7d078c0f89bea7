/* session.h - the type `Session` of the extension module: a finished recording and what any renderer makes of it.
 *
 * Session(trace), with the bytes of a .lapse file or folded stacks; render(name, ...), trace, program and the facts of
 * profile/profile.h as attributes. python/stacklapse/_native.pyi says what each is. */
#ifndef SL_EXTENSION_SESSION_H
#define SL_EXTENSION_SESSION_H

#include <Python.h>

/* Makes the type, adds it to the module, and returns it; NULL with an exception set when that fails. */
PyObject *sl_session_type(PyObject *module);

/* A Session of the type `type` of several, one after the other. NULL with an exception set: TypeError when one of
 * `sessions` (any iterable) is none, what sl_profile_combine gives. */
PyObject *sl_session_combine(PyObject *type, PyObject *sessions);

#endif
