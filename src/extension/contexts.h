/* contexts.h - marks the current context as belonging to a recording: whatever copies it inherits the mark, and so the
 * sampler tells what is in a recording's scope (token.h, sampler/host.h). */
#ifndef SL_EXTENSION_CONTEXTS_H
#define SL_EXTENSION_CONTEXTS_H

#include "extension/state.h"

#include <Python.h>

#include <stdbool.h>

/* A context that was marked. Owned references, NULL where none was. */
struct sl_mark {
    PyObject *token;
    PyObject *set; /* what ContextVar.set gave for it */
};

/* Makes what is kept. False with an exception set when that fails; what was made is then released by the clearing. */
bool sl_contexts_setup(PyObject *module, struct sl_contexts *contexts);
int sl_contexts_traverse(struct sl_contexts *contexts, visitproc visit, void *arg);
void sl_contexts_clear(struct sl_contexts *contexts);

/* Makes sure, once in each process, that the sampler finds in memory which context is entered. False with an exception set
 * if it does not, because this interpreter keeps that elsewhere. */
bool sl_contexts_check(void);

/* Marks the current context with a new token. False with an exception set when that fails; `mark` is to be taken away all
 * the same. */
bool sl_contexts_mark(const struct sl_contexts *contexts, struct sl_mark *mark);

/* Takes the mark away again, if the current context is the one that was marked, and nobody has marked it since. Other
 * contexts keep a token whose recording has ended. Leaves exceptions as they are. A mark that is gone already is fine. */
void sl_contexts_unmark(const struct sl_contexts *contexts, struct sl_mark *mark);

#endif
