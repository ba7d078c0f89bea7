/* stack_walk.h - the stacks that time was spent in, each entered after its caller and left before it: what counts
 * recursion once. */
#ifndef SL_ANALYSIS_STACK_WALK_H
#define SL_ANALYSIS_STACK_WALK_H

#include "analysis/selection.h"

struct sl_stack_walk {
    const struct sl_profile *profile;
    struct sl_amount *self;   /* of each stack */
    struct sl_amount *total;  /* of each stack and those above it */
    sl_stack *first_callee;   /* of each stack, 0: none. Those without time are left out */
    sl_stack *next_callee;    /* of its caller */
    sl_stack stack;           /* where the walk is */
    bool entered;             /* it has just been entered, else just been left */
    struct sl_amount overall; /* total of the selection */
};

/* Adds up a selection. False when the arena is exhausted. */
bool sl_stack_walk_begin(struct sl_stack_walk *walk, struct sl_arena *arena, const struct sl_profile *profile,
                         const struct sl_selection *selection);

/* Moves on. False at the end; the walk may then be repeated. */
bool sl_stack_walk_next(struct sl_stack_walk *walk);

#endif
