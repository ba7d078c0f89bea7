#include "cpython/look.h"
#include "cpython/stack.h"

#include "cpython/code_check.h"

#include <stdlib.h>
#include <string.h>

/* A stack with more new code objects goes on after these. */
struct address_list {
    uint64_t items[SL_LEARN_MAX];
    size_t count;
};

static bool add_address(struct address_list *list, uint64_t address)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == address) {
            return true;
        }
    }
    if (list->count == SL_LEARN_MAX) {
        return false;
    }
    list->items[list->count++] = address;
    return true;
}

/* Of a stack that is deeper, so many of its innermost and its outermost frames are searched. */
#define FRAMES_SEARCHED 64u

/* Whether a frame of the stack has this code object, as far as that is found quickly. */
static bool in_stack(const struct sl_thread_memory *memory, uint64_t code)
{
    uint32_t count = memory->next_count;
    for (uint32_t i = 0; i < count; i++) {
        if (memory->next[i].code == code) {
            return true;
        }
        if (i + 1 == FRAMES_SEARCHED && count > 2 * FRAMES_SEARCHED) {
            i = count - FRAMES_SEARCHED - 1;
        }
    }
    return false;
}

/* Compares `count` entries with their memory: the checks in the pieces from `piece` on. Those that have become others
 * are read anew. One that matches, but is in no frame, is left alone: while the program makes a new code object where it
 * lay, that still has all that it had. */
static enum sl_look compare(struct sl_stack *stack, size_t piece, size_t count)
{
    struct sl_python *python = stack->python;
    const struct sl_layout *layout = &python->layout;
    struct address_list changed = {.count = 0};
    for (size_t i = 0; i < count; i++, piece += sl_code_check_pieces(layout)) {
        struct sl_known_code *known = sl_code_cache_find(&python->codes, python->snapshot.pieces[piece].address);
        if (known == NULL) {
            continue;
        }
        known->compared_walk = 0;
        if (sl_code_check_passes(&python->snapshot, piece, layout, &python->codes, known)) {
            if (in_stack(stack->memory, known->address)) {
                sl_stack_confirm(stack, known);
            }
        } else {
            add_address(&changed, known->address);
        }
    }
    /* One of the last stack that is gone may be in the present one or not: only then it is read again. */
    struct address_list needed = {.count = 0};
    for (uint32_t i = 0; changed.count > 0 && i < stack->memory->next_count; i++) {
        for (size_t c = 0; c < changed.count; c++) {
            if (stack->memory->next[i].code == changed.items[c]) {
                add_address(&needed, changed.items[c]);
            }
        }
    }
    return needed.count > 0 ? sl_stack_learn(stack, needed.items, needed.count, true) : SL_LOOK_OK;
}

/* Reads the headers of entries that are in the stack but were not expected there, and compares them. */
static enum sl_look compare_later(struct sl_stack *stack, const struct address_list *list)
{
    struct sl_python *python = stack->python;
    size_t first = python->snapshot.count;
    for (size_t i = 0; i < list->count; i++) {
        const struct sl_known_code *known = sl_code_cache_find(&python->codes, list->items[i]);
        if (!sl_code_check_add(&python->snapshot, &python->layout, known)) {
            return sl_look_from_refusal(&python->snapshot);
        }
    }
    enum sl_read read = sl_snapshot_take(&python->snapshot, python->process);
    if (read == SL_READ_FAULT) {
        /* A name that is gone with its code object: all are read anew, and that name is not asked for again. */
        sl_snapshot_drop(&python->snapshot, first);
        return sl_stack_learn(stack, list->items, list->count, true);
    }
    return read == SL_READ_OK ? compare(stack, first, list->count) : sl_look_from_read(read);
}

static uint32_t unit_of(const struct sl_layout *layout, const struct sl_raw_frame *raw,
                        const struct sl_known_code *known)
{
    uint64_t begin = raw->code + layout->code_instructions;
    uint64_t unit = (raw->instruction - begin) / 2;
    return raw->instruction < begin || unit >= known->identity.units ? UINT32_MAX : (uint32_t)unit;
}

static uint32_t line_of(const struct sl_known_code *known, uint32_t unit)
{
    uint32_t line = unit == UINT32_MAX ? 0 : sl_line_table_line(&known->lines, unit);
    return line == 0 ? known->identity.first_line : line;
}

/* How many of the outermost frames are as they were: same place, same code object, same instruction. */
static uint32_t count_unchanged(const struct sl_stack *stack)
{
    const struct sl_thread_memory *memory = stack->memory;
    bool same_codes = memory->changes == stack->python->codes.changes && !stack->doubtful;
    uint32_t most = memory->next_count < memory->last_count ? memory->next_count : memory->last_count;
    for (uint32_t i = 0; i < most; i++) {
        struct sl_raw_frame *now = &memory->next[memory->next_count - 1 - i];
        const struct sl_raw_frame *then = &memory->last[memory->last_count - 1 - i];
        if (now->address != then->address || now->code != then->code || now->instruction != then->instruction ||
            now->nameless || then->nameless) {
            return i;
        }
        if (!same_codes && !now->hidden) {
            const struct sl_known_code *known = sl_code_cache_find(&stack->python->codes, now->code);
            if (known == NULL || known->serial != then->serial || !sl_stack_confirmed(stack, known)) {
                return i;
            }
        }
        now->serial = then->serial;
        now->shown = then->shown;
    }
    return most;
}

/* Sees to it that every code object of the innermost `count` frames is known and confirmed. */
static enum sl_look know_codes(struct sl_stack *stack, uint32_t count)
{
    struct sl_thread_memory *memory = stack->memory;
    for (uint32_t from = 0; from < count;) {
        struct address_list fresh = {.count = 0};
        struct address_list doubtful = {.count = 0};
        uint32_t i = from;
        for (; i < count; i++) {
            const struct sl_raw_frame *raw = &memory->next[i];
            const struct sl_known_code *known =
                raw->hidden ? NULL : sl_code_cache_find(&stack->python->codes, raw->code);
            if (raw->hidden || raw->nameless || (known != NULL && sl_stack_confirmed(stack, known))) {
                continue;
            }
            if (!add_address(known == NULL ? &fresh : &doubtful, raw->code)) {
                break;
            }
        }
        enum sl_look look = SL_LOOK_OK;
        if (fresh.count > 0) {
            look = sl_stack_learn(stack, fresh.items, fresh.count, false);
        }
        if (look == SL_LOOK_OK && doubtful.count > 0) {
            look = compare_later(stack, &doubtful);
        }
        if (look != SL_LOOK_OK) {
            return look;
        }
        from = i;
    }
    return SL_LOOK_OK;
}

/* _Py_InitCleanup, from whose first instruction on an __init__ runs (Objects/codeobject.c, 3.12 to 3.15: three code units,
 * of which it says that the fifth is the first that can be traced). */
static bool init_cleanup(const struct sl_known_code *known)
{
    return known->first_traceable >= known->identity.units;
}

/* So often in a row a pair must have been odd before. */
#define ODD_TO_BELIEVE 3

/* Whether the innermost `count` frames fit together, as far as their code objects tell: a frame that called another is
 * at one of its own instructions, one that calls, and the other begins where it ends, if both lie in the same chunk.
 * While a frame is being torn down its finalizers run above it, maybe behind a gap: what is odd, and stays so in the next
 * attempts, is believed. */
static bool fits(struct sl_stack *stack, uint32_t count)
{
    struct sl_thread_memory *memory = stack->memory;
    uint64_t odd = 0;
    for (uint32_t i = 0; i < count && i + 1 < memory->next_count; i++) {
        const struct sl_raw_frame *callee = &memory->next[i];
        const struct sl_raw_frame *caller = &memory->next[i + 1];
        if (caller->hidden || caller->nameless) {
            continue;
        }
        const struct sl_known_code *known = sl_code_cache_find(&stack->python->codes, caller->code);
        uint32_t unit = known != NULL ? unit_of(&stack->python->layout, caller, known) : UINT32_MAX;
        if (unit == UINT32_MAX) {
            return false;
        }
        bool called = !callee->hidden && !callee->entry && !callee->generator && !init_cleanup(known);
        if (called && (unit < known->first_traceable || !sl_calls_may(&known->calls, unit))) {
            odd = callee->address ^ caller->code;
        }
        if (!callee->hidden && !callee->generator && !caller->generator &&
            caller->address + known->frame_bytes != callee->address && callee->chunk == caller->chunk &&
            callee->chunk != SL_NO_CHUNK) {
            odd = callee->address ^ caller->code;
        }
    }
    if (odd != memory->odd) {
        memory->odd_count = 0;
    } else if (memory->odd_count < ODD_TO_BELIEVE) {
        memory->odd_count++;
    }
    memory->odd = odd;
    return odd == 0 || memory->odd_count == ODD_TO_BELIEVE;
}

static void add_frame(struct sl_thread_memory *memory, uint32_t code, uint32_t line)
{
    memory->frame_count++;
    memory->frames[memory->frame_capacity - memory->frame_count] = (struct sl_frame){.code = code, .line = line};
}

/* Names the innermost `count` frames, outermost of them first, in front of the `kept` results that stay. */
static enum sl_look name_frames(struct sl_stack *stack, uint32_t count, uint32_t kept)
{
    struct sl_thread_memory *memory = stack->memory;
    const struct sl_layout *layout = &stack->python->layout;
    memory->frame_count = kept;
    if (!sl_thread_memory_frames(memory, kept + count)) {
        return SL_LOOK_MEMORY;
    }
    for (uint32_t i = count; i > 0; i--) {
        struct sl_raw_frame *raw = &memory->next[i - 1];
        if (raw->hidden) {
            continue;
        }
        const struct sl_known_code *known = sl_code_cache_find(&stack->python->codes, raw->code);
        if (raw->nameless) {
            raw->shown = true;
            add_frame(memory, SL_CODE_NAMELESS, 0);
            continue;
        }
        if (known == NULL) {
            return SL_LOOK_TORN;
        }
        uint32_t unit = unit_of(layout, raw, known);
        raw->serial = known->serial;
        raw->shown = raw->generator || (unit != UINT32_MAX && unit >= known->first_traceable);
        if (raw->shown) {
            add_frame(memory, known->number, line_of(known, unit));
        }
    }
    return SL_LOOK_OK;
}

enum sl_look sl_stack_resolve(struct sl_stack *stack, uint64_t *unchanged)
{
    struct sl_python *python = stack->python;
    struct sl_thread_memory *memory = stack->memory;
    const struct sl_layout *layout = &python->layout;
    if (layout->interpreter_code_generation != 0) {
        stack->doubtful = stack->freed_behind != memory->generation;
        memory->generation_moves = stack->doubtful;
    }
    enum sl_look look = compare(stack, stack->codes, stack->code_count);
    uint32_t same = 0;
    if (look == SL_LOOK_OK) {
        same = count_unchanged(stack);
        look = know_codes(stack, memory->next_count - same);
    }
    if (look == SL_LOOK_OK && stack->doubtful) {
        same = count_unchanged(stack); /* their code objects are confirmed by now */
    }
    if (look != SL_LOOK_OK) {
        return look;
    }
    if (!fits(stack, memory->next_count - same)) {
        return SL_LOOK_TORN;
    }
    uint32_t kept = 0;
    for (uint32_t i = memory->next_count - same; i < memory->next_count; i++) {
        kept += memory->next[i].shown ? 1 : 0;
    }
    look = name_frames(stack, memory->next_count - same, kept);
    if (look != SL_LOOK_OK) {
        memory->last_count = 0;
        return look;
    }
    struct sl_raw_frame *last = memory->last;
    uint32_t last_capacity = memory->last_capacity;
    memory->last = memory->next;
    memory->last_count = memory->next_count;
    memory->last_capacity = memory->next_capacity;
    memory->next = last;
    memory->next_capacity = last_capacity;
    memory->changes = python->codes.changes;
    memory->generation = stack->freed_before;
    *unchanged = kept;
    return SL_LOOK_OK;
}
