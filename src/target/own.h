/* own.h - what a process may ask about itself only. */
#ifndef SL_TARGET_OWN_H
#define SL_TARGET_OWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Address of a symbol that the program or one of its libraries exports; 0 when there is none such. */
uint64_t sl_own_symbol(const char *name);

/* CPU time of this process; of the children that it waited for; of one of its threads (0 when that has ended). Exact to
 * the nanosecond but for the children. */
uint64_t sl_own_cpu_ns(void);
uint64_t sl_own_children_cpu_ns(void);
uint64_t sl_own_thread_cpu_ns(pid_t thread);

/* The kernel's id of the calling thread. */
pid_t sl_own_thread_id(void);

/* Waits until the thread, which has been joined, is gone for the kernel, too: for a moment after pthread_join(3) it still
 * is counted among the threads of the process. */
void sl_own_thread_gone(pid_t thread);

#endif
