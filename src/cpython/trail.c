#include "cpython/trail.h"

#include "cpython/runtime.h"

#include <stdlib.h>
#include <string.h>

void sl_trail_init(struct sl_trail *trail)
{
    *trail = (struct sl_trail){0};
    sl_snapshot_init(&trail->seen);
}

void sl_trail_destroy(struct sl_trail *trail)
{
    sl_snapshot_destroy(&trail->seen);
    free(trail->again);
    sl_trail_init(trail);
}

enum sl_look sl_trail_read(struct sl_trail *trail, struct sl_process *process, uint64_t address, size_t size,
                           const uint8_t **copy)
{
    size_t piece = sl_snapshot_add(&trail->seen, address, size);
    if (piece == SIZE_MAX) {
        return SL_LOOK_MEMORY;
    }
    enum sl_look look = sl_look_from_read(sl_snapshot_take(&trail->seen, process));
    *copy = sl_snapshot_copy(&trail->seen, piece);
    return look;
}

bool sl_trail_same(struct sl_trail *trail, struct sl_process *process)
{
    const struct sl_snapshot *seen = &trail->seen;
    if (seen->count == 0 || seen->taken != seen->count) {
        return false;
    }
    if (trail->again_capacity < seen->size) {
        uint8_t *again = realloc(trail->again, seen->capacity);
        if (again == NULL) {
            return false;
        }
        trail->again = again;
        trail->again_capacity = seen->capacity;
    }
    for (size_t done = 0; done < seen->count;) {
        struct sl_read_piece pieces[SL_READ_PIECES_MAX];
        size_t count = 0;
        for (; count < SL_READ_PIECES_MAX && done < seen->count; count++, done++) {
            const struct sl_snapshot_piece *piece = &seen->pieces[done];
            pieces[count] = (struct sl_read_piece){piece->address, trail->again + piece->at, piece->size};
        }
        if (sl_process_read_pieces(process, pieces, count) != SL_READ_OK) {
            return false;
        }
    }
    return memcmp(trail->again, seen->bytes, seen->size) == 0;
}
