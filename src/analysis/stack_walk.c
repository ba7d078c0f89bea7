#include "analysis/stack_walk.h"

bool sl_stack_walk_begin(struct sl_stack_walk *walk, struct sl_arena *arena, const struct sl_profile *profile,
                         const struct sl_selection *selection)
{
    *walk = (struct sl_stack_walk){.profile = profile};
    walk->self = SL_ARENA_NEW(arena, struct sl_amount, profile->stack_count);
    walk->total = SL_ARENA_NEW(arena, struct sl_amount, profile->stack_count);
    walk->first_callee = SL_ARENA_NEW(arena, sl_stack, profile->stack_count);
    walk->next_callee = SL_ARENA_NEW(arena, sl_stack, profile->stack_count);
    if (walk->self == NULL || walk->total == NULL || walk->first_callee == NULL || walk->next_callee == NULL) {
        return false;
    }
    walk->overall = sl_stack_amounts(profile, selection, SL_NONE, walk->self);
    for (sl_stack stack = profile->stack_count; stack-- > 1;) {
        sl_stack caller = profile->stacks[stack].caller;
        sl_amount_add(&walk->total[stack], walk->self[stack]);
        if (!sl_amount_is_zero(walk->total[stack])) {
            sl_amount_add(&walk->total[caller], walk->total[stack]);
            walk->next_callee[stack] = walk->first_callee[caller];
            walk->first_callee[caller] = stack;
        }
    }
    return true;
}

bool sl_stack_walk_next(struct sl_stack_walk *walk)
{
    sl_stack next = 0;
    if (walk->stack == 0 || walk->entered) {
        next = walk->first_callee[walk->stack];
        walk->entered = true;
        if (next == 0 && walk->stack != 0) {
            walk->entered = false;
            return true;
        }
    } else {
        next = walk->next_callee[walk->stack];
        walk->entered = next != 0;
        if (next == 0) {
            next = walk->profile->stacks[walk->stack].caller;
        }
    }
    walk->stack = next;
    return next != 0;
}
