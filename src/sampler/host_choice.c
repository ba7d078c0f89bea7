#include "sampler/host_choice.h"

bool sl_host_choose(struct sl_host_recording *recording, const struct sl_host_choice *other)
{
    struct sl_host_choice *choice = &recording->choice;
    if (!recording->chosen || other->rank < choice->rank) {
        *choice = *other;
        choice->equals = 1;
        recording->chosen = true;
        return true;
    }
    if (other->rank != choice->rank) {
        return false;
    }
    unsigned equals = choice->equals + 1;
    bool chosen = sl_random_below(&recording->random, equals) == 0;
    if (chosen) {
        *choice = *other;
    }
    choice->equals = equals;
    return chosen;
}
