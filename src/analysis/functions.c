#include "analysis/functions.h"

#include "analysis/map.h"
#include "analysis/sort.h"
#include "analysis/stack_samples.h"
#include "analysis/stack_walk.h"

/* What is counted (functions, lines, edges) is numbered first, so that each stack has one number; a walk then adds the
 * stacks' totals to the numbers that are not on the way already. */
struct count {
    struct sl_stack_walk walk;
    struct sl_arena scratch;
    uint32_t *number; /* of each stack with time */
    sl_stack *first;  /* of each number the first stack that has it */
    struct sl_amount *self;
    struct sl_amount *total;
    uint32_t count;
};

static bool begin(struct count *count, const struct sl_profile *profile, const struct sl_selection *selection)
{
    *count = (struct count){0};
    sl_arena_init(&count->scratch);
    count->number = SL_ARENA_NEW(&count->scratch, uint32_t, profile->stack_count);
    count->first = SL_ARENA_NEW(&count->scratch, sl_stack, profile->stack_count);
    return !count->scratch.exhausted && sl_stack_walk_begin(&count->walk, &count->scratch, profile, selection);
}

enum subject {
    FUNCTIONS,
    LINES,
    EDGES,
    EDGES_BY_LINE,
};

static sl_function caller_of(const struct sl_profile *profile, sl_stack stack)
{
    sl_stack caller = profile->stacks[stack].caller;
    return caller == 0 ? SL_NONE : profile->stacks[caller].function;
}

/* The numbers that were given so far. */
struct numbers {
    uint32_t *functions; /* of each function, plus one; 0: none yet */
    struct sl_map pairs; /* of function and line, or of caller and function */
    struct sl_map calls; /* of a pair of functions and a line */
};

/* The number of what a stack counts for, `fresh` when it had none. SL_NONE when the arena is exhausted. */
static uint32_t number_of(struct numbers *numbers, const struct sl_profile *profile, sl_stack stack,
                          enum subject subject, uint32_t fresh)
{
    const struct sl_stack_record *record = &profile->stacks[stack];
    if (subject == FUNCTIONS) {
        uint32_t *number = &numbers->functions[record->function];
        *number = *number != 0 ? *number : fresh + 1;
        return *number - 1;
    }
    if (subject == LINES) {
        return sl_map_number(&numbers->pairs, record->function, record->line, fresh);
    }
    sl_function caller = caller_of(profile, stack);
    if (subject == EDGES) {
        return sl_map_number(&numbers->pairs, caller, record->function, fresh);
    }
    uint32_t pair = sl_map_number(&numbers->pairs, caller, record->function, (uint32_t)numbers->pairs.count);
    return pair == SL_NONE ? SL_NONE
                           : sl_map_number(&numbers->calls, pair, profile->stacks[record->caller].line, fresh);
}

/* Gives every stack with time the number of what it counts for. False when the arena is exhausted. */
static bool number_stacks(struct count *count, enum subject subject)
{
    const struct sl_profile *profile = count->walk.profile;
    struct numbers numbers = {.functions = SL_ARENA_NEW(&count->scratch, uint32_t, profile->function_count)};
    sl_map_init(&numbers.pairs, &count->scratch);
    sl_map_init(&numbers.calls, &count->scratch);
    if (numbers.functions == NULL) {
        return false;
    }
    for (sl_stack stack = 1; stack < profile->stack_count; stack++) {
        if (sl_amount_is_zero(count->walk.total[stack])) {
            continue;
        }
        uint32_t number = number_of(&numbers, profile, stack, subject, count->count);
        if (number == SL_NONE) {
            return false;
        }
        if (number == count->count) {
            count->first[count->count++] = stack;
        }
        count->number[stack] = number;
    }
    return true;
}

static bool add_up(struct count *count)
{
    uint32_t *open = SL_ARENA_NEW(&count->scratch, uint32_t, count->count);
    count->self = SL_ARENA_NEW(&count->scratch, struct sl_amount, count->count);
    count->total = SL_ARENA_NEW(&count->scratch, struct sl_amount, count->count);
    if (count->scratch.exhausted) {
        return false;
    }
    struct sl_stack_walk *walk = &count->walk;
    while (sl_stack_walk_next(walk)) {
        uint32_t number = count->number[walk->stack];
        if (!walk->entered) {
            open[number]--;
            continue;
        }
        sl_amount_add(&count->self[number], walk->self[walk->stack]);
        if (open[number]++ == 0) {
            sl_amount_add(&count->total[number], walk->total[walk->stack]);
        }
    }
    return true;
}

/* Counts, and gives the numbers in order. NULL when the arena is exhausted. `end` is called in any case. */
static uint32_t *count_subject(struct count *count, const struct sl_profile *profile,
                               const struct sl_selection *selection, enum subject subject, sl_before *before)
{
    if (!begin(count, profile, selection) || !number_stacks(count, subject) || !add_up(count)) {
        return NULL;
    }
    uint32_t *order = SL_ARENA_NEW(&count->scratch, uint32_t, count->count);
    for (uint32_t i = 0; order != NULL && i < count->count; i++) {
        order[i] = i;
    }
    return order != NULL && sl_sort(&count->scratch, order, count->count, before, count) ? order : NULL;
}

static bool heavier_function(const void *context, uint32_t a, uint32_t b)
{
    const struct count *count = context;
    const struct sl_amount *self = count->self;
    const struct sl_amount *total = count->total;
    if (self[a].ns != self[b].ns) {
        return self[a].ns > self[b].ns;
    }
    if (total[a].ns != total[b].ns) {
        return total[a].ns > total[b].ns;
    }
    const struct sl_stack_record *stacks = count->walk.profile->stacks;
    return stacks[count->first[a]].function < stacks[count->first[b]].function;
}

/* Gives the scratch memory back, and tells how many results there are. */
static void end(struct count *count, struct sl_arena *arena, const void *result, uint32_t *result_count)
{
    *result_count = result == NULL ? 0 : count->count;
    arena->exhausted = arena->exhausted || result == NULL;
    sl_arena_reset(&count->scratch);
}

const struct sl_function_total *sl_function_totals(struct sl_arena *arena, const struct sl_profile *profile,
                                                   const struct sl_selection *selection, uint32_t *result_count)
{
    struct count count;
    uint32_t *order = count_subject(&count, profile, selection, FUNCTIONS, heavier_function);
    struct sl_function_total *totals =
        order == NULL ? NULL : SL_ARENA_NEW(arena, struct sl_function_total, count.count);
    for (uint32_t i = 0; totals != NULL && i < count.count; i++) {
        totals[i] = (struct sl_function_total){.function = profile->stacks[count.first[order[i]]].function,
                                               .self = count.self[order[i]],
                                               .total = count.total[order[i]]};
    }
    end(&count, arena, totals, result_count);
    return totals;
}

/* The state of each number in which most of its self time was spent. */
static sl_state *main_states(struct count *count, const struct sl_profile *profile,
                             const struct sl_selection *selection)
{
    struct sl_arena *scratch = &count->scratch;
    sl_state *states = SL_ARENA_NEW(scratch, sl_state, count->count);
    uint32_t *lists = SL_ARENA_NEW(scratch, uint32_t, count->count);
    const uint8_t *taken = sl_selection_stacks(scratch, profile, selection);
    struct sl_stack_samples samples;
    if (scratch->exhausted || !sl_stack_samples_init(&samples, scratch, profile, selection, taken)) {
        return NULL;
    }
    for (uint32_t thread = 0; thread < profile->thread_count; thread++) {
        sl_stack_samples_add(&samples, thread);
    }
    struct sl_state_times times;
    sl_state_times_init(&times, scratch);
    for (uint32_t i = 0; i < samples.touched_count; i++) {
        const struct sl_stack_sample *stack = &samples.stacks[samples.touched[i]];
        /* The empty stack has no number. */
        if (samples.touched[i] == 0) {
            continue;
        }
        uint32_t *list = &lists[count->number[samples.touched[i]]];
        sl_state_times_add(&times, list, stack->state, stack->state_ns);
        const struct sl_state_time *others = samples.other_states.times;
        for (uint32_t other = stack->other_states; other != 0; other = others[other - 1].next) {
            sl_state_times_add(&times, list, others[other - 1].state, others[other - 1].ns);
        }
    }
    for (uint32_t i = 0; i < count->count; i++) {
        states[i] = sl_state_times_main(&times, lists[i]);
    }
    return scratch->exhausted ? NULL : states;
}

static bool earlier_line(const void *context, uint32_t a, uint32_t b)
{
    const struct count *count = context;
    const struct sl_stack_record *left = &count->walk.profile->stacks[count->first[a]];
    const struct sl_stack_record *right = &count->walk.profile->stacks[count->first[b]];
    return left->function != right->function ? left->function < right->function : left->line < right->line;
}

const struct sl_line_total *sl_line_totals(struct sl_arena *arena, const struct sl_profile *profile,
                                           const struct sl_selection *selection, uint32_t *result_count)
{
    struct count count;
    uint32_t *order = count_subject(&count, profile, selection, LINES, earlier_line);
    const sl_state *states = order == NULL ? NULL : main_states(&count, profile, selection);
    struct sl_line_total *totals = states == NULL ? NULL : SL_ARENA_NEW(arena, struct sl_line_total, count.count);
    for (uint32_t i = 0; totals != NULL && i < count.count; i++) {
        const struct sl_stack_record *record = &profile->stacks[count.first[order[i]]];
        totals[i] = (struct sl_line_total){.function = record->function,
                                           .line = record->line,
                                           .state = states[order[i]],
                                           .self = count.self[order[i]],
                                           .total = count.total[order[i]]};
    }
    end(&count, arena, totals, result_count);
    return totals;
}

static bool earlier_edge(const void *context, uint32_t a, uint32_t b)
{
    const struct count *count = context;
    const struct sl_profile *profile = count->walk.profile;
    sl_stack left = count->first[a];
    sl_stack right = count->first[b];
    if (caller_of(profile, left) != caller_of(profile, right)) {
        return caller_of(profile, left) < caller_of(profile, right);
    }
    if (profile->stacks[left].function != profile->stacks[right].function) {
        return profile->stacks[left].function < profile->stacks[right].function;
    }
    return profile->stacks[profile->stacks[left].caller].line < profile->stacks[profile->stacks[right].caller].line;
}

const struct sl_edge *sl_edges(struct sl_arena *arena, const struct sl_profile *profile,
                               const struct sl_selection *selection, bool by_line, uint32_t *result_count)
{
    struct count count;
    uint32_t *order = count_subject(&count, profile, selection, by_line ? EDGES_BY_LINE : EDGES, earlier_edge);
    struct sl_edge *edges = order == NULL ? NULL : SL_ARENA_NEW(arena, struct sl_edge, count.count);
    for (uint32_t i = 0; edges != NULL && i < count.count; i++) {
        sl_stack stack = count.first[order[i]];
        const struct sl_stack_record *record = &profile->stacks[stack];
        edges[i] = (struct sl_edge){.caller = caller_of(profile, stack),
                                    .callee = record->function,
                                    .line = by_line ? profile->stacks[record->caller].line : 0,
                                    .self = count.self[order[i]],
                                    .total = count.total[order[i]]};
    }
    end(&count, arena, edges, result_count);
    return edges;
}
