/* descriptors.h - what a thread waits for: the descriptor that a system call is about, and what that descriptor is.
 *
 * Descriptors are resolved in the process's own namespaces (/proc/PID/fd, /proc/PID/net), so that a socket of a
 * container is told with the addresses that the container has. Nothing is opened that the process has open. */
#ifndef SL_TARGET_DESCRIPTORS_H
#define SL_TARGET_DESCRIPTORS_H

#include "target/process.h"
#include "target/threads.h"

#include <stddef.h>
#include <stdint.h>

/* The descriptor that a thread waits for in its system call; of a poll the first one, with `*others` the number of the
 * rest. -1 when the call is about none. */
int sl_descriptor_awaited(struct sl_process *process, const struct sl_thread_activity *activity, size_t *others);

/* What it is, in a few words: a path, "pipe", "eventpoll", "socket 127.0.0.1:5432" (the other end),
 * "socket listening on 0.0.0.0:8000", "unix socket /run/app.sock". "" when that cannot be known. */
#define SL_DESCRIPTOR_TEXT_MAX 512
void sl_descriptor_describe(const struct sl_process *process, int descriptor, char text[SL_DESCRIPTOR_TEXT_MAX]);

#endif
