/* pstats.c - what the module pstats (Lib/pstats.py), SnakeViz and gprof2dot read: a marshalled dict
 *
 *     {(file, line, function): (primitive calls, calls, own time, cumulative time, {caller: (the same four)})}
 *
 * with times in seconds. A sampling profiler does not count calls: both counts are numbers of samples. Recursion counts
 * once: the cumulative time of a function is the time in which it was somewhere on the stack. The own time of a caller's
 * entry is the callee's own time under that caller. Two functions with the same file, line and name are one key, and
 * are added up here, since a dict would keep only the last. */
#include "analysis/functions.h"
#include "base/arena.h"
#include "base/hash_index.h"
#include "render/marshal.h"
#include "render/renderers.h"

#include <string.h>

struct times {
    uint64_t samples;
    uint64_t self_ns;
    uint64_t total_ns;
};

static void add(struct times *times, struct sl_amount self, struct sl_amount total)
{
    times->samples += total.samples;
    times->self_ns += self.ns;
    times->total_ns += total.ns;
}

static void write_times(struct sl_output *output, const struct times *times)
{
    sl_marshal_int(output, times->samples);
    sl_marshal_int(output, times->samples);
    sl_marshal_float(output, (double)times->self_ns / 1e9);
    sl_marshal_float(output, (double)times->total_ns / 1e9);
}

static void write_key(struct sl_output *output, const struct sl_profile *profile, sl_function function)
{
    const struct sl_function_record *record = &profile->functions[function];
    sl_marshal_tuple(output, 3);
    if (record->kind == SL_FUNCTION_PYTHON) {
        sl_marshal_str(output, sl_profile_text(profile, record->file), sl_profile_text_size(profile, record->file));
    } else {
        sl_marshal_str(output, "~", 1); /* pstats' sign for what has no file: it then prints the name alone */
    }
    sl_marshal_int(output, record->first_line);
    sl_marshal_str(output, sl_profile_text(profile, record->name), sl_profile_text_size(profile, record->name));
}

/* One that has the same key for each function, by the numbers of its strings: those are interned. */
static sl_function *same_keys(struct sl_arena *arena, const struct sl_profile *profile)
{
    sl_function *same = SL_ARENA_NEW(arena, sl_function, profile->function_count);
    if (same == NULL) {
        return NULL;
    }
    struct sl_hash_index index;
    sl_hash_index_init(&index);
    for (sl_function function = 0; function < profile->function_count; function++) {
        const struct sl_function_record *wanted = &profile->functions[function];
        uint64_t mixed = sl_hash_mix((uint64_t)wanted->name << 32 | wanted->file) ^ wanted->first_line;
        uint32_t hash = (uint32_t)sl_hash_mix(mixed);
        struct sl_hash_probe probe = sl_hash_probe(&index, hash);
        same[function] = function;
        for (uint32_t number; (number = sl_hash_next(&index, &probe)) != SL_HASH_NONE;) {
            const struct sl_function_record *other = &profile->functions[number];
            if (other->name == wanted->name && other->file == wanted->file && other->first_line == wanted->first_line) {
                same[function] = number;
                break;
            }
        }
        if (same[function] == function && !sl_hash_index_add(&index, hash, function)) {
            arena->exhausted = true;
            break;
        }
    }
    sl_hash_index_destroy(&index);
    return same;
}

/* The callers of each function as lists through the edges: `first` by function, `next` by edge. */
struct caller_lists {
    uint32_t *first;
    uint32_t *next;
};

static struct caller_lists list_callers(struct sl_arena *arena, const struct sl_profile *profile,
                                        const sl_function *same, const struct sl_edge *edges, uint32_t count)
{
    struct caller_lists lists = {
        .first = SL_ARENA_NEW(arena, uint32_t, profile->function_count),
        .next = SL_ARENA_NEW(arena, uint32_t, count),
    };
    if (arena->exhausted) {
        return lists;
    }
    memset(lists.first, 0xff, profile->function_count * sizeof *lists.first);
    for (uint32_t edge = count; edge-- > 0;) {
        sl_function callee = same[edges[edge].callee];
        lists.next[edge] = lists.first[callee];
        lists.first[callee] = edge;
    }
    return lists;
}

/* The edges of one callee, those of equal callers added up. `by_caller` is all zero between calls. */
static void write_callers(struct sl_output *output, const struct sl_profile *profile, const sl_function *same,
                          const struct sl_edge *edges, const struct caller_lists *lists, sl_function callee,
                          struct times *by_caller)
{
    sl_marshal_dict_begin(output);
    for (uint32_t edge = lists->first[callee]; edge != SL_NONE; edge = lists->next[edge]) {
        if (edges[edge].caller != SL_NONE) {
            add(&by_caller[same[edges[edge].caller]], edges[edge].self, edges[edge].total);
        }
    }
    for (uint32_t edge = lists->first[callee]; edge != SL_NONE; edge = lists->next[edge]) {
        if (edges[edge].caller == SL_NONE || by_caller[same[edges[edge].caller]].samples == 0) {
            continue;
        }
        sl_function caller = same[edges[edge].caller];
        write_key(output, profile, caller);
        sl_marshal_tuple(output, 4);
        write_times(output, &by_caller[caller]);
        by_caller[caller] = (struct times){0};
    }
    sl_marshal_dict_end(output);
}

bool sl_render_pstats(const struct sl_profile *profile, const struct sl_render_options *options,
                      struct sl_output *output, struct sl_error *error)
{
    struct sl_arena arena;
    sl_arena_init(&arena);
    uint32_t total_count = 0, edge_count = 0;
    const struct sl_function_total *totals =
        sl_function_totals(&arena, NULL, profile, &options->selection, &total_count);
    const struct sl_edge *edges = sl_edges(&arena, NULL, profile, &options->selection, false, &edge_count);
    const sl_function *same = same_keys(&arena, profile);
    struct times *times = SL_ARENA_NEW(&arena, struct times, profile->function_count);
    struct times *by_caller = SL_ARENA_NEW(&arena, struct times, profile->function_count);
    struct caller_lists lists = {0};
    if (!arena.exhausted) {
        lists = list_callers(&arena, profile, same, edges, edge_count);
    }
    bool done = !arena.exhausted;
    if (done) {
        for (uint32_t i = 0; i < total_count; i++) {
            add(&times[same[totals[i].function]], totals[i].self, totals[i].total);
        }
        sl_marshal_dict_begin(output);
        for (sl_function function = 0; function < profile->function_count; function++) {
            if (times[function].total_ns > 0 || times[function].samples > 0) {
                write_key(output, profile, function);
                sl_marshal_tuple(output, 5);
                write_times(output, &times[function]);
                write_callers(output, profile, same, edges, &lists, function, by_caller);
            }
        }
        sl_marshal_dict_end(output);
    }
    sl_arena_reset(&arena);
    return done ? true : sl_error_memory(error);
}
