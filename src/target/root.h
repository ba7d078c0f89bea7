/* root.h - which files a process finds at a path: those that we find there, or others. */
#ifndef SL_TARGET_ROOT_H
#define SL_TARGET_ROOT_H

#include "target/process.h"

#include <stdbool.h>
#include <stdint.h>

/* `*number` is 0 when its mount namespace and root directory are ours; else it tells them from those of other processes.
 * False, with the number as it was, when that cannot be found out. */
bool sl_root_number(const struct sl_process *process, uint64_t *number);

/* Its root directory, as a descriptor for openat2(2); -1 when it is not to be had. */
int sl_root_open(const struct sl_process *process);

/* Whether the process finds one and the same file or folder at both paths; false also where that cannot be found out. */
bool sl_root_same_file(const struct sl_process *process, const char *path, const char *other);

#endif
