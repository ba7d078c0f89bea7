#include "sampler/host_pulse.h"

#define INTERVAL_MIN_NS UINT64_C(5000000)
#define INTERVAL_MAX_NS UINT64_C(25000000)
#define LASTS_NS UINT64_C(200000000)

uint64_t sl_host_pulse_interval_ns(uint64_t first_ns)
{
    uint64_t half_ns = first_ns / 2;
    if (half_ns < INTERVAL_MIN_NS) {
        return INTERVAL_MIN_NS;
    }
    return half_ns > INTERVAL_MAX_NS ? INTERVAL_MAX_NS : half_ns;
}

void sl_host_pulse_keep(struct sl_host_pulse *pulse, uint64_t first_ns, uint64_t now_ns, uint64_t seed)
{
    uint64_t interval_ns = sl_host_pulse_interval_ns(first_ns);
    if (first_ns < interval_ns) {
        return;
    }
    if (!pulse->beats || pulse->slots.interval_ns != interval_ns) {
        sl_slots_init(&pulse->slots, interval_ns, now_ns, UINT64_MAX, seed);
    }
    pulse->beats = true;
    pulse->end_ns = now_ns + LASTS_NS;
}

void sl_host_pulse_pass(struct sl_host_pulse *pulse, uint64_t now_ns)
{
    pulse->beats = pulse->beats && now_ns < pulse->end_ns;
    if (pulse->beats && now_ns >= pulse->slots.instant_ns) {
        sl_slots_take(&pulse->slots, now_ns);
    }
}

uint64_t sl_host_pulse_instant_ns(const struct sl_host_pulse *pulse)
{
    return pulse->beats ? pulse->slots.instant_ns : UINT64_MAX;
}
