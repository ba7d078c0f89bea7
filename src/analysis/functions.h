/* functions.h - totals for each function and for each line, over a selection. Recursion counts once: a stack in which a
 * function appears twice adds to its total one time. Everything that was sampled is counted, whatever its role.
 *
 * The arrays live as long as the arena; NULL when it is exhausted. Linear in runs and stacks, without recursion (and
 * what the sorting costs). */
#ifndef SL_ANALYSIS_FUNCTIONS_H
#define SL_ANALYSIS_FUNCTIONS_H

#include "analysis/selection.h"

/* Which stack counts for what is the same in every selection of a profile. Who asks for one after the other has it kept
 * here, one keeper for each of the functions below, and forgets it before he asks for another profile; NULL keeps
 * nothing. Zeroed it is empty. */
struct sl_count_keeper {
    struct sl_arena arena;
    struct sl_numbering *stacks;
};

/* Gives its memory back. */
void sl_count_forget(struct sl_count_keeper *keeper);

struct sl_function_total {
    sl_function function;
    struct sl_amount self;
    struct sl_amount total;
};

/* The functions that were seen, by self time, heaviest first (ties: by total, then by number). */
const struct sl_function_total *sl_function_totals(struct sl_arena *arena, struct sl_count_keeper *keeper,
                                                   const struct sl_profile *profile,
                                                   const struct sl_selection *selection, uint32_t *count);

struct sl_line_total {
    sl_function function;
    uint32_t line;
    sl_state state; /* the state in which most of `self` was spent */
    struct sl_amount self;
    struct sl_amount total;
};

/* Lines of the functions that were seen, sorted by function, then by line. */
const struct sl_line_total *sl_line_totals(struct sl_arena *arena, struct sl_count_keeper *keeper,
                                           const struct sl_profile *profile, const struct sl_selection *selection,
                                           uint32_t *count);

struct sl_edge {
    sl_function caller; /* SL_NONE: the bottom of the stack */
    sl_function callee;
    uint32_t line;          /* of the call, in the caller; 0 when `by_line` is false */
    struct sl_amount self;  /* of the callee, under this caller */
    struct sl_amount total; /* time in which the callee ran directly under this caller. Counted once a sample: for
                             * recursion only the outermost such pair of a stack counts */
};

/* Who called whom: each pair of functions adjacent in a stack, sorted by caller (none comes last), callee, line. */
const struct sl_edge *sl_edges(struct sl_arena *arena, struct sl_count_keeper *keeper, const struct sl_profile *profile,
                               const struct sl_selection *selection, bool by_line, uint32_t *count);

#endif
