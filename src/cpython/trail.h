/* trail.h - the pieces of memory that were followed from one to the next, kept to see with one system call whether what
 * was found still holds: it does while every piece is as it was.
 *
 * Pieces hold what a search depends on and nothing else: no reference counts. A trail that is the same when it is read
 * again right after it was made was consistent: what it came by was all there at one moment. */
#ifndef SL_CPYTHON_TRAIL_H
#define SL_CPYTHON_TRAIL_H

#include "cpython/python.h"
#include "cpython/snapshot.h"

struct sl_trail {
    struct sl_snapshot seen;
    uint8_t *again; /* owned */
    size_t again_capacity;
};

void sl_trail_init(struct sl_trail *trail);
void sl_trail_destroy(struct sl_trail *trail);

static inline void sl_trail_clear(struct sl_trail *trail)
{
    sl_snapshot_clear(&trail->seen);
}

/* Reads `size` bytes and remembers them; `*copy` is valid until the next call. */
enum sl_look sl_trail_read(struct sl_trail *trail, struct sl_process *process, uint64_t address, size_t size,
                           const uint8_t **copy);

/* Reads everything again. False when anything is another than it was, and for an empty trail. */
bool sl_trail_same(struct sl_trail *trail, struct sl_process *process);

#endif
