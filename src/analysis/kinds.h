/* kinds.h - what the time was spent in, by kind: computing, waiting for the GIL, in which system call, collecting. */
#ifndef SL_ANALYSIS_KINDS_H
#define SL_ANALYSIS_KINDS_H

#include "analysis/selection.h"

enum sl_kind {
    SL_KIND_UNKNOWN = 0,  /* states were not recorded, or could not be read */
    SL_KIND_PYTHON = 1,   /* on a CPU with the GIL */
    SL_KIND_NATIVE = 2,   /* on a CPU without the GIL: native code that let it go */
    SL_KIND_GC = 3,       /* collecting garbage */
    SL_KIND_GIL_WAIT = 4, /* waiting for the GIL */
    SL_KIND_LOCK = 5,     /* waiting for a lock, a condition, another thread */
    SL_KIND_CALL = 6,     /* waiting in a system call */
    SL_KIND_COUNT = 7,
};

/* The one kind of a state: garbage collection before all others, then waiting, then running. */
enum sl_kind sl_kind_of(sl_state state);

struct sl_kind_amount {
    uint32_t kind; /* enum sl_kind */
    int32_t call;  /* of SL_KIND_CALL the system call's number, -1 when it is not known; -1 for all other kinds */
    struct sl_amount amount;
};

/* The kinds that were seen in the selection, heaviest first. The whole selection counts, whatever its mode. NULL when
 * the arena is exhausted. */
const struct sl_kind_amount *sl_kind_amounts(struct sl_arena *arena, const struct sl_profile *profile,
                                             const struct sl_selection *selection, uint32_t *count);

#endif
