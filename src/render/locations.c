#include "render/locations.h"

#include "base/hash_index.h"

static uint32_t number_of(struct sl_hash_index *index, struct sl_location *items, uint32_t *count,
                          struct sl_location wanted)
{
    uint32_t hash = (uint32_t)sl_hash_mix((uint64_t)wanted.function << 32 | wanted.line);
    struct sl_hash_probe probe = sl_hash_probe(index, hash);
    for (uint32_t number; (number = sl_hash_next(index, &probe)) != SL_HASH_NONE;) {
        if (items[number].function == wanted.function && items[number].line == wanted.line) {
            return number;
        }
    }
    if (!sl_hash_index_add(index, hash, *count)) {
        return SL_NONE;
    }
    items[*count] = wanted;
    return (*count)++;
}

const struct sl_locations *sl_locations_build(struct sl_arena *arena, const struct sl_profile *profile)
{
    struct sl_locations *locations = SL_ARENA_NEW(arena, struct sl_locations, 1);
    struct sl_location *items = SL_ARENA_NEW(arena, struct sl_location, (size_t)profile->stack_count + 1);
    uint32_t *of_stack = SL_ARENA_NEW(arena, uint32_t, profile->stack_count);
    if (arena->exhausted) {
        return NULL;
    }

    struct sl_hash_index index;
    sl_hash_index_init(&index);
    uint32_t count = 1; /* the empty stack's, zeroed */
    for (sl_stack stack = 1; stack < profile->stack_count; stack++) {
        const struct sl_stack_record *record = &profile->stacks[stack];
        struct sl_location wanted = {.function = record->function, .line = record->line};
        of_stack[stack] = number_of(&index, items, &count, wanted);
        if (of_stack[stack] == SL_NONE) {
            sl_hash_index_destroy(&index);
            return NULL;
        }
    }
    sl_hash_index_destroy(&index);
    *locations = (struct sl_locations){.items = items, .count = count, .of_stack = of_stack};
    return locations;
}

uint32_t sl_locations_of_stack(const struct sl_locations *locations, const struct sl_profile *profile, sl_stack stack,
                               uint32_t *numbers, uint32_t depth_limit)
{
    uint32_t depth = 0;
    for (; stack != 0 && depth < depth_limit; stack = profile->stacks[stack].caller) {
        numbers[depth++] = locations->of_stack[stack];
    }
    return depth;
}

const uint8_t *sl_location_strings(struct sl_arena *arena, const struct sl_profile *profile)
{
    uint8_t *strings = SL_ARENA_NEW(arena, uint8_t, profile->string_count);
    for (sl_function function = 0; strings != NULL && function < profile->function_count; function++) {
        strings[profile->functions[function].name] = 1;
        strings[profile->functions[function].file] = 1;
    }
    return strings;
}

uint32_t sl_stack_depth_max(struct sl_arena *arena, const struct sl_profile *profile)
{
    uint32_t *depths = SL_ARENA_NEW(arena, uint32_t, profile->stack_count);
    if (depths == NULL) {
        return SL_NONE;
    }
    uint32_t deepest = 0;
    for (sl_stack stack = 1; stack < profile->stack_count; stack++) {
        depths[stack] = depths[profile->stacks[stack].caller] + 1;
        deepest = depths[stack] > deepest ? depths[stack] : deepest;
    }
    return deepest;
}
