#include "analysis/differences.h"

#include "analysis/call_tree.h"
#include "analysis/functions.h"
#include "analysis/roles.h"
#include "analysis/sort.h"
#include "analysis/thread_summary.h"
#include "analysis/whole.h"

#include <string.h>

/* ---- which functions are the same ---- */

/* Some bytes, and the place that they have among others in order. */
struct text {
    const char *bytes;
    size_t size;
    uint32_t rank;
};

static bool text_before(const void *context, uint32_t a, uint32_t b)
{
    const struct text *texts = context;
    size_t common = texts[a].size < texts[b].size ? texts[a].size : texts[b].size;
    int order = memcmp(texts[a].bytes, texts[b].bytes, common);
    return order < 0 || (order == 0 && texts[a].size < texts[b].size);
}

/* Gives texts that are the same one rank, and others another. False when memory is exhausted. */
static bool rank_texts(struct sl_arena *arena, struct text *texts, uint32_t count)
{
    uint32_t *order = SL_ARENA_NEW(arena, uint32_t, count);
    for (uint32_t i = 0; order != NULL && i < count; i++) {
        order[i] = i;
    }
    if (order == NULL || !sl_sort(arena, order, count, text_before, texts)) {
        return false;
    }
    for (uint32_t i = 0, rank = 0; i < count; i++) {
        rank += i > 0 && text_before(texts, order[i - 1], order[i]);
        texts[order[i]].rank = rank;
    }
    return true;
}

/* The functions of both recordings, those of the one before first. Many may have one name, or one file: these are compared
 * once, by the numbers that they have as strings, those of the one before first, too. */
struct names {
    const struct sl_profile *profiles[SL_SIDES];
    uint32_t function_counts[SL_SIDES];
    uint32_t string_counts[SL_SIDES];
    struct text *names; /* of strings that are names, */
    struct text *paths; /* and short paths of those that are files */
};

static int side_of(const struct names *names, uint32_t number)
{
    return number < names->function_counts[SL_BEFORE] ? SL_BEFORE : SL_AFTER;
}

static const struct sl_function_record *record_of(const struct names *names, uint32_t number)
{
    int side = side_of(names, number);
    return &names->profiles[side]->functions[side == SL_BEFORE ? number : number - names->function_counts[SL_BEFORE]];
}

static uint32_t place_of(const struct names *names, uint32_t number, sl_string string)
{
    return side_of(names, number) == SL_BEFORE ? string : names->string_counts[SL_BEFORE] + string;
}

static bool comes_before(const void *context, uint32_t a, uint32_t b)
{
    const struct names *names = context;
    const struct sl_function_record *a_record = record_of(names, a);
    const struct sl_function_record *b_record = record_of(names, b);
    if (a_record->kind != b_record->kind) {
        return a_record->kind < b_record->kind;
    }
    uint32_t a_name = names->names[place_of(names, a, a_record->name)].rank;
    uint32_t b_name = names->names[place_of(names, b, b_record->name)].rank;
    if (a_name != b_name) {
        return a_name < b_name;
    }
    return names->paths[place_of(names, a, a_record->file)].rank <
           names->paths[place_of(names, b, b_record->file)].rank;
}

/* Ranks the names and short paths of all functions. False when memory is exhausted. */
static bool rank_names(struct sl_arena *arena, struct names *names)
{
    uint32_t strings = names->string_counts[SL_BEFORE] + names->string_counts[SL_AFTER];
    names->names = SL_ARENA_NEW(arena, struct text, strings);
    names->paths = SL_ARENA_NEW(arena, struct text, strings);
    if (arena->exhausted) {
        return false;
    }
    for (uint32_t i = 0; i < strings; i++) {
        names->names[i].bytes = names->paths[i].bytes = "";
    }
    for (uint32_t i = 0; i < names->function_counts[SL_BEFORE] + names->function_counts[SL_AFTER]; i++) {
        int side = side_of(names, i);
        const struct sl_profile *profile = names->profiles[side];
        const struct sl_function_record *record = record_of(names, i);
        struct text *name = &names->names[place_of(names, i, record->name)];
        struct text *path = &names->paths[place_of(names, i, record->file)];
        name->bytes = sl_profile_text(profile, record->name);
        name->size = sl_profile_text_size(profile, record->name);
        if (path->size == 0) {
            path->bytes = sl_short_path(profile, side == SL_BEFORE ? i : i - names->function_counts[SL_BEFORE]);
            path->size = strlen(path->bytes);
        }
    }
    return rank_texts(arena, names->names, strings) && rank_texts(arena, names->paths, strings);
}

/* Gives each function of either recording the number that it has in both, and counts those. NULL when memory is exhausted. */
static const uint32_t *number_functions(struct sl_arena *arena, const struct sl_side sides[SL_SIDES], uint32_t *count)
{
    struct names names = {0};
    uint32_t all = 0;
    for (int which = 0; which < SL_SIDES; which++) {
        names.profiles[which] = sides[which].profile;
        names.function_counts[which] = sides[which].profile->function_count;
        names.string_counts[which] = sides[which].profile->string_count;
        all += names.function_counts[which];
    }
    uint32_t *order = SL_ARENA_NEW(arena, uint32_t, all);
    uint32_t *numbers = SL_ARENA_NEW(arena, uint32_t, all);
    if (arena->exhausted || !rank_names(arena, &names)) {
        return NULL;
    }
    for (uint32_t i = 0; i < all; i++) {
        order[i] = i;
    }
    if (!sl_sort(arena, order, all, comes_before, &names)) {
        return NULL;
    }
    *count = 0;
    for (uint32_t i = 0; i < all; i++) {
        *count += i == 0 || comes_before(&names, order[i - 1], order[i]);
        numbers[order[i]] = *count - 1;
    }
    return numbers;
}

/* Makes roles agree: what is own code in one of the recordings is own code. False when memory is exhausted. */
static bool agree_on_roles(struct sl_arena *arena, const struct sl_side sides[SL_SIDES],
                           const uint32_t *const numbers[SL_SIDES], uint32_t count, struct sl_differences *differences)
{
    if (sides[SL_BEFORE].roles == NULL || sides[SL_AFTER].roles == NULL) {
        return true;
    }
    uint8_t *own = SL_ARENA_NEW(arena, uint8_t, count);
    for (int which = 0; own != NULL && which < SL_SIDES; which++) {
        for (sl_function i = 0; i < sides[which].profile->function_count; i++) {
            own[numbers[which][i]] |= sides[which].roles[i] == SL_ROLE_OWN;
        }
    }
    for (int which = 0; own != NULL && which < SL_SIDES; which++) {
        uint32_t functions = sides[which].profile->function_count;
        uint8_t *roles = SL_ARENA_NEW(arena, uint8_t, functions);
        for (sl_function i = 0; roles != NULL && i < functions; i++) {
            roles[i] = own[numbers[which][i]] != 0 ? SL_ROLE_OWN : sides[which].roles[i];
        }
        differences->roles[which] = roles;
    }
    return !arena->exhausted;
}

/* The profile with one function in place of all that are the same. NULL when memory is exhausted. */
static const struct sl_profile *unified(struct sl_arena *arena, const struct sl_profile *profile,
                                        const uint32_t *numbers, uint32_t count)
{
    struct sl_profile *copy = SL_ARENA_NEW(arena, struct sl_profile, 1);
    sl_function *first = SL_ARENA_NEW(arena, sl_function, count);
    struct sl_stack_record *stacks = SL_ARENA_NEW(arena, struct sl_stack_record, profile->stack_count);
    if (arena->exhausted) {
        return NULL;
    }
    for (sl_function i = profile->function_count; i > 0; i--) {
        first[numbers[i - 1]] = i - 1;
    }
    for (sl_stack i = 0; i < profile->stack_count; i++) {
        stacks[i] = profile->stacks[i];
        stacks[i].function = first[numbers[stacks[i].function]];
    }
    *copy = *profile;
    copy->stacks = stacks;
    return copy;
}

/* ---- threads ---- */

/* Counts the threads of each recording that did not only wait, and takes the others out of its selection, if that is asked
 * for, unless a thread that runs the same function did more in the other recording. False when memory is exhausted. */
static bool choose_threads(struct sl_arena *arena, struct sl_side sides[SL_SIDES],
                           const uint32_t *const numbers[SL_SIDES], uint32_t count, bool without_idle,
                           struct sl_differences *differences)
{
    const struct sl_thread_summary *summaries[SL_SIDES];
    uint32_t threads[SL_SIDES];
    uint8_t *busy[SL_SIDES]; /* of each function: a thread that runs it did more than wait */
    for (int which = 0; which < SL_SIDES; which++) {
        const struct sl_side *side = &sides[which];
        summaries[which] = sl_thread_summaries(arena, side->profile, &side->selection, &threads[which]);
        busy[which] = SL_ARENA_NEW(arena, uint8_t, count);
        if (summaries[which] == NULL || busy[which] == NULL) {
            return false;
        }
        for (uint32_t i = 0; i < threads[which]; i++) {
            const struct sl_thread_summary *summary = &summaries[which][i];
            differences->measure.threads[which] += !summary->idle;
            if (!summary->idle && summary->first_function != SL_NONE) {
                busy[which][numbers[which][summary->first_function]] = 1;
            }
        }
        if (differences->measure.threads[which] == 0) {
            differences->measure.threads[which] = 1;
        }
    }
    for (int which = 0; without_idle && which < SL_SIDES; which++) {
        uint8_t *taken = SL_ARENA_NEW(arena, uint8_t, sides[which].profile->thread_count);
        for (uint32_t i = 0; taken != NULL && i < threads[which]; i++) {
            const struct sl_thread_summary *summary = &summaries[which][i];
            bool elsewhere =
                summary->first_function != SL_NONE && busy[1 - which][numbers[which][summary->first_function]] != 0;
            taken[summary->thread] = !summary->idle || elsewhere;
            differences->idle[which] += !taken[summary->thread];
        }
        sides[which].selection.threads = taken;
    }
    return !arena->exhausted;
}

/* ---- totals ---- */

/* `places` has an element for each number, zeroed. */
static bool add_totals(struct sl_arena *arena, const struct sl_side *side, int which, const uint32_t *numbers,
                       struct sl_function_difference *places)
{
    uint32_t count = 0;
    const struct sl_function_total *totals = sl_function_totals(arena, NULL, side->profile, &side->selection, &count);
    for (uint32_t i = 0; totals != NULL && i < count; i++) {
        struct sl_function_difference *place = &places[numbers[totals[i].function]];
        place->functions[which] = totals[i].function;
        place->self[which] = totals[i].self;
        place->total[which] = totals[i].total;
    }
    return totals != NULL;
}

static bool compare_functions(struct sl_arena *arena, const struct sl_side sides[SL_SIDES],
                              const uint32_t *const numbers[SL_SIDES], uint32_t count,
                              struct sl_differences *differences)
{
    struct sl_function_difference *functions = SL_ARENA_NEW(arena, struct sl_function_difference, count);
    if (functions == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        functions[i].functions[SL_BEFORE] = functions[i].functions[SL_AFTER] = SL_NONE;
    }
    for (int which = 0; which < SL_SIDES; which++) {
        if (!add_totals(arena, &sides[which], which, numbers[which], functions)) {
            return false;
        }
    }
    uint32_t seen = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (functions[i].functions[SL_BEFORE] != SL_NONE || functions[i].functions[SL_AFTER] != SL_NONE) {
            functions[seen++] = functions[i];
        }
    }
    differences->functions = functions;
    differences->function_count = seen;
    return true;
}

/* ---- trees ---- */

struct joining {
    const struct sl_call_tree *trees[SL_SIDES];
    const uint32_t *const *numbers;
    struct sl_node_difference *nodes;
    uint32_t (*origins)[SL_SIDES]; /* of each node, the nodes of the two trees that it is; SL_NONE: there is none */
    uint32_t count;
    const struct sl_measure *measure;
    uint32_t *last_parent; /* of each function's number, the node that it was last met below, plus one, */
    uint32_t *last_node;   /* and the node that it is there */
};

static void take_node(struct joining *joining, uint32_t node, int which, uint32_t origin)
{
    const struct sl_node *taken = &joining->trees[which]->nodes[origin];
    struct sl_node_difference *difference = &joining->nodes[node];
    joining->origins[node][which] = origin;
    difference->functions[which] = taken->kind == SL_NODE_FUNCTION ? taken->subject : SL_NONE;
    difference->total[which] = taken->total;
    difference->self[which] = taken->self;
    sl_amount_add(&difference->self[which], taken->hidden);
    difference->folds = difference->folds || taken->hidden_frames > 0;
}

static uint32_t add_node(struct joining *joining, uint32_t parent)
{
    uint32_t node = joining->count++;
    joining->nodes[node] = (struct sl_node_difference){
        .functions = {SL_NONE, SL_NONE},
        .parent = parent,
        .first_child = SL_NONE,
        .next_sibling = SL_NONE,
        .depth = parent != SL_NONE ? joining->nodes[parent].depth + 1 : 0,
    };
    joining->origins[node][SL_BEFORE] = joining->origins[node][SL_AFTER] = SL_NONE;
    return node;
}

/* The nodes below one that both trees, or one of them, have. */
static void join_children(struct joining *joining, uint32_t parent)
{
    for (int which = 0; which < SL_SIDES; which++) {
        uint32_t origin = joining->origins[parent][which];
        if (origin == SL_NONE) {
            continue;
        }
        const struct sl_node *nodes = joining->trees[which]->nodes;
        for (uint32_t child = nodes[origin].first_child; child != SL_NONE; child = nodes[child].next_sibling) {
            uint32_t number = joining->numbers[which][nodes[child].subject];
            if (joining->last_parent[number] != parent + 1) {
                joining->last_parent[number] = parent + 1;
                joining->last_node[number] = add_node(joining, parent);
            }
            take_node(joining, joining->last_node[number], which, child);
        }
    }
}

static double size_of(const struct joining *joining, uint32_t node)
{
    double more = sl_change(joining->measure, joining->nodes[node].total).amount;
    return more < 0 ? -more : more;
}

static bool changed_more(const void *context, uint32_t a, uint32_t b)
{
    return size_of(context, a) > size_of(context, b);
}

/* Links children to their parents. False when memory is exhausted. */
static bool link_nodes(struct sl_arena *arena, struct joining *joining)
{
    uint32_t *parents = SL_ARENA_NEW(arena, uint32_t, joining->count);
    if (parents == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < joining->count; i++) {
        parents[i] = joining->nodes[i].parent;
    }
    struct sl_groups children;
    if (!sl_group(arena, parents, joining->count, joining->count, &children) ||
        !sl_sort_groups(arena, &children, joining->count, changed_more, joining)) {
        return false;
    }
    for (uint32_t parent = 0; parent < joining->count; parent++) {
        uint32_t *link = &joining->nodes[parent].first_child;
        for (uint32_t i = children.starts[parent]; i < children.starts[parent + 1]; i++) {
            *link = children.items[i];
            link = &joining->nodes[children.items[i]].next_sibling;
        }
    }
    return true;
}

static bool compare_trees(struct sl_arena *arena, const struct sl_side sides[SL_SIDES],
                          const uint32_t *const numbers[SL_SIDES], uint32_t count, struct sl_differences *differences)
{
    struct joining joining = {.numbers = numbers, .measure = &differences->measure};
    size_t most = 0;
    for (int which = 0; which < SL_SIDES; which++) {
        const struct sl_call_tree_options options = {
            .roles = sides[which].roles, .without_lines = true, .focus = SL_NONE};
        joining.trees[which] = sl_call_tree_build(arena, sides[which].profile, &sides[which].selection, &options);
        if (joining.trees[which] == NULL) {
            return false;
        }
        most += joining.trees[which]->node_count;
    }
    joining.nodes = SL_ARENA_NEW(arena, struct sl_node_difference, most);
    joining.origins = sl_arena_allocate(arena, most, sizeof *joining.origins);
    joining.last_parent = SL_ARENA_NEW(arena, uint32_t, count);
    joining.last_node = SL_ARENA_NEW(arena, uint32_t, count);
    if (arena->exhausted) {
        return false;
    }
    uint32_t root = add_node(&joining, SL_NONE);
    for (int which = 0; which < SL_SIDES; which++) {
        take_node(&joining, root, which, 0);
    }
    for (uint32_t node = root; node < joining.count; node++) {
        join_children(&joining, node);
    }
    differences->nodes = joining.nodes;
    differences->node_count = joining.count;
    return link_nodes(arena, &joining);
}

static void measure(const struct sl_side sides[SL_SIDES], bool shares, struct sl_measure *measure)
{
    measure->shares = shares;
    for (int which = 0; which < SL_SIDES; which++) {
        measure->wholes[which] = sl_whole(sides[which].profile, &sides[which].selection);
        if (sl_profile_is_folded(sides[which].profile)) {
            measure->wholes[which].samples = UINT64_MAX;
        }
        measure->late = measure->late || sl_looks_late(sides[which].profile);
    }
}

const struct sl_differences *sl_differences(struct sl_arena *arena, const struct sl_side sides[SL_SIDES],
                                            const struct sl_differences_options *options)
{
    struct sl_differences *differences = SL_ARENA_NEW(arena, struct sl_differences, 1);
    uint32_t count = 0;
    const uint32_t *all = number_functions(arena, sides, &count);
    if (differences == NULL || all == NULL) {
        return NULL;
    }
    const uint32_t *const numbers[SL_SIDES] = {all, all + sides[SL_BEFORE].profile->function_count};
    struct sl_side taken[SL_SIDES] = {sides[SL_BEFORE], sides[SL_AFTER]};
    measure(sides, options->shares, &differences->measure);
    if (!agree_on_roles(arena, sides, numbers, count, differences) ||
        !choose_threads(arena, taken, numbers, count, options->without_idle, differences)) {
        return NULL;
    }
    for (int which = 0; which < SL_SIDES; which++) {
        taken[which].roles = differences->roles[which];
        taken[which].profile = unified(arena, sides[which].profile, numbers[which], count);
        if (taken[which].profile == NULL) {
            return NULL;
        }
    }
    bool done = (!options->functions || compare_functions(arena, taken, numbers, count, differences)) &&
                (!options->trees || compare_trees(arena, taken, numbers, count, differences));
    return done ? differences : NULL;
}

/* ---- chance ---- */

/* Of the part of the whole that the amount is, seen in one or several of the threads. */
static double share_error(struct sl_amount amount, struct sl_amount whole, uint32_t threads)
{
    double share = (double)amount.ns / (double)whole.ns;
    double looks = (double)whole.samples;
    /* Looks that stand for more time than others are fewer. */
    if (whole.samples != UINT64_MAX && amount.ns > 0) {
        double seen = (double)amount.samples / share;
        looks = seen < looks ? seen : looks;
    }
    looks = looks > 1 ? looks : 1;
    double most = (double)threads;
    return share > 0 && share < most ? __builtin_sqrt(share * (most - share) / looks) : most / looks;
}

struct sl_change sl_change(const struct sl_measure *measure, const struct sl_amount amounts[SL_SIDES])
{
    double values[SL_SIDES] = {0};
    double variance = 0;
    for (int which = 0; which < SL_SIDES; which++) {
        const struct sl_amount *whole = &measure->wholes[which];
        double unit = measure->shares ? 1 : (double)whole->ns;
        if (whole->ns > 0) {
            double error = unit * share_error(amounts[which], *whole, measure->threads[which]);
            values[which] = unit * (double)amounts[which].ns / (double)whole->ns;
            variance += error * error;
        }
    }
    return (struct sl_change){
        .amount = values[SL_AFTER] - values[SL_BEFORE],
        .error = __builtin_sqrt(variance),
    };
}

bool sl_change_is_certain(const struct sl_measure *measure, struct sl_change change)
{
    double size = change.amount < 0 ? -change.amount : change.amount;
    return !measure->late && size > 3 * change.error;
}
