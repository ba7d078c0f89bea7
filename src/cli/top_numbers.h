/* top_numbers.h - what the live view tells, computed from the recording so far: src/analysis does the counting, here is
 * only what to count and in which order to show it. */
#ifndef SL_CLI_TOP_NUMBERS_H
#define SL_CLI_TOP_NUMBERS_H

#include "analysis/roles.h"
#include "analysis/selection.h"
#include "base/arena.h"
#include "cli/top_view.h"

struct sl_top_function {
    sl_function function;
    struct sl_amount self, total;         /* in the last seconds */
    struct sl_amount all_self, all_total; /* since the start */
    sl_state state;                       /* in which most of its own time was spent in the last seconds */
};

struct sl_top_thread {
    uint32_t thread; /* index */
    uint64_t id;
    sl_string name;             /* SL_NONE: none of its own */
    sl_function first_function; /* SL_NONE: none is known */
    bool main;
    bool ended;
    uint64_t cpu_ns, gil_ns, waits_gil_ns; /* in the last seconds */
    sl_function function;                  /* that it is in now, SL_NONE when nothing runs in it */
    sl_state state;
};

struct sl_top_numbers {
    const struct sl_profile *profile;
    struct sl_arena arena; /* of all that follows */
    const uint8_t *roles;
    struct sl_arena roles_arena;
    uint32_t roles_functions, roles_stacks; /* how many there were when the roles were found */

    struct sl_selection recent; /* the last seconds */
    struct sl_selection all;
    uint64_t recent_ns; /* their length: less than what was asked for when there is not so much */
    uint64_t gil_ns;    /* of the last seconds in which anybody held the GIL */
    uint32_t alive;     /* threads that have not ended, */
    uint32_t idle;      /* and how many of them only waited in the last seconds, and do not count */
    const struct sl_top_function *functions;
    uint32_t function_count;
    const struct sl_top_thread *threads;
    uint32_t thread_count;
};

void sl_top_numbers_init(struct sl_top_numbers *numbers);
void sl_top_numbers_destroy(struct sl_top_numbers *numbers);

/* Computes them. `profile` is borrowed until the next time; what lies before `exact_ns` of it is folded. False when
 * memory is exhausted. */
bool sl_top_numbers_compute(struct sl_top_numbers *numbers, const struct sl_profile *profile, uint64_t exact_ns,
                            const struct sl_roles_options *roles, const struct sl_top_view *view);

/* The selection for the stacks of the view's function: of the last seconds, or of all, if it was not seen in these or
 * all is asked for. `*recent` tells which. False when memory is exhausted. */
bool sl_top_numbers_stacks(struct sl_top_numbers *numbers, const struct sl_top_view *view,
                           struct sl_selection *selection, bool *recent);

#endif
