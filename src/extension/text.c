#include "extension/text.h"

#include "base/buffer.h"

#include <string.h>

/* `text` as UTF-8, with escapes for what cannot be told so. */
static bool append_escaped(struct sl_buffer *escaped, PyObject *text)
{
    PyObject *encoded = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    char *bytes = NULL;
    Py_ssize_t size = 0;
    if (encoded == NULL || PyBytes_AsStringAndSize(encoded, &bytes, &size) < 0) {
        Py_XDECREF(encoded);
        return false;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        if (bytes[i] == '\0') {
            sl_buffer_text(escaped, "\\x00");
        } else {
            sl_buffer_byte(escaped, bytes[i]);
        }
    }
    Py_DECREF(encoded);
    if (escaped->failed) {
        PyErr_NoMemory();
    }
    return !escaped->failed;
}

PyObject *sl_extension_text(PyObject *text)
{
    Py_ssize_t size = 0;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &size);
    if (bytes != NULL && strlen(bytes) == (size_t)size) {
        return Py_NewRef(text);
    }
    if (bytes == NULL && !PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        return NULL;
    }
    PyErr_Clear();
    struct sl_buffer escaped;
    sl_buffer_init(&escaped);
    PyObject *writable =
        append_escaped(&escaped, text) ? PyUnicode_FromStringAndSize(escaped.bytes, (Py_ssize_t)escaped.size) : NULL;
    sl_buffer_destroy(&escaped);
    return writable;
}
