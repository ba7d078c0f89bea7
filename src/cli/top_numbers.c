#include "cli/top_numbers.h"

#include "analysis/functions.h"
#include "analysis/sort.h"
#include "analysis/thread_summary.h"
#include "render/flat_facts.h"

#include <ctype.h>
#include <string.h>

void sl_top_numbers_init(struct sl_top_numbers *numbers)
{
    *numbers = (struct sl_top_numbers){0};
    sl_arena_init(&numbers->arena);
    sl_arena_init(&numbers->roles_arena);
}

void sl_top_numbers_destroy(struct sl_top_numbers *numbers)
{
    sl_arena_reset(&numbers->arena);
    sl_arena_reset(&numbers->roles_arena);
}

/* Whose code a function is follows from what is known of it, which changes only when there is something new. */
static bool find_roles(struct sl_top_numbers *numbers, const struct sl_roles_options *options)
{
    const struct sl_profile *profile = numbers->profile;
    if (numbers->roles != NULL && numbers->roles_functions == profile->function_count &&
        numbers->roles_stacks == profile->stack_count) {
        return true;
    }
    sl_arena_reset(&numbers->roles_arena);
    numbers->roles = sl_roles(&numbers->roles_arena, profile, options);
    numbers->roles_functions = profile->function_count;
    numbers->roles_stacks = profile->stack_count;
    return numbers->roles != NULL;
}

/* Which threads count in a selection. */
static bool choose_threads(struct sl_top_numbers *numbers, const struct sl_top_view *view,
                           struct sl_selection *selection)
{
    const struct sl_profile *profile = numbers->profile;
    if (view->one_thread) {
        uint8_t *chosen = SL_ARENA_NEW(&numbers->arena, uint8_t, profile->thread_count);
        for (uint32_t i = 0; chosen != NULL && i < profile->thread_count; i++) {
            chosen[i] = profile->threads[i].id == view->thread_id;
        }
        selection->threads = chosen;
        return chosen != NULL;
    }
    if (!view->idle_shown) {
        uint32_t idle;
        selection->threads = sl_busy_threads(&numbers->arena, profile, selection, &idle);
        return selection->threads != NULL;
    }
    return true;
}

static bool choose(struct sl_top_numbers *numbers, uint64_t exact_ns, const struct sl_top_view *view)
{
    numbers->all = sl_selection_all(numbers->profile);
    numbers->all.mode = view->mode;
    numbers->recent = numbers->all;
    uint64_t end_ns = numbers->all.end_ns;
    uint64_t begin_ns = end_ns > view->window_ns ? end_ns - view->window_ns : 0;
    numbers->recent.begin_ns = begin_ns > exact_ns ? begin_ns : exact_ns;
    numbers->recent_ns = end_ns - numbers->recent.begin_ns;
    return choose_threads(numbers, view, &numbers->recent) && choose_threads(numbers, view, &numbers->all);
}

/* Functions */

static bool contains(const char *text, size_t size, const char *part, size_t part_size)
{
    for (size_t i = 0; i + part_size <= size; i++) {
        size_t same = 0;
        while (same < part_size && tolower((unsigned char)text[i + same]) == tolower((unsigned char)part[same])) {
            same++;
        }
        if (same == part_size) {
            return true;
        }
    }
    return false;
}

static bool is_listed(const struct sl_top_numbers *numbers, const struct sl_top_view *view, sl_function function)
{
    const struct sl_profile *profile = numbers->profile;
    if (view->own_only && numbers->roles[function] != SL_ROLE_OWN) {
        return false;
    }
    if (view->filter_size == 0) {
        return true;
    }
    sl_string name = profile->functions[function].name;
    const char *path = sl_short_path(profile, function);
    return contains(sl_profile_text(profile, name), sl_profile_text_size(profile, name), view->filter,
                    view->filter_size) ||
           contains(path, strlen(path), view->filter, view->filter_size);
}

struct ranking {
    const struct sl_profile *profile;
    const struct sl_top_function *functions;
    enum sl_top_order order;
};

static int compare(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

static bool comes_before(const void *context, uint32_t a, uint32_t b)
{
    const struct ranking *ranking = context;
    const struct sl_top_function *left = &ranking->functions[a];
    const struct sl_top_function *right = &ranking->functions[b];
    const struct sl_profile *profile = ranking->profile;
    int order = 0;
    switch (ranking->order) {
    case SL_TOP_BY_NAME:
        order = strcmp(sl_profile_text(profile, profile->functions[left->function].name),
                       sl_profile_text(profile, profile->functions[right->function].name));
        break;
    case SL_TOP_BY_TOTAL:
        order = compare(left->total.ns, right->total.ns);
        break;
    case SL_TOP_BY_ALL_SELF:
        order = compare(left->all_self.ns, right->all_self.ns);
        break;
    case SL_TOP_BY_ALL_TOTAL:
        order = compare(left->all_total.ns, right->all_total.ns);
        break;
    case SL_TOP_BY_SELF:
        break;
    }
    order = order != 0 ? order : compare(left->self.ns, right->self.ns);
    order = order != 0 ? order : compare(left->all_self.ns, right->all_self.ns);
    order = order != 0 ? order : compare(left->all_total.ns, right->all_total.ns);
    return order != 0 ? order < 0 : left->function < right->function;
}

static bool list_functions(struct sl_top_numbers *numbers, const struct sl_top_view *view)
{
    struct sl_arena *arena = &numbers->arena;
    const struct sl_profile *profile = numbers->profile;
    uint32_t recent_count = 0;
    uint32_t all_count = 0;
    const struct sl_function_total *recent = sl_function_totals(arena, NULL, profile, &numbers->recent, &recent_count);
    const struct sl_function_total *all = sl_function_totals(arena, NULL, profile, &numbers->all, &all_count);
    const sl_state *states = sl_function_states(arena, profile, &numbers->recent);
    struct sl_top_function *by_function = SL_ARENA_NEW(arena, struct sl_top_function, profile->function_count);
    uint32_t *order = SL_ARENA_NEW(arena, uint32_t, profile->function_count);
    if (recent == NULL || all == NULL || states == NULL || by_function == NULL || order == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < all_count; i++) {
        struct sl_top_function *row = &by_function[all[i].function];
        row->all_self = all[i].self;
        row->all_total = all[i].total;
    }
    for (uint32_t i = 0; i < recent_count; i++) {
        struct sl_top_function *row = &by_function[recent[i].function];
        row->self = recent[i].self;
        row->total = recent[i].total;
    }
    uint32_t count = 0;
    for (sl_function function = 1; function < profile->function_count; function++) {
        struct sl_top_function *row = &by_function[function];
        row->function = function;
        row->state = states[function];
        bool seen = !sl_amount_is_zero(row->total) || !sl_amount_is_zero(row->all_total);
        if (seen && is_listed(numbers, view, function)) {
            order[count++] = function;
        }
    }
    struct ranking ranking = {profile, by_function, view->order};
    struct sl_top_function *sorted = SL_ARENA_NEW(arena, struct sl_top_function, count);
    if (sorted == NULL || !sl_sort(arena, order, count, comes_before, &ranking)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        sorted[i] = by_function[order[i]];
    }
    numbers->functions = sorted;
    numbers->function_count = count;
    return true;
}

/* Threads */

static struct sl_top_thread measure_thread(const struct sl_top_numbers *numbers,
                                           const struct sl_thread_summary *summary)
{
    const struct sl_profile *profile = numbers->profile;
    const struct sl_thread_record *record = &profile->threads[summary->thread];
    struct sl_top_thread thread = {
        .thread = summary->thread,
        .id = record->id,
        .name = summary->name,
        .first_function = summary->first_function,
        .main = record->main,
        .ended = record->end_ns < profile->facts.duration_ns,
        .function = SL_NONE,
    };
    struct sl_selection selection = numbers->recent;
    selection.threads = NULL;
    uint32_t first, end;
    sl_selection_runs(profile, &selection, summary->thread, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        const struct sl_run *run = &profile->runs[i];
        selection.mode = SL_MODE_CPU;
        thread.cpu_ns += sl_run_amount(&selection, run).ns;
        selection.mode = SL_MODE_GIL;
        thread.gil_ns += sl_run_amount(&selection, run).ns;
        selection.mode = SL_MODE_WALL;
        thread.waits_gil_ns += (run->state & SL_STATE_WAITS_GIL) != 0 ? sl_run_amount(&selection, run).ns : 0;
        thread.function = run->stack != 0 ? profile->stacks[run->stack].function : SL_NONE;
        thread.state = run->state;
    }
    return thread;
}

static bool list_threads(struct sl_top_numbers *numbers, const struct sl_top_view *view)
{
    struct sl_selection selection = numbers->recent;
    selection.threads = NULL;
    selection.mode = SL_MODE_WALL;
    uint32_t count = 0;
    const struct sl_thread_summary *summaries =
        sl_thread_summaries(&numbers->arena, numbers->profile, &selection, &count);
    struct sl_top_thread *threads = SL_ARENA_NEW(&numbers->arena, struct sl_top_thread, count);
    if (summaries == NULL || threads == NULL) {
        return false;
    }
    bool idle_left_out = !view->idle_shown && !view->one_thread;
    numbers->gil_ns = 0;
    numbers->alive = numbers->idle = 0;
    for (uint32_t i = 0; i < count; i++) {
        threads[i] = measure_thread(numbers, &summaries[i]);
        numbers->gil_ns += threads[i].gil_ns;
        numbers->alive += !threads[i].ended;
        numbers->idle += idle_left_out && summaries[i].idle && !threads[i].ended;
    }
    numbers->threads = threads;
    numbers->thread_count = count;
    return true;
}

bool sl_top_numbers_compute(struct sl_top_numbers *numbers, const struct sl_profile *profile, uint64_t exact_ns,
                            const struct sl_roles_options *roles, const struct sl_top_view *view)
{
    sl_arena_reset(&numbers->arena);
    numbers->profile = profile;
    numbers->functions = NULL;
    numbers->threads = NULL;
    numbers->function_count = numbers->thread_count = 0;
    return find_roles(numbers, roles) && choose(numbers, exact_ns, view) && list_functions(numbers, view) &&
           list_threads(numbers, view) && !numbers->arena.exhausted;
}

bool sl_top_numbers_stacks(struct sl_top_numbers *numbers, const struct sl_top_view *view,
                           struct sl_selection *selection, bool *recent)
{
    const struct sl_profile *profile = numbers->profile;
    uint8_t *focus = SL_ARENA_NEW(&numbers->arena, uint8_t, profile->function_count);
    struct sl_amount *self = SL_ARENA_NEW(&numbers->arena, struct sl_amount, profile->stack_count);
    if (focus == NULL || self == NULL) {
        return false;
    }
    if (view->focus < profile->function_count) {
        focus[view->focus] = 1;
    }
    *selection = numbers->recent;
    selection->functions = focus;
    *recent = !view->since_start && !sl_amount_is_zero(sl_stack_amounts(profile, selection, SL_NONE, self));
    if (!*recent) {
        *selection = numbers->all;
        selection->functions = focus;
    }
    return true;
}
