/* arrivals.h - which processes are new on this machine since one last asked.
 *
 * Process ids are given out one after the other, and /proc/loadavg tells the last one: as long as that is the same,
 * nothing was started, which costs one read of 1 us to learn, however many processes and threads there are. Else only
 * the ids in between are looked at. Threads take ids too, and are left out here.
 *
 * Where /proc/loadavg does not tell the truth (some containers make it up, so it is tried out first), or ids have begun
 * again from the lowest, all of /proc is read instead. */
#ifndef SL_TARGET_ARRIVALS_H
#define SL_TARGET_ARRIVALS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Ids that have been given out, but whose process was not to be seen yet. */
#define SL_ARRIVALS_PENDING_MAX 32

struct sl_arrival {
    pid_t pid;
    pid_t parent; /* as of now */
};

struct sl_arrivals {
    int load;     /* descriptor of /proc/loadavg; -1: it cannot be read, or is not believed */
    pid_t last;   /* the id that was given out last */
    pid_t *known; /* in ascending order: the processes that the last reading of all of /proc told; owned */
    size_t known_count;
    struct sl_pending_arrival {
        pid_t pid;
        unsigned attempts;
    } pending[SL_ARRIVALS_PENDING_MAX];
    size_t pending_count;

    struct sl_arrival *list; /* of the last call; owned */
    size_t count;
    uint32_t capacity;
};

void sl_arrivals_init(struct sl_arrivals *arrivals);
void sl_arrivals_destroy(struct sl_arrivals *arrivals);

/* Puts all processes there are in `list`; later calls of `sl_arrivals_next` tell what came since. */
void sl_arrivals_all(struct sl_arrivals *arrivals);

/* Puts those in `list` that came since the last call of either; one that ended meanwhile is left out, and one may be
 * told twice. What is lost when memory is exhausted is told nowhere. */
void sl_arrivals_next(struct sl_arrivals *arrivals);

#endif
