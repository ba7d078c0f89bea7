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
    sl_remembered_destroy(&stacks->numbers);
    sl_hash_index_destroy(&stacks->index);
    *stacks = (struct sl_stacks){0};
}

sl_stack sl_stacks_append(struct sl_stacks *stacks, struct sl_stack_record record)
{
    uint32_t held = sl_remembered_held(&stacks->numbers);
    if (stacks->numbers.count == SL_NONE ||
        !sl_array_room(&stacks->records, &stacks->capacity, held, sizeof *stacks->records)) {
        return SL_NONE;
    }
    stacks->records[held] = record;
    return stacks->numbers.count++;
}

static uint32_t hash_of(const struct sl_stacks *stacks, const struct sl_stack_record *record)
{
    uint64_t key = sl_hash_mix(stacks->seed ^ record->caller ^ ((uint64_t)record->line << 32));
    return (uint32_t)sl_hash_mix(key ^ record->function);
}

void sl_stacks_forget(struct sl_stacks *stacks)
{
    /* What is met again is looked for from its outermost caller on. */
    for (uint32_t place = sl_remembered_held(&stacks->numbers); place-- > 0;) {
        if (sl_remembered_was_met(&stacks->numbers, place)) {
            uint32_t caller = sl_remembered_place(&stacks->numbers, stacks->records[place].caller);
            if (caller != SL_NONE) {
                sl_remembered_meet(&stacks->numbers, caller);
            }
        }
    }
    uint32_t kept = sl_remembered_forget(&stacks->numbers, stacks->records, sizeof *stacks->records);
    sl_hash_index_clear(&stacks->index);
    /* The empty stack is never looked for. */
    for (uint32_t place = kept > 0 && sl_remembered_number(&stacks->numbers, 0) == 0; place < kept; place++) {
        sl_hash_index_add(&stacks->index, hash_of(stacks, &stacks->records[place]), place);
    }
}

sl_stack sl_stacks_push(struct sl_stacks *stacks, struct sl_stack_record record)
{
    uint32_t hash = hash_of(stacks, &record);
    struct sl_hash_probe probe = sl_hash_probe(&stacks->index, hash);
    for (uint32_t place; (place = sl_hash_next(&stacks->index, &probe)) != SL_HASH_NONE;) {
        const struct sl_stack_record *known = &stacks->records[place];
        if (known->caller == record.caller && known->function == record.function && known->line == record.line) {
            sl_remembered_meet(&stacks->numbers, place);
            return sl_remembered_number(&stacks->numbers, place);
        }
    }
    uint32_t place = sl_remembered_held(&stacks->numbers);
    sl_stack added = sl_stacks_append(stacks, record);
    if (added != SL_NONE && !sl_hash_index_add(&stacks->index, hash, place)) {
        stacks->numbers.count--;
        return SL_NONE;
    }
    return added;
}
