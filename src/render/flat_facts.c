#include "render/flat_facts.h"

#include "analysis/sort.h"
#include "analysis/thread_summary.h"

const uint8_t *sl_busy_threads(struct sl_arena *arena, const struct sl_profile *profile,
                               const struct sl_selection *selection, uint32_t *idle)
{
    uint32_t count = 0;
    const struct sl_thread_summary *summaries = sl_thread_summaries(arena, profile, selection, &count);
    uint8_t *busy = SL_ARENA_NEW(arena, uint8_t, profile->thread_count);
    *idle = 0;
    for (uint32_t i = 0; summaries != NULL && busy != NULL && i < count; i++) {
        *idle += summaries[i].idle;
        busy[summaries[i].thread] = !summaries[i].idle;
    }
    return summaries != NULL ? busy : NULL;
}

static bool heavier_in_total(const void *context, uint32_t a, uint32_t b)
{
    const struct sl_function_total *totals = context;
    return totals[a].total.ns > totals[b].total.ns;
}

const uint32_t *sl_function_order(struct sl_arena *arena, const struct sl_function_total *totals, uint32_t count,
                                  bool by_total)
{
    uint32_t *order = SL_ARENA_NEW(arena, uint32_t, count);
    for (uint32_t i = 0; order != NULL && i < count; i++) {
        order[i] = i;
    }
    bool sorted = order != NULL && (!by_total || sl_sort(arena, order, count, heavier_in_total, totals));
    return sorted ? order : NULL;
}

const sl_state *sl_function_states(struct sl_arena *arena, const struct sl_profile *profile,
                                   const struct sl_selection *selection)
{
    uint32_t count = 0;
    const struct sl_line_total *lines = sl_line_totals(arena, NULL, profile, selection, &count);
    sl_state *states = SL_ARENA_NEW(arena, sl_state, profile->function_count);
    uint64_t *heaviest = SL_ARENA_NEW(arena, uint64_t, profile->function_count);
    if (lines == NULL || states == NULL || heaviest == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (lines[i].self.ns > heaviest[lines[i].function]) {
            heaviest[lines[i].function] = lines[i].self.ns;
            states[lines[i].function] = lines[i].state;
        }
    }
    return states;
}
