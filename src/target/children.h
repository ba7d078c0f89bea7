/* children.h - the processes that a process has started, and those that they have started in turn.
 *
 * Processes begin and end meanwhile: one that lives through the call and whose
 * ancestors do is in the answer. Nobody is touched. */
#ifndef SL_TARGET_CHILDREN_H
#define SL_TARGET_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* More descendants of one process are left out. */
#define SL_DESCENDANTS_MAX 4096

struct sl_descendants {
    struct sl_descendant {
        pid_t pid;
        pid_t parent;
    } * items; /* owned; a parent stands before its children, siblings in the order in which they were started */
    size_t count;
};

/* All descendants of `pid`, itself not among them; none when there is no such process. False when memory is exhausted.
 * What is there from a call before is freed: zero the struct before the first one. Read from
 * /proc/PID/task/TID/children. */
bool sl_descendants_read(struct sl_descendants *descendants, pid_t pid);

/* The same from the parent that each process of the system names, for a kernel without those files
 * (CONFIG_PROC_CHILDREN): `sl_descendants_read` comes here by itself. */
bool sl_descendants_by_parent(struct sl_descendants *descendants, pid_t pid);
void sl_descendants_destroy(struct sl_descendants *descendants);

#endif
