#include "analysis/stack_samples.h"

bool sl_stack_samples_init(struct sl_stack_samples *samples, struct sl_arena *scratch, const struct sl_profile *profile,
                           const struct sl_selection *selection, const uint8_t *taken)
{
    *samples =
        (struct sl_stack_samples){.scratch = scratch, .profile = profile, .selection = selection, .taken = taken};
    samples->stacks = SL_ARENA_NEW(scratch, struct sl_stack_sample, profile->stack_count);
    samples->touched = SL_ARENA_NEW(scratch, sl_stack, profile->stack_count);
    sl_state_times_init(&samples->other_states, scratch);
    return samples->stacks != NULL && samples->touched != NULL;
}

void sl_stack_samples_clear(struct sl_stack_samples *samples)
{
    for (uint32_t i = 0; i < samples->touched_count; i++) {
        samples->stacks[samples->touched[i]] = (struct sl_stack_sample){0};
    }
    samples->touched_count = 0;
    sl_state_times_clear(&samples->other_states);
}

void sl_stack_samples_add(struct sl_stack_samples *samples, uint32_t thread)
{
    const struct sl_selection *selection = samples->selection;
    uint32_t first, end;
    sl_selection_runs(samples->profile, selection, thread, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        const struct sl_run *run = &samples->profile->runs[i];
        struct sl_amount amount = sl_run_amount(selection, run);
        if (sl_amount_is_zero(amount) || (samples->taken != NULL && samples->taken[run->stack] == 0)) {
            continue;
        }
        uint64_t begin_ns = run->begin_ns > selection->begin_ns ? run->begin_ns : selection->begin_ns;
        uint64_t end_ns = run->end_ns < selection->end_ns ? run->end_ns : selection->end_ns;
        struct sl_stack_sample *stack = &samples->stacks[run->stack];
        sl_state state = sl_state_activity(run->state);
        if (sl_amount_is_zero(stack->self)) {
            samples->touched[samples->touched_count++] = run->stack;
            stack->begin_ns = begin_ns;
            stack->state = state;
        }
        sl_amount_add(&stack->self, amount);
        stack->begin_ns = begin_ns < stack->begin_ns ? begin_ns : stack->begin_ns;
        stack->end_ns = end_ns > stack->end_ns ? end_ns : stack->end_ns;
        if (stack->state == state) {
            stack->state_ns += amount.ns;
        } else {
            sl_state_times_add(&samples->other_states, &stack->other_states, state, amount.ns);
        }
    }
}
