/* trail.h - the pieces of memory that were followed from one to the next, kept to see with one system call whether what
 * was found still holds: it does while every piece is as it was.
 *
 * Pieces hold what a search depends on and nothing else: no reference counts. A trail that is the same when it is read
 * again right after it was made was consistent: what it came by was all there at one moment. */
#ifndef SL_CPYTHON_TRAIL_H
#define SL_CPYTHON_TRAIL_H

#include "cpython/python.h"
#include "cpython/snapshot.h"

/* An object is read with what lies behind it, which is mostly asked for, too: a read costs as much as copying some
 * kilobytes. */
#define SL_TRAIL_OBJECT_BYTES 512

struct sl_trail {
    struct sl_snapshot seen;
    uint8_t *again; /* owned */
    size_t again_capacity;
    struct {
        uint64_t address;
        size_t size;      /* that was read of it; 0: none is open */
        size_t low, high; /* what of that was looked at, and is to be remembered: one piece */
        uint8_t bytes[SL_TRAIL_OBJECT_BYTES];
    } object;
};

void sl_trail_init(struct sl_trail *trail);
void sl_trail_destroy(struct sl_trail *trail);

static inline void sl_trail_clear(struct sl_trail *trail)
{
    sl_snapshot_clear(&trail->seen);
    trail->object.size = 0;
}

/* Reads the object at `address`, of which at least `needed` bytes are there. */
enum sl_look sl_trail_open(struct sl_trail *trail, struct sl_process *process, uint64_t address, size_t needed);

/* What lies between what was looked at of that object and what is looked at next may change. SL_LOOK_MEMORY or SL_LOOK_OK. */
enum sl_look sl_trail_part(struct sl_trail *trail);

/* Looks at `size` bytes and remembers them: from the object that was opened last if they lie in what was read of it, else
 * by a read of their own. `*copy` is valid until the next call. */
enum sl_look sl_trail_read(struct sl_trail *trail, struct sl_process *process, uint64_t address, size_t size,
                           const uint8_t **copy);
enum sl_look sl_trail_word(struct sl_trail *trail, struct sl_process *process, uint64_t address, uint64_t *word);

/* Reads everything again. False when anything is another than it was, and for an empty trail. */
bool sl_trail_same(struct sl_trail *trail, struct sl_process *process);

/* The same, and before it, in the same system call, the word at `address`. `*read`: whether there is something in `*word`. */
bool sl_trail_same_with(struct sl_trail *trail, struct sl_process *process, uint64_t address, uint64_t *word,
                        bool *read);

#endif
