#include "analysis/tree_builder.h"

#include "analysis/sort.h"

#include <string.h>

/* The functions folded into a node, each once. */
struct folded_function {
    uint32_t branch;
    sl_function function;
    struct sl_amount self;
};

/* Makes room for `more` elements. `array` is the address of the pointer to the first one, of any type. False, and the tree
 * marked, when the arena is exhausted. */
static bool make_room(struct sl_tree_builder *tree, void *array, uint32_t count, uint32_t *capacity, uint32_t more,
                      size_t size)
{
    if (more <= *capacity - count) {
        return true;
    }
    uint32_t larger = *capacity < UINT32_MAX / 2 ? *capacity * 2 : UINT32_MAX;
    larger = larger < 64 ? 64 : larger;
    larger = larger - count < more && count <= UINT32_MAX - more ? count + more : larger;
    void *grown = larger - count >= more ? sl_arena_allocate(tree->scratch, larger, size) : NULL;
    if (grown == NULL) {
        tree->exhausted = true;
        return false;
    }
    if (count > 0) {
        void *items;
        memcpy(&items, array, sizeof items);
        memcpy(grown, items, count * size);
    }
    memcpy(array, &grown, sizeof grown);
    *capacity = larger;
    return true;
}

static bool room_for_branches(struct sl_tree_builder *tree, uint32_t more)
{
    return make_room(tree, &tree->branches, tree->branch_count, &tree->branch_capacity, more, sizeof *tree->branches);
}

static bool room_for_lines(struct sl_tree_builder *tree, uint32_t more)
{
    return make_room(tree, &tree->lines, tree->line_count, &tree->line_capacity, more, sizeof *tree->lines);
}

void sl_tree_reserve(struct sl_tree_builder *tree, uint32_t count)
{
    uint32_t left = SL_CALL_TREE_NODES_MAX - tree->branch_count;
    room_for_branches(tree, count < left ? count : left);
    room_for_lines(tree, tree->without_lines ? 0 : count);
    sl_map_reserve(&tree->branch_numbers, count < left ? count : left);
}

void sl_tree_clear(struct sl_tree_builder *tree)
{
    for (uint32_t i = 0; i < tree->branch_count; i++) {
        struct sl_branch *branch = &tree->branches[i];
        branch->seen = false;
        branch->self = (struct sl_amount){0};
        branch->hidden = (struct sl_amount){0};
        branch->total = (struct sl_amount){0};
        branch->begin_ns = UINT64_MAX;
        branch->end_ns = 0;
    }
}

/* A new branch; SL_NONE at the limit, or when the arena is exhausted. */
static uint32_t add_branch(struct sl_tree_builder *tree, uint32_t parent, enum sl_node_kind kind, uint32_t subject)
{
    if (tree->branch_count >= SL_CALL_TREE_NODES_MAX || !room_for_branches(tree, 1)) {
        return SL_NONE;
    }
    uint32_t branch = tree->branch_count++;
    tree->branches[branch] = (struct sl_branch){.parent = parent,
                                                .shown = branch,
                                                .kind = kind,
                                                .subject = subject,
                                                .caller_line = SL_NONE,
                                                .first_callee = SL_NONE,
                                                .first_line = SL_NONE,
                                                .begin_ns = UINT64_MAX};
    return branch;
}

static uint32_t find_or_add_branch(struct sl_tree_builder *tree, uint32_t parent, enum sl_node_kind kind,
                                   uint32_t subject)
{
    /* Most branches have one callee only. */
    uint32_t first = tree->branches[parent].first_callee;
    if (first != SL_NONE && tree->branches[first].subject == subject) {
        return first;
    }
    if (tree->branch_count >= SL_CALL_TREE_NODES_MAX) {
        return sl_map_find(&tree->branch_numbers, parent, subject);
    }
    uint32_t fresh = tree->branch_count;
    uint32_t branch = first == SL_NONE ? fresh : sl_map_number(&tree->branch_numbers, parent, subject, fresh);
    if (branch == fresh) {
        branch = add_branch(tree, parent, kind, subject);
        tree->branches[parent].first_callee = first == SL_NONE ? branch : first;
    }
    return branch;
}

void sl_tree_init(struct sl_tree_builder *tree, struct sl_arena *scratch, const struct sl_call_tree_options *options)
{
    *tree = (struct sl_tree_builder){.scratch = scratch,
                                     .roles = options->roles,
                                     .focus = options->focus,
                                     .unmerged = options->timeline,
                                     .without_lines = options->without_lines,
                                     .totals_given = options->inverted};
    sl_map_init(&tree->branch_numbers, scratch);
    sl_map_init(&tree->line_numbers, scratch);
    sl_state_times_init(&tree->line_states, scratch);
    add_branch(tree, SL_NONE, SL_NODE_ROOT, 0);
}

struct sl_place sl_tree_root(void)
{
    return (struct sl_place){.line = SL_NONE};
}

struct sl_place sl_tree_base(struct sl_tree_builder *tree, uint32_t parent, enum sl_node_kind kind, uint32_t subject)
{
    uint32_t branch = find_or_add_branch(tree, parent, kind, subject);
    if (branch == SL_NONE) {
        branch = parent;
    }
    return (struct sl_place){.branch = branch, .shown = branch, .line = SL_NONE};
}

uint32_t sl_tree_line(struct sl_tree_builder *tree, uint32_t branch, uint32_t line)
{
    if (tree->without_lines) {
        return SL_NONE;
    }
    /* Most branches have one line only. */
    uint32_t first = tree->branches[branch].first_line;
    if (first != SL_NONE && tree->lines[first].line == line) {
        return first;
    }
    uint32_t fresh = tree->line_count;
    uint32_t entry = first == SL_NONE ? fresh : sl_map_number(&tree->line_numbers, branch, line, fresh);
    if (entry != fresh) {
        return entry;
    }
    if (!room_for_lines(tree, 1)) {
        return SL_NONE;
    }
    if (first == SL_NONE) {
        tree->branches[branch].first_line = entry;
    }
    tree->lines[tree->line_count++] = (struct sl_branch_line){.branch = branch, .line = line};
    return entry;
}

uint32_t sl_tree_child(struct sl_tree_builder *tree, uint32_t parent, sl_function function)
{
    return find_or_add_branch(tree, parent, SL_NODE_FUNCTION, function);
}

uint32_t sl_tree_folded(struct sl_tree_builder *tree, uint32_t parent, uint32_t shown, sl_function function)
{
    uint32_t branch = find_or_add_branch(tree, parent, SL_NODE_FUNCTION, function);
    if (branch != SL_NONE) {
        tree->branches[branch].shown = shown;
        tree->branches[branch].seen = tree->branches[branch].seen || !tree->unmerged;
    }
    return branch;
}

enum sl_role sl_tree_role(const struct sl_tree_builder *tree, sl_function function)
{
    enum sl_role role = tree->roles == NULL ? SL_ROLE_OWN : (enum sl_role)tree->roles[function];
    return role == SL_ROLE_MACHINERY && function == tree->focus ? SL_ROLE_LIBRARY : role;
}

struct sl_place sl_tree_place(struct sl_tree_builder *tree, const struct sl_place *caller, sl_function function,
                              uint32_t line)
{
    struct sl_place place = *caller;
    place.own_entry = false;
    enum sl_role role = sl_tree_role(tree, function);
    if (role == SL_ROLE_MACHINERY) {
        return place;
    }
    if (role == SL_ROLE_LIBRARY && caller->inside) {
        uint32_t branch = sl_tree_folded(tree, caller->branch, caller->shown, function);
        place.branch = branch == SL_NONE ? caller->branch : branch;
        place.folded = true;
        return place;
    }
    uint32_t branch = tree->unmerged ? add_branch(tree, caller->shown, SL_NODE_FUNCTION, function)
                                     : sl_tree_child(tree, caller->shown, function);
    if (branch == SL_NONE) {
        place.folded = true;
        return place;
    }
    if (tree->unmerged) {
        tree->branches[branch].caller_line = caller->line;
    }
    return (struct sl_place){.branch = branch,
                             .shown = branch,
                             .line = sl_tree_line(tree, branch, line),
                             .inside = role == SL_ROLE_LIBRARY,
                             .own_entry = true};
}

void sl_tree_add_self(struct sl_tree_builder *tree, const struct sl_place *place, struct sl_amount amount)
{
    if (place->folded) {
        sl_amount_add(&tree->branches[place->shown].hidden, amount);
        if (place->branch != place->shown) {
            sl_amount_add(&tree->branches[place->branch].self, amount);
        }
        return;
    }
    sl_amount_add(&tree->branches[place->shown].self, amount);
    if (place->line != SL_NONE) {
        sl_amount_add(&tree->lines[place->line].self, amount);
    }
}

void sl_tree_add_state(struct sl_tree_builder *tree, const struct sl_place *place, sl_state state, uint64_t ns)
{
    if (place->line != SL_NONE) {
        struct sl_branch_line *line = &tree->lines[place->line];
        sl_state_times_add(&tree->line_states, place->folded ? &line->hidden_states : &line->states, state, ns);
    }
}

void sl_tree_add_states(struct sl_tree_builder *tree, const struct sl_place *place,
                        const struct sl_stack_samples *samples, const struct sl_stack_sample *stack)
{
    sl_tree_add_state(tree, place, stack->state, stack->state_ns);
    const struct sl_state_time *times = samples->other_states.times;
    for (uint32_t other = stack->other_states; other != 0; other = times[other - 1].next) {
        sl_tree_add_state(tree, place, times[other - 1].state, times[other - 1].ns);
    }
}

void sl_tree_add_span(struct sl_tree_builder *tree, uint32_t branch, uint64_t begin_ns, uint64_t end_ns)
{
    struct sl_branch *seen = &tree->branches[branch];
    seen->begin_ns = begin_ns < seen->begin_ns ? begin_ns : seen->begin_ns;
    seen->end_ns = end_ns > seen->end_ns ? end_ns : seen->end_ns;
}

/* From the leaves down: what each branch and its callers amount to. */
static void sum_up(struct sl_tree_builder *tree)
{
    for (uint32_t i = tree->branch_count; i-- > 0;) {
        struct sl_branch *branch = &tree->branches[i];
        if (branch->shown != i) {
            continue;
        }
        if (!tree->totals_given) {
            sl_amount_add(&branch->total, branch->self);
            sl_amount_add(&branch->total, branch->hidden);
        }
        if (branch->parent == SL_NONE) {
            continue;
        }
        sl_tree_add_span(tree, branch->parent, branch->begin_ns, branch->end_ns);
        if (!tree->totals_given) {
            sl_amount_add(&tree->branches[branch->parent].total, branch->total);
        }
        if (branch->caller_line != SL_NONE) {
            sl_amount_add(&tree->lines[branch->caller_line].total, branch->total);
        }
    }
}

static bool amount_before(struct sl_amount a, struct sl_amount b)
{
    return a.ns != b.ns ? a.ns > b.ns : a.samples > b.samples;
}

static bool heavier_branch(const void *context, uint32_t a, uint32_t b)
{
    const struct sl_branch *left = (const struct sl_branch *)context + a;
    const struct sl_branch *right = (const struct sl_branch *)context + b;
    if (left->total.ns != right->total.ns || left->total.samples != right->total.samples) {
        return amount_before(left->total, right->total);
    }
    /* Never by the order in which they were made, which a tree that is kept has from another selection. */
    return left->begin_ns != right->begin_ns ? left->begin_ns < right->begin_ns : left->subject < right->subject;
}

static bool earlier_branch(const void *context, uint32_t a, uint32_t b)
{
    const struct sl_branch *branches = context;
    return branches[a].begin_ns < branches[b].begin_ns;
}

static bool heavier_line(const void *context, uint32_t a, uint32_t b)
{
    const struct sl_branch_line *lines = context;
    if (amount_before(lines[a].self, lines[b].self) || amount_before(lines[b].self, lines[a].self)) {
        return amount_before(lines[a].self, lines[b].self);
    }
    if (amount_before(lines[a].total, lines[b].total) || amount_before(lines[b].total, lines[a].total)) {
        return amount_before(lines[a].total, lines[b].total);
    }
    return lines[a].line < lines[b].line;
}

static bool heavier_function(const void *context, uint32_t a, uint32_t b)
{
    const struct folded_function *left = (const struct folded_function *)context + a;
    const struct folded_function *right = (const struct folded_function *)context + b;
    if (left->self.ns != right->self.ns || left->self.samples != right->self.samples) {
        return amount_before(left->self, right->self);
    }
    return left->function < right->function;
}

/* The tree that is given back, while it is filled in. */
struct result {
    struct sl_node *nodes;
    uint32_t *number; /* of each branch, SL_NONE when it is no node */
    uint32_t count;
};

static void add_node(const struct sl_tree_builder *tree, struct result *result, uint32_t index, uint32_t elder)
{
    const struct sl_branch *branch = &tree->branches[index];
    uint32_t number = result->count++;
    result->number[index] = number;
    bool seen = branch->begin_ns != UINT64_MAX;
    struct sl_node *node = &result->nodes[number];
    *node = (struct sl_node){.kind = branch->kind,
                             .subject = branch->subject,
                             .parent = SL_NONE,
                             .first_child = SL_NONE,
                             .next_sibling = SL_NONE,
                             .total = branch->total,
                             .self = branch->self,
                             .hidden = branch->hidden,
                             .begin_ns = seen ? branch->begin_ns : 0,
                             .end_ns = branch->end_ns};
    if (branch->parent != SL_NONE) {
        node->parent = result->number[branch->parent];
        node->depth = result->nodes[node->parent].depth + 1;
        if (elder == SL_NONE) {
            result->nodes[node->parent].first_child = number;
        } else {
            result->nodes[result->number[elder]].next_sibling = number;
        }
    }
}

/* Numbers the branches that have time, in depth-first order. */
static bool number_nodes(struct sl_tree_builder *tree, struct sl_arena *arena, bool timeline, struct result *result)
{
    uint32_t count = tree->branch_count;
    result->number = SL_ARENA_NEW(tree->scratch, uint32_t, count);
    uint32_t *parents = SL_ARENA_NEW(tree->scratch, uint32_t, count);
    uint32_t *next = SL_ARENA_NEW(tree->scratch, uint32_t, count);
    if (result->number == NULL || parents == NULL || next == NULL) {
        return false;
    }
    uint32_t node_count = 1;
    for (uint32_t i = 0; i < count; i++) {
        const struct sl_branch *branch = &tree->branches[i];
        bool kept = i > 0 && branch->shown == i && !sl_amount_is_zero(branch->total);
        parents[i] = kept ? branch->parent : SL_NONE;
        result->number[i] = SL_NONE;
        node_count += kept;
    }
    struct sl_groups children;
    result->nodes = SL_ARENA_NEW(arena, struct sl_node, node_count);
    if (result->nodes == NULL || !sl_group(tree->scratch, parents, count, count, &children) ||
        !sl_sort_groups(tree->scratch, &children, count, timeline ? earlier_branch : heavier_branch, tree->branches)) {
        return false;
    }
    memcpy(next, children.starts, count * sizeof *next);
    add_node(tree, result, 0, SL_NONE);
    uint32_t at = 0;
    for (;;) {
        if (next[at] < children.starts[at + 1]) {
            uint32_t child = children.items[next[at]];
            add_node(tree, result, child, next[at] > children.starts[at] ? children.items[next[at] - 1] : SL_NONE);
            next[at]++;
            at = child;
        } else if (at == 0) {
            break;
        } else {
            at = tree->branches[at].parent;
        }
    }
    for (uint32_t i = result->count; i-- > 1;) {
        result->nodes[result->nodes[i].parent].descendants += result->nodes[i].descendants + 1;
    }
    return true;
}

static struct sl_node_line *collect_lines(struct sl_tree_builder *tree, struct sl_arena *arena, struct result *result,
                                          uint32_t *count)
{
    uint32_t *nodes = SL_ARENA_NEW(tree->scratch, uint32_t, tree->line_count);
    struct sl_groups lines;
    if (nodes == NULL) {
        return NULL;
    }
    *count = 0;
    for (uint32_t i = 0; i < tree->line_count; i++) {
        bool kept = !sl_amount_is_zero(tree->lines[i].total);
        nodes[i] = kept ? result->number[tree->lines[i].branch] : SL_NONE;
        *count += nodes[i] != SL_NONE;
    }
    struct sl_node_line *collected = SL_ARENA_NEW(arena, struct sl_node_line, *count);
    if (collected == NULL || !sl_group(tree->scratch, nodes, tree->line_count, result->count, &lines) ||
        !sl_sort_groups(tree->scratch, &lines, result->count, heavier_line, tree->lines)) {
        return NULL;
    }
    for (uint32_t i = 0; i < *count; i++) {
        const struct sl_branch_line *line = &tree->lines[lines.items[i]];
        collected[i] = (struct sl_node_line){
            .line = line->line,
            .state = sl_state_times_main(&tree->line_states, line->states != 0 ? line->states : line->hidden_states),
            .self = line->self,
            .total = line->total};
    }
    for (uint32_t i = 0; i < result->count; i++) {
        result->nodes[i].first_line = lines.starts[i];
        result->nodes[i].line_count = lines.starts[i + 1] - lines.starts[i];
    }
    return collected;
}

static sl_function *collect_hidden(struct sl_tree_builder *tree, struct sl_arena *arena, struct result *result,
                                   uint32_t *count)
{
    uint32_t frames = 0;
    for (uint32_t i = 0; i < tree->branch_count; i++) {
        frames += tree->branches[i].shown != i;
    }
    struct folded_function *functions = SL_ARENA_NEW(tree->scratch, struct folded_function, frames);
    uint32_t *nodes = SL_ARENA_NEW(tree->scratch, uint32_t, frames);
    struct sl_map numbers;
    sl_map_init(&numbers, tree->scratch);
    sl_map_reserve(&numbers, frames);
    if (functions == NULL || nodes == NULL) {
        return NULL;
    }
    *count = 0;
    for (uint32_t i = 0; i < tree->branch_count; i++) {
        const struct sl_branch *branch = &tree->branches[i];
        if (branch->shown == i || !branch->seen || result->number[branch->shown] == SL_NONE) {
            continue;
        }
        uint32_t node = result->number[branch->shown];
        result->nodes[node].hidden_frames++;
        uint32_t number = sl_map_number(&numbers, node, branch->subject, *count);
        if (number == SL_NONE) {
            return NULL;
        }
        if (number == *count) {
            nodes[number] = node;
            functions[number].function = branch->subject;
            ++*count;
        }
        sl_amount_add(&functions[number].self, branch->self);
    }
    struct sl_groups groups;
    sl_function *collected = SL_ARENA_NEW(arena, sl_function, *count);
    if (collected == NULL || !sl_group(tree->scratch, nodes, *count, result->count, &groups) ||
        !sl_sort_groups(tree->scratch, &groups, result->count, heavier_function, functions)) {
        return NULL;
    }
    for (uint32_t i = 0; i < *count; i++) {
        collected[i] = functions[groups.items[i]].function;
    }
    for (uint32_t i = 0; i < result->count; i++) {
        result->nodes[i].first_hidden = groups.starts[i];
        result->nodes[i].hidden_count = groups.starts[i + 1] - groups.starts[i];
    }
    return collected;
}

const struct sl_call_tree *sl_tree_finish(struct sl_tree_builder *tree, struct sl_arena *arena, bool timeline)
{
    if (tree->exhausted || tree->scratch->exhausted) {
        return NULL;
    }
    sum_up(tree);
    struct result result = {0};
    struct sl_call_tree *finished = SL_ARENA_NEW(arena, struct sl_call_tree, 1);
    if (finished == NULL || !number_nodes(tree, arena, timeline, &result)) {
        return NULL;
    }
    finished->nodes = result.nodes;
    finished->node_count = result.count;
    finished->lines = collect_lines(tree, arena, &result, &finished->line_count);
    finished->hidden = collect_hidden(tree, arena, &result, &finished->hidden_count);
    return finished->lines == NULL || finished->hidden == NULL ? NULL : finished;
}
