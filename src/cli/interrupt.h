/* interrupt.h - a person who presses Ctrl-C while a report is written gets the prompt back, and no half-written file
 * stays behind. */
#ifndef SL_CLI_INTERRUPT_H
#define SL_CLI_INTERRUPT_H

#include "base/output.h"

#include <stdint.h>

/* A key that was pressed to end the program or the recording is often pressed twice. */
#define SL_INTERRUPT_GRACE_NS UINT64_C(1000000000)

/* From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT end us (exit code 128 + signal; by Ctrl-C as sl_interrupt_die does),
 * but not within the first `grace_ns`: what comes then was meant for the program that has just ended, and its report is
 * still written. Unblocks them. */
void sl_interrupt_arm(uint64_t grace_ns);

/* Ends us by SIGINT, so that whoever waits sees it: a shell ends its loop at Ctrl-C only if what it runs died of that,
 * and not if it exits with 130. Returns where that cannot be done (the first process of a container). */
void sl_interrupt_die(void);

/* The output whose temporary file is to be removed when that happens; NULL: none any more. */
void sl_interrupt_guard(const struct sl_output *output);

#endif
