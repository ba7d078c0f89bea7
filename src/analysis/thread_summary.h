/* thread_summary.h - one line for each thread: how long it was there, ran and waited, and what to call it. */
#ifndef SL_ANALYSIS_THREAD_SUMMARY_H
#define SL_ANALYSIS_THREAD_SUMMARY_H

#include "analysis/selection.h"

struct sl_thread_summary {
    uint32_t thread;
    struct sl_amount total;
    struct sl_amount running; /* on a CPU, or in a state that is not known; whatever the selection's mode */
    /* Only waited, nine tenths of its time and more in one place, but for locks on the way there and back; it ran, by its
     * CPU time where that is known, and waited for something else at most 0.5 % of its time each. No process's main thread
     * and no Profiler's scope. */
    bool idle;
    sl_string name; /* the kernel's name where it has one of its own (not the program's, nor its main thread's, which
                     * threads inherit; nor Python's numbered one if there is a first function), else SL_NONE */
    sl_function first_function; /* of the outermost frames outside `threading` and `concurrent.futures` (and outside the
                                 * import machinery) the one in which most of its time was spent, SL_NONE when there is
                                 * none. Where a call stack has none but marks, it has none either */
};

/* One for each thread taken by the selection that was seen in it: main threads first, then by `running`, then by total
 * time, heaviest first. The array lives as long as the arena; NULL when it is exhausted. Linear in runs and stacks. */
const struct sl_thread_summary *sl_thread_summaries(struct sl_arena *arena, const struct sl_profile *profile,
                                                    const struct sl_selection *selection, uint32_t *count);

/* The same, with those that were seen, but not in a state that the selection's mode counts. */
const struct sl_thread_summary *sl_thread_summaries_of_all(struct sl_arena *arena, const struct sl_profile *profile,
                                                           const struct sl_selection *selection, uint32_t *count);

#endif
