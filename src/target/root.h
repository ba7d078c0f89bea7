/* root.h - which files a process finds at a path: those that we find there, or others. */
#ifndef SL_TARGET_ROOT_H
#define SL_TARGET_ROOT_H

#include "target/process.h"

#include <stdint.h>

/* 0 when its mount namespace and root directory are ours, or when that cannot be found out; else a number that tells them from
 * those of other processes. */
uint64_t sl_root_number(const struct sl_process *process);

/* Its root directory, as a descriptor for openat2(2); -1 when it is not to be had. */
int sl_root_open(const struct sl_process *process);

#endif
