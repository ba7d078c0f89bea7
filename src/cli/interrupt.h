/* interrupt.h - a person who presses Ctrl-C while a report is written gets the prompt back, and no half-written file
 * stays behind. */
#ifndef SL_CLI_INTERRUPT_H
#define SL_CLI_INTERRUPT_H

#include "base/output.h"

#include <stdint.h>

/* From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT end us (exit code 128 + signal), but not within the first `grace_ns`:
 * what comes then was meant for the program that has just ended, and its report is still written. Unblocks them. */
void sl_interrupt_arm(uint64_t grace_ns);

/* The output whose temporary file is to be removed when that happens; NULL: none any more. */
void sl_interrupt_guard(const struct sl_output *output);

#endif
