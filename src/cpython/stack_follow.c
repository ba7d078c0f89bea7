#include "cpython/stack.h"

#include "cpython/words.h"

#include <stdlib.h>
#include <string.h>

/* Frames outside of the data stack that were not expected and are asked for one by one. */
#define EXTRA_FRAMES_MAX 4096u

/* What a frame's header says. */
struct header {
    uint64_t code;
    uint64_t previous;
    uint64_t instruction;
    uint8_t owner;
};

enum owner { OWNED_BY_THREAD = 0, OWNED_BY_GENERATOR = 1 };

/* Where the copies of one frame lie; NULL where it was not copied. */
struct copies {
    const uint8_t *before; /* before the moment */
    const uint8_t *after;  /* behind it */
    bool on_data_stack;
};

static struct header parse(const struct sl_layout *layout, const uint8_t *copy)
{
    return (struct header){
        .code = sl_word(copy + layout->frame_code) & layout->pointer_mask,
        .previous = sl_word(copy + layout->frame_previous),
        .instruction = sl_word(copy + layout->frame_instruction),
        .owner = copy[layout->frame_owner],
    };
}

/* Binary search: the pieces are in order of their addresses. */
static const uint8_t *find_foreign(const struct sl_stack *stack, uint64_t address, uint32_t size)
{
    const struct sl_snapshot *snapshot = &stack->python->snapshot;
    size_t low = 0;
    size_t high = stack->foreign_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (snapshot->pieces[stack->foreign + middle].address <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? NULL : sl_snapshot_find(snapshot, stack->foreign + low - 1, address, size);
}

static const uint8_t *find_among(const struct sl_snapshot *snapshot, size_t first, size_t count, uint64_t address,
                                 uint32_t size)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *copy = sl_snapshot_find(snapshot, first + i, address, size);
        if (copy != NULL) {
            return copy;
        }
    }
    return NULL;
}

/* `*older` is the older chunk that the last frame lay in: callers lie in the same one or the next. */
static struct copies find_frame(const struct sl_stack *stack, uint64_t address, size_t *older)
{
    const struct sl_snapshot *snapshot = &stack->python->snapshot;
    uint32_t size = stack->python->layout.frame_header;
    struct copies copies = {0};
    if (stack->chunk != SL_NO_PIECE) {
        copies.before = sl_snapshot_find(snapshot, stack->chunk, address, size);
        copies.after = sl_snapshot_find(snapshot, stack->chunk_top, address, size);
        if (copies.before != NULL) {
            copies.on_data_stack = true;
            return copies;
        }
    }
    for (size_t i = *older; i < stack->older_count && i < *older + 2; i++) {
        copies.before = sl_snapshot_find(snapshot, stack->older + i, address, size);
        if (copies.before != NULL) {
            copies.on_data_stack = true;
            *older = i;
            return copies;
        }
    }
    copies.before = find_foreign(stack, address, size);
    copies.after = find_among(snapshot, stack->foreign_top, stack->foreign_top_count, address, size);
    if (copies.before == NULL && copies.after == NULL) {
        copies.after = find_among(snapshot, stack->extra, stack->extra_count, address, size);
    }
    return copies;
}

static bool in_chunk(const struct sl_chunk *chunk, uint64_t address)
{
    return address >= chunk->address && address - chunk->address < chunk->size;
}

static bool in_any_chunk(const struct sl_thread_memory *memory, uint64_t address)
{
    for (uint32_t i = 0; i < memory->chunk_count; i++) {
        if (in_chunk(&memory->chunks[i], address)) {
            return true;
        }
    }
    return false;
}

/* Asks for one frame more, and once more for the innermost frame: what is read now only counts if that still is it. */
static enum sl_follow read_extra(struct sl_stack *stack, uint64_t address)
{
    struct sl_snapshot *snapshot = &stack->python->snapshot;
    if (stack->extra_count == EXTRA_FRAMES_MAX) {
        return SL_FOLLOW_TORN;
    }
    size_t frame = sl_snapshot_add(snapshot, address, stack->python->layout.frame_header);
    size_t again = sl_snapshot_add(snapshot, snapshot->pieces[stack->again].address, 8);
    if (frame == SIZE_MAX || again == SIZE_MAX) {
        return SL_FOLLOW_MEMORY;
    }
    enum sl_follow follow = sl_follow_from_read(sl_snapshot_take(snapshot, stack->python->process));
    if (follow != SL_FOLLOW_OK) {
        return follow;
    }
    stack->extra_count += 2;
    return sl_word(sl_snapshot_copy(snapshot, again)) == stack->current ? SL_FOLLOW_OK : SL_FOLLOW_TORN;
}

/* The thread state at the moment, and whether what was asked for is what it points to. */
static enum sl_follow begin(struct sl_stack *stack, uint64_t *base)
{
    struct sl_python *python = stack->python;
    struct sl_thread_memory *memory = stack->memory;
    const struct sl_layout *layout = &python->layout;
    const uint8_t *state = sl_snapshot_copy(&python->snapshot, stack->thread);
    if (sl_word(state + layout->thread_interpreter) != memory->interpreter ||
        sl_word(state + layout->thread_native_id) != memory->native_id) {
        return SL_FOLLOW_TORN; /* no thread state any more, or another one */
    }
    stack->current = sl_word(state + layout->thread_frame);
    stack->current_after = sl_word(sl_snapshot_copy(&python->snapshot, stack->again));
    *base = layout->thread_base != 0 ? sl_word(state + layout->thread_base) : 0;
    uint64_t newest = sl_word(state + layout->thread_chunk);
    if (layout->c_frames) {
        uint64_t c_frame = stack->current;
        bool expected = c_frame == memory->c_frames[0];
        sl_stack_c_frame(memory, c_frame);
        const uint8_t *copy = sl_snapshot_find(&python->snapshot, stack->c_frames, c_frame, SL_C_FRAME_BYTES);
        if (copy == NULL) {
            return SL_FOLLOW_MOVED;
        }
        stack->current = sl_word(copy + layout->c_frame_frame);
        if (!expected) {
            stack->current_after = 0; /* that of another C frame: it says nothing */
        }
    }
    if (newest != (memory->chunk_count > 0 ? memory->chunks[0].address : 0)) {
        enum sl_follow follow = sl_stack_chunks(python, memory, newest);
        memory->top = stack->current;
        return follow == SL_FOLLOW_OK ? SL_FOLLOW_MOVED : follow;
    }
    return SL_FOLLOW_OK;
}

/* The chunks must still hang together as they were when they were asked for, and the older ones must not have been
 * in use since the guard was read. */
static enum sl_follow check_chunks(struct sl_stack *stack)
{
    const struct sl_layout *layout = &stack->python->layout;
    const struct sl_snapshot *snapshot = &stack->python->snapshot;
    struct sl_thread_memory *memory = stack->memory;
    if (memory->chunk_count == 0) {
        return SL_FOLLOW_OK;
    }
    for (uint32_t i = 0; i < memory->chunk_count; i++) {
        struct sl_chunk *chunk = &memory->chunks[i];
        const uint8_t *copy = sl_snapshot_copy(snapshot, i == 0 ? stack->chunk : stack->older + i - 1);
        uint64_t previous = i + 1 < memory->chunk_count ? memory->chunks[i + 1].address : 0;
        if (sl_word(copy + SL_CHUNK_PREVIOUS) != previous || sl_word(copy + SL_CHUNK_SIZE) != chunk->size) {
            memory->predicted = false;
            return SL_FOLLOW_MOVED;
        }
        if (i > 0) {
            uint64_t used = SL_CHUNK_DATA + sl_word(copy + SL_CHUNK_TOP) * 8;
            if (used > chunk->size) {
                return SL_FOLLOW_TORN;
            }
            uint32_t asked = chunk->used;
            chunk->used = (uint32_t)used;
            if (used > asked) {
                return SL_FOLLOW_MOVED;
            }
        }
    }
    if (stack->guard != SL_NO_PIECE) {
        const uint8_t *guard = sl_snapshot_copy(snapshot, stack->guard);
        const uint8_t *chunk = sl_snapshot_copy(snapshot, stack->chunk);
        struct header before = parse(layout, guard + SL_CHUNK_DATA);
        struct header behind = parse(layout, chunk + SL_CHUNK_DATA);
        if (before.code != behind.code || before.previous != behind.previous) {
            return SL_FOLLOW_TORN;
        }
    }
    return SL_FOLLOW_OK;
}

/* Which of its copies stands for the frame, and whether it was the same before and after the moment. */
static bool choose(const struct sl_layout *layout, const struct copies *copies, struct header *header, bool *stable)
{
    *stable = true;
    if (copies->after == NULL) {
        *header = parse(layout, copies->before);
        return true;
    }
    *header = parse(layout, copies->after);
    if (copies->before == NULL) {
        *stable = false;
        return true;
    }
    struct header before = parse(layout, copies->before);
    *stable = header->code == before.code && header->previous == before.previous && header->owner == before.owner;
    /* A frame that was left in between may have been wiped. Then what it was before must do. */
    if (!*stable && (header->code == 0 || header->previous == 0) && before.code != 0 && before.previous != 0) {
        *header = before;
    }
    return true;
}

/* One frame of the chain: whether it can be one, and what is kept of it. */
static bool take(const struct sl_stack *stack, const struct copies *copies, uint64_t address,
                 const struct header *header, struct sl_raw_frame *raw)
{
    const struct sl_layout *layout = &stack->python->layout;
    *raw = (struct sl_raw_frame){.address = address};
    if (header->owner > layout->owner_max) {
        return false;
    }
    if (header->owner >= layout->owner_hidden) {
        raw->hidden = true;
        return true;
    }
    if (header->code == 0 || header->code % 8 != 0 || header->owner > OWNED_BY_GENERATOR) {
        return false;
    }
    raw->generator = header->owner == OWNED_BY_GENERATOR;
    raw->code = header->code;
    raw->instruction = header->instruction;
    return raw->generator != copies->on_data_stack;
}

/* A caller that changed around the moment, with a callee that was gone when the thread state was looked at again: they
 * may never have met. */
static enum sl_follow check_pairs(const struct sl_stack *stack)
{
    struct sl_thread_memory *memory = stack->memory;
    uint32_t count = memory->next_count;
    if (stack->current_after == stack->current) {
        return SL_FOLLOW_OK;
    }
    /* Frames from `alive` outwards were in the stack at the end, too. */
    uint32_t alive = 0;
    while (alive < count && memory->next[alive].address != stack->current_after) {
        alive++;
    }
    if (alive == count && memory->chunk_count > 0 && in_chunk(&memory->chunks[0], stack->current_after) &&
        stack->current_after > memory->top) {
        alive = 0; /* something was called on top of them */
    }
    for (uint32_t callee = 0; callee < alive && callee + 1 < count; callee++) {
        if (!memory->next[callee + 1].stable) {
            return SL_FOLLOW_TORN;
        }
    }
    return SL_FOLLOW_OK;
}

static enum sl_follow follow_frames(struct sl_stack *stack, uint64_t base)
{
    struct sl_thread_memory *memory = stack->memory;
    const struct sl_layout *layout = &stack->python->layout;
    uint64_t address = stack->current;
    size_t older = 0;
    bool top_seen = false;
    while (address != 0 && (address != base || base == 0)) {
        if (memory->next_count == SL_FRAMES_MAX || !sl_thread_memory_next(memory, memory->next_count + 1)) {
            return memory->next_count == SL_FRAMES_MAX ? SL_FOLLOW_TORN : SL_FOLLOW_MEMORY;
        }
        struct copies copies = find_frame(stack, address, &older);
        if (copies.before == NULL && copies.after == NULL) {
            if (address % 8 != 0) {
                return SL_FOLLOW_TORN;
            }
            if (in_any_chunk(memory, address)) {
                memory->top = in_chunk(&memory->chunks[0], address) && !top_seen ? address : memory->top;
                memory->roams = memory->next_count == 0;
                return top_seen ? SL_FOLLOW_TORN : SL_FOLLOW_MOVED;
            }
            enum sl_follow follow = read_extra(stack, address);
            if (follow != SL_FOLLOW_OK) {
                return follow;
            }
            continue;
        }
        if (!top_seen && copies.on_data_stack && copies.after == NULL && in_chunk(&memory->chunks[0], address)) {
            memory->top = address; /* below what was read twice */
            return SL_FOLLOW_MOVED;
        }
        struct header header;
        struct sl_raw_frame raw;
        bool stable;
        if (!choose(layout, &copies, &header, &stable) || !take(stack, &copies, address, &header, &raw)) {
            return SL_FOLLOW_TORN;
        }
        raw.stable = stable;
        if (copies.on_data_stack && !top_seen) {
            memory->top = address;
            top_seen = true;
        }
        if (copies.on_data_stack && in_any_chunk(memory, header.previous) && header.previous >= address &&
            in_chunk(&memory->chunks[0], address) && in_chunk(&memory->chunks[0], header.previous)) {
            return SL_FOLLOW_TORN; /* callers lie below their callees */
        }
        memory->next[memory->next_count++] = raw;
        if (header.previous == 0) {
            bool bottom = layout->bottom_is_hidden ? raw.hidden && base == 0
                                                   : !raw.generator || stack->current_after == stack->current;
            return bottom ? SL_FOLLOW_OK : SL_FOLLOW_TORN;
        }
        address = header.previous;
    }
    return address == base && base != 0 ? SL_FOLLOW_OK : memory->next_count == 0 ? SL_FOLLOW_OK : SL_FOLLOW_TORN;
}

static int compare_addresses(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* What lies outside of the data stack, to be asked for in the next walk; also after a walk that came to nothing, because
 * the outer frames will still be there. */
static bool remember_foreign(struct sl_thread_memory *memory)
{
    memory->foreign_count = 0;
    memory->foreign_top_count = 0;
    for (uint32_t i = 0; i < memory->next_count; i++) {
        const struct sl_raw_frame *raw = &memory->next[i];
        if (!raw->hidden && !raw->generator) {
            continue;
        }
        if (!sl_thread_memory_foreign(memory, memory->foreign_count + 1)) {
            return false;
        }
        memory->foreign[memory->foreign_count++] = raw->address;
        if (i < SL_FOREIGN_TOP * 2 && memory->foreign_top_count < SL_FOREIGN_TOP) {
            memory->foreign_top[memory->foreign_top_count++] = raw->address;
        }
    }
    if (memory->foreign_count > 1) {
        qsort(memory->foreign, memory->foreign_count, sizeof *memory->foreign, compare_addresses);
    }
    return true;
}

enum sl_follow sl_stack_follow(struct sl_stack *stack)
{
    struct sl_thread_memory *memory = stack->memory;
    memory->next_count = 0;
    uint64_t base;
    enum sl_follow follow = begin(stack, &base);
    if (follow == SL_FOLLOW_OK) {
        follow = check_chunks(stack);
    }
    if (follow != SL_FOLLOW_OK) {
        return follow;
    }
    follow = follow_frames(stack, base);
    if (follow == SL_FOLLOW_OK) {
        follow = check_pairs(stack);
    }
    if ((follow == SL_FOLLOW_OK || stack->extra_count > 0) && !remember_foreign(memory)) {
        return SL_FOLLOW_MEMORY;
    }
    return follow;
}
