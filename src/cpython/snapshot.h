/* snapshot.h - pieces of a process's memory, copied in a given order with as few system calls as there can be.
 *
 * The kernel copies the pieces of one process_vm_readv(2) in order, some 80 ns apart, while the process runs. What a
 * walk of a stack may conclude rests on that order (stack.h). */
#ifndef SL_CPYTHON_SNAPSHOT_H
#define SL_CPYTHON_SNAPSHOT_H

#include "cpython/python.h"
#include "target/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_snapshot_piece {
    uint64_t address;
    uint32_t size;
    uint32_t at; /* where its copy begins in `bytes` */
};

struct sl_snapshot {
    uint8_t *bytes;
    size_t size;
    uint32_t capacity;
    struct sl_snapshot_piece *pieces;
    size_t count;
    uint32_t piece_capacity;
    size_t taken; /* pieces that were copied; those behind them were only added */
    bool full;    /* a piece had no room within SL_STACK_BYTES_MAX */
};

void sl_snapshot_init(struct sl_snapshot *snapshot);
void sl_snapshot_destroy(struct sl_snapshot *snapshot);

/* Forgets everything and keeps the memory. */
void sl_snapshot_clear(struct sl_snapshot *snapshot);

/* Adds a piece that `sl_snapshot_take` is to copy, and returns its number, or SIZE_MAX when the snapshot is full or memory
 * is exhausted. */
size_t sl_snapshot_add(struct sl_snapshot *snapshot, uint64_t address, size_t size);

/* Takes the pieces from number `first` on, which must be there, out again. */
void sl_snapshot_drop(struct sl_snapshot *snapshot, size_t first);

/* Copies the pieces added since it was last called. */
enum sl_read sl_snapshot_take(struct sl_snapshot *snapshot, struct sl_process *process);

/* The copy of piece `number`: valid until the next call of sl_snapshot_add. */
static inline const uint8_t *sl_snapshot_copy(const struct sl_snapshot *snapshot, size_t number)
{
    return snapshot->bytes + snapshot->pieces[number].at;
}

/* The copy of `size` bytes at `address` if piece `number` holds all of them, else NULL. */
static inline const uint8_t *sl_snapshot_find(const struct sl_snapshot *snapshot, size_t number, uint64_t address,
                                              size_t size)
{
    const struct sl_snapshot_piece *piece = &snapshot->pieces[number];
    if (address < piece->address || address - piece->address > piece->size ||
        piece->size - (address - piece->address) < size) {
        return NULL;
    }
    return snapshot->bytes + piece->at + (address - piece->address);
}

#endif
