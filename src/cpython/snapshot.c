#include "cpython/snapshot.h"

#include "base/array.h"

#include <stdlib.h>

void sl_snapshot_init(struct sl_snapshot *snapshot)
{
    *snapshot = (struct sl_snapshot){0};
}

void sl_snapshot_destroy(struct sl_snapshot *snapshot)
{
    free(snapshot->bytes);
    free(snapshot->pieces);
    sl_snapshot_init(snapshot);
}

void sl_snapshot_clear(struct sl_snapshot *snapshot)
{
    snapshot->size = 0;
    snapshot->count = 0;
    snapshot->taken = 0;
    snapshot->full = false;
}

size_t sl_snapshot_add(struct sl_snapshot *snapshot, uint64_t address, size_t size)
{
    if (size > SL_STACK_BYTES_MAX - snapshot->size) {
        snapshot->full = true;
        return SIZE_MAX;
    }
    if (!sl_array_reserve(&snapshot->bytes, &snapshot->capacity, (uint32_t)(snapshot->size + size), 1) ||
        !sl_array_room(&snapshot->pieces, &snapshot->piece_capacity, (uint32_t)snapshot->count,
                       sizeof *snapshot->pieces)) {
        return SIZE_MAX;
    }
    snapshot->pieces[snapshot->count] = (struct sl_snapshot_piece){address, (uint32_t)size, (uint32_t)snapshot->size};
    snapshot->size += size;
    return snapshot->count++;
}

void sl_snapshot_drop(struct sl_snapshot *snapshot, size_t first)
{
    snapshot->size = snapshot->pieces[first].at;
    snapshot->count = first;
    snapshot->taken = snapshot->taken < first ? snapshot->taken : first;
}

enum sl_read sl_snapshot_take(struct sl_snapshot *snapshot, struct sl_process *process)
{
    while (snapshot->taken < snapshot->count) {
        struct sl_read_piece pieces[SL_READ_PIECES_MAX];
        size_t count = snapshot->count - snapshot->taken;
        if (count > SL_READ_PIECES_MAX) {
            count = SL_READ_PIECES_MAX;
        }
        for (size_t i = 0; i < count; i++) {
            const struct sl_snapshot_piece *piece = &snapshot->pieces[snapshot->taken + i];
            if (piece->address + piece->size < piece->address) {
                return SL_READ_FAULT; /* it goes round the end of all addresses: a wild pointer like any other */
            }
            pieces[i] = (struct sl_read_piece){piece->address, snapshot->bytes + piece->at, piece->size};
        }
        enum sl_read read = sl_process_read_pieces(process, pieces, count);
        if (read != SL_READ_OK) {
            return read;
        }
        snapshot->taken += count;
    }
    return SL_READ_OK;
}
