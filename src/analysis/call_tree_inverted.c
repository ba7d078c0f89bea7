/* The tree from the leaves to their callers, level by level.
 *
 * Stacks that end in the same function share a node of the first level. From then on only pairs of a node and the
 * stack below it matter, and pairs that meet are merged, so that a thousand lines of one function cost one way down.
 * What a leaf is follows the roles: time in a folded library frame is hidden time of the library's entry. */
#include "analysis/call_tree_parts.h"

/* Pairs looked at for one group before its tree ends where it is: a second or so of work. Reached only by stacks that
 * are thousands of frames deep and all different. */
static const uint64_t pairs_max = (uint64_t)64 * 1024 * 1024;

struct pair {
    uint32_t branch;
    sl_stack below; /* the frame that is added next */
    struct sl_amount amount;
    uint64_t begin_ns, end_ns;
};

struct level {
    struct pair *pairs;
    uint32_t count;
};

static void find_leaves(struct sl_tree_task *task)
{
    for (uint32_t i = 0; i < task->order_count; i++) {
        sl_stack stack = task->order[i];
        sl_stack caller = sl_tree_task_caller(task, stack);
        struct sl_leaf *leaf = &task->leaves[stack];
        *leaf = caller == 0 ? (struct sl_leaf){0} : task->leaves[caller];
        leaf->branch = 0;
        enum sl_role role = sl_tree_role(&task->tree, task->profile->stacks[stack].function);
        if (role == SL_ROLE_LIBRARY && leaf->inside) {
            leaf->folded = true;
        } else if (role != SL_ROLE_MACHINERY) {
            leaf->shown = stack;
            leaf->inside = role == SL_ROLE_LIBRARY;
            leaf->folded = false;
        }
    }
}

/* The branch of a folded stack's frame, below `shown` of the first level; made together with those between them. */
static uint32_t fold(struct sl_tree_task *task, sl_stack stack, uint32_t shown)
{
    struct sl_leaf *leaves = task->leaves;
    uint32_t depth = 0;
    uint32_t branch = shown;
    for (; stack != leaves[stack].shown; stack = sl_tree_task_caller(task, stack)) {
        if (leaves[stack].branch != 0) {
            branch = leaves[stack].branch - 1;
            break;
        }
        task->way[depth++] = stack;
    }
    while (depth > 0) {
        stack = task->way[--depth];
        sl_function function = task->profile->stacks[stack].function;
        if (sl_tree_role(&task->tree, function) != SL_ROLE_MACHINERY) {
            uint32_t folded = sl_tree_folded(&task->tree, branch, shown, function);
            branch = folded == SL_NONE ? branch : folded;
        }
        leaves[stack].branch = branch + 1;
    }
    return branch;
}

static void merge_pair(struct pair *pair, const struct pair *added)
{
    sl_amount_add(&pair->amount, added->amount);
    pair->begin_ns = added->begin_ns < pair->begin_ns ? added->begin_ns : pair->begin_ns;
    pair->end_ns = added->end_ns > pair->end_ns ? added->end_ns : pair->end_ns;
}

/* Adds to the first level. `numbers` knows its pairs. */
static void add_first_pair(struct sl_tree_task *task, struct sl_map *numbers, struct level *level,
                           const struct pair *added)
{
    uint32_t number = sl_map_number(numbers, added->branch, added->below, level->count);
    if (number == level->count) {
        level->pairs[level->count++] = *added;
    } else if (number != SL_NONE) {
        merge_pair(&level->pairs[number], added);
    } else {
        task->tree.exhausted = true;
    }
}

/* Adds to a later level, where pairs that meet mostly follow each other: only the last one of a stack is remembered.
 * Two that were not merged here meet again at the next level. */
static void add_pair(struct sl_tree_task *task, struct level *level, const struct pair *added)
{
    uint32_t *last = &task->leaves[added->below].last_pair;
    if (*last < level->count && level->pairs[*last].below == added->below &&
        level->pairs[*last].branch == added->branch) {
        merge_pair(&level->pairs[*last], added);
    } else {
        *last = level->count;
        level->pairs[level->count++] = *added;
    }
}

/* Adds a pair's amount to the branch of the function that a shown stack runs. Returns the branch. */
static uint32_t add_frame(struct sl_tree_task *task, uint32_t parent, sl_stack stack, const struct pair *pair,
                          uint32_t *line)
{
    struct sl_tree_builder *tree = &task->tree;
    const struct sl_stack_record *record = &task->profile->stacks[stack];
    uint32_t branch = sl_tree_child(tree, parent, record->function);
    if (branch == SL_NONE) {
        return SL_NONE;
    }
    sl_amount_add(&tree->branches[branch].total, pair->amount);
    sl_tree_add_span(tree, branch, pair->begin_ns, pair->end_ns);
    *line = sl_tree_line(tree, branch, record->line);
    if (*line != SL_NONE) {
        sl_amount_add(&tree->lines[*line].total, pair->amount);
    }
    return branch;
}

static sl_stack shown_below(const struct sl_tree_task *task, sl_stack stack)
{
    sl_stack caller = sl_tree_task_caller(task, stack);
    return caller == 0 ? 0 : task->leaves[caller].shown;
}

static void add_leaf(struct sl_tree_task *task, const struct sl_place *base, sl_stack stack, struct sl_map *numbers,
                     struct level *level)
{
    struct sl_tree_builder *tree = &task->tree;
    const struct sl_stack_sample *seen = &task->samples.stacks[stack];
    const struct sl_leaf *leaf = &task->leaves[stack];
    sl_stack shown = stack == 0 ? 0 : leaf->shown;
    struct pair pair = {.amount = seen->self, .begin_ns = seen->begin_ns, .end_ns = seen->end_ns};
    struct sl_place place = *base;
    if (shown != 0) {
        pair.branch = add_frame(task, base->branch, shown, &pair, &place.line);
        if (pair.branch != SL_NONE) {
            place.shown = pair.branch;
            place.folded = leaf->folded;
            place.branch = leaf->folded ? fold(task, stack, pair.branch) : pair.branch;
            pair.below = shown_below(task, shown);
            if (pair.below != 0) {
                add_first_pair(task, numbers, level, &pair);
            }
        }
    }
    sl_tree_add_self(tree, &place, seen->self);
    sl_tree_add_states(tree, &place, &task->samples, seen);
    sl_tree_add_span(tree, base->branch, seen->begin_ns, seen->end_ns);
    for (uint32_t branch = base->branch; branch != SL_NONE; branch = tree->branches[branch].parent) {
        sl_amount_add(&tree->branches[branch].total, seen->self);
    }
}

void sl_tree_add_inverted(struct sl_tree_task *task, const struct sl_place *base)
{
    const struct sl_stack_samples *samples = &task->samples;
    if (task->leaves == NULL) {
        task->leaves = SL_ARENA_NEW(task->scratch, struct sl_leaf, task->profile->stack_count);
    }
    struct level level = {.pairs = SL_ARENA_NEW(task->scratch, struct pair, samples->touched_count)};
    struct level next = {.pairs = SL_ARENA_NEW(task->scratch, struct pair, samples->touched_count)};
    struct sl_map numbers;
    sl_map_init(&numbers, task->scratch);
    if (task->scratch->exhausted) {
        return;
    }
    find_leaves(task);
    for (uint32_t i = 0; i < samples->touched_count; i++) {
        add_leaf(task, base, samples->touched[i], &numbers, &level);
    }
    uint64_t pairs = 0;
    while (level.count > 0 && pairs < pairs_max && !task->tree.exhausted && !task->scratch->exhausted) {
        pairs += level.count;
        next.count = 0;
        for (uint32_t i = 0; i < level.count; i++) {
            struct pair pair = level.pairs[i];
            uint32_t line;
            pair.branch = add_frame(task, pair.branch, pair.below, &pair, &line);
            pair.below = shown_below(task, pair.below);
            if (pair.branch != SL_NONE && pair.below != 0) {
                add_pair(task, &next, &pair);
            }
        }
        struct level done = level;
        level = next;
        next = done;
    }
}
