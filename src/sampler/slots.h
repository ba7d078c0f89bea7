/* slots.h - when to look: time is cut into slots of one interval, and each slot gets one look, at an instant drawn
 * uniformly in it.
 *
 * A look stands for its slot, never for the gap since the look before it: gaps depend on the phase at which one looks,
 * so a program that runs in step with the interval would be misjudged. Slots that passed without a look are added to
 * the next look and counted as late. What looks stand for adds up to the time from the recording's start to the end
 * of the last slot, without gap or overlap.
 *
 * Pure arithmetic; the caller has the clock. All times are on the recording's clock. */
#ifndef SL_SAMPLER_SLOTS_H
#define SL_SAMPLER_SLOTS_H

#include "sampler/random.h"

#include <stdbool.h>
#include <stdint.h>

struct sl_slots {
    uint64_t interval_ns;
    uint64_t limit_ns;   /* the recording ends here at the latest; a slot ends no later */
    uint64_t covered_ns; /* up to here, looks stand for the time */
    uint64_t number;     /* of the first slot that no look stands for yet; slot n begins at n * interval */
    uint64_t aimed;      /* of the slot that the next look is for: `number`, or later when slots were skipped */
    uint64_t instant_ns; /* when that look is due */
    uint64_t seed;
};

/* What one look stands for. */
struct sl_span {
    uint64_t begin_ns, end_ns;
    uint64_t instant_ns;    /* when it was due or, if that was later, taken; if that was after its slot, the slot's last
                             * nanosecond */
    uint64_t slot_begin_ns; /* where its slot begins; before it lie slots that were skipped */
    uint64_t late;          /* how many those are */
};

/* Slots from `begin_ns` on, which may lie within a slot: that one then begins there. The instant in a slot follows from
 * the seed and the slot's number, so that those with the same seed and interval are due at the same instants. */
void sl_slots_init(struct sl_slots *slots, uint64_t interval_ns, uint64_t begin_ns, uint64_t limit_ns, uint64_t seed);

/* The same with a first slot of `first_ns`, up to the next multiple of the interval: for what mostly ends so soon that it
 * need not be looked at. If that is no shorter than `pulse_ns`, the look is due at an instant that those with the interval
 * `pulse_ns` and the same seed have, one of those to come, and all the same as likely at any time of the slot; only in a
 * last pulse that is cut off, and in a shorter slot, it has one of its own. `random` draws which. */
void sl_slots_init_late(struct sl_slots *slots, uint64_t interval_ns, uint64_t begin_ns, uint64_t limit_ns,
                        uint64_t seed, uint64_t first_ns, uint64_t pulse_ns, struct sl_random *random);

/* A look is taken now; `now_ns` lies at or behind `instant_ns`, and before the limit. Draws the next instant, in the
 * next slot. */
struct sl_span sl_slots_take(struct sl_slots *slots, uint64_t now_ns);

/* To be called when a look is done: if it took so long that whole slots went by, the next look is taken in the next
 * slot that begins, at its own instant. Looking at once instead would tie the instant to the look before. */
void sl_slots_done(struct sl_slots *slots, uint64_t now_ns);

/* Makes slots twice as long from the next one on, if that begins where one of twice the length does; else leaves them as they
 * are. Those with the same seed and the same length of slots are still due at the same instants. */
void sl_slots_double(struct sl_slots *slots);

/* Whether the slot that `end_ns` lies in has no look yet; then `span` is what one more, taken at that instant, stands
 * for, with nothing left over. For a recording that is stopped while the program goes on. */
bool sl_slots_finish(struct sl_slots *slots, uint64_t end_ns, struct sl_span *span);

#endif
