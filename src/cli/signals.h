/* signals.h - signals that a sub-command waits for together with everything else that it waits for. */
#ifndef SL_CLI_SIGNALS_H
#define SL_CLI_SIGNALS_H

#include "base/error.h"

#include <stddef.h>

/* From now on these signals are received by a descriptor (signalfd(2), not blocking), the caller's to close. Those that
 * were ignored when we were started (nohup) stay so. -1 with an error when it cannot be made. */
int sl_signals_receive(const int *numbers, size_t count, struct sl_error *error);

#endif
