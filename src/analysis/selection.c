#include "analysis/selection.h"

/* Marks a stack as taken while sl_stack_amounts adds up; no count of samples comes near it. */
static const uint64_t taken_mark = (uint64_t)1 << 63;

const char *const sl_mode_words[] = {[SL_MODE_WALL] = "wall", [SL_MODE_CPU] = "cpu", [SL_MODE_GIL] = "gil", NULL};

struct sl_selection sl_selection_all(const struct sl_profile *profile)
{
    /* A trace that was cut off may know of runs beyond the duration that it last told. */
    uint64_t end_ns = profile->facts.duration_ns;
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const struct sl_thread_record *thread = &profile->threads[i];
        if (thread->run_count > 0 && profile->runs[thread->first_run + thread->run_count - 1].end_ns > end_ns) {
            end_ns = profile->runs[thread->first_run + thread->run_count - 1].end_ns;
        }
    }
    return (struct sl_selection){.end_ns = end_ns};
}

double sl_standard_error(struct sl_amount part, struct sl_amount whole)
{
    if (whole.samples == 0 || whole.ns == 0) {
        return 0;
    }
    double share = (double)part.ns / (double)whole.ns;
    double samples = (double)whole.samples;
    if (share <= 0 || share >= 1) {
        return 1 / samples;
    }
    return __builtin_sqrt(share * (1 - share) / samples);
}

bool sl_is_uneven(const struct sl_profile *profile)
{
    const struct sl_facts *facts = &profile->facts;
    /* Other recordings begin before there is anything to look at. */
    if (profile->thread_count == 0 || profile->threads[0].kind != SL_THREAD_SCOPE ||
        facts->interval_ns == SL_INTERVAL_UNKNOWN) {
        return false;
    }
    /* A long first slot alone is no matter. */
    double slots = (double)facts->looks + (double)facts->late;
    return slots * (double)facts->interval_ns < 0.9 * (double)facts->duration_ns;
}

double sl_evenness(const struct sl_profile *profile)
{
    const struct sl_facts *facts = &profile->facts;
    bool uneven = facts->even_looks > 0 && facts->even_looks < facts->looks;
    return uneven ? (double)facts->even_looks / (double)facts->looks : 1;
}

static bool mode_counts(enum sl_mode mode, sl_state state)
{
    switch (mode) {
    case SL_MODE_CPU:
        return (state & SL_STATE_KNOWN) == 0 || (state & SL_STATE_ON_CPU) != 0;
    case SL_MODE_GIL:
        return (state & SL_STATE_KNOWN) != 0 && (state & SL_STATE_HAS_GIL) != 0;
    case SL_MODE_WALL:
        break;
    }
    return true;
}

/* How many of a run's samples lie before `ns`, which is in the run. */
static uint64_t samples_before(const struct sl_run *run, uint64_t ns)
{
    uint64_t part = ns - run->begin_ns;
    uint64_t whole = run->end_ns - run->begin_ns;
    /* Both are made to fit 32 bits, so that the product with the samples fits 64. */
    while (whole > UINT32_MAX) {
        whole >>= 1;
        part >>= 1;
    }
    return (part * run->samples + whole / 2) / whole;
}

struct sl_amount sl_run_amount(const struct sl_selection *selection, const struct sl_run *run)
{
    if (!mode_counts(selection->mode, run->state) || run->end_ns < selection->begin_ns ||
        run->begin_ns > selection->end_ns) {
        return (struct sl_amount){0};
    }
    if (run->begin_ns >= run->end_ns) {
        bool inside = run->begin_ns <= selection->end_ns &&
                      (run->begin_ns > selection->begin_ns || (run->begin_ns == 0 && selection->begin_ns == 0));
        return (struct sl_amount){.samples = inside ? run->samples : 0};
    }
    if (run->begin_ns >= selection->begin_ns && run->end_ns <= selection->end_ns) {
        return (struct sl_amount){.ns = run->end_ns - run->begin_ns, .samples = run->samples};
    }
    uint64_t begin_ns = run->begin_ns > selection->begin_ns ? run->begin_ns : selection->begin_ns;
    uint64_t end_ns = run->end_ns < selection->end_ns ? run->end_ns : selection->end_ns;
    if (begin_ns >= end_ns) {
        return (struct sl_amount){0};
    }
    return (struct sl_amount){.ns = end_ns - begin_ns,
                              .samples = samples_before(run, end_ns) - samples_before(run, begin_ns)};
}

/* The first run from `first` to before `end` that ends at or after `ns`; `end` when there is none. */
static uint32_t first_run_ending_at(const struct sl_profile *profile, uint32_t first, uint32_t end, uint64_t ns)
{
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        if (profile->runs[middle].end_ns < ns) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first;
}

/* The first run from `first` to before `end` that begins after `ns`. */
static uint32_t first_run_beginning_after(const struct sl_profile *profile, uint32_t first, uint32_t end, uint64_t ns)
{
    while (first < end) {
        uint32_t middle = first + (end - first) / 2;
        if (profile->runs[middle].begin_ns <= ns) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first;
}

void sl_selection_runs(const struct sl_profile *profile, const struct sl_selection *selection, uint32_t thread,
                       uint32_t *first, uint32_t *end)
{
    const struct sl_thread_record *record = &profile->threads[thread];
    *first = record->first_run;
    *end = record->first_run;
    if (selection->threads != NULL && selection->threads[thread] == 0) {
        return;
    }
    uint32_t last = record->first_run + record->run_count;
    *first = first_run_ending_at(profile, record->first_run, last, selection->begin_ns);
    *end = first_run_beginning_after(profile, *first, last, selection->end_ns);
}

const uint8_t *sl_selection_stacks(struct sl_arena *arena, const struct sl_profile *profile,
                                   const struct sl_selection *selection)
{
    if (selection->functions == NULL) {
        return NULL;
    }
    uint8_t *taken = SL_ARENA_NEW(arena, uint8_t, profile->stack_count);
    if (taken == NULL) {
        return NULL;
    }
    for (sl_stack stack = 1; stack < profile->stack_count; stack++) {
        const struct sl_stack_record *record = &profile->stacks[stack];
        taken[stack] = taken[record->caller] != 0 || selection->functions[record->function] != 0;
    }
    return taken;
}

static void add_thread(const struct sl_profile *profile, const struct sl_selection *selection, uint32_t thread,
                       struct sl_amount *self)
{
    uint32_t first, end;
    sl_selection_runs(profile, selection, thread, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        const struct sl_run *run = &profile->runs[i];
        sl_amount_add(&self[run->stack], sl_run_amount(selection, run));
    }
}

struct sl_amount sl_stack_amounts(const struct sl_profile *profile, const struct sl_selection *selection,
                                  uint32_t thread, struct sl_amount *self)
{
    for (sl_stack stack = 0; stack < profile->stack_count; stack++) {
        self[stack] = (struct sl_amount){0};
    }
    if (thread != SL_NONE) {
        add_thread(profile, selection, thread, self);
    } else {
        for (uint32_t i = 0; i < profile->thread_count; i++) {
            add_thread(profile, selection, i, self);
        }
    }
    struct sl_amount sum = {0};
    for (sl_stack stack = 0; stack < profile->stack_count; stack++) {
        if (selection->functions != NULL) {
            /* Callers come before what they call, so a stack's mark is set before the stacks above it ask for it. */
            const struct sl_stack_record *record = &profile->stacks[stack];
            bool taken = stack > 0 &&
                         ((self[record->caller].samples & taken_mark) != 0 || selection->functions[record->function]);
            self[stack].ns = taken ? self[stack].ns : 0;
            self[stack].samples = taken ? self[stack].samples | taken_mark : 0;
        }
        sum.ns += self[stack].ns;
        sum.samples += self[stack].samples & ~taken_mark;
    }
    for (sl_stack stack = 0; selection->functions != NULL && stack < profile->stack_count; stack++) {
        self[stack].samples &= ~taken_mark;
    }
    return sum;
}
