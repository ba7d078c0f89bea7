#include "analysis/functions.h"

#include "analysis/map.h"
#include "analysis/sort.h"
#include "analysis/stack_samples.h"
#include "analysis/stack_walk.h"

/* What is counted (functions, lines, edges) is numbered first, so that each stack has one number. A walk then finds the
 * stacks whose number is not below them already: theirs are the totals that count. Both hold for any selection. */
struct sl_numbering {
    const struct sl_profile *profile;
    uint32_t *number;   /* of each stack that was ever seen */
    uint8_t *outermost; /* of each stack, non-zero: its total counts */
    sl_stack *first;    /* of each number the first stack that has it */
    uint32_t count;
};

struct count {
    struct sl_arena scratch;
    struct sl_numbering *stacks;
    struct sl_amount *self; /* of each number */
    struct sl_amount *total;
    uint32_t count; /* numbers with time */
};

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
static bool number_stacks(struct sl_numbering *stacks, const struct sl_stack_walk *walk, struct sl_arena *scratch,
                          enum subject subject)
{
    const struct sl_profile *profile = walk->profile;
    struct numbers numbers = {.functions = SL_ARENA_NEW(scratch, uint32_t, profile->function_count)};
    sl_map_init(&numbers.pairs, scratch);
    sl_map_init(&numbers.calls, scratch);
    if (numbers.functions == NULL) {
        return false;
    }
    for (sl_stack stack = 1; stack < profile->stack_count; stack++) {
        if (sl_amount_is_zero(walk->total[stack])) {
            continue;
        }
        uint32_t number = number_of(&numbers, profile, stack, subject, stacks->count);
        if (number == SL_NONE) {
            return false;
        }
        if (number == stacks->count) {
            stacks->first[stacks->count++] = stack;
        }
        stacks->number[stack] = number;
    }
    return true;
}

/* Numbers the stacks of a profile, in `arena`. NULL when it is exhausted. */
static struct sl_numbering *number_all(struct sl_arena *arena, const struct sl_profile *profile, enum subject subject)
{
    struct sl_arena scratch;
    sl_arena_init(&scratch);
    struct sl_numbering *stacks = SL_ARENA_NEW(arena, struct sl_numbering, 1);
    uint32_t *number = SL_ARENA_NEW(arena, uint32_t, profile->stack_count);
    uint8_t *outermost = SL_ARENA_NEW(arena, uint8_t, profile->stack_count);
    sl_stack *first = SL_ARENA_NEW(arena, sl_stack, profile->stack_count);
    struct sl_selection whole = sl_selection_all(profile);
    struct sl_stack_walk walk;
    bool done = !arena->exhausted && sl_stack_walk_begin(&walk, &scratch, profile, &whole);
    if (done) {
        *stacks = (struct sl_numbering){profile, number, outermost, first, 0};
        done = number_stacks(stacks, &walk, &scratch, subject);
    }
    uint32_t *open = done ? SL_ARENA_NEW(&scratch, uint32_t, stacks->count) : NULL;
    while (open != NULL && sl_stack_walk_next(&walk)) {
        uint32_t *depth = &open[number[walk.stack]];
        if (walk.entered) {
            outermost[walk.stack] = (*depth)++ == 0;
        } else {
            --*depth;
        }
    }
    sl_arena_reset(&scratch);
    return open != NULL ? stacks : NULL;
}

static bool add_up(struct count *count, const struct sl_selection *selection)
{
    const struct sl_numbering *stacks = count->stacks;
    const struct sl_profile *profile = stacks->profile;
    struct sl_amount *self = SL_ARENA_NEW(&count->scratch, struct sl_amount, profile->stack_count);
    struct sl_amount *total = SL_ARENA_NEW(&count->scratch, struct sl_amount, profile->stack_count);
    count->self = SL_ARENA_NEW(&count->scratch, struct sl_amount, stacks->count);
    count->total = SL_ARENA_NEW(&count->scratch, struct sl_amount, stacks->count);
    if (count->scratch.exhausted) {
        return false;
    }
    sl_stack_amounts(profile, selection, SL_NONE, self);
    for (sl_stack stack = profile->stack_count; stack-- > 1;) {
        sl_amount_add(&total[stack], self[stack]);
        if (sl_amount_is_zero(total[stack])) {
            continue;
        }
        sl_amount_add(&total[profile->stacks[stack].caller], total[stack]);
        uint32_t number = stacks->number[stack];
        sl_amount_add(&count->self[number], self[stack]);
        if (stacks->outermost[stack] != 0) {
            sl_amount_add(&count->total[number], total[stack]);
        }
    }
    return true;
}

/* Counts, and gives the numbers in order. NULL when the arena is exhausted. `end` is called in any case. */
static uint32_t *count_subject(struct count *count, struct sl_count_keeper *keeper, const struct sl_profile *profile,
                               const struct sl_selection *selection, enum subject subject, sl_before *before)
{
    *count = (struct count){0};
    sl_arena_init(&count->scratch);
    if (keeper == NULL) {
        count->stacks = number_all(&count->scratch, profile, subject);
    } else {
        keeper->stacks = keeper->stacks != NULL ? keeper->stacks : number_all(&keeper->arena, profile, subject);
        count->stacks = keeper->stacks;
    }
    if (count->stacks == NULL || !add_up(count, selection)) {
        return NULL;
    }
    uint32_t *order = SL_ARENA_NEW(&count->scratch, uint32_t, count->stacks->count);
    for (uint32_t i = 0; order != NULL && i < count->stacks->count; i++) {
        if (!sl_amount_is_zero(count->total[i])) {
            order[count->count++] = i;
        }
    }
    return order != NULL && sl_sort(&count->scratch, order, count->count, before, count) ? order : NULL;
}

void sl_count_forget(struct sl_count_keeper *keeper)
{
    sl_arena_reset(&keeper->arena);
    keeper->stacks = NULL;
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
    const struct sl_stack_record *stacks = count->stacks->profile->stacks;
    return stacks[count->stacks->first[a]].function < stacks[count->stacks->first[b]].function;
}

/* Gives the scratch memory back, and tells how many results there are. */
static void end(struct count *count, struct sl_arena *arena, const void *result, uint32_t *result_count)
{
    *result_count = result == NULL ? 0 : count->count;
    arena->exhausted = arena->exhausted || result == NULL;
    sl_arena_reset(&count->scratch);
}

const struct sl_function_total *sl_function_totals(struct sl_arena *arena, struct sl_count_keeper *keeper,
                                                   const struct sl_profile *profile,
                                                   const struct sl_selection *selection, uint32_t *result_count)
{
    struct count count;
    uint32_t *order = count_subject(&count, keeper, profile, selection, FUNCTIONS, heavier_function);
    struct sl_function_total *totals =
        order == NULL ? NULL : SL_ARENA_NEW(arena, struct sl_function_total, count.count);
    for (uint32_t i = 0; totals != NULL && i < count.count; i++) {
        totals[i] = (struct sl_function_total){.function = profile->stacks[count.stacks->first[order[i]]].function,
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
    sl_state *states = SL_ARENA_NEW(scratch, sl_state, count->stacks->count);
    uint32_t *lists = SL_ARENA_NEW(scratch, uint32_t, count->stacks->count);
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
        uint32_t *list = &lists[count->stacks->number[samples.touched[i]]];
        sl_state_times_add(&times, list, stack->state, stack->state_ns);
        const struct sl_state_time *others = samples.other_states.times;
        for (uint32_t other = stack->other_states; other != 0; other = others[other - 1].next) {
            sl_state_times_add(&times, list, others[other - 1].state, others[other - 1].ns);
        }
    }
    for (uint32_t i = 0; i < count->stacks->count; i++) {
        states[i] = sl_state_times_main(&times, lists[i]);
    }
    return scratch->exhausted ? NULL : states;
}

static bool earlier_line(const void *context, uint32_t a, uint32_t b)
{
    const struct count *count = context;
    const struct sl_stack_record *left = &count->stacks->profile->stacks[count->stacks->first[a]];
    const struct sl_stack_record *right = &count->stacks->profile->stacks[count->stacks->first[b]];
    return left->function != right->function ? left->function < right->function : left->line < right->line;
}

const struct sl_line_total *sl_line_totals(struct sl_arena *arena, struct sl_count_keeper *keeper,
                                           const struct sl_profile *profile, const struct sl_selection *selection,
                                           uint32_t *result_count)
{
    struct count count;
    uint32_t *order = count_subject(&count, keeper, profile, selection, LINES, earlier_line);
    const sl_state *states = order == NULL ? NULL : main_states(&count, profile, selection);
    struct sl_line_total *totals = states == NULL ? NULL : SL_ARENA_NEW(arena, struct sl_line_total, count.count);
    for (uint32_t i = 0; totals != NULL && i < count.count; i++) {
        const struct sl_stack_record *record = &profile->stacks[count.stacks->first[order[i]]];
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
    const struct sl_profile *profile = count->stacks->profile;
    sl_stack left = count->stacks->first[a];
    sl_stack right = count->stacks->first[b];
    if (caller_of(profile, left) != caller_of(profile, right)) {
        return caller_of(profile, left) < caller_of(profile, right);
    }
    if (profile->stacks[left].function != profile->stacks[right].function) {
        return profile->stacks[left].function < profile->stacks[right].function;
    }
    return profile->stacks[profile->stacks[left].caller].line < profile->stacks[profile->stacks[right].caller].line;
}

const struct sl_edge *sl_edges(struct sl_arena *arena, struct sl_count_keeper *keeper, const struct sl_profile *profile,
                               const struct sl_selection *selection, bool by_line, uint32_t *result_count)
{
    struct count count;
    uint32_t *order = count_subject(&count, keeper, profile, selection, by_line ? EDGES_BY_LINE : EDGES, earlier_edge);
    struct sl_edge *edges = order == NULL ? NULL : SL_ARENA_NEW(arena, struct sl_edge, count.count);
    for (uint32_t i = 0; edges != NULL && i < count.count; i++) {
        sl_stack stack = count.stacks->first[order[i]];
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
