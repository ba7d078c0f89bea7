/* module.h - what the files of `stacklapse._native` share: a thin door from Python to libstacklapse.
 *
 * One module for CPython 3.11 and later: it uses the Limited API only (Py_LIMITED_API, defined by meson.build), so it
 * knows no object's insides. What it offers is documented where a person reads it, in python/stacklapse/_native.pyi. */
#ifndef SL_EXTENSION_MODULE_H
#define SL_EXTENSION_MODULE_H

#include <Python.h>

#include "base/error.h"

/* What failed in the engine as an exception: what was asked for and cannot be, and bytes that are no recording, are a
 * ValueError, what the system or its permissions refuse an OSError or PermissionError, an interpreter that cannot be read
 * a RuntimeError. Returns NULL. */
PyObject *sl_extension_raise(const struct sl_error *error);

#endif
