/* token.h - what marks a context as belonging to a recording: the value of a ContextVar, which the sampler finds in memory
 * (sampler/host.h says where it looks). It holds no recorded data, since contexts that copied it live on after the
 * recording. */
#ifndef SL_EXTENSION_TOKEN_H
#define SL_EXTENSION_TOKEN_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

/* The type of tokens, for this module. */
PyObject *sl_token_type(PyObject *module);

/* A token with an id that no other has, on top of what the variable held before: of that, only what still runs counts.
 * `before` may be NULL or no token at all. */
PyObject *sl_token_create(PyObject *type, PyObject *before);
uint64_t sl_token_id(PyObject *token);

/* Its recording has ended. */
void sl_token_end(PyObject *token);

/* The innermost token from `token` on whose recording runs; NULL when there is none. Borrowed. */
PyObject *sl_token_running(PyObject *type, PyObject *token);

#endif
