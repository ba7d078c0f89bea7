#include "analysis/call_tree.h"

#include "analysis/call_tree_parts.h"
#include "analysis/sort.h"

/* Finds out which stacks are left out, and where those that are taken are cut off. */
static bool cut_stacks(struct sl_tree_task *task)
{
    const struct sl_profile *profile = task->profile;
    const uint8_t *selected = sl_selection_stacks(task->scratch, profile, task->selection);
    task->taken = selected;
    sl_function focus = task->options->focus;
    if (focus == SL_NONE || task->scratch->exhausted) {
        return !task->scratch->exhausted;
    }
    uint8_t *focused = SL_ARENA_NEW(task->scratch, uint8_t, profile->stack_count);
    uint8_t *bottom = SL_ARENA_NEW(task->scratch, uint8_t, profile->stack_count);
    uint8_t *taken = SL_ARENA_NEW(task->scratch, uint8_t, profile->stack_count);
    if (focused == NULL || bottom == NULL || taken == NULL) {
        return false;
    }
    for (sl_stack stack = 1; stack < profile->stack_count; stack++) {
        const struct sl_stack_record *record = &profile->stacks[stack];
        bottom[stack] = !focused[record->caller] && record->function == focus;
        focused[stack] = focused[record->caller] || bottom[stack];
        taken[stack] = focused[stack] && (selected == NULL || selected[stack]);
    }
    task->focused = focused;
    task->bottom = bottom;
    task->taken = taken;
    return true;
}

/* Puts the stacks that a group touched, and their callers, into `order`: callers before what they call. */
static void order_stacks(struct sl_tree_task *task)
{
    task->order_count = 0;
    task->group++;
    for (uint32_t i = 0; i < task->samples.touched_count; i++) {
        uint32_t depth = 0;
        sl_stack stack = task->samples.touched[i];
        while (stack != 0 && task->groups[stack] != task->group) {
            task->groups[stack] = task->group;
            task->way[depth++] = stack;
            stack = sl_tree_task_caller(task, stack);
        }
        while (depth > 0) {
            task->order[task->order_count++] = task->way[--depth];
        }
    }
}

static void place_stacks(struct sl_tree_task *task, const struct sl_place *base)
{
    uint32_t fresh = 0;
    for (uint32_t i = 0; i < task->order_count; i++) {
        fresh += !task->kept || !task->places[task->order[i]].told;
    }
    sl_tree_reserve(&task->tree, fresh);
    for (uint32_t i = 0; i < task->order_count; i++) {
        sl_stack stack = task->order[i];
        struct sl_place *place = &task->places[stack];
        if (!task->kept || !place->told) {
            sl_stack caller = sl_tree_task_caller(task, stack);
            const struct sl_stack_record *record = &task->profile->stacks[stack];
            *place =
                sl_tree_place(&task->tree, caller == 0 ? base : &task->places[caller], record->function, record->line);
            place->told = task->kept;
        }
        task->tree.branches[place->branch].seen = true;
    }
}

/* What the frames above a line took goes to the line, too. */
static void add_to_lines(struct sl_tree_task *task)
{
    const struct sl_stack_samples *samples = &task->samples;
    for (uint32_t i = 0; i < task->order_count; i++) {
        sl_stack stack = task->order[i];
        task->totals[stack] = samples->stacks[stack].self;
    }
    for (uint32_t i = task->order_count; i-- > 0;) {
        sl_stack stack = task->order[i];
        sl_stack caller = sl_tree_task_caller(task, stack);
        const struct sl_place *place = &task->places[stack];
        if (caller != 0) {
            sl_amount_add(&task->totals[caller], task->totals[stack]);
        }
        if (place->own_entry && place->line != SL_NONE) {
            sl_amount_add(&task->tree.lines[place->line].total, task->totals[stack]);
        }
    }
}

/* Amounts of a group to where its stacks lie in the merged tree. */
static void add_merged(struct sl_tree_task *task, const struct sl_place *base)
{
    if (task->tree.exhausted || task->scratch->exhausted) {
        return;
    }
    struct sl_tree_builder *tree = &task->tree;
    const struct sl_stack_samples *samples = &task->samples;
    for (uint32_t i = 0; i < samples->touched_count; i++) {
        sl_stack stack = samples->touched[i];
        const struct sl_stack_sample *seen = &samples->stacks[stack];
        const struct sl_place *place = stack == 0 ? base : &task->places[stack];
        sl_tree_add_self(tree, place, seen->self);
        sl_tree_add_span(tree, place->shown, seen->begin_ns, seen->end_ns);
        sl_tree_add_states(tree, place, samples, seen);
    }
    if (!task->options->without_lines) {
        add_to_lines(task);
    }
}

static bool add_group(struct sl_tree_task *task, const struct sl_place *base)
{
    if (task->samples.touched_count == 0) {
        return true;
    }
    order_stacks(task);
    if (task->options->inverted) {
        sl_tree_add_inverted(task, base);
    } else {
        place_stacks(task, base);
        add_merged(task, base);
    }
    sl_stack_samples_clear(&task->samples);
    return !task->tree.exhausted && !task->scratch->exhausted;
}

/* The process's node, or the root. */
static struct sl_place process_base(struct sl_tree_task *task, uint32_t process)
{
    return task->options->by_process ? sl_tree_base(&task->tree, 0, SL_NODE_PROCESS, process) : sl_tree_root();
}

static bool add_threads(struct sl_tree_task *task, uint32_t process, const uint32_t *threads, uint32_t count)
{
    bool timeline = task->options->timeline && !task->options->inverted;
    for (uint32_t i = 0; i < count; i++) {
        struct sl_place base = process_base(task, process);
        if (task->options->by_thread) {
            base = sl_tree_base(&task->tree, base.branch, SL_NODE_THREAD, threads[i]);
        }
        if (timeline && !sl_tree_add_timeline(task, threads[i], &base)) {
            return false;
        }
        if (!timeline) {
            sl_stack_samples_add(&task->samples, threads[i]);
        }
        if (task->options->by_thread && !add_group(task, &base)) {
            return false;
        }
    }
    if (!task->options->by_process) {
        return true;
    }
    struct sl_place base = process_base(task, process);
    return add_group(task, &base);
}

static bool prepare(struct sl_tree_task *task)
{
    uint32_t count = task->profile->stack_count;
    sl_tree_init(&task->tree, task->scratch, task->options);
    task->places = SL_ARENA_NEW(task->scratch, struct sl_place, count);
    task->totals = SL_ARENA_NEW(task->scratch, struct sl_amount, task->options->without_lines ? 0 : count);
    task->groups = SL_ARENA_NEW(task->scratch, uint32_t, count);
    task->order = SL_ARENA_NEW(task->scratch, sl_stack, count);
    task->way = SL_ARENA_NEW(task->scratch, sl_stack, count);
    return !task->scratch->exhausted && cut_stacks(task) &&
           sl_stack_samples_init(&task->samples, task->scratch, task->profile, task->selection, task->taken);
}

static bool add_processes(struct sl_tree_task *task)
{
    const struct sl_profile *profile = task->profile;
    uint32_t *process_of = SL_ARENA_NEW(task->scratch, uint32_t, profile->thread_count);
    struct sl_groups threads;
    if (process_of == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        process_of[i] = profile->threads[i].process;
    }
    if (!sl_group(task->scratch, process_of, profile->thread_count, profile->process_count, &threads)) {
        return false;
    }
    for (uint32_t i = 0; i < profile->process_count; i++) {
        if (!add_threads(task, i, threads.items + threads.starts[i], threads.starts[i + 1] - threads.starts[i])) {
            return false;
        }
    }
    struct sl_place root = sl_tree_root();
    return add_group(task, &root);
}

const struct sl_call_tree *sl_call_tree_build(struct sl_arena *arena, const struct sl_profile *profile,
                                              const struct sl_selection *selection,
                                              const struct sl_call_tree_options *options)
{
    struct sl_arena scratch;
    sl_arena_init(&scratch);
    struct sl_tree_task task = {.scratch = &scratch, .profile = profile, .selection = selection, .options = options};
    const struct sl_call_tree *tree = NULL;
    if (prepare(&task) && add_processes(&task)) {
        tree = sl_tree_finish(&task.tree, arena, options->timeline && !options->inverted);
    }
    arena->exhausted = arena->exhausted || tree == NULL;
    sl_arena_reset(&scratch);
    return tree;
}

/* Begins to keep. False when the arena is exhausted. */
static bool keep(struct sl_call_tree_keeper *keeper, const struct sl_profile *profile,
                 const struct sl_call_tree_options *options)
{
    sl_arena_init(&keeper->arena);
    keeper->options = *options;
    struct sl_tree_task *task = SL_ARENA_NEW(&keeper->arena, struct sl_tree_task, 1);
    static const struct sl_selection nothing = {0};
    if (task != NULL) {
        *task = (struct sl_tree_task){.scratch = &keeper->arena,
                                      .profile = profile,
                                      .selection = &nothing,
                                      .options = &keeper->options,
                                      .kept = true};
    }
    keeper->task = task;
    return task != NULL && prepare(task);
}

const struct sl_call_tree *sl_call_tree_build_again(struct sl_call_tree_keeper *keeper, struct sl_arena *arena,
                                                    const struct sl_profile *profile,
                                                    const struct sl_selection *selection,
                                                    const struct sl_call_tree_options *options)
{
    struct sl_arena scratch;
    sl_arena_init(&scratch);
    const struct sl_call_tree *tree = NULL;
    if (keeper->task != NULL || keep(keeper, profile, options)) {
        struct sl_tree_task *task = keeper->task;
        sl_tree_clear(&task->tree);
        task->samples.selection = selection;
        task->samples.taken = sl_selection_stacks(&scratch, profile, selection);
        for (uint32_t i = 0; i < profile->thread_count; i++) {
            sl_stack_samples_add(&task->samples, i);
        }
        struct sl_place root = sl_tree_root();
        /* What is needed of this tree only is not kept. */
        if (add_group(task, &root) && !scratch.exhausted) {
            task->tree.scratch = &scratch;
            tree = sl_tree_finish(&task->tree, arena, false);
            task->tree.scratch = &keeper->arena;
        }
    }
    arena->exhausted = arena->exhausted || tree == NULL;
    if (tree == NULL) {
        sl_call_tree_forget(keeper);
    }
    sl_arena_reset(&scratch);
    return tree;
}

void sl_call_tree_forget(struct sl_call_tree_keeper *keeper)
{
    sl_arena_reset(&keeper->arena);
    keeper->task = NULL;
}
