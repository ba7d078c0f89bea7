/* call_tree_parts.h - what the three ways to build a call tree share (call_tree.c, call_tree_timeline.c,
 * call_tree_inverted.c). */
#ifndef SL_ANALYSIS_CALL_TREE_PARTS_H
#define SL_ANALYSIS_CALL_TREE_PARTS_H

#include "analysis/tree_builder.h"

/* A call that goes on, of a timeline. */
struct sl_call {
    sl_stack stack;
    struct sl_place place;
    bool seen; /* in a run that counts */
};

/* What a stack is to an inverted tree. */
struct sl_leaf {
    sl_stack shown;     /* the nearest stack at or below it whose frame is shown, 0 when there is none */
    uint32_t branch;    /* of its folded frame, plus one; 0 when there is none yet */
    uint32_t last_pair; /* the last one of a level that goes on below this stack */
    bool inside;        /* as in struct sl_place */
    bool folded;
};

struct sl_tree_task {
    struct sl_arena *scratch;
    const struct sl_profile *profile;
    const struct sl_selection *selection;
    const struct sl_call_tree_options *options;
    bool kept;              /* places are those of the tree before where they are told, and branches are there */
    const uint8_t *taken;   /* one byte for each stack, zero: its samples are left out; NULL: all are taken */
    const uint8_t *bottom;  /* one byte for each stack, non-zero: it is cut off below this frame; NULL: none is */
    const uint8_t *focused; /* one byte for each stack, non-zero where it has the focus; NULL: there is no focus */
    struct sl_tree_builder tree;
    struct sl_stack_samples samples; /* of one group: a thread, a process or all */
    /* One element for each stack, valid where `groups` holds the number of the current group. */
    struct sl_place *places;
    struct sl_amount *totals;
    uint32_t *groups;
    uint32_t group;
    sl_stack *order; /* the stacks of the group and their callers, callers first */
    uint32_t order_count;
    sl_stack *way;          /* from a stack down to one that is in order */
    struct sl_call *calls;  /* of the timeline: those that go on, outermost first; one element for each stack */
    struct sl_leaf *leaves; /* of the inverted tree; one element for each stack */
};

/* The stack below, 0 where the stack (as it is cut) begins. */
static inline sl_stack sl_tree_task_caller(const struct sl_tree_task *task, sl_stack stack)
{
    return task->bottom != NULL && task->bottom[stack] != 0 ? 0 : task->profile->stacks[stack].caller;
}

/* Adds the runs of a thread in order of time. False when the arena is exhausted. */
bool sl_tree_add_timeline(struct sl_tree_task *task, uint32_t thread, const struct sl_place *base);

/* Adds the group, whose stacks are in `order`, from its leaves to their callers. */
void sl_tree_add_inverted(struct sl_tree_task *task, const struct sl_place *base);

#endif
