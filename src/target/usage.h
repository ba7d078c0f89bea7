/* usage.h - the CPU time of a process, and how it ended. */
#ifndef SL_TARGET_USAGE_H
#define SL_TARGET_USAGE_H

#include "target/process.h"

#include <stdbool.h>
#include <stdint.h>

struct sl_usage {
    uint64_t cpu_ns;          /* of all its threads since it was started; while it runs, exact to a scheduler tick
                               * (4 ms at HZ=250) for each running thread; once it has ended, exact */
    uint64_t children_cpu_ns; /* of the descendants that it waited for; in steps of 10 ms */
};

/* False when the process is gone and nothing can be said of it any more. A zombie still can be read. */
bool sl_usage_read(const struct sl_process *process, struct sl_usage *usage);

/* The CPU time alone, in less than 1 us. To be called of a process that is known to be there still, since the pid may
 * have come to mean another. */
bool sl_usage_cpu(const struct sl_process *process, uint64_t *cpu_ns);

/* How it ended, as of waitpid(2), without collecting it: exact for a child of ours; for another process read from
 * /proc while it is a zombie. False when it has not ended yet, or nobody may know. */
bool sl_usage_exit_status(const struct sl_process *process, int32_t *exit_status);

#endif
