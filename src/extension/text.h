/* text.h - a program's text as the engine takes it. */
#ifndef SL_EXTENSION_TEXT_H
#define SL_EXTENSION_TEXT_H

#include <Python.h>

/* The str `text` itself, or, where it is no C string of UTF-8, another one that is: what UTF-8 cannot hold is written as
 * \udcXX, as it is in names of the program, and a NUL as \x00. PyUnicode_AsUTF8AndSize of it does not fail but for want of
 * memory. A new reference; NULL with an exception set: TypeError for what is no str. */
PyObject *sl_extension_text(PyObject *text);

#endif
