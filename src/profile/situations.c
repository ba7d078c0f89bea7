#include "profile/situations.h"
#include "base/array.h"

#include <stdlib.h>

void sl_situations_init(struct sl_situations *situations)
{
    *situations = (struct sl_situations){.seed = sl_hash_seed()};
}

void sl_situations_destroy(struct sl_situations *situations)
{
    free(situations->records);
    sl_remembered_destroy(&situations->numbers);
    sl_hash_index_destroy(&situations->index);
    *situations = (struct sl_situations){0};
}

uint32_t sl_situations_append(struct sl_situations *situations, struct sl_situation situation)
{
    uint32_t held = sl_remembered_held(&situations->numbers);
    if (situations->numbers.count == SL_NONE ||
        !sl_array_room(&situations->records, &situations->capacity, held, sizeof *situations->records)) {
        return SL_NONE;
    }
    situations->records[held] = situation;
    return situations->numbers.count++;
}

static uint32_t hash_of(const struct sl_situations *situations, const struct sl_situation *situation)
{
    return (uint32_t)sl_hash_mix(situations->seed ^ situation->stack ^ ((uint64_t)situation->state << 32));
}

void sl_situations_forget(struct sl_situations *situations)
{
    uint32_t kept = sl_remembered_forget(&situations->numbers, situations->records, sizeof *situations->records);
    sl_hash_index_clear(&situations->index);
    for (uint32_t place = 0; place < kept; place++) {
        sl_hash_index_add(&situations->index, hash_of(situations, &situations->records[place]), place);
    }
}

uint32_t sl_situations_intern(struct sl_situations *situations, struct sl_situation situation)
{
    uint32_t hash = hash_of(situations, &situation);
    struct sl_hash_probe probe = sl_hash_probe(&situations->index, hash);
    for (uint32_t place; (place = sl_hash_next(&situations->index, &probe)) != SL_HASH_NONE;) {
        const struct sl_situation *known = &situations->records[place];
        if (known->stack == situation.stack && known->state == situation.state) {
            sl_remembered_meet(&situations->numbers, place);
            return sl_remembered_number(&situations->numbers, place);
        }
    }
    uint32_t place = sl_remembered_held(&situations->numbers);
    uint32_t added = sl_situations_append(situations, situation);
    if (added != SL_NONE && !sl_hash_index_add(&situations->index, hash, place)) {
        situations->numbers.count--;
        return SL_NONE;
    }
    return added;
}
