#include "cpython/stack.h"

#include "cpython/frame.h"
#include "cpython/words.h"

#include <stdlib.h>
#include <string.h>

/* Frames outside of the data stack that were not expected and are asked for one by one. With more, all are asked for
 * again, at once. */
#define EXTRA_FRAMES_MAX 4096u

/* A frame that following has come to, and what was met on the way. */
struct cursor {
    uint64_t address;
    uint32_t chunk; /* which one it lies in, or SL_NO_CHUNK */
    uint32_t older; /* and the last one behind the newest that a frame was found in: no caller lies in one before it */
    struct sl_copies copies;
    struct sl_chosen callee; /* as soon as memory->next has frames */
    bool top_seen;           /* the innermost frame on the data stack was met, */
    bool bottom;             /* and the outermost one of all */
    /* Links that are torn may lead in a circle. Then they lead back to the milestone, which is the last frame whose
     * number is a power of two. Every frame counts, also those that are not kept. */
    uint64_t milestone;
    uint32_t visited;
};

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

/* The last first: a frame that was asked for later is searched right then. */
static const uint8_t *find_among(const struct sl_snapshot *snapshot, size_t first, size_t count, uint64_t address,
                                 uint32_t size)
{
    for (size_t i = count; i > 0; i--) {
        const uint8_t *copy = sl_snapshot_find(snapshot, first + i - 1, address, size);
        if (copy != NULL) {
            return copy;
        }
    }
    return NULL;
}

/* Whether a frame may be expected at `address`, the caller of the frame at `callee`. */
static bool expected(const struct sl_stack *stack, uint64_t callee, uint64_t address)
{
    const struct sl_thread_memory *memory = stack->memory;
    for (uint32_t i = 0; i < memory->chunk_count; i++) {
        if (sl_chunk_has(&memory->chunks[i], address)) {
            return address < callee || !sl_chunk_has(&memory->chunks[i], callee);
        }
    }
    return address == stack->base || find_foreign(stack, address, stack->python->layout.frame_header) != NULL;
}

/* Finds both copies of the frame: callers lie in the same chunk as their callees, or the next older one. False when it was
 * not asked for. */
static bool find_frame(const struct sl_stack *stack, struct cursor *cursor)
{
    const struct sl_snapshot *snapshot = &stack->python->snapshot;
    const struct sl_layout *layout = &stack->python->layout;
    uint32_t size = layout->frame_header;
    uint64_t address = cursor->address;
    const uint8_t *before = NULL;
    const uint8_t *behind = NULL;
    cursor->chunk = SL_NO_CHUNK;
    if (stack->chunk != SL_NO_PIECE) {
        before = sl_snapshot_find(snapshot, stack->chunk, address, size);
        behind = before != NULL ? sl_snapshot_find(snapshot, stack->chunk_top, address, size) : NULL;
        cursor->chunk = before != NULL ? 0 : SL_NO_CHUNK;
    }
    for (uint32_t i = cursor->older; before == NULL && i < stack->older_count && i < cursor->older + 2; i++) {
        before = sl_snapshot_find(snapshot, stack->older + i, address, size);
        if (before != NULL) {
            cursor->older = i;
            cursor->chunk = i + 1;
        }
    }
    bool on_data_stack = before != NULL;
    if (before == NULL) {
        before = find_foreign(stack, address, size);
        behind = find_among(snapshot, stack->foreign_inner, stack->foreign_inner_count, address, size);
    }
    if (before == NULL && behind == NULL) {
        behind = find_among(snapshot, stack->extra, stack->extra_count, address, size);
    }
    struct sl_copies *copies = &cursor->copies;
    *copies = (struct sl_copies){.has_before = before != NULL, .has_behind = behind != NULL};
    if (before != NULL) {
        copies->before = sl_header_parse(layout, before, on_data_stack);
    }
    if (behind != NULL) {
        copies->behind = sl_header_parse(layout, behind, on_data_stack);
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
        if (sl_chunk_has(&memory->chunks[i], address)) {
            return true;
        }
    }
    return false;
}

/* Asks for one frame more. */
static enum sl_follow read_extra(struct sl_stack *stack, uint64_t address)
{
    struct sl_snapshot *snapshot = &stack->python->snapshot;
    if (stack->extra_count == EXTRA_FRAMES_MAX) {
        return sl_thread_memory_foreign_seen(stack->memory) ? SL_FOLLOW_MOVED : SL_FOLLOW_MEMORY;
    }
    if (sl_snapshot_add(snapshot, address, stack->python->layout.frame_header) == SIZE_MAX) {
        return sl_follow_from_refusal(snapshot);
    }
    stack->extra_count++;
    return sl_follow_from_read(sl_snapshot_take(snapshot, stack->python->process));
}

/* What was asked for later only counts if the innermost frame still is what it was. */
static enum sl_follow confirm_extra(struct sl_stack *stack)
{
    uint64_t current;
    enum sl_read read = sl_process_read(stack->python->process, stack->current_at, &current, sizeof current);
    if (read != SL_READ_OK) {
        return sl_follow_from_read(read);
    }
    return current == stack->current ? SL_FOLLOW_OK : SL_FOLLOW_TORN;
}

/* Frames of different contexts may lie in the same places one after the other, so what was copied before and behind the
 * moment must be of the context of the moment. */
static bool same_context(const struct sl_stack *stack, size_t piece)
{
    return piece == SL_NO_PIECE || sl_word(sl_snapshot_copy(&stack->python->snapshot, piece)) == stack->context;
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
    stack->context = sl_word(state + layout->thread_context);
    if (!same_context(stack, stack->context_before) || !same_context(stack, stack->context_behind)) {
        return SL_FOLLOW_TORN;
    }
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
        memory->roams = SL_REACH_WALKS;
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

/* Before 3.13 the current frame may be none for a moment: a C-level evaluation that has just begun has not written it
 * yet, and on 3.11 a generator that is being left is current while it has no caller any more and may even be freed. A
 * thread can be interrupted there for long. Then the current frame of the C-level evaluation below stands for it. */
static enum sl_follow current_below(struct sl_stack *stack, uint64_t *current)
{
    const struct sl_layout *layout = &stack->python->layout;
    uint64_t c_frame = stack->current_at - layout->c_frame_frame;
    uint64_t previous = 0;
    *current = 0;
    if (!layout->c_frames || stack->must_confirm) {
        return SL_FOLLOW_TORN;
    }
    enum sl_read read = sl_process_read(stack->python->process, c_frame + layout->c_frame_previous, &previous, 8);
    if (read == SL_READ_OK && previous != 0) {
        read = sl_process_read(stack->python->process, previous + layout->c_frame_frame, current, 8);
    }
    stack->must_confirm = true;
    return read != SL_READ_OK ? sl_follow_from_read(read) : *current != 0 ? SL_FOLLOW_OK : SL_FOLLOW_TORN;
}

/* The frame is not among what was asked for: it lies further up or down in the newest chunk than was thought, or it
 * belongs to a generator or C boundary that was not there in the last walk. */
static enum sl_follow look_further(struct sl_stack *stack, uint64_t address)
{
    struct sl_thread_memory *memory = stack->memory;
    if (!in_any_chunk(memory, address)) {
        return read_extra(stack, address);
    }
    if (memory->next_count > 0 || !sl_chunk_has(&memory->chunks[0], address)) {
        return SL_FOLLOW_TORN;
    }
    sl_thread_memory_top(memory, address);
    return SL_FOLLOW_MOVED;
}

/* Callers lie below their callees as long as both are in one chunk. */
static bool descends(const struct sl_thread_memory *memory, const struct cursor *cursor, uint64_t caller)
{
    return cursor->chunk == SL_NO_CHUNK || caller < cursor->address ||
           !sl_chunk_has(&memory->chunks[cursor->chunk], caller);
}

static struct sl_raw_frame raw_frame(uint64_t address, uint32_t chunk, const struct sl_header *header)
{
    return (struct sl_raw_frame){
        .address = address,
        .code = header->hidden ? 0 : header->code,
        .instruction = header->hidden ? 0 : header->instruction,
        .chunk = chunk,
        .hidden = header->hidden,
        .entry = header->entry,
        .generator = header->generator && !header->hidden,
    };
}

/* The innermost frame: the cursor goes on to its caller when it cannot be told what it was. */
static enum sl_follow choose_innermost(struct sl_stack *stack, struct cursor *cursor, struct sl_chosen *chosen)
{
    const struct sl_layout *layout = &stack->python->layout;
    const struct sl_copies *copies = &cursor->copies;
    bool usable = sl_frame_choose(layout, copies, chosen);
    chosen->innermost = true;
    if (cursor->chunk != SL_NO_CHUNK) {
        /* Called and left around the moment: its caller is as near to the truth as can be had. */
        uint64_t caller = copies->has_behind ? copies->behind.previous : 0;
        if (!usable && (caller == 0 || caller >= cursor->address)) {
            return SL_FOLLOW_TORN;
        }
        cursor->address = usable ? cursor->address : caller;
        return SL_FOLLOW_OK;
    }
    bool unlinked = usable && chosen->header.generator && chosen->header.previous == 0;
    bool bad_link = usable && chosen->header.hidden && chosen->header.previous % 8 != 0;
    if (usable && !bad_link && (!unlinked || layout->frame_entry == 0)) {
        return SL_FOLLOW_OK;
    }
    uint64_t below;
    enum sl_follow follow = current_below(stack, &below);
    if (follow == SL_FOLLOW_OK && unlinked) {
        chosen->header.previous = below;
        chosen->header.entry = true;
    } else if (follow == SL_FOLLOW_OK) {
        cursor->address = below;
    }
    return follow;
}

/* The frame at the cursor was not found. */
static enum sl_follow look_elsewhere(struct sl_stack *stack, struct cursor *cursor)
{
    enum sl_follow follow = cursor->address % 8 == 0 ? look_further(stack, cursor->address) : SL_FOLLOW_TORN;
    if (stack->memory->next_count == 0 && (follow == SL_FOLLOW_FAULT || follow == SL_FOLLOW_TORN)) {
        follow = current_below(stack, &cursor->address);
    }
    return follow;
}

static bool goes_round(struct cursor *cursor)
{
    if (cursor->address == cursor->milestone) {
        return true;
    }
    cursor->milestone = (cursor->visited & (cursor->visited - 1)) == 0 ? cursor->address : cursor->milestone;
    cursor->visited++;
    return false;
}

/* The innermost frames must have been copied twice; what was not will be in the next copy. */
static enum sl_follow check_copies(struct sl_stack *stack, struct cursor *cursor)
{
    struct sl_thread_memory *memory = stack->memory;
    bool on_data_stack = cursor->chunk != SL_NO_CHUNK;
    if (on_data_stack && !cursor->top_seen) {
        cursor->top_seen = true;
        sl_thread_memory_top(memory, cursor->address);
        if (!cursor->copies.has_behind && cursor->chunk == 0) {
            return SL_FOLLOW_MOVED; /* below what was read twice */
        }
    }
    if (!on_data_stack && !cursor->copies.has_behind && memory->next_count < SL_INNER_FRAMES / 2) {
        return sl_thread_memory_foreign_twice(memory, cursor->address) ? SL_FOLLOW_MOVED : SL_FOLLOW_MEMORY;
    }
    return SL_FOLLOW_OK;
}

/* Passes over a frame that is not certain, above all that may be. */
static enum sl_follow pass_over(const struct sl_stack *stack, struct cursor *cursor)
{
    uint64_t caller = cursor->copies.before.previous;
    if (caller != cursor->copies.behind.previous || !descends(stack->memory, cursor, caller)) {
        return SL_FOLLOW_TORN;
    }
    cursor->address = caller;
    return SL_FOLLOW_OK;
}

/* The frame was `chosen`: it is part of the stack, and its caller is next. */
static enum sl_follow take_frame(struct sl_stack *stack, struct cursor *cursor, const struct sl_chosen *chosen)
{
    struct sl_thread_memory *memory = stack->memory;
    if (!descends(memory, cursor, chosen->header.previous)) {
        return SL_FOLLOW_TORN;
    }
    if (!sl_thread_memory_next(memory, memory->next_count + 1)) {
        return SL_FOLLOW_MEMORY;
    }
    memory->next[memory->next_count++] = raw_frame(cursor->address, cursor->chunk, &chosen->header);
    if (chosen->header.previous == 0) {
        /* Also from 3.15 on, where stacks end in the base frame: a greenlet's does not. */
        cursor->bottom = stack->python->layout.bottom_is_hidden ? chosen->header.hidden : sl_frame_is_bottom(chosen);
        /* Both copies of a generator may be of the times around a turn of it, which all of what lies above it ran in. */
        stack->must_confirm = stack->must_confirm || chosen->header.generator;
        return cursor->bottom ? SL_FOLLOW_OK : SL_FOLLOW_TORN;
    }
    cursor->callee = *chosen;
    cursor->address = chosen->header.previous;
    return SL_FOLLOW_OK;
}

/* From one frame to its caller. */
static enum sl_follow step(struct sl_stack *stack, struct cursor *cursor)
{
    struct sl_thread_memory *memory = stack->memory;
    struct sl_chosen chosen;
    if (cursor->address % 8 != 0 || !find_frame(stack, cursor)) {
        return look_elsewhere(stack, cursor);
    }
    if (goes_round(cursor)) {
        return SL_FOLLOW_TORN;
    }
    enum sl_follow follow = check_copies(stack, cursor);
    if (follow != SL_FOLLOW_OK) {
        return follow;
    }
    if (memory->next_count == 0) {
        if (stack->partial && !sl_frame_stayed(&cursor->copies)) {
            return pass_over(stack, cursor);
        }
        uint64_t innermost = cursor->address;
        follow = choose_innermost(stack, cursor, &chosen);
        if (follow != SL_FOLLOW_OK || cursor->address != innermost) {
            return follow;
        }
    } else if (sl_frame_choose_caller(&stack->python->layout, &cursor->copies, &cursor->callee, &chosen)) {
        struct sl_raw_frame *last = &memory->next[memory->next_count - 1];
        *last = raw_frame(last->address, last->chunk, &cursor->callee.header);
    } else {
        /* What lies below may be certain all the same: it is looked at anew, from here on. */
        stack->partial = true;
        memory->next_count = 0;
        cursor->milestone = 0;
        return SL_FOLLOW_OK;
    }
    return take_frame(stack, cursor, &chosen);
}

static enum sl_follow follow_frames(struct sl_stack *stack)
{
    struct cursor cursor = {.address = stack->current};
    while (cursor.address != 0 && cursor.address != stack->base) {
        enum sl_follow follow = cursor.visited < SL_FRAMES_MAX ? step(stack, &cursor) : SL_FOLLOW_TOO_DEEP;
        if (follow != SL_FOLLOW_OK || cursor.bottom) {
            return follow;
        }
    }
    return cursor.address == stack->base || stack->memory->next_count == 0 ? SL_FOLLOW_OK : SL_FOLLOW_TORN;
}

/* Of a stack that is torn further in, the frames that surely were there: those of the first attempt, which is the moment
 * that was asked for. */
static enum sl_follow keep_certain(const struct sl_stack *stack)
{
    struct sl_thread_memory *memory = stack->memory;
    if (memory->certain_count > 0) {
        return SL_FOLLOW_TORN;
    }
    if (!sl_thread_memory_certain(memory, memory->next_count)) {
        return SL_FOLLOW_MEMORY;
    }
    if (memory->next_count > 0) {
        memcpy(memory->certain, memory->next, memory->next_count * sizeof *memory->certain);
    }
    memory->certain_count = memory->next_count;
    return SL_FOLLOW_TORN;
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
    if (follow == SL_FOLLOW_OK && stack->partial) {
        follow = stack->extra_count > 0 || stack->must_confirm ? SL_FOLLOW_TORN : keep_certain(stack);
    } else if (follow == SL_FOLLOW_OK) {
        follow = stack->extra_count > 0 || stack->must_confirm ? confirm_extra(stack) : SL_FOLLOW_OK;
        if (!sl_thread_memory_foreign_seen(memory)) {
            follow = SL_FOLLOW_MEMORY;
        }
    }
    return follow;
}
