#include "numbers.h"

#include "analysis/call_tree.h"
#include "analysis/chart.h"
#include "analysis/flame.h"
#include "analysis/focus.h"
#include "analysis/functions.h"
#include "analysis/kinds.h"
#include "analysis/roles.h"
#include "analysis/thread_summary.h"
#include "render/json_writer.h"

#include <stdio.h>
#include <stdlib.h>

/* What a page may have chosen. Everything is in parts of the recording, so that it fits each. */
struct choice {
    double begin, end; /* of the whole duration */
    enum sl_mode mode;
    uint32_t every_thread;   /* every n-th thread is taken; 0: all */
    uint32_t every_function; /* every n-th function is searched for; 0: nothing */
    uint32_t focus;          /* how many functions are on the trail: the heaviest that are left, one after another */
    const char *hide;
    bool show_all;
    bool only; /* only samples that have what is searched for */
    bool by_process, by_thread, inverted;
};

static const struct choice choices[] = {
    {.end = 1},
    {.end = 1, .by_process = true, .by_thread = true},
    {.end = 1, .show_all = true, .inverted = true},
    {.begin = 0.25, .end = 0.7503},
    {.begin = 0.1, .end = 0.9, .mode = SL_MODE_CPU, .every_thread = 2},
    {.end = 1, .mode = SL_MODE_GIL, .show_all = true},
    {.end = 1, .every_function = 7},
    {.end = 1, .every_function = 7, .only = true, .inverted = true},
    {.end = 1, .focus = 1},
    {.begin = 0.3, .end = 0.6, .focus = 2, .show_all = true, .every_function = 5, .only = true},
    {.end = 1, .hide = "*/orders/*"},
};

static void must(bool done)
{
    if (!done) {
        fprintf(stderr, "numbers: memory is exhausted\n");
        exit(1);
    }
}

static void put_amount(struct sl_json *json, const char *key, struct sl_amount amount)
{
    sl_json_open_array(json, key);
    sl_json_unsigned(json, NULL, amount.ns);
    sl_json_unsigned(json, NULL, amount.samples);
    sl_json_close_array(json);
}

static void put_tree(struct sl_json *json, const char *key, const struct sl_call_tree *tree, const uint64_t *offsets)
{
    sl_json_open_array(json, key);
    for (uint32_t i = 0; i < tree->node_count; i++) {
        const struct sl_node *node = &tree->nodes[i];
        sl_json_open_array(json, NULL);
        const uint32_t words[] = {node->kind,         node->subject, node->parent,      node->first_child,
                                  node->next_sibling, node->depth,   node->descendants, node->hidden_frames};
        for (size_t j = 0; j < sizeof words / sizeof words[0]; j++) {
            sl_json_unsigned(json, NULL, words[j]);
        }
        put_amount(json, NULL, node->total);
        put_amount(json, NULL, node->self);
        put_amount(json, NULL, node->hidden);
        sl_json_unsigned(json, NULL, node->hidden_count > 0 ? tree->hidden[node->first_hidden] : 0);
        sl_json_unsigned(json, NULL, offsets != NULL ? offsets[i] : 0);
        sl_json_close_array(json);
    }
    sl_json_close_array(json);
}

static void put_tables(struct sl_json *json, struct sl_arena *arena, const struct sl_profile *profile,
                       const struct sl_selection *selection)
{
    uint32_t count = 0;
    const struct sl_function_total *functions = sl_function_totals(arena, NULL, profile, selection, &count);
    must(functions != NULL);
    sl_json_open_array(json, "functions");
    for (uint32_t i = 0; i < count; i++) {
        sl_json_open_array(json, NULL);
        sl_json_unsigned(json, NULL, functions[i].function);
        put_amount(json, NULL, functions[i].self);
        put_amount(json, NULL, functions[i].total);
        sl_json_close_array(json);
    }
    sl_json_close_array(json);
    const struct sl_line_total *lines = sl_line_totals(arena, NULL, profile, selection, &count);
    must(lines != NULL);
    sl_json_open_array(json, "lines");
    for (uint32_t i = 0; i < count; i++) {
        sl_json_open_array(json, NULL);
        sl_json_unsigned(json, NULL, lines[i].function);
        sl_json_unsigned(json, NULL, lines[i].line);
        sl_json_unsigned(json, NULL, lines[i].state);
        put_amount(json, NULL, lines[i].self);
        put_amount(json, NULL, lines[i].total);
        sl_json_close_array(json);
    }
    sl_json_close_array(json);
    const struct sl_edge *edges = sl_edges(arena, NULL, profile, selection, false, &count);
    must(edges != NULL);
    sl_json_open_array(json, "edges");
    for (uint32_t i = 0; i < count; i++) {
        sl_json_open_array(json, NULL);
        sl_json_unsigned(json, NULL, edges[i].caller);
        sl_json_unsigned(json, NULL, edges[i].callee);
        put_amount(json, NULL, edges[i].self);
        put_amount(json, NULL, edges[i].total);
        sl_json_close_array(json);
    }
    sl_json_close_array(json);
    const struct sl_kind_amount *kinds = sl_kind_amounts(arena, profile, selection, &count);
    must(kinds != NULL);
    sl_json_open_array(json, "kinds");
    for (uint32_t i = 0; i < count; i++) {
        sl_json_open_array(json, NULL);
        sl_json_unsigned(json, NULL, kinds[i].kind);
        sl_json_signed(json, NULL, kinds[i].call);
        put_amount(json, NULL, kinds[i].amount);
        sl_json_close_array(json);
    }
    sl_json_close_array(json);
}

static void put_threads(struct sl_json *json, struct sl_arena *arena, const struct sl_profile *profile,
                        const struct sl_selection *selection)
{
    uint32_t count = 0;
    const struct sl_thread_summary *summaries = sl_thread_summaries(arena, profile, selection, &count);
    must(summaries != NULL);
    sl_json_open_array(json, "threads");
    for (uint32_t i = 0; i < count; i++) {
        sl_json_open_array(json, NULL);
        sl_json_unsigned(json, NULL, summaries[i].thread);
        put_amount(json, NULL, summaries[i].total);
        put_amount(json, NULL, summaries[i].running);
        sl_json_unsigned(json, NULL, summaries[i].idle ? 1 : 0);
        sl_json_unsigned(json, NULL, summaries[i].name);
        sl_json_unsigned(json, NULL, summaries[i].first_function);
        sl_json_close_array(json);
    }
    sl_json_close_array(json);
}

static void put_boxes(struct sl_json *json, const struct sl_frames *frames, const struct sl_boxes *boxes)
{
    sl_json_open_array(json, NULL);
    sl_json_unsigned(json, NULL, boxes->rows);
    for (uint32_t j = 0; j < boxes->count; j++) {
        const struct sl_box *box = &boxes->boxes[j];
        sl_json_open_array(json, NULL);
        sl_json_unsigned(json, NULL, frames->functions[box->frame]);
        sl_json_unsigned(json, NULL, box->row);
        sl_json_unsigned(json, NULL, box->begin_ns);
        sl_json_unsigned(json, NULL, box->end_ns);
        sl_json_unsigned(json, NULL, box->merged);
        sl_json_close_array(json);
    }
    sl_json_close_array(json);
}

/* The tasks of the first thread, and the boxes and kinds of each. */
static void put_tasks(struct sl_json *json, struct sl_arena *arena, const struct sl_profile *profile,
                      const struct sl_selection *selection, const struct sl_frames *frames, uint64_t end_ns)
{
    enum { columns = 10, rows_max = 30 };
    uint32_t count = 0;
    const struct sl_task_lane *lanes =
        profile->thread_count > 0 ? sl_chart_tasks(arena, profile, selection, frames, 0, &count) : NULL;
    const uint8_t *taken = sl_selection_stacks(arena, profile, selection);
    must(!arena->exhausted);
    sl_json_open_array(json, "tasks");
    for (uint32_t i = 0; i < count; i++) {
        sl_json_open_array(json, NULL);
        sl_json_unsigned(json, NULL, lanes[i].task);
        sl_json_unsigned(json, NULL, lanes[i].coroutine);
        sl_json_unsigned(json, NULL, lanes[i].rows);
        sl_json_unsigned(json, NULL, lanes[i].ns);
        struct sl_lane lane = {.thread = 0, .task = lanes[i].task};
        struct sl_boxes boxes;
        must(sl_chart_boxes(arena, profile, selection, frames, lane, 0, end_ns, end_ns / 500, rows_max, &boxes));
        put_boxes(json, frames, &boxes);
        double amounts[columns * SL_KIND_COUNT] = {0};
        sl_chart_kinds(profile, selection, taken, lane, 0, end_ns, columns, amounts);
        sl_json_open_array(json, NULL);
        for (uint32_t j = 0; j < columns * SL_KIND_COUNT; j++) {
            sl_json_unsigned(json, NULL, (uint64_t)(amounts[j] + 0.5));
        }
        sl_json_close_array(json);
        sl_json_close_array(json);
    }
    sl_json_close_array(json);
}

/* The chart of the first threads, at a scale at which much is merged and at one at which little is. */
static void put_chart(struct sl_json *json, struct sl_arena *arena, const struct sl_profile *profile,
                      const struct sl_selection *selection, const uint8_t *roles, uint64_t end_ns)
{
    enum { threads_max = 3, columns = 40, rows_max = 30 };
    struct sl_frames frames;
    must(sl_frames_build(arena, profile, roles, &frames));
    sl_json_open_array(json, "boxes");
    for (uint32_t i = 0; i < profile->thread_count && i < threads_max; i++) {
        for (uint64_t zoom = 1; zoom <= 64; zoom *= 64) {
            struct sl_boxes boxes;
            uint64_t span_ns = end_ns / zoom;
            must(sl_chart_boxes(arena, profile, selection, &frames, (struct sl_lane){.thread = i}, 0, span_ns,
                                span_ns / 500, rows_max, &boxes));
            put_boxes(json, &frames, &boxes);
        }
    }
    sl_json_close_array(json);
    put_tasks(json, arena, profile, selection, &frames, end_ns);
    double amounts[columns * SL_KIND_COUNT] = {0};
    const uint8_t *taken = sl_selection_stacks(arena, profile, selection);
    must(!arena->exhausted);
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        if (selection->threads == NULL || selection->threads[i] != 0) {
            sl_chart_kinds(profile, selection, taken, (struct sl_lane){.thread = i}, 0, end_ns, columns, amounts);
        }
    }
    sl_json_open_array(json, "columns");
    for (uint32_t i = 0; i < columns * SL_KIND_COUNT; i++) {
        sl_json_unsigned(json, NULL, (uint64_t)(amounts[i] + 0.5));
    }
    sl_json_close_array(json);
}

/* The heaviest functions by total time are looked into, one after another. */
static uint32_t find_trail(struct sl_arena *arena, const struct sl_profile *profile,
                           const struct sl_selection *selection, sl_function *trail, uint32_t wanted)
{
    uint32_t found = 0;
    while (found < wanted) {
        struct sl_focus focus = sl_focus_on(arena, profile, trail, found, NULL);
        must(focus.profile != NULL);
        struct sl_selection in = *selection;
        in.functions = focus.functions;
        uint32_t count = 0;
        const struct sl_function_total *totals = sl_function_totals(arena, NULL, focus.profile, &in, &count);
        must(totals != NULL);
        uint32_t best = SL_NONE;
        for (uint32_t i = 0; i < count; i++) {
            bool fresh = found == 0 || totals[i].function != trail[0];
            if (fresh && (best == SL_NONE || totals[i].total.ns > totals[best].total.ns)) {
                best = i;
            }
        }
        if (best == SL_NONE) {
            break;
        }
        trail[found++] = totals[best].function;
    }
    return found;
}

static void put_choice(struct sl_json *json, const struct sl_profile *profile, const struct choice *choice)
{
    enum { trail_max = 4 };
    struct sl_arena arena;
    sl_arena_init(&arena);
    struct sl_selection selection = sl_selection_all(profile);
    uint64_t end_ns = selection.end_ns;
    selection.begin_ns = (uint64_t)(choice->begin * (double)end_ns);
    selection.end_ns = (uint64_t)(choice->end * (double)end_ns);
    selection.mode = choice->mode;
    uint8_t *threads = SL_ARENA_NEW(&arena, uint8_t, profile->thread_count);
    uint8_t *searched = SL_ARENA_NEW(&arena, uint8_t, profile->function_count);
    must(!arena.exhausted);
    sl_json_open_object(json, NULL);
    sl_json_unsigned(json, "begin", selection.begin_ns);
    sl_json_unsigned(json, "end", selection.end_ns);
    sl_json_unsigned(json, "mode", selection.mode);
    sl_json_open_array(json, "taken");
    for (uint32_t i = 0; choice->every_thread != 0 && i < profile->thread_count; i += choice->every_thread) {
        threads[i] = 1;
        selection.threads = threads;
        sl_json_unsigned(json, NULL, i);
    }
    sl_json_close_array(json);
    sl_json_open_array(json, "searchedFor");
    for (uint32_t i = 1; choice->every_function != 0 && i < profile->function_count; i += choice->every_function) {
        searched[i] = 1;
        sl_json_unsigned(json, NULL, i);
    }
    sl_json_close_array(json);
    sl_json_bool(json, "only", choice->only);
    sl_function trail[trail_max];
    uint32_t trail_count = find_trail(&arena, profile, &selection, trail, choice->focus);
    sl_json_open_array(json, "trail");
    for (uint32_t i = 0; i < trail_count; i++) {
        sl_json_unsigned(json, NULL, trail[i]);
    }
    sl_json_close_array(json);
    sl_json_bool(json, "showAll", choice->show_all);
    sl_json_open_array(json, "hide");
    if (choice->hide != NULL) {
        sl_json_text(json, NULL, choice->hide);
    }
    sl_json_close_array(json);
    sl_json_bool(json, "byProcess", choice->by_process);
    sl_json_bool(json, "byThread", choice->by_thread);
    sl_json_bool(json, "inverted", choice->inverted);

    struct sl_roles_options roles_options = {
        .show_all = choice->show_all, .hide = &choice->hide, .hide_count = choice->hide != NULL};
    const uint8_t *roles = sl_roles(&arena, profile, &roles_options);
    struct sl_focus focus = sl_focus_on(&arena, profile, trail, trail_count, choice->only ? searched : NULL);
    must(roles != NULL && focus.profile != NULL);
    selection.functions = focus.functions;
    struct sl_amount *self = SL_ARENA_NEW(&arena, struct sl_amount, profile->stack_count);
    must(self != NULL);
    put_amount(json, "total", sl_stack_amounts(focus.profile, &selection, SL_NONE, self));
    struct sl_selection found = selection;
    found.functions = searched;
    put_amount(json, "searched", sl_stack_amounts(focus.profile, &found, SL_NONE, self));

    struct sl_call_tree_options options = {.roles = roles,
                                           .by_process = choice->by_process,
                                           .by_thread = choice->by_thread,
                                           .inverted = choice->inverted,
                                           .focus = SL_NONE};
    const struct sl_call_tree *tree = sl_call_tree_build(&arena, focus.profile, &selection, &options);
    must(tree != NULL);
    put_tree(json, "tree", tree, NULL);
    options.by_process = false;
    options.by_thread = false;
    const struct sl_call_tree *flame = sl_call_tree_build(&arena, focus.profile, &selection, &options);
    const uint64_t *offsets = flame != NULL ? sl_flame_offsets(&arena, flame) : NULL;
    must(offsets != NULL);
    put_tree(json, "flame", flame, offsets);
    put_tables(json, &arena, focus.profile, &selection);
    put_threads(json, &arena, focus.profile, &selection);
    put_chart(json, &arena, focus.profile, &selection, roles, end_ns);
    sl_json_close_object(json);
    sl_json_new_line(json);
    sl_arena_reset(&arena);
}

void numbers_write(const struct sl_profile *profile, struct sl_output *output)
{
    struct sl_json json;
    sl_json_begin(&json, output);
    sl_json_open_array(&json, NULL);
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        put_choice(&json, profile, &choices[i]);
    }
    sl_json_close_array(&json);
}
