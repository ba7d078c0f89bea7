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
    /* A frame that has not begun has its stack top set, too, but its instruction is the first one or before it. */
    header.waiting = layout->frame_stack_top != 0 && sl_int(copy + layout->frame_stack_top) >= 0 &&
                     header.instruction > header.code + layout->code_instructions;
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

bool sl_frame_choose(const struct sl_copies *copies, struct sl_header *header)
{
    /* From behind the moment, unless the frame was left since: then it may be wiped, unlinked or overwritten. */
    int before = rank(copies->has_before, &copies->before);
    int behind = rank(copies->has_behind, &copies->behind);
    *header = behind >= before ? copies->behind : copies->before;
    return before != 0 || behind != 0;
}

static bool same_frame(const struct sl_copies *copies)
{
    return copies->before.code == copies->behind.code && copies->before.previous == copies->behind.previous &&
           copies->before.generator == copies->behind.generator;
}

/* Whether a frame was chosen from behind the moment. */
static bool chosen_behind(const struct sl_copies *copies, const struct sl_header *header)
{
    return copies->has_behind && linked(&copies->behind) && copies->behind.code == header->code;
}

/* The pair as it was before the moment, when the callee was called then. Above an innermost callee nothing else was
 * chosen yet, so its copy may be exchanged. */
static bool take_pair_before(const struct sl_copies *copies, const struct sl_copies *callee, bool innermost,
                             struct sl_header *callee_header, struct sl_header *header)
{
    bool usable = copies->before.waiting && callee->has_before && linked(&callee->before) &&
                  callee->before.previous == callee_header->previous;
    if (!usable || (callee->before.code != callee_header->code && !innermost)) {
        return false;
    }
    *header = copies->before;
    if (innermost) {
        *callee_header = callee->before;
    }
    return true;
}

/* Before 3.14 a frame tells whether it waits for a callee. One that waits behind the moment waits for this callee: had
 * it been left, what took its place would have had to call again within the nanoseconds between the two copies. One
 * that waits no more has got its callee back, if it plainly went on from where it was before the moment; or else it is
 * another frame in the caller's place, and what lies above it is a leftover. */
static bool choose_by_waiting(const struct sl_copies *copies, const struct sl_copies *callee, bool innermost,
                              struct sl_header *callee_header, struct sl_header *header)
{
    bool same = same_frame(copies);
    *header = copies->behind;
    if (copies->behind.waiting && (same || chosen_behind(callee, callee_header))) {
        return true;
    }
    bool same_callee = callee->has_before && callee->before.code == callee_header->code;
    if (same && !same_callee && copies->behind.instruction > copies->before.instruction) {
        return true;
    }
    return take_pair_before(copies, callee, innermost, callee_header, header) ||
           (same && copies->behind.instruction > copies->before.instruction);
}

/* From 3.14 on a frame that is left is wiped, so a callee that was chosen from behind the moment was alive then, and
 * what lies below it is its caller; one that was chosen from before the moment was alive there. */
static bool choose_by_life(const struct sl_copies *copies, const struct sl_copies *callee,
                           const struct sl_header *callee_header, struct sl_header *header)
{
    if (!chosen_behind(callee, callee_header) && copies->before.possible) {
        *header = copies->before;
    }
    return true;
}

bool sl_frame_choose_caller(const struct sl_layout *layout, const struct sl_copies *copies,
                            const struct sl_copies *callee, bool innermost, struct sl_header *callee_header,
                            struct sl_header *header)
{
    if (!sl_frame_choose(copies, header)) {
        return false;
    }
    if (!copies->has_before || !copies->has_behind) {
        return true;
    }
    /* Between Python and C, neither evidence is to be had: what was called must have stayed. */
    if (header->hidden || callee_header->hidden || callee_header->entry) {
        return same_frame(copies);
    }
    if (layout->wipes_code) {
        return choose_by_life(copies, callee, callee_header, header);
    }
    return choose_by_waiting(copies, callee, innermost, callee_header, header);
}

bool sl_frame_is_bottom(const struct sl_copies *copies, const struct sl_header *header, bool innermost)
{
    /* A generator that has had its turn has no caller either; it waits for the next one. */
    return !header->generator || (innermost ? !header->waiting : copies->has_before && same_frame(copies));
}
