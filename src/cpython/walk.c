/* The stack of one thread: asks for where it is thought to be, and again where it turns out to be. */
#include "cpython/runtime.h"
#include "cpython/stack.h"
#include "cpython/words.h"

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
    case SL_FOLLOW_MEMORY:
        break;
    }
    return SL_LOOK_MEMORY;
}

/* What is known of the interpreter from the same copy. */
static void read_states(const struct sl_stack *stack, struct sl_walk *walk)
{
    const struct sl_layout *layout = &stack->python->layout;
    const struct sl_snapshot *snapshot = &stack->python->snapshot;
    const struct sl_thread_memory *memory = stack->memory;
    if (memory->gil == 0) {
        return;
    }
    const uint8_t *gil = sl_snapshot_find(snapshot, stack->gil, memory->gil, layout->gil_locked + 4);
    const uint8_t *collecting =
        sl_snapshot_find(snapshot, stack->interpreter, memory->interpreter + layout->interpreter_collecting, 4);
    walk->holds_gil =
        gil != NULL && sl_word(gil + layout->gil_holder) == memory->address && sl_int(gil + layout->gil_locked) == 1;
    walk->collecting = walk->holds_gil && collecting != NULL && sl_int(collecting) != 0;
}

enum sl_look sl_python_walk(struct sl_python *python, const struct sl_python_thread *thread, struct sl_walk *walk)
{
    *walk = (struct sl_walk){0};
    struct sl_thread_memory *memory = sl_thread_memory(&python->memories, thread);
    if (memory == NULL) {
        return SL_LOOK_MEMORY;
    }
    struct sl_stack stack;
    uint64_t unchanged = 0;
    enum sl_look look = SL_LOOK_TORN;
    bool again = true;
    for (int copies = 0; again && copies < COPIES_MAX; copies++) {
        enum sl_follow follow = memory->predicted ? SL_FOLLOW_OK : sl_stack_discover(python, memory);
        if (follow != SL_FOLLOW_OK) {
            return look_from_follow(follow);
        }
        follow = sl_stack_copy(&stack, python, memory);
        if (follow == SL_FOLLOW_OK) {
            follow = sl_stack_follow(&stack);
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
        look = follow == SL_FOLLOW_OK ? sl_stack_resolve(&stack, &unchanged) : look_from_follow(follow);
        again = follow == SL_FOLLOW_MOVED || follow == SL_FOLLOW_FAULT;
    }
    if (look != SL_LOOK_OK) {
        return look;
    }
    walk->count = memory->frame_count;
    walk->frames = memory->frame_count > 0 ? memory->frames + memory->frame_capacity - memory->frame_count : NULL;
    walk->unchanged = unchanged;
    read_states(&stack, walk);
    return SL_LOOK_OK;
}
