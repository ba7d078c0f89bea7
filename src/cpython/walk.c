/* The stack of one thread: asks for where it is thought to be, and again where it turns out to be. */
#include "cpython/runtime.h"
#include "cpython/stack.h"

/* How often one walk may find that the stack lies elsewhere by now. Then the caller decides whether to go on. */
#define COPIES_MAX 4

static enum sl_look look_from_follow(enum sl_follow follow)
{
    switch (follow) {
    case SL_FOLLOW_OK:
        return SL_LOOK_OK;
    case SL_FOLLOW_TORN:
    case SL_FOLLOW_MOVED:
        return SL_LOOK_TORN;
    case SL_FOLLOW_FAULT:
        return SL_LOOK_FAULT;
    case SL_FOLLOW_GONE:
        return SL_LOOK_GONE;
    case SL_FOLLOW_DENIED:
        return SL_LOOK_DENIED;
    case SL_FOLLOW_TOO_DEEP:
        return SL_LOOK_TOO_DEEP;
    case SL_FOLLOW_MEMORY:
        break;
    }
    return SL_LOOK_MEMORY;
}

/* Attempts after one that gave the certain part of the stack only. */
#define RETRIES_MAX 2

/* Whether the stack that was followed lies above the frames that are certain. */
static bool continues(const struct sl_thread_memory *memory)
{
    if (memory->next_count < memory->certain_count) {
        return false;
    }
    const struct sl_raw_frame *outer = memory->next + (memory->next_count - memory->certain_count);
    for (uint32_t i = 0; i < memory->certain_count; i++) {
        if (outer[i].address != memory->certain[i].address || outer[i].code != memory->certain[i].code) {
            return false;
        }
    }
    return true;
}

/* The certain frames become the stack, as of the moment of the first attempt. */
static void take_certain(struct sl_stack *stack, const struct sl_stack *first, struct sl_python *python,
                         struct sl_thread_memory *memory)
{
    struct sl_snapshot *snapshot = &python->snapshot;
    if (!stack->copied) {
        /* The pieces hold what was there before them, and no code object was compared. */
        sl_snapshot_clear(snapshot);
        stack->code_count = 0;
        stack->doubtful = true;
        python->walk++;
    } else if (snapshot->taken < snapshot->count) {
        sl_snapshot_drop(snapshot, snapshot->taken);
    }
    stack->retold = true;
    stack->context = first->context;
    stack->holds_gil = first->holds_gil;
    stack->collecting = first->collecting;
    stack->freed_before = first->freed_before;
    stack->freed_behind = first->freed_behind;
    stack->copied_ns = first->copied_ns;
    stack->version = first->version;
    struct sl_raw_frame *next = memory->next;
    uint32_t capacity = memory->next_capacity;
    memory->next = memory->certain;
    memory->next_count = memory->certain_count;
    memory->next_capacity = memory->certain_capacity;
    memory->certain = next;
    memory->certain_count = 0;
    memory->certain_capacity = capacity;
}

/* One attempt: copies the stack from wherever it lies, and follows it. */
static enum sl_follow attempt(struct sl_stack *stack, struct sl_python *python, struct sl_thread_memory *memory)
{
    enum sl_follow follow = SL_FOLLOW_MOVED;
    for (int copies = 0; (follow == SL_FOLLOW_MOVED || follow == SL_FOLLOW_FAULT) && copies < COPIES_MAX; copies++) {
        follow = memory->predicted ? SL_FOLLOW_OK : sl_stack_discover(python, memory);
        if (follow != SL_FOLLOW_OK) {
            return follow == SL_FOLLOW_MOVED ? SL_FOLLOW_TORN : follow;
        }
        follow = sl_stack_copy(stack, python, memory);
        if (follow == SL_FOLLOW_OK) {
            follow = sl_stack_follow(stack);
        }
        if (follow == SL_FOLLOW_FAULT) {
            /* Something that was there in the last walk is not mapped any more. */
            memory->predicted = false;
            if (copies > 0) {
                memory->foreign_count = 0;
                memory->last_count = 0;
                memory->frame_count = 0;
            }
        }
    }
    return follow;
}

/* Looks on a stack in which frames have no names, because we were interrupted before they could be read. */
#define LOOKS_FOR_NAMES 3

/* Whether the stack that was followed is the one that was found last. */
static bool same_frames(const struct sl_thread_memory *memory)
{
    if (memory->next_count != memory->last_count) {
        return false;
    }
    for (uint32_t i = 0; i < memory->next_count; i++) {
        if (memory->next[i].address != memory->last[i].address || memory->next[i].code != memory->last[i].code) {
            return false;
        }
    }
    return true;
}

/* Follows and resolves the stack again while it lacks names for being read late: by now they are known. A program that
 * has gone on meanwhile is left as it was seen: to take what comes after would take time away from what is new. */
static enum sl_look find_names(struct sl_stack *stack, struct sl_python *python, struct sl_thread_memory *memory,
                               uint64_t *unchanged)
{
    enum sl_look look = SL_LOOK_OK;
    for (int looks = 0; look == SL_LOOK_OK && stack->late && looks < LOOKS_FOR_NAMES; looks++) {
        struct sl_stack again = {.python = python, .memory = memory};
        uint64_t still_unchanged = 0;
        if (attempt(&again, python, memory) != SL_FOLLOW_OK || !same_frames(memory)) {
            /* Where something could not be read twice, what was found is forgotten. */
            look = memory->last_count > 0 ? SL_LOOK_OK : SL_LOOK_TORN;
            break;
        }
        look = sl_stack_resolve(&again, &still_unchanged);
        if ((look == SL_LOOK_TORN || look == SL_LOOK_FAULT) && memory->last_count > 0) {
            look = SL_LOOK_OK; /* what was found stays */
            continue;
        }
        *stack = again;
        *unchanged = still_unchanged < *unchanged ? still_unchanged : *unchanged;
    }
    return look;
}

/* The outermost coroutine of the stack that was found. A coroutine runs within others that await it, and the outermost one
 * within whatever calls it: an event loop. */
static void find_task(const struct sl_python *python, const struct sl_thread_memory *memory, struct sl_walk *walk)
{
    for (uint32_t i = memory->last_count; i > 0; i--) {
        const struct sl_raw_frame *raw = &memory->last[i - 1];
        if (!raw->generator || raw->hidden || raw->nameless) {
            continue;
        }
        const struct sl_known_code *known = sl_code_cache_find(&python->codes, raw->code);
        if (known != NULL && known->coroutine) {
            walk->task = raw->address;
            walk->task_code = known->number;
            return;
        }
    }
}

enum sl_look sl_python_walk(struct sl_python *python, const struct sl_python_thread *thread, struct sl_walk *walk)
{
    *walk = (struct sl_walk){0};
    struct sl_thread_memory *memory = sl_thread_memory(&python->memories, thread);
    if (memory == NULL) {
        return SL_LOOK_MEMORY;
    }
    struct sl_stack stack = {.python = python, .memory = memory};
    memory->certain_count = 0;
    enum sl_follow follow = attempt(&stack, python, memory);
    const struct sl_stack first = stack;
    while (follow == SL_FOLLOW_TORN && memory->certain_count > 0 && walk->retried < RETRIES_MAX) {
        walk->retried++;
        follow = attempt(&stack, python, memory);
    }
    bool unseen = follow == SL_FOLLOW_TORN || follow == SL_FOLLOW_TOO_DEEP;
    if (memory->certain_count > 0 && (unseen || (follow == SL_FOLLOW_OK && !continues(memory)))) {
        take_certain(&stack, &first, python, memory);
        follow = SL_FOLLOW_OK;
    }
    if (follow != SL_FOLLOW_OK) {
        return look_from_follow(follow);
    }
    uint64_t unchanged = 0;
    enum sl_look look = sl_stack_resolve(&stack, &unchanged);
    if (look == SL_LOOK_OK) {
        look = find_names(&stack, python, memory, &unchanged);
    }
    if (look != SL_LOOK_OK) {
        return look;
    }
    walk->count = memory->frame_count;
    walk->frames = memory->frame_count > 0 ? memory->frames + memory->frame_capacity - memory->frame_count : NULL;
    walk->unchanged = unchanged;
    walk->context = stack.context;
    walk->holds_gil = stack.holds_gil;
    walk->collecting = stack.collecting;
    find_task(python, memory, walk);
    return SL_LOOK_OK;
}
