/* The tree in order of time: one node for each call.
 *
 * A frame that is running a call stays at the line of that call until it returns. So a frame of the next run is the
 * same call as before as long as every caller below it stands at the same line, which is what a common stack in the
 * trie says; the first frame above the common stack is the same call if it is of the same function (only its line has
 * moved on); and everything above that is new. */
#include "analysis/call_tree_parts.h"

/* The calls that go on at the start of the run, and above them those that begin with it. Returns how many go on. */
static uint32_t enter(struct sl_tree_task *task, uint32_t depth, sl_stack stack, const struct sl_place *base)
{
    const struct sl_stack_record *stacks = task->profile->stacks;
    if (task->focused != NULL && task->focused[stack] == 0) {
        return 0;
    }
    /* `groups` holds, for a stack in `calls`, its place there plus one. */
    uint32_t fresh = 0;
    while (stack != 0) {
        uint32_t place = task->groups[stack];
        if (place > 0 && place <= depth && task->calls[place - 1].stack == stack) {
            break;
        }
        task->way[fresh++] = stack;
        stack = sl_tree_task_caller(task, stack);
    }
    uint32_t common = stack == 0 ? 0 : task->groups[stack];
    if (fresh > 0 && common < depth) {
        struct sl_call *call = &task->calls[common];
        sl_stack moved = task->way[fresh - 1];
        /* (Below the focus of a tree that has one, callers are looked at as well.) */
        if (stacks[call->stack].function == stacks[moved].function &&
            stacks[call->stack].caller == stacks[moved].caller) {
            call->stack = moved;
            if (call->place.own_entry) {
                call->place.line = sl_tree_line(&task->tree, call->place.branch, stacks[moved].line);
            }
            task->groups[moved] = ++common;
            fresh--;
        }
    }
    while (fresh > 0) {
        stack = task->way[--fresh];
        const struct sl_place *caller = common == 0 ? base : &task->calls[common - 1].place;
        task->calls[common] = (struct sl_call){
            .stack = stack, .place = sl_tree_place(&task->tree, caller, stacks[stack].function, stacks[stack].line)};
        task->groups[stack] = ++common;
    }
    return common;
}

static void count_run(struct sl_tree_task *task, uint32_t depth, const struct sl_run *run, struct sl_amount amount,
                      const struct sl_place *base)
{
    struct sl_tree_builder *tree = &task->tree;
    for (uint32_t i = depth; i-- > 0 && !task->calls[i].seen;) {
        task->calls[i].seen = true;
        tree->branches[task->calls[i].place.branch].seen = true;
    }
    const struct sl_selection *selection = task->selection;
    const struct sl_place *place = depth == 0 ? base : &task->calls[depth - 1].place;
    sl_tree_add_self(tree, place, amount);
    sl_tree_add_state(tree, place, sl_state_activity(run->state), amount.ns);
    sl_tree_add_span(tree, place->shown, run->begin_ns > selection->begin_ns ? run->begin_ns : selection->begin_ns,
                     run->end_ns < selection->end_ns ? run->end_ns : selection->end_ns);
    if (place->line != SL_NONE) {
        sl_amount_add(&tree->lines[place->line].total, amount);
    }
}

bool sl_tree_add_timeline(struct sl_tree_task *task, uint32_t thread, const struct sl_place *base)
{
    if (task->calls == NULL) {
        task->calls = SL_ARENA_NEW(task->scratch, struct sl_call, task->profile->stack_count);
        if (task->calls == NULL) {
            return false;
        }
    }
    uint32_t first, end;
    sl_selection_runs(task->profile, task->selection, thread, &first, &end);
    uint32_t depth = 0;
    for (uint32_t i = first; i < end && !task->scratch->exhausted; i++) {
        /* What does not count (waiting, when only CPU time is looked at) still tells which calls go on. */
        const struct sl_run *run = &task->profile->runs[i];
        depth = enter(task, depth, run->stack, base);
        struct sl_amount amount = sl_run_amount(task->selection, run);
        if (!sl_amount_is_zero(amount) && (task->taken == NULL || task->taken[run->stack] != 0)) {
            count_run(task, depth, run, amount, base);
        }
    }
    return !task->scratch->exhausted && !task->tree.exhausted;
}
