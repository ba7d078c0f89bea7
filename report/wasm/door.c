#include "door.h"

#include "analysis/call_tree.h"
#include "analysis/chart.h"
#include "analysis/flame.h"
#include "analysis/focus.h"
#include "analysis/functions.h"
#include "analysis/kinds.h"
#include "analysis/roles.h"
#include "analysis/thread_summary.h"
#include "analysis/whole.h"
#include "render/columns.h"

#include <string.h>

/* The recording, and what of it is looked at. */
static struct sl_arena recording_arena;
static struct sl_arena received_arena;
static const struct sl_profile *profile;
static struct sl_selection selection; /* its functions are those of the focus */
static uint8_t *thread_mask;
static uint8_t *function_mask; /* those that are searched for */
static bool functions_wanted;
static struct sl_arena roles_arena;
static const uint8_t *roles;
static struct sl_arena focus_arena;
static struct sl_focus focus;
static struct sl_count_keeper kept_functions, kept_lines, kept_edges; /* for this focus */
static struct sl_call_tree_keeper keeper; /* for this focus and these roles, of whichever view */

/* Each view keeps its result in an arena of its own. */
struct view {
    struct sl_arena arena;
    struct sl_door_array array;
};

static const void *array_of(struct view *view, const void *items, uint32_t count)
{
    view->array = (struct sl_door_array){.items = items, .count = count};
    return items != NULL ? &view->array : NULL;
}

/* Memory for `size` bytes of inflated columns, which TypeScript fills in before it calls `open`. */
SL_EXPORT(receive) void *receive(size_t size)
{
    sl_arena_reset(&received_arena);
    return sl_arena_allocate(&received_arena, 1, size);
}

/* Memory for small arguments: globs, a trail. Valid until the next call. */
SL_EXPORT(scratch) void *scratch(size_t size)
{
    static struct sl_arena arena;
    sl_arena_reset(&arena);
    return sl_arena_allocate(&arena, 1, size);
}

static bool refocus(const sl_function *trail, uint32_t count)
{
    sl_call_tree_forget(&keeper);
    sl_count_forget(&kept_functions);
    sl_count_forget(&kept_lines);
    sl_count_forget(&kept_edges);
    sl_arena_reset(&focus_arena);
    focus = sl_focus_on(&focus_arena, profile, trail, count, functions_wanted ? function_mask : NULL);
    selection.functions = focus.functions;
    return focus.profile != NULL;
}

/* The profile of the columns that were received, whose memory is given back. NULL when they are damaged. */
SL_EXPORT(open) const struct sl_profile *open_columns(const void *bytes, size_t size)
{
    sl_arena_reset(&recording_arena);
    struct sl_profile *fresh = sl_columns_read(&recording_arena, bytes, size);
    sl_arena_reset(&received_arena);
    if (fresh == NULL) {
        return NULL;
    }
    profile = fresh;
    thread_mask = SL_ARENA_NEW(&recording_arena, uint8_t, profile->thread_count);
    function_mask = SL_ARENA_NEW(&recording_arena, uint8_t, profile->function_count);
    if (thread_mask == NULL || function_mask == NULL) {
        return NULL;
    }
    selection = sl_selection_all(profile);
    functions_wanted = false;
    return refocus(NULL, 0) ? profile : NULL;
}

/* Where the recording ends: the range of the whole. */
SL_EXPORT(end_ns) double recording_end_ns(void)
{
    return (double)sl_selection_all(profile).end_ns;
}

SL_EXPORT(select_range) void select_range(double begin_ns, double end_ns)
{
    selection.begin_ns = (uint64_t)begin_ns;
    selection.end_ns = (uint64_t)end_ns;
}

SL_EXPORT(select_mode) void select_mode(uint32_t mode)
{
    selection.mode = (enum sl_mode)mode;
}

/* One byte for each thread, to be written; counts while `some` is set. */
SL_EXPORT(select_threads) uint8_t *select_threads(bool some)
{
    selection.threads = some ? thread_mask : NULL;
    return thread_mask;
}

/* One byte for each function: what is searched for. */
SL_EXPORT(searched_functions) uint8_t *searched_functions(void)
{
    return function_mask;
}

/* Looks at what runs in and above the functions of `trail`, and, when `searched` is set, only at samples that have one
 * of the searched functions. */
SL_EXPORT(select_focus) bool select_focus(const sl_function *trail, uint32_t count, bool searched)
{
    functions_wanted = searched;
    return refocus(trail, count);
}

/* Returns the role of each function, which stays told when everything is shown. `globs` holds `hide_count` and then `show_count` globs, each followed by a NUL. */
SL_EXPORT(select_roles)
const uint8_t *select_roles(bool show_all, const char *globs, uint32_t hide_count, uint32_t show_count)
{
    struct sl_arena arena;
    sl_arena_init(&arena);
    sl_arena_reset(&roles_arena);
    sl_call_tree_forget(&keeper);
    const char **list = SL_ARENA_NEW(&arena, const char *, (size_t)hide_count + show_count);
    if (list == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < hide_count + show_count; i++) {
        list[i] = globs;
        globs += strlen(globs) + 1;
    }
    struct sl_roles_options options = {
        .hide = list,
        .hide_count = hide_count,
        .show = list + hide_count,
        .show_count = show_count,
    };
    const uint8_t *found = sl_roles(&roles_arena, profile, &options);
    sl_arena_reset(&arena);
    roles = show_all ? NULL : found;
    return found;
}

/* The whole of the selection. */
SL_EXPORT(total) const struct sl_amount *selected_amount(void)
{
    static struct sl_amount total;
    struct sl_arena arena;
    sl_arena_init(&arena);
    struct sl_amount *self = SL_ARENA_NEW(&arena, struct sl_amount, profile->stack_count);
    if (self == NULL) {
        return NULL;
    }
    total = sl_stack_amounts(focus.profile, &selection, SL_NONE, self);
    sl_arena_reset(&arena);
    return &total;
}

/* Of that what has one of the searched functions. */
SL_EXPORT(searched) const struct sl_amount *searched_amount(void)
{
    static struct sl_amount total;
    struct sl_arena arena;
    sl_arena_init(&arena);
    /* The focus leaves out the empty function, and the search finds it never: what is searched for in the focus has the
     * function in what is left of the stack. */
    struct sl_selection searched = selection;
    searched.functions = function_mask;
    struct sl_amount *self = SL_ARENA_NEW(&arena, struct sl_amount, profile->stack_count);
    if (self == NULL) {
        return NULL;
    }
    total = sl_stack_amounts(focus.profile, &searched, SL_NONE, self);
    sl_arena_reset(&arena);
    return &total;
}

SL_EXPORT(standard_error)
double standard_error(double part_ns, double part_samples, double whole_ns, double whole_samples)
{
    struct sl_amount part = {.ns = (uint64_t)part_ns, .samples = (uint64_t)part_samples};
    double samples = whole_samples * sl_evenness(profile);
    struct sl_amount whole = {.ns = (uint64_t)whole_ns, .samples = samples < 1 ? whole_samples > 0 : (uint64_t)samples};
    return sl_standard_error(part, whole);
}

SL_EXPORT(is_uneven)
int is_uneven(void)
{
    return sl_is_uneven(profile);
}

SL_EXPORT(looks_late)
int looks_late(void)
{
    return sl_looks_late(profile);
}

SL_EXPORT(is_folded)
int is_folded(void)
{
    return sl_profile_is_folded(profile);
}

static const struct sl_call_tree *tree_in(struct sl_arena *arena, bool by_process, bool by_thread, bool inverted)
{
    struct sl_call_tree_options options = {
        .roles = roles,
        .by_process = by_process,
        .by_thread = by_thread,
        .inverted = inverted,
        .without_lines = true,
        .focus = SL_NONE,
    };
    sl_arena_reset(arena);
    if (by_process || by_thread || inverted) {
        return sl_call_tree_build(arena, focus.profile, &selection, &options);
    }
    return sl_call_tree_build_again(&keeper, arena, focus.profile, &selection, &options);
}

SL_EXPORT(call_tree) const struct sl_call_tree *call_tree(bool by_process, bool by_thread, bool inverted)
{
    static struct sl_arena arena;
    return tree_in(&arena, by_process, by_thread, inverted);
}

/* A flame graph is a tree of its own, because it may be inverted while the call tree is not. */
struct flame {
    const struct sl_call_tree *tree;
    const uint64_t *offsets;
};

SL_EXPORT(flame_graph) const struct flame *flame_graph(bool inverted)
{
    static struct sl_arena arena;
    static struct flame flame;
    flame.tree = tree_in(&arena, false, false, inverted);
    flame.offsets = flame.tree != NULL ? sl_flame_offsets(&arena, flame.tree) : NULL;
    return flame.offsets != NULL ? &flame : NULL;
}

SL_EXPORT(function_totals) const void *function_totals(void)
{
    static struct view view;
    uint32_t count = 0;
    sl_arena_reset(&view.arena);
    const void *items = sl_function_totals(&view.arena, &kept_functions, focus.profile, &selection, &count);
    return array_of(&view, items, count);
}

SL_EXPORT(line_totals) const void *line_totals(void)
{
    static struct view view;
    uint32_t count = 0;
    sl_arena_reset(&view.arena);
    const void *items = sl_line_totals(&view.arena, &kept_lines, focus.profile, &selection, &count);
    return array_of(&view, items, count);
}

SL_EXPORT(edges) const void *edges(void)
{
    static struct view view;
    uint32_t count = 0;
    sl_arena_reset(&view.arena);
    const void *items = sl_edges(&view.arena, &kept_edges, focus.profile, &selection, false, &count);
    return array_of(&view, items, count);
}

SL_EXPORT(kinds) const void *kinds(void)
{
    static struct view view;
    uint32_t count = 0;
    sl_arena_reset(&view.arena);
    const void *items = sl_kind_amounts(&view.arena, focus.profile, &selection, &count);
    return array_of(&view, items, count);
}

SL_EXPORT(thread_summaries) const void *thread_summaries(void)
{
    static struct view view;
    uint32_t count = 0;
    sl_arena_reset(&view.arena);
    const void *items = sl_thread_summaries(&view.arena, focus.profile, &selection, &count);
    return array_of(&view, items, count);
}

/* The frames of the chart, which follow the roles and the focus. */
SL_EXPORT(chart_frames) const struct sl_frames *chart_frames(void)
{
    static struct sl_arena arena;
    static struct sl_frames frames;
    sl_arena_reset(&arena);
    return sl_frames_build(&arena, focus.profile, roles, &frames) ? &frames : NULL;
}

/* The most rows that a thread needs. */
SL_EXPORT(chart_rows) uint32_t chart_rows(const struct sl_frames *frames, uint32_t thread)
{
    const struct sl_thread_record *record = &profile->threads[thread];
    return sl_chart_rows(profile, frames, record->first_run, record->first_run + record->run_count);
}

/* The tasks of a thread, each a lane of its own. */
SL_EXPORT(chart_tasks) const void *chart_tasks(const struct sl_frames *frames, uint32_t thread)
{
    static struct view view;
    uint32_t count = 0;
    sl_arena_reset(&view.arena);
    const void *items = sl_chart_tasks(&view.arena, focus.profile, &selection, frames, thread, &count);
    return array_of(&view, items, count);
}

/* Boxes of one lane; the selection's range is not looked at, because the chart shows where it lies. */
SL_EXPORT(chart_boxes)
const struct sl_boxes *chart_boxes(const struct sl_frames *frames, uint32_t thread, uint32_t task, double begin_ns,
                                   double end_ns, double pixel_ns, uint32_t rows_max)
{
    static struct sl_arena arena;
    static struct sl_boxes boxes;
    sl_arena_reset(&arena);
    struct sl_lane lane = {.thread = thread, .task = task};
    bool done = sl_chart_boxes(&arena, focus.profile, &selection, frames, lane, (uint64_t)begin_ns, (uint64_t)end_ns,
                               (uint64_t)pixel_ns, rows_max, &boxes);
    return done ? &boxes : NULL;
}

/* Time by kind, in `columns` parts of the span: of one lane, or of all threads that are selected. */
SL_EXPORT(chart_kinds)
const double *chart_kinds(uint32_t thread, uint32_t task, double begin_ns, double end_ns, uint32_t columns)
{
    static struct sl_arena arena;
    sl_arena_reset(&arena);
    double *amounts = SL_ARENA_NEW(&arena, double, (size_t)columns *SL_KIND_COUNT);
    const uint8_t *taken = sl_selection_stacks(&arena, focus.profile, &selection);
    if (arena.exhausted) {
        return NULL;
    }
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        bool counts = thread == SL_NONE ? selection.threads == NULL || selection.threads[i] != 0 : thread == i;
        if (counts) {
            struct sl_lane lane = {.thread = i, .task = task};
            sl_chart_kinds(focus.profile, &selection, taken, lane, (uint64_t)begin_ns, (uint64_t)end_ns, columns,
                           amounts);
        }
    }
    return amounts;
}

/* For people: short paths and packages, as pointers into the text. */
SL_EXPORT(short_path) const char *short_path(sl_function function)
{
    return sl_short_path(profile, function);
}

SL_EXPORT(package) const void *package_of(sl_function function)
{
    static struct view view;
    size_t size = 0;
    const char *name = sl_package(profile, function, &size);
    return array_of(&view, name, (uint32_t)size);
}
