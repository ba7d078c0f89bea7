/* host_native.h - the native thread that looks for as long as anything is recorded. */
#ifndef SL_SAMPLER_HOST_NATIVE_H
#define SL_SAMPLER_HOST_NATIVE_H

#include "base/error.h"

#include <stdbool.h>

/* Makes what it is woken by, once. False when memory is exhausted. */
bool sl_host_make_wake(void);

/* Starts it if there is none and it may be. The lock is held. */
bool sl_host_start_native(struct sl_error *error);

/* Ends it, and waits until it has. The gate is held, the lock is not. */
void sl_host_end_native(void);

#endif
