/* raise.h - failures of the engine as Python's exceptions. */
#ifndef SL_EXTENSION_RAISE_H
#define SL_EXTENSION_RAISE_H

#include <Python.h>

#include "base/error.h"

/* Sets the exception: what was asked for and cannot be, and bytes that are no recording, are a ValueError, what the system
 * or its permissions refuse an OSError or PermissionError, with its `errno` where that is known, an interpreter that cannot
 * be read a RuntimeError. Returns NULL. */
PyObject *sl_extension_raise(const struct sl_error *error);

/* The same where the file at `path` could not be written: with `errno` and `filename`, as open() raises it. */
PyObject *sl_extension_raise_for_file(const struct sl_error *error, PyObject *path);

#endif
