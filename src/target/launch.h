/* launch.h - starts a program as it would start without us, and waits for it.
 *
 * The child gets our standard descriptors, working directory, environment, process group and terminal, default signal
 * dispositions where ours differ from what we were started with, and an unblocked signal mask as ours was. No other
 * descriptor of ours is inherited. */
#ifndef SL_TARGET_LAUNCH_H
#define SL_TARGET_LAUNCH_H

#include "base/error.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sl_launch {
    pid_t pid;
    int pid_descriptor; /* of pidfd_open(2): readable once the child has ended */
};

/* Starts `arguments[0]` (a path; not looked up) with `arguments`, NULL at the end. That exec failed is told here, not
 * by an exit code. */
bool sl_launch(struct sl_launch *launch, char *const *arguments, struct sl_error *error);

struct sl_exit {
    int status;               /* as of waitpid(2) */
    uint64_t cpu_ns;          /* of the child itself */
    uint64_t children_cpu_ns; /* of the descendants it waited for */
};

/* Collects a child that has ended (blocks until it has), and closes the descriptor. */
bool sl_launch_wait(struct sl_launch *launch, struct sl_exit *exit, struct sl_error *error);

#endif
