/* flat_facts.h - what a table of functions needs beside their totals: which threads to count, and what each function
 * mostly did. Shared by text_flat.c, markdown.c and the live view. */
#ifndef SL_RENDER_FLAT_FACTS_H
#define SL_RENDER_FLAT_FACTS_H

#include "analysis/functions.h"

/* The selection's threads without those that only waited (thread_summary.h): their waiting would be all that there is
 * to see. One byte for each thread, for `sl_selection.threads`; how many were left out in `*idle`. NULL when the arena is
 * exhausted. */
const uint8_t *sl_busy_threads(struct sl_arena *arena, const struct sl_profile *profile,
                               const struct sl_selection *selection, uint32_t *idle);

/* The places of `totals` in the order of a table: as they are, which is by their own time, or by their total. NULL when
 * the arena is exhausted. */
const uint32_t *sl_function_order(struct sl_arena *arena, const struct sl_function_total *totals, uint32_t count,
                                  bool by_total);

/* For each function the state that most of its own time was spent in, by its heaviest line; NULL when the arena is
 * exhausted. */
const sl_state *sl_function_states(struct sl_arena *arena, const struct sl_profile *profile,
                                   const struct sl_selection *selection);

#endif
