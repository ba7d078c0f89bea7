#include "extension/raise.h"

PyObject *sl_extension_raise(const struct sl_error *error)
{
    PyObject *type = PyExc_RuntimeError;
    switch (error->kind) {
    case SL_ERROR_USAGE:
    case SL_ERROR_FORMAT:
        type = PyExc_ValueError;
        break;
    case SL_ERROR_PERMISSION:
        type = PyExc_PermissionError;
        break;
    case SL_ERROR_SYSTEM:
        type = PyExc_OSError;
        break;
    default:
        break;
    }
    PyErr_SetString(type, error->sentence);
    return NULL;
}
