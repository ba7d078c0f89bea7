#include "cpython/stack.h"

#include "cpython/frame.h"
#include "cpython/words.h"

#include <stdlib.h>

/* Frames outside of the data stack that were not expected and are asked for one by one. */
#define EXTRA_FRAMES_MAX 4096u

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

static bool in_chunk(const struct sl_chunk *chunk, uint64_t address)
{
    return address >= chunk->address && address - chunk->address < chunk->size;
}

/* Whether a frame may be expected at `address`, the caller of the frame at `callee`. */
static bool expected(const struct sl_stack *stack, uint64_t callee, uint64_t address)
{
    const struct sl_thread_memory *memory = stack->memory;
    for (uint32_t i = 0; i < memory->chunk_count; i++) {
        if (in_chunk(&memory->chunks[i], address)) {
            return address < callee || !in_chunk(&memory->chunks[i], callee);
        }
    }
    return address == stack->base || find_foreign(stack, address, stack->python->layout.frame_header) != NULL;
}

/* Both copies of the frame at `address`, by `*older` in which chunk: callers lie in the same one as their callees, or
 * the next older one. False when it was not asked for. */
static bool find_frame(const struct sl_stack *stack, uint64_t address, size_t *older, struct sl_copies *copies,
                       bool *on_data_stack)
{
    const struct sl_snapshot *snapshot = &stack->python->snapshot;
    const struct sl_layout *layout = &stack->python->layout;
    uint32_t size = layout->frame_header;
    const uint8_t *before = NULL;
    const uint8_t *behind = NULL;
    if (stack->chunk != SL_NO_PIECE) {
        before = sl_snapshot_find(snapshot, stack->chunk, address, size);
        behind = before != NULL ? sl_snapshot_find(snapshot, stack->chunk_top, address, size) : NULL;
    }
    for (size_t i = *older; before == NULL && i < stack->older_count && i < *older + 2; i++) {
        before = sl_snapshot_find(snapshot, stack->older + i, address, size);
        *older = before != NULL ? i : *older;
    }
    *on_data_stack = before != NULL;
    if (before == NULL) {
        before = find_foreign(stack, address, size);
        behind = find_among(snapshot, stack->foreign_top, stack->foreign_top_count, address, size);
    }
    if (before == NULL && behind == NULL) {
        behind = find_among(snapshot, stack->extra, stack->extra_count, address, size);
    }
    *copies = (struct sl_copies){.has_before = before != NULL, .has_behind = behind != NULL};
    if (before != NULL) {
        copies->before = sl_header_parse(layout, before, *on_data_stack);
    }
    if (behind != NULL) {
        copies->behind = sl_header_parse(layout, behind, *on_data_stack);
        if (before != NULL && copies->before.previous != copies->behind.previous) {
            copies->before.links_well = expected(stack, address, copies->before.previous);
            copies->behind.links_well = expected(stack, address, copies->behind.previous);
        }
    }
    return before != NULL || behind != NULL;
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

static int compare_addresses(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Foreign frames that were met once but not in a stack that was seen whole: kept up to this many. */
#define FOREIGN_GUESSES_MAX 256u

static bool remember_one(struct sl_thread_memory *memory, uint64_t address)
{
    if (memory->foreign_count >= FOREIGN_GUESSES_MAX) {
        return true;
    }
    if (!sl_thread_memory_foreign(memory, memory->foreign_count + 1)) {
        return false;
    }
    memory->foreign[memory->foreign_count++] = address;
    qsort(memory->foreign, memory->foreign_count, sizeof *memory->foreign, compare_addresses);
    return true;
}

/* Asks for one frame more, and once more for the innermost frame: what is read now only counts if that still is it. */
static enum sl_follow read_extra(struct sl_stack *stack, uint64_t address)
{
    struct sl_snapshot *snapshot = &stack->python->snapshot;
    if (stack->extra_count == EXTRA_FRAMES_MAX) {
        return SL_FOLLOW_TORN;
    }
    size_t frame = sl_snapshot_add(snapshot, address, stack->python->layout.frame_header);
    size_t again = sl_snapshot_add(snapshot, stack->current_at, 8);
    if (frame == SIZE_MAX || again == SIZE_MAX) {
        return SL_FOLLOW_MEMORY;
    }
    enum sl_follow follow = sl_follow_from_read(sl_snapshot_take(snapshot, stack->python->process));
    if (follow != SL_FOLLOW_OK) {
        return follow;
    }
    stack->extra_count += 2;
    if (sl_word(sl_snapshot_copy(snapshot, again)) == stack->current) {
        return SL_FOLLOW_OK;
    }
    /* It may well be there in the next attempt. */
    struct sl_header header = sl_header_parse(&stack->python->layout, sl_snapshot_copy(snapshot, frame), false);
    if (header.possible && !remember_one(stack->memory, address)) {
        return SL_FOLLOW_MEMORY;
    }
    return SL_FOLLOW_TORN;
}

/* The thread state at the moment, and whether what was asked for is what it points to. */
static enum sl_follow begin(struct sl_stack *stack)
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
    stack->current_at = memory->address + layout->thread_frame;
    stack->base = layout->thread_base != 0 ? sl_word(state + layout->thread_base) : 0;
    uint64_t newest = sl_word(state + layout->thread_chunk);
    if (layout->c_frames) {
        uint64_t c_frame = stack->current;
        sl_stack_c_frame(memory, c_frame);
        const uint8_t *copy = sl_snapshot_find(&python->snapshot, stack->c_frames, c_frame, SL_C_FRAME_BYTES);
        if (copy == NULL) {
            return SL_FOLLOW_MOVED;
        }
        stack->current = sl_word(copy + layout->c_frame_frame);
        stack->current_at = c_frame + layout->c_frame_frame;
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
        struct sl_header before = sl_header_parse(layout, guard + SL_CHUNK_DATA, true);
        struct sl_header now = sl_header_parse(layout, chunk + SL_CHUNK_DATA, true);
        if (before.code != now.code || before.previous != now.previous) {
            return SL_FOLLOW_TORN;
        }
    }
    return SL_FOLLOW_OK;
}

/* The frame is not among what was asked for: it lies further up or down in the newest chunk than was thought, or it
 * belongs to a generator or C boundary that was not there in the last walk. */
static enum sl_follow look_further(struct sl_stack *stack, uint64_t address)
{
    struct sl_thread_memory *memory = stack->memory;
    if (address % 8 != 0) {
        return SL_FOLLOW_TORN;
    }
    if (!in_any_chunk(memory, address)) {
        return read_extra(stack, address);
    }
    if (memory->next_count > 0 || !in_chunk(&memory->chunks[0], address)) {
        return SL_FOLLOW_TORN;
    }
    memory->top = address;
    memory->roams = true;
    return SL_FOLLOW_MOVED;
}

/* Callers lie below their callees as long as both are in one chunk. */
static bool descends(const struct sl_thread_memory *memory, uint64_t callee, uint64_t caller)
{
    for (uint32_t i = 0; i < memory->chunk_count; i++) {
        if (in_chunk(&memory->chunks[i], callee)) {
            return !in_chunk(&memory->chunks[i], caller) || caller < callee;
        }
    }
    return true;
}

static struct sl_raw_frame raw_frame(uint64_t address, const struct sl_header *header)
{
    return (struct sl_raw_frame){
        .address = address,
        .code = header->hidden ? 0 : header->code,
        .instruction = header->hidden ? 0 : header->instruction,
        .hidden = header->hidden,
        .generator = header->generator && !header->hidden,
    };
}

static enum sl_follow follow_frames(struct sl_stack *stack)
{
    struct sl_thread_memory *memory = stack->memory;
    const struct sl_layout *layout = &stack->python->layout;
    struct sl_copies copies;
    struct sl_copies callee_copies;
    struct sl_header header;
    struct sl_header callee;
    uint64_t address = stack->current;
    size_t older = 0;
    bool top_seen = false;
    while (address != 0 && address != stack->base) {
        bool on_data_stack;
        if (memory->next_count == SL_FRAMES_MAX) {
            return SL_FOLLOW_TORN;
        }
        if (!find_frame(stack, address, &older, &copies, &on_data_stack)) {
            enum sl_follow follow = look_further(stack, address);
            if (follow != SL_FOLLOW_OK) {
                return follow;
            }
            continue;
        }
        if (on_data_stack && !top_seen) {
            top_seen = true;
            memory->top = address;
            if (!copies.has_behind && in_chunk(&memory->chunks[0], address)) {
                return SL_FOLLOW_MOVED; /* below what was read twice */
            }
        }
        if (memory->next_count == 0) {
            if (!sl_frame_choose(&copies, &header)) {
                /* Called and left around the moment: its caller is as near to the truth as can be had. */
                uint64_t caller = copies.has_behind ? copies.behind.previous : 0;
                if (!on_data_stack || caller == 0 || caller >= address) {
                    return SL_FOLLOW_TORN;
                }
                address = caller;
                continue;
            }
        } else {
            if (!sl_frame_choose_caller(layout, &copies, &callee_copies, memory->next_count == 1, &callee, &header)) {
                return SL_FOLLOW_TORN;
            }
            struct sl_raw_frame *last = &memory->next[memory->next_count - 1];
            *last = raw_frame(last->address, &callee);
        }
        if (on_data_stack && !descends(memory, address, header.previous)) {
            return SL_FOLLOW_TORN;
        }
        if (!sl_thread_memory_next(memory, memory->next_count + 1)) {
            return SL_FOLLOW_MEMORY;
        }
        memory->next[memory->next_count++] = raw_frame(address, &header);
        if (header.previous == 0) {
            bool bottom = layout->bottom_is_hidden ? header.hidden && stack->base == 0
                                                   : sl_frame_is_bottom(&copies, &header, memory->next_count == 1);
            return bottom ? SL_FOLLOW_OK : SL_FOLLOW_TORN;
        }
        callee_copies = copies;
        callee = header;
        address = header.previous;
    }
    return address == stack->base || memory->next_count == 0 ? SL_FOLLOW_OK : SL_FOLLOW_TORN;
}

/* What lies outside of the data stack, to be asked for in the next walk. */
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
    enum sl_follow follow = begin(stack);
    if (follow == SL_FOLLOW_OK) {
        follow = check_chunks(stack);
    }
    if (follow != SL_FOLLOW_OK) {
        return follow;
    }
    follow = follow_frames(stack);
    if (follow == SL_FOLLOW_OK && !remember_foreign(memory)) {
        return SL_FOLLOW_MEMORY;
    }
    return follow;
}
