#include "cpython/frame.h"

#include "cpython/words.h"

enum owner { OWNED_BY_THREAD = 0, OWNED_BY_GENERATOR = 1 };

struct sl_header sl_header_parse(const struct sl_layout *layout, const uint8_t *copy, bool on_data_stack)
{
    uint8_t owner = copy[layout->frame_owner];
    struct sl_header header = {
        .code = sl_word(copy + layout->frame_code) & layout->pointer_mask,
        .previous = sl_word(copy + layout->frame_previous),
        .instruction = sl_word(copy + layout->frame_instruction),
        .hidden = owner >= layout->owner_hidden,
        .generator = owner == OWNED_BY_GENERATOR,
        .entry = layout->frame_entry != 0 && copy[layout->frame_entry] != 0,
    };
    if (header.hidden) {
        header.possible = owner <= layout->owner_max;
    } else {
        header.possible = header.code != 0 && header.code % 8 == 0 && owner <= OWNED_BY_GENERATOR &&
                          (owner == OWNED_BY_THREAD) == on_data_stack;
    }
    header.suspended = layout->frame_stack_top != 0 && sl_int(copy + layout->frame_stack_top) >= 0;
    header.waiting = header.suspended && header.instruction > header.code + layout->code_instructions;
    return header;
}

static bool linked(const struct sl_header *header)
{
    return header->possible && (header->previous != 0 || header->hidden);
}

/* How much a copy looks like a frame that is in use. */
static int rank(bool has, const struct sl_header *header)
{
    return !has || !header->possible ? 0 : !linked(header) ? 1 : !header->links_well ? 2 : 3;
}

static void choose_behind(const struct sl_layout *layout, struct sl_chosen *chosen)
{
    chosen->header = chosen->copies.behind;
    /* From 3.14 on a frame that is left is wiped, and in every version a generator that is left has no caller. */
    chosen->alive =
        linked(&chosen->header) && !chosen->header.hidden && (layout->wipes_code || chosen->header.generator);
}

static void choose_before(struct sl_chosen *chosen)
{
    chosen->header = chosen->copies.before;
    chosen->alive = false;
}

bool sl_frame_choose(const struct sl_layout *layout, const struct sl_copies *copies, struct sl_chosen *chosen)
{
    *chosen = (struct sl_chosen){.copies = *copies};
    /* From behind the moment, unless the frame was left since: then it may be wiped, unlinked or overwritten. */
    int before = rank(copies->has_before, &copies->before);
    int behind = rank(copies->has_behind, &copies->behind);
    if (behind >= before) {
        choose_behind(layout, chosen);
    } else {
        choose_before(chosen);
    }
    return before != 0 || behind != 0;
}

static bool same_frame(const struct sl_copies *copies)
{
    return copies->before.code == copies->behind.code && copies->before.previous == copies->behind.previous &&
           copies->before.generator == copies->behind.generator;
}

bool sl_frame_stayed(const struct sl_copies *copies)
{
    return !copies->has_before || !copies->has_behind ||
           (copies->before.possible && copies->behind.possible && same_frame(copies));
}

/* Whether the copy from behind the moment was chosen. */
static bool is_behind(const struct sl_chosen *chosen)
{
    return chosen->copies.has_behind && linked(&chosen->copies.behind) &&
           chosen->copies.behind.code == chosen->header.code;
}

/* The pair as it was before the moment, when the callee was called then. */
static bool take_pair_before(struct sl_chosen *callee, struct sl_chosen *caller)
{
    const struct sl_copies *copies = &callee->copies;
    bool usable = caller->copies.before.waiting && copies->has_before && linked(&copies->before) &&
                  copies->before.previous == callee->header.previous;
    if (!usable || (copies->before.code != callee->header.code && !callee->innermost)) {
        return false;
    }
    choose_before(caller);
    if (callee->innermost) {
        choose_before(callee);
    }
    return true;
}

/* Of one caller that was there all the while, the innermost callee as it was before the moment, if there was one: that
 * one is known to be called by it. What lies behind it in a copy was copied later, often by as long as it takes to
 * return twice and to call twice, because a cache line that the program writes to is a long way off. */
static bool take_callee_before(struct sl_chosen *callee, struct sl_chosen *caller)
{
    const struct sl_copies *copies = &callee->copies;
    /* Before 3.14 a leftover looks as if it waited; what is innermost runs. */
    if (!copies->has_before || !linked(&copies->before) || copies->before.hidden || copies->before.waiting ||
        copies->before.previous != callee->header.previous) {
        return false;
    }
    if (copies->before.code != copies->behind.code) {
        choose_before(callee);
        caller->header = caller->copies.before;
    }
    return true;
}

/* Before 3.14 a frame tells whether it waits for a callee. One that waits behind the moment waits for this callee: had
 * it been left, what took its place would have had to call again within the nanoseconds between the two copies. One
 * that waits no more has got its callee back, if it plainly went on from where it was before the moment; or else it is
 * another frame in the caller's place, and what lies above it is a leftover. */
static bool choose_by_waiting(struct sl_chosen *callee, struct sl_chosen *caller)
{
    const struct sl_header *before = &caller->copies.before;
    const struct sl_header *behind = &caller->copies.behind;
    bool same = same_frame(&caller->copies);
    bool same_callee = callee->copies.has_before && callee->copies.before.code == callee->header.code;
    if (same && before->waiting && callee->innermost && take_callee_before(callee, caller)) {
        caller->header = *before;
        return true;
    }
    if (behind->waiting && (same || (is_behind(callee) && !caller->left))) {
        return true;
    }
    if (same && before->suspended && behind->suspended && before->instruction == behind->instruction) {
        return true; /* _Py_InitCleanup, which waits for an __init__ from its first instruction on */
    }
    bool went_on = same && behind->instruction > before->instruction;
    return (went_on && !same_callee) || take_pair_before(callee, caller) || went_on;
}

bool sl_frame_choose_caller(const struct sl_layout *layout, const struct sl_copies *copies, struct sl_chosen *callee,
                            struct sl_chosen *caller)
{
    if (!sl_frame_choose(layout, copies, caller)) {
        return false;
    }
    caller->left = callee->innermost ? callee->copies.behind.waiting : callee->left;
    if (!copies->has_before || !copies->has_behind) {
        return true;
    }
    /* The outermost frame has no caller (3.11). */
    bool outermost = copies->behind.possible && same_frame(copies);
    if (callee->alive && (linked(&copies->behind) || outermost)) {
        choose_behind(layout, caller);
        caller->alive = true;
        if (callee->innermost && same_frame(copies)) {
            take_callee_before(callee, caller);
        }
        return true;
    }
    if (callee->alive && callee->innermost && !caller->header.hidden) {
        /* It was called after what now is no frame had been copied: by whom is not known. */
        choose_before(caller);
        return linked(&copies->before) && take_callee_before(callee, caller);
    }
    /* Between Python and C nothing tells who waits for whom: what called must have stayed. */
    if (caller->header.hidden || callee->header.hidden || callee->header.entry) {
        return same_frame(copies);
    }
    if (layout->frame_stack_top != 0) {
        choose_behind(layout, caller);
        return choose_by_waiting(callee, caller);
    }
    /* The callee was left, and is known from before the moment: so must be its caller. */
    if (copies->before.possible) {
        choose_before(caller);
    }
    return true;
}

bool sl_frame_is_bottom(const struct sl_chosen *chosen)
{
    /* A generator that has had its turn has no caller either; it waits for the next one. */
    return !chosen->header.generator ||
           (chosen->innermost ? !chosen->header.waiting : chosen->copies.has_before && same_frame(&chosen->copies));
}
