#include "analysis/kinds.h"

#include "analysis/map.h"
#include "analysis/sort.h"

enum sl_kind sl_kind_of(sl_state state)
{
    if ((state & SL_STATE_KNOWN) == 0) {
        return SL_KIND_UNKNOWN;
    }
    if ((state & SL_STATE_GC) != 0) {
        return SL_KIND_GC;
    }
    if ((state & SL_STATE_WAITS_GIL) != 0) {
        return SL_KIND_GIL_WAIT;
    }
    if ((state & SL_STATE_LOCK) != 0) {
        return SL_KIND_LOCK;
    }
    if ((state & SL_STATE_ON_CPU) == 0) {
        return SL_KIND_CALL;
    }
    return (state & SL_STATE_HAS_GIL) != 0 ? SL_KIND_PYTHON : SL_KIND_NATIVE;
}

static bool heavier(const void *context, uint32_t a, uint32_t b)
{
    const struct sl_kind_amount *amounts = context;
    return amounts[a].amount.ns > amounts[b].amount.ns;
}

/* What is being counted. The states of a recording are few: each is looked up once, and its kind found by number. */
struct count {
    struct sl_arena scratch;
    struct sl_map kinds; /* (kind, call) */
    struct sl_kind_amount *amounts;
    uint32_t amount_count;
    uint32_t capacity;
};

static struct sl_kind_amount *amount_of(struct count *count, sl_state state)
{
    enum sl_kind kind = sl_kind_of(state);
    int32_t call = kind == SL_KIND_CALL ? sl_state_call(state) : -1;
    uint32_t number = sl_map_number(&count->kinds, kind, (uint32_t)call, count->amount_count);
    if (number == SL_NONE) {
        return NULL;
    }
    if (number == count->capacity) {
        uint32_t capacity = count->capacity * 2 + SL_KIND_COUNT;
        struct sl_kind_amount *grown = SL_ARENA_NEW(&count->scratch, struct sl_kind_amount, capacity);
        if (grown == NULL) {
            return NULL;
        }
        for (uint32_t i = 0; i < count->amount_count; i++) {
            grown[i] = count->amounts[i];
        }
        count->amounts = grown;
        count->capacity = capacity;
    }
    if (number == count->amount_count) {
        count->amounts[number] = (struct sl_kind_amount){.kind = kind, .call = call};
        count->amount_count++;
    }
    return &count->amounts[number];
}

static bool add_thread(struct count *count, const struct sl_profile *profile, const struct sl_selection *selection,
                       const uint8_t *taken, uint32_t thread)
{
    uint32_t first, end;
    sl_selection_runs(profile, selection, thread, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        const struct sl_run *run = &profile->runs[i];
        if (taken != NULL && taken[run->stack] == 0) {
            continue;
        }
        struct sl_kind_amount *amount = amount_of(count, run->state);
        if (amount == NULL) {
            return false;
        }
        sl_amount_add(&amount->amount, sl_run_amount(selection, run));
    }
    return true;
}

const struct sl_kind_amount *sl_kind_amounts(struct sl_arena *arena, const struct sl_profile *profile,
                                             const struct sl_selection *selection, uint32_t *count)
{
    struct sl_selection whole = *selection;
    whole.mode = SL_MODE_WALL;
    struct count counted = {0};
    sl_arena_init(&counted.scratch);
    sl_map_init(&counted.kinds, &counted.scratch);
    struct sl_kind_amount *result = NULL;
    const uint8_t *taken = sl_selection_stacks(&counted.scratch, profile, &whole);
    bool done = !counted.scratch.exhausted;
    for (uint32_t i = 0; done && i < profile->thread_count; i++) {
        done = add_thread(&counted, profile, &whole, taken, i);
    }
    uint32_t *order = SL_ARENA_NEW(&counted.scratch, uint32_t, counted.amount_count);
    if (!done || order == NULL) {
        goto cleanup;
    }
    uint32_t seen = 0;
    for (uint32_t i = 0; i < counted.amount_count; i++) {
        if (!sl_amount_is_zero(counted.amounts[i].amount)) {
            order[seen++] = i;
        }
    }
    if (!sl_sort(&counted.scratch, order, seen, heavier, counted.amounts)) {
        goto cleanup;
    }
    result = SL_ARENA_NEW(arena, struct sl_kind_amount, seen);
    for (uint32_t i = 0; result != NULL && i < seen; i++) {
        result[i] = counted.amounts[order[i]];
    }
    *count = seen;
cleanup:
    arena->exhausted = arena->exhausted || result == NULL;
    sl_arena_reset(&counted.scratch);
    return result;
}
