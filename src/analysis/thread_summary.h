/* thread_summary.h - one line for each thread: how long it was there, ran and waited, and what to call it. */
#ifndef SL_ANALYSIS_THREAD_SUMMARY_H
#define SL_ANALYSIS_THREAD_SUMMARY_H

#include "analysis/selection.h"

struct sl_thread_summary {
    uint32_t thread;
    struct sl_amount total;
    struct sl_amount running; /* on a CPU, or in a state that is not known */
    bool idle;                /* only waited: running is under 0.1 % of its time and under 3 samples, its stack changed
                               * hardly ever, and it is no process's main thread */
    sl_string name; /* the kernel's name where it has one of its own (not that of the program), else SL_NONE */
    sl_function first_function; /* the outermost frame outside `threading` and `concurrent.futures` in which most of its
                                 * time was spent, SL_NONE when there is none */
};

/* One for each thread taken by the selection that was seen in it: main threads first, then by `running`, then by total
 * time, heaviest first. */
const struct sl_thread_summary *sl_thread_summaries(struct sl_arena *arena, const struct sl_profile *profile,
                                                    const struct sl_selection *selection, uint32_t *count);

#endif
