/* launch.h - starts a program as it would start without us, and collects it when it has ended.
 *
 * The child gets our standard descriptors, working directory, environment, process group, terminal and limits, and the
 * signal dispositions and mask that we were started with. Of our own descriptors it inherits none (all are opened
 * O_CLOEXEC); those that we inherited ourselves go on to it. */
#ifndef SL_TARGET_LAUNCH_H
#define SL_TARGET_LAUNCH_H

#include "base/error.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A child that was started. */
struct sl_launched {
    pid_t pid;
    uint64_t started_ns; /* when, on the clock of sl_clock_now_ns: not after it began. On a busy machine it may have run
                          * for long when we do again */
};

/* Starts the file `path` (not looked up) with `arguments`, of which the first is the name it is called by and NULL the
 * last, and with `mask` as its blocked signals. That exec failed is told here, not by an exit code.
 *
 * The caller may have blocked signals, but not changed what any of them does. SIGCHLD is set to its default for us, so
 * that the child can be waited for; the child gets it as it was. */
bool sl_launch(struct sl_launched *launched, const char *path, char *const *arguments, const sigset_t *mask,
               struct sl_error *error);

struct sl_exit {
    int status;               /* as of waitpid(2) */
    uint64_t cpu_ns;          /* of the child itself */
    uint64_t children_cpu_ns; /* of the descendants it waited for */
};

/* Collects a child that has ended (blocks until it has). Until then its pid means no other process. */
bool sl_launch_wait(pid_t pid, struct sl_exit *exit, struct sl_error *error);

#endif
