/* raise.h - failures of the engine as Python's exceptions. */
#ifndef SL_EXTENSION_RAISE_H
#define SL_EXTENSION_RAISE_H

#include <Python.h>

#include "base/error.h"

/* Sets the exception: what was asked for and cannot be, and bytes that are no recording, are a ValueError, what the system
 * or its permissions refuse an OSError or PermissionError, an interpreter that cannot be read a RuntimeError. Returns NULL. */
PyObject *sl_extension_raise(const struct sl_error *error);

#endif
