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
    sl_hash_index_destroy(&situations->index);
    *situations = (struct sl_situations){0};
}

uint32_t sl_situations_append(struct sl_situations *situations, struct sl_situation situation)
{
    uint32_t held = situations->count - situations->first;
    if (situations->count == SL_NONE ||
        !sl_array_room(&situations->records, &situations->capacity, held, sizeof *situations->records)) {
        return SL_NONE;
    }
    situations->records[held] = situation;
    return situations->count++;
}

void sl_situations_forget(struct sl_situations *situations)
{
    sl_hash_index_clear(&situations->index);
    situations->first = situations->count;
}

uint32_t sl_situations_intern(struct sl_situations *situations, struct sl_situation situation)
{
    uint32_t hash = (uint32_t)sl_hash_mix(situations->seed ^ situation.stack ^ ((uint64_t)situation.state << 32));
    struct sl_hash_probe probe = sl_hash_probe(&situations->index, hash);
    for (uint32_t number; (number = sl_hash_next(&situations->index, &probe)) != SL_HASH_NONE;) {
        const struct sl_situation *known = &situations->records[number - situations->first];
        if (known->stack == situation.stack && known->state == situation.state) {
            return number;
        }
    }
    uint32_t added = sl_situations_append(situations, situation);
    if (added != SL_NONE && !sl_hash_index_add(&situations->index, hash, added)) {
        situations->count--;
        return SL_NONE;
    }
    return added;
}
