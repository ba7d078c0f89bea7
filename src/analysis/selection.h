/* selection.h - which part of a recording is looked at, and how much time each stack took in it.
 *
 * Every view (tree, flame graph, chart, tables) is computed from the same three things: a profile, a selection, and
 * the roles of its functions (roles.h). */
#ifndef SL_ANALYSIS_SELECTION_H
#define SL_ANALYSIS_SELECTION_H

#include "base/arena.h"
#include "profile/profile.h"

enum sl_mode {
    SL_MODE_WALL = 0, /* all of the time */
    SL_MODE_CPU = 1,  /* time in which the thread was on a CPU */
    SL_MODE_GIL = 2,  /* time in which the thread held the GIL */
};

/* What a person calls each, and NULL. */
extern const char *const sl_mode_words[];

struct sl_selection {
    uint64_t begin_ns, end_ns; /* range on the recording's clock; a run that is cut by it counts in proportion */
    const uint8_t *threads;    /* one byte for each thread, non-zero: taken; NULL: all */
    const uint8_t *functions;  /* one byte for each function, non-zero: only samples whose stack has one of them
                                   * (search, focus); NULL: all */
    enum sl_mode mode;
};

/* The whole recording in wall time. */
struct sl_selection sl_selection_all(const struct sl_profile *profile);

/* What a set of samples amounts to. */
struct sl_amount {
    uint64_t ns;
    uint64_t samples;
};

static inline void sl_amount_add(struct sl_amount *sum, struct sl_amount amount)
{
    sum->ns += amount.ns;
    sum->samples += amount.samples;
}

static inline bool sl_amount_is_zero(struct sl_amount amount)
{
    return (amount.ns | amount.samples) == 0;
}

/* The share's standard error in parts of one: sqrt(p * (1 - p) / n), p = part of whole, n = samples of the whole; 0
 * when n is 0. By the rule of three never below 1 / n for a share of exactly 0 or 1. */
double sl_standard_error(struct sl_amount part, struct sl_amount whole);

/* Whether slots became longer the longer the recording lasted, as those of a request that is only watched do
 * (sampler/host.h). */
bool sl_is_uneven(const struct sl_profile *profile);

/* 1, or less where looks stand for times of such different lengths that shares are only as certain as with that part of the
 * samples: slots became longer, or a few looks stand for many that were late. */
double sl_evenness(const struct sl_profile *profile);

/* For each stack the time and samples that ended in it (self). `self` has `profile->stack_count` elements and is
 * overwritten. One thread only when `thread` is not SL_NONE. Linear in runs and stacks. Returns their sum. */
struct sl_amount sl_stack_amounts(const struct sl_profile *profile, const struct sl_selection *selection,
                                  uint32_t thread, struct sl_amount *self);

/* The runs of `thread` that lie in the selection's range, wholly or in part: from `*first` to before `*end` in
 * profile->runs. None when the thread is not taken. Logarithmic in its runs. */
void sl_selection_runs(const struct sl_profile *profile, const struct sl_selection *selection, uint32_t thread,
                       uint32_t *first, uint32_t *end);

/* What a run amounts to in the selection's range and mode (its threads and functions are not looked at). The samples of
 * a run that is cut are rounded so that neighbouring ranges add up to what both together have. A run without length
 * lies in the range that ends with it (one at 0 in the range that begins there). */
struct sl_amount sl_run_amount(const struct sl_selection *selection, const struct sl_run *run);

/* One byte for each stack, non-zero where it has one of `selection->functions`; NULL when that is NULL, or when the
 * arena is exhausted (`arena->exhausted` tells). */
const uint8_t *sl_selection_stacks(struct sl_arena *arena, const struct sl_profile *profile,
                                   const struct sl_selection *selection);

#endif
