#include "extension/raise.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* An OSError that is made with its number becomes the subclass that goes with it. */
static void set(PyObject *type, int error_number, PyObject *sentence)
{
    if (error_number == 0 || PyObject_IsSubclass(type, PyExc_OSError) != 1) {
        PyErr_SetObject(type, sentence);
        return;
    }
    PyObject *arguments = Py_BuildValue("(iO)", error_number, sentence);
    if (arguments != NULL) {
        PyErr_SetObject(PyExc_OSError, arguments);
        Py_DECREF(arguments);
    }
}

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
    /* A path in it need not be UTF-8, and may have been cut. */
    PyObject *sentence = PyUnicode_DecodeUTF8(error->sentence, (Py_ssize_t)strlen(error->sentence), "backslashreplace");
    if (sentence != NULL) {
        set(type, error->error_number, sentence);
        Py_DECREF(sentence);
    }
    return NULL;
}

PyObject *sl_extension_raise_for_file(const struct sl_error *error, PyObject *path)
{
    if (error->error_number == 0) {
        return sl_extension_raise(error);
    }
    errno = error->error_number;
    return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
}
