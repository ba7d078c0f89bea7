#include "profile/stacks.h"
#include "base/array.h"

#include <stdlib.h>

bool sl_stacks_init(struct sl_stacks *stacks)
{
    *stacks = (struct sl_stacks){.seed = sl_hash_seed()};
    if (sl_stacks_append(stacks, (struct sl_stack_record){0}) == SL_NONE) {
        sl_stacks_destroy(stacks);
        return false;
    }
    return true;
}

void sl_stacks_destroy(struct sl_stacks *stacks)
{
    free(stacks->records);
    sl_hash_index_destroy(&stacks->index);
    *stacks = (struct sl_stacks){0};
}

sl_stack sl_stacks_append(struct sl_stacks *stacks, struct sl_stack_record record)
{
    uint32_t held = stacks->count - stacks->first;
    if (stacks->count == SL_NONE ||
        !sl_array_room(&stacks->records, &stacks->capacity, held, sizeof *stacks->records)) {
        return SL_NONE;
    }
    stacks->records[held] = record;
    return stacks->count++;
}

void sl_stacks_forget(struct sl_stacks *stacks)
{
    sl_hash_index_clear(&stacks->index);
    stacks->first = stacks->count;
}

sl_stack sl_stacks_push(struct sl_stacks *stacks, struct sl_stack_record record)
{
    uint64_t key = sl_hash_mix(stacks->seed ^ record.caller ^ ((uint64_t)record.line << 32));
    uint32_t hash = (uint32_t)sl_hash_mix(key ^ record.function);
    struct sl_hash_probe probe = sl_hash_probe(&stacks->index, hash);
    for (uint32_t number; (number = sl_hash_next(&stacks->index, &probe)) != SL_HASH_NONE;) {
        const struct sl_stack_record *known = &stacks->records[number - stacks->first];
        if (known->caller == record.caller && known->function == record.function && known->line == record.line) {
            return number;
        }
    }
    sl_stack added = sl_stacks_append(stacks, record);
    if (added != SL_NONE && !sl_hash_index_add(&stacks->index, hash, added)) {
        stacks->count--;
        return SL_NONE;
    }
    return added;
}
