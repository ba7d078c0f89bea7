/* host_pulse.h - when the native thread wakes up for recordings that are not there yet.
 *
 * Recordings with a `caller` (host.h) come and go faster than they are looked at, and waking the native thread would cost
 * more than all else about starting one. So for some time behind the last of them it wakes up as if there were one, at the
 * instants that their first looks have in common (sl_slots_init_late), and finds by itself what was started since.
 *
 * All times are on the host's clock, that of the slots. */
#ifndef SL_SAMPLER_HOST_PULSE_H
#define SL_SAMPLER_HOST_PULSE_H

#include "sampler/slots.h"

#include <stdbool.h>
#include <stdint.h>

struct sl_host_pulse {
    bool beats;
    uint64_t end_ns;
    struct sl_slots slots;
};

/* The interval of the pulse for recordings whose first slot is so long: half of it, but 5 to 25 ms. */
uint64_t sl_host_pulse_interval_ns(uint64_t first_ns);

/* A recording with such a first slot is started. One whose slot is too short for a pulse leaves it alone. */
void sl_host_pulse_keep(struct sl_host_pulse *pulse, uint64_t first_ns, uint64_t now_ns, uint64_t seed);

/* To be called when the thread is awake. */
void sl_host_pulse_pass(struct sl_host_pulse *pulse, uint64_t now_ns);

/* When it beats next; UINT64_MAX when it does not. */
uint64_t sl_host_pulse_instant_ns(const struct sl_host_pulse *pulse);

#endif
