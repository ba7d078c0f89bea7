/* context.h - which context a thread has entered, and what a context variable holds in it (contextvars).
 *
 * A thread state points to its context (PyContext, Include/internal/pycore_context.h), and that to a hash array mapped
 * trie of its variables (Python/hamt.c). The trie's nodes never change, but are freed when the context is: a search that
 * fails on the way means "ask again", never "the variable is not there". */
#ifndef SL_CPYTHON_CONTEXT_H
#define SL_CPYTHON_CONTEXT_H

#include "cpython/python.h"
#include "cpython/trail.h"

#include <stdbool.h>
#include <stdint.h>

struct sl_context_variable {
    uint64_t address; /* of the ContextVar */
    uint32_t hash;    /* as the trie takes it */
};

/* Reads the variable at `address`; SL_LOOK_TORN when it is none. */
enum sl_look sl_context_variable(struct sl_context_variable *variable, struct sl_python *python, uint64_t address);

/* Where the thread state has the address of the context that the thread has entered; that is 0 when there is none. */
uint64_t sl_context_place(const struct sl_python *python, const struct sl_python_thread *thread);

/* What the variable holds in the context at `context`, entered or not; 0: nothing. The way there is left in the trail,
 * which is not checked: who goes on from the value does that at the end. */
enum sl_look sl_context_find(struct sl_trail *trail, struct sl_python *python, uint64_t context,
                             const struct sl_context_variable *variable, uint64_t *value);

/* Whether the thread state of the thread `native_id` points to the context at `context`, which is known to be entered
 * there. Where this interpreter keeps it elsewhere, that place is found and used from now on. */
bool sl_context_locate(struct sl_python *python, uint64_t native_id, uint64_t context);

#endif
