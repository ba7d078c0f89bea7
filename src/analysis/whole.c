#include "analysis/whole.h"

static const double late_part = 0.1;

bool sl_looks_late(const struct sl_profile *profile)
{
    return (double)profile->facts.late > late_part * (double)profile->facts.looks;
}

struct sl_amount sl_whole(const struct sl_profile *profile, const struct sl_selection *selection)
{
    const struct sl_facts *facts = &profile->facts;
    uint64_t end_ns = selection->end_ns < facts->duration_ns ? selection->end_ns : facts->duration_ns;
    struct sl_amount whole = {
        .ns = end_ns > selection->begin_ns ? end_ns - selection->begin_ns : 0,
        .samples = facts->looks > 0 ? facts->looks : facts->samples,
    };
    if (facts->duration_ns > whole.ns) {
        whole.samples = (uint64_t)((double)whole.samples * (double)whole.ns / (double)facts->duration_ns);
    }
    whole.samples = (uint64_t)((double)whole.samples * sl_evenness(profile));
    whole.samples = whole.samples > 0 ? whole.samples : 1;
    return whole;
}
