#include "sampler/slots.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t slot_begin(const struct sl_slots *slots, uint64_t number)
{
    /* A recording of 584 years is not bounded here: slots are counted up by passing time. */
    return number * slots->interval_ns;
}

static uint64_t slot_end(const struct sl_slots *slots, uint64_t number)
{
    return smaller(slot_begin(slots, number) + slots->interval_ns, slots->limit_ns);
}

/* What sl_random draws as the number-th from the seed: its state is a counter. Slots of another length, whose numbers are the
 * same at other times, have other instants. */
static uint64_t draw(const struct sl_slots *slots, uint64_t number, uint64_t limit)
{
    struct sl_random length = {.state = slots->interval_ns};
    struct sl_random random = {.state = (slots->seed ^ sl_random_next(&length)) + number * SL_RANDOM_STEP};
    return sl_random_below(&random, limit);
}

/* The instant of the slot that `time_ns` lies in. */
static uint64_t common_instant(const struct sl_slots *slots, uint64_t time_ns)
{
    uint64_t number = time_ns / slots->interval_ns;
    return slot_begin(slots, number) + draw(slots, number, slots->interval_ns);
}

/* Makes `number` the slot of the next look and draws its instant between `from_ns`, if that lies in it, and its end. */
static void aim(struct sl_slots *slots, uint64_t number, uint64_t from_ns)
{
    uint64_t begin = slot_begin(slots, number);
    uint64_t end = slot_end(slots, number);
    if (from_ns > begin) {
        begin = smaller(from_ns, end);
    }
    slots->aimed = number;
    slots->instant_ns = begin < end ? begin + draw(slots, number, end - begin) : end;
}

void sl_slots_init(struct sl_slots *slots, uint64_t interval_ns, uint64_t begin_ns, uint64_t limit_ns, uint64_t seed)
{
    slots->interval_ns = interval_ns;
    slots->limit_ns = limit_ns;
    slots->covered_ns = begin_ns;
    slots->seed = seed;
    slots->number = begin_ns / interval_ns;
    aim(slots, slots->number, begin_ns);
}

void sl_slots_init_late(struct sl_slots *slots, uint64_t interval_ns, uint64_t begin_ns, uint64_t limit_ns,
                        uint64_t seed, uint64_t first_ns, uint64_t pulse_ns, struct sl_random *random)
{
    sl_slots_init(slots, interval_ns, begin_ns, limit_ns, seed);
    slots->number = (begin_ns + first_ns) / interval_ns;
    slots->aimed = slots->number;
    uint64_t end_ns = slot_end(slots, slots->number);
    uint64_t length_ns = end_ns - begin_ns;
    uint64_t next_ns = (begin_ns / pulse_ns + 1) * pulse_ns;
    if (length_ns < pulse_ns || next_ns >= end_ns) {
        slots->instant_ns = begin_ns + sl_random_below(random, length_ns);
        return;
    }
    const struct sl_slots pulse = {.interval_ns = pulse_ns, .limit_ns = limit_ns, .seed = seed};
    slots->instant_ns = common_instant(&pulse, begin_ns);
    /* The common instant of the pulse that is begun in is still to come as often as the rest of that is a part of the whole,
     * and is then as likely to be anywhere in it. What is chosen so must be as likely as that rest is long. */
    if (slots->instant_ns >= begin_ns && sl_random_below(random, length_ns) < pulse_ns) {
        return;
    }
    uint64_t own_ns = next_ns + sl_random_below(random, end_ns - next_ns);
    slots->instant_ns = common_instant(&pulse, own_ns);
    if (slots->instant_ns >= end_ns) {
        slots->instant_ns = own_ns; /* the last pulse is cut off before it */
    }
}

/* The last slot that a look taken now stands for, and the aim at the one after it. A look that comes a little late, in
 * the next slot, is still that of the slot it was aimed at: were it taken for the next one's, too, the begin of a slot
 * would weigh double. The next slot has an instant of its own; only if that has passed as well is it covered, too. */
static uint64_t last_covered(struct sl_slots *slots, uint64_t now_ns)
{
    uint64_t number = now_ns / slots->interval_ns;
    if (number <= slots->aimed) {
        number = slots->aimed;
    } else {
        aim(slots, number, 0);
        if (slots->instant_ns > now_ns) {
            return number - 1;
        }
    }
    aim(slots, number + 1, 0);
    return number;
}

struct sl_span sl_slots_take(struct sl_slots *slots, uint64_t now_ns)
{
    uint64_t number = last_covered(slots, now_ns);
    struct sl_span span = {
        .begin_ns = slots->covered_ns,
        .end_ns = slot_end(slots, number),
        .slot_begin_ns = slot_begin(slots, number),
        .late = number - slots->number,
    };
    span.instant_ns = smaller(now_ns, span.end_ns - 1);
    if (span.slot_begin_ns < span.begin_ns) {
        span.slot_begin_ns = span.begin_ns;
    }
    slots->covered_ns = span.end_ns;
    slots->number = number + 1;
    return span;
}

void sl_slots_done(struct sl_slots *slots, uint64_t now_ns)
{
    uint64_t number = now_ns / slots->interval_ns;
    if (number > slots->aimed && slot_end(slots, number) < slots->limit_ns) {
        aim(slots, number + 1, 0);
    }
}

void sl_slots_double(struct sl_slots *slots)
{
    if (slots->number % 2 == 0 && slots->covered_ns == slot_begin(slots, slots->number)) {
        slots->interval_ns *= 2;
        slots->number /= 2;
        aim(slots, slots->number, 0);
    }
}

bool sl_slots_finish(struct sl_slots *slots, uint64_t end_ns, struct sl_span *span)
{
    if (slots->covered_ns >= end_ns) {
        return false;
    }
    /* The look may be aimed at a slot that has not begun. */
    uint64_t last = (end_ns - 1) / slots->interval_ns;
    if (slots->aimed > last) {
        slots->aimed = slots->number > last ? slots->number : last;
    }
    *span = sl_slots_take(slots, end_ns);
    span->end_ns = end_ns;
    slots->covered_ns = end_ns;
    slots->limit_ns = end_ns;
    return true;
}
