/* watch_types.h - the types of the extension module for requests that nobody asked to profile: Watch, WSGIWatch, ASGIWatch,
 * and Watches, which is what makes them. python/stacklapse/_native.pyi says what each method does. */
#ifndef SL_EXTENSION_WATCH_TYPES_H
#define SL_EXTENSION_WATCH_TYPES_H

#include "extension/state.h"

#include <stdbool.h>

/* Makes the types and adds them to the module. False with an exception set when that fails. */
bool sl_watch_types_setup(PyObject *module, struct sl_watch_state *state);
int sl_watch_types_traverse(struct sl_watch_state *state, visitproc visit, void *arg);
void sl_watch_types_clear(struct sl_watch_state *state);

#endif
