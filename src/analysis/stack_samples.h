/* stack_samples.h - what a group of threads saw of each stack: how much, from when to when, and in which states.
 *
 * Stacks are few and runs are many, so a tree is built from stacks. The columns have one element for each stack of the
 * profile, but a group only touches those it saw: a profile of a thousand threads costs no thousand passes over it. */
#ifndef SL_ANALYSIS_STACK_SAMPLES_H
#define SL_ANALYSIS_STACK_SAMPLES_H

#include "analysis/selection.h"
#include "analysis/state_times.h"

struct sl_stack_sample {
    struct sl_amount self;
    uint64_t begin_ns, end_ns;
    uint64_t state_ns; /* of `self` what was spent in `state`, the first one seen */
    sl_state state;
    uint32_t other_states; /* the rest: a list in `other_states` */
};

struct sl_stack_samples {
    struct sl_arena *scratch;
    const struct sl_profile *profile;
    const struct sl_selection *selection;
    const uint8_t *taken;           /* one byte for each stack, zero: left out; NULL: all are taken */
    struct sl_stack_sample *stacks; /* one for each stack */
    sl_stack *touched;              /* those with an amount */
    uint32_t touched_count;
    struct sl_state_times other_states;
};

/* False when the arena is exhausted. */
bool sl_stack_samples_init(struct sl_stack_samples *samples, struct sl_arena *scratch, const struct sl_profile *profile,
                           const struct sl_selection *selection, const uint8_t *taken);

/* Forgets the group. */
void sl_stack_samples_clear(struct sl_stack_samples *samples);

/* Adds the runs of a thread to the group. What is lost when the arena is exhausted shows in the arena. */
void sl_stack_samples_add(struct sl_stack_samples *samples, uint32_t thread);

#endif
