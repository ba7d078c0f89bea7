#include "profile/functions.h"
#include "base/array.h"

#include <stdlib.h>

bool sl_functions_init(struct sl_functions *functions)
{
    *functions = (struct sl_functions){.seed = sl_hash_seed()};
    if (sl_functions_intern(functions, (struct sl_function_record){0}) == SL_NONE) {
        sl_functions_destroy(functions);
        return false;
    }
    return true;
}

void sl_functions_destroy(struct sl_functions *functions)
{
    free(functions->records);
    sl_hash_index_destroy(&functions->index);
    *functions = (struct sl_functions){0};
}

sl_function sl_functions_append(struct sl_functions *functions, struct sl_function_record record)
{
    if (!sl_array_room(&functions->records, &functions->capacity, functions->count, sizeof *functions->records)) {
        return SL_NONE;
    }
    functions->records[functions->count] = record;
    return functions->count++;
}

static bool same(const struct sl_function_record *a, const struct sl_function_record *b)
{
    return a->name == b->name && a->file == b->file && a->first_line == b->first_line && a->kind == b->kind;
}

sl_function sl_functions_intern(struct sl_functions *functions, struct sl_function_record record)
{
    uint64_t key = sl_hash_mix(functions->seed ^ record.name ^ ((uint64_t)record.file << 32));
    uint32_t hash = (uint32_t)sl_hash_mix(key ^ record.first_line ^ ((uint64_t)record.kind << 32));
    struct sl_hash_probe probe = sl_hash_probe(&functions->index, hash);
    for (uint32_t number; (number = sl_hash_next(&functions->index, &probe)) != SL_HASH_NONE;) {
        if (same(&functions->records[number], &record)) {
            return number;
        }
    }
    sl_function added = sl_functions_append(functions, record);
    if (added != SL_NONE && !sl_hash_index_add(&functions->index, hash, added)) {
        functions->count--;
        return SL_NONE;
    }
    return added;
}
