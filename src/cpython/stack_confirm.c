#include "cpython/code_check.h"
#include "cpython/stack.h"

/* Whether the program ran since the last walk, as far as its innermost frame tells: what a thread has in its stack while
 * it waits for a CPU is not long-lived for that. */
static bool went_on(const struct sl_thread_memory *memory)
{
    if (memory->next_count == 0 || memory->next_count != memory->last_count) {
        return true;
    }
    const struct sl_raw_frame *now = &memory->next[0];
    const struct sl_raw_frame *then = &memory->last[0];
    return now->address != then->address || now->code != then->code || now->instruction != then->instruction;
}

void sl_stack_confirm(const struct sl_stack *stack, struct sl_known_code *known)
{
    known->compared_walk = stack->python->walk;
    known->generation = stack->freed_before;
    known->interpreter = stack->memory->interpreter;
    if (went_on(stack->memory)) {
        sl_code_check_passed(known, stack->copied_ns);
    }
}

bool sl_stack_confirmed(const struct sl_stack *stack, const struct sl_known_code *known)
{
    if (known->compared_walk == stack->python->walk) {
        return true;
    }
    if (stack->python->layout.interpreter_code_generation != 0) {
        return known->interpreter == stack->memory->interpreter && known->generation == stack->freed_behind;
    }
    return sl_code_trusted(&stack->python->codes, known);
}
