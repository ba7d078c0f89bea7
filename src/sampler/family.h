/* family.h - the processes that descend from those of a session: finds them while they start, and says which of them
 * can be recorded.
 *
 * All descendants are kept in mind (kin), also those that are no Python: a shell may start one, or become one. A
 * process is found, once, when it is a Python: when it has executed a file that is named like one; else when an
 * interpreter is in its memory and a thread of its own belongs to it. A child between vfork(2) and exec(2), which
 * still has its parent's memory, is therefore none.
 *
 * A descendant is known by its parent, as long as that lives: one whose parent has ended before it was seen, within the
 * 2 ms between two polls, is missed with all that descends from it. */
#ifndef SL_SAMPLER_FAMILY_H
#define SL_SAMPLER_FAMILY_H

#include "base/error.h"
#include "target/arrivals.h"
#include "target/image.h"
#include "target/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sl_kin {
    struct sl_process process;
    pid_t parent;
    struct sl_image image;
    bool root;               /* it was added, and is kept until it ends */
    bool before;             /* it was there before the search began */
    bool settled;            /* no Python that can be read, unless it executes another program */
    bool again;              /* it was recorded before */
    bool returned;           /* it was found before, and could not be recorded then */
    uint64_t attempt_due_ns; /* when it is looked at again whether it is a Python */
    uint64_t wait_ns;        /* between the attempt before and that one */
    uint64_t covered_ns;     /* CPU time of descendants of its that are recorded and have ended */
};

/* One of the kin that has ended: what is told later of its descendants concerns its parent. */
struct sl_ended_kin {
    pid_t pid, parent;
};
#define SL_ENDED_KIN_MAX 64

/* A process that can be recorded. */
struct sl_found {
    pid_t pid;
    bool root, before, again;
    uint64_t covered_ns;
    uint64_t wait_ns; /* all as above */
};

struct sl_family {
    struct sl_arrivals arrivals;
    bool searching;
    bool fresh; /* no poll took place since the search began */
    size_t *descriptors_left;
    struct sl_kin *kin; /* owned */
    size_t count, capacity;
    struct sl_ended_kin ended[SL_ENDED_KIN_MAX]; /* the latest ones, in a ring */
    size_t ended_count;                          /* so far */
    uint64_t due_ns;                             /* the next poll; UINT64_MAX while not searching */
    uint64_t cost_ns;                            /* CPU time of a poll, as far as is believed */

    struct sl_found *found; /* by the last poll; owned */
    size_t found_count, found_capacity;
    struct sl_error refusal; /* why one of them, or its descendants, cannot be recorded, of the first */
};

/* What the session says of the processes that it records itself. */
struct sl_relation {
    void *context;
    bool (*belongs)(void *context, pid_t pid); /* whether it is one */
    /* It has waited for a descendant of which `covered_ns` are accounted for. */
    void (*cover)(void *context, pid_t pid, uint64_t covered_ns);
};

/* `descriptors_left` is borrowed: how many more files may be kept open. */
void sl_family_init(struct sl_family *family, size_t *descriptors_left);
void sl_family_destroy(struct sl_family *family);

/* Puts a process among the kin that may be a Python, or become one, or have descendants that are. */
bool sl_family_add(struct sl_family *family, pid_t pid, uint64_t now_ns, struct sl_error *error);

/* The same for one that was recorded and turned out to be none that can be read: only its descendants count, unless it
 * executes another program. */
void sl_family_keep(struct sl_family *family, pid_t pid, uint64_t now_ns);

/* The same for one that has been recorded until it executed what is no Python, and that may become one again. */
void sl_family_take_back(struct sl_family *family, pid_t pid, uint64_t now_ns);

/* The same for one that was found and could not be recorded, for this reason (most of all want of descriptors, which
 * may pass): it is found again, ever more seldom, as one that was there before. */
void sl_family_return(struct sl_family *family, const struct sl_found *found, const struct sl_error *error,
                      uint64_t now_ns);

/* From now on descendants are searched for, beginning with those that are there. */
void sl_family_search(struct sl_family *family, uint64_t now_ns);

/* Until the next search; of the kin only roots are kept. */
void sl_family_rest(struct sl_family *family);

/* To be called at `due_ns` or later: fills in `found`. A found process is no kin any more. Polls take place every 2 ms,
 * or as seldom as keeps them at one percent of a core. */
void sl_family_poll(struct sl_family *family, uint64_t now_ns, const struct sl_relation *relation);

/* A recorded process has ended: `covered_ns` of what its parent has waited for is accounted for. Returns whether the
 * parent is among the kin. */
bool sl_family_cover(struct sl_family *family, pid_t parent, uint64_t covered_ns);

/* The parent of one of the kin that has ended lately; 0 when it is not known. A process and its parent may end between two
 * looks, and then the parent's end is seen first. */
pid_t sl_family_heir(const struct sl_family *family, pid_t ended);

/* Whether a root is left that has not ended, as of the last poll. */
bool sl_family_has_root(const struct sl_family *family);

#endif
