#include "cpython/trail.h"

#include "cpython/look.h"
#include "cpython/text.h"
#include "cpython/words.h"

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

/* Remembers what was looked at of the object that is open since that was done last. */
static bool note_part(struct sl_trail *trail)
{
    if (trail->object.size == 0 || trail->object.low >= trail->object.high) {
        return true;
    }
    size_t size = trail->object.high - trail->object.low;
    size_t piece = sl_snapshot_add(&trail->seen, trail->object.address + trail->object.low, size);
    if (piece == SIZE_MAX) {
        return false;
    }
    memcpy(trail->seen.bytes + trail->seen.pieces[piece].at, trail->object.bytes + trail->object.low, size);
    trail->seen.taken = trail->seen.count;
    trail->object.low = trail->object.size;
    trail->object.high = 0;
    return true;
}

/* The same, and closes it. */
static bool note_object(struct sl_trail *trail)
{
    bool noted = note_part(trail);
    trail->object.size = 0;
    return noted;
}

enum sl_look sl_trail_part(struct sl_trail *trail)
{
    return note_part(trail) ? SL_LOOK_OK : SL_LOOK_MEMORY;
}

enum sl_look sl_trail_open(struct sl_trail *trail, struct sl_process *process, uint64_t address, size_t needed)
{
    if (!note_object(trail)) {
        return SL_LOOK_MEMORY;
    }
    size_t size = sl_page_bounded(address, needed, SL_TRAIL_OBJECT_BYTES);
    enum sl_look look = sl_look_from_read(sl_process_read(process, address, trail->object.bytes, size));
    trail->object.address = address;
    trail->object.size = look == SL_LOOK_OK ? size : 0;
    trail->object.low = size;
    trail->object.high = 0;
    return look;
}

enum sl_look sl_trail_read(struct sl_trail *trail, struct sl_process *process, uint64_t address, size_t size,
                           const uint8_t **copy)
{
    uint64_t offset = address - trail->object.address;
    if (offset < trail->object.size && trail->object.size - offset >= size) {
        size_t end = (size_t)offset + size;
        trail->object.low = offset < trail->object.low ? (size_t)offset : trail->object.low;
        trail->object.high = end > trail->object.high ? end : trail->object.high;
        *copy = trail->object.bytes + offset;
        return SL_LOOK_OK;
    }
    size_t piece = sl_snapshot_add(&trail->seen, address, size);
    if (piece == SIZE_MAX) {
        return SL_LOOK_MEMORY;
    }
    enum sl_look look = sl_look_from_read(sl_snapshot_take(&trail->seen, process));
    *copy = sl_snapshot_copy(&trail->seen, piece);
    return look;
}

enum sl_look sl_trail_word(struct sl_trail *trail, struct sl_process *process, uint64_t address, uint64_t *word)
{
    const uint8_t *copy;
    enum sl_look look = sl_trail_read(trail, process, address, sizeof *word, &copy);
    if (look == SL_LOOK_OK) {
        *word = sl_word(copy);
    }
    return look;
}

/* Room to read it all again. */
static bool room_again(struct sl_trail *trail)
{
    if (trail->again_capacity < trail->seen.size) {
        uint8_t *again = realloc(trail->again, trail->seen.capacity);
        if (again == NULL) {
            return false;
        }
        trail->again = again;
        trail->again_capacity = trail->seen.capacity;
    }
    return true;
}

/* `first`, unless it is NULL, is read before the rest. */
static bool same(struct sl_trail *trail, struct sl_process *process, const struct sl_read_piece *first, bool *read)
{
    const struct sl_snapshot *seen = &trail->seen;
    *read = false;
    if (!note_object(trail) || seen->count == 0 || seen->taken != seen->count || !room_again(trail)) {
        return false;
    }
    for (size_t done = 0; done < seen->count;) {
        struct sl_read_piece pieces[SL_READ_PIECES_MAX];
        size_t count = 0;
        if (done == 0 && first != NULL) {
            pieces[count++] = *first;
        }
        for (; count < SL_READ_PIECES_MAX && done < seen->count; count++, done++) {
            const struct sl_snapshot_piece *piece = &seen->pieces[done];
            pieces[count] = (struct sl_read_piece){piece->address, trail->again + piece->at, piece->size};
        }
        if (sl_process_read_pieces(process, pieces, count) != SL_READ_OK) {
            return false;
        }
        *read = first != NULL;
    }
    return memcmp(trail->again, seen->bytes, seen->size) == 0;
}

bool sl_trail_same(struct sl_trail *trail, struct sl_process *process)
{
    bool read;
    return same(trail, process, NULL, &read);
}

bool sl_trail_same_with(struct sl_trail *trail, struct sl_process *process, uint64_t address, uint64_t *word,
                        bool *read)
{
    const struct sl_read_piece first = {address, word, sizeof *word};
    return same(trail, process, &first, read);
}
