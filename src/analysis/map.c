#include "analysis/map.h"

void sl_map_init(struct sl_map *map, struct sl_arena *arena)
{
    *map = (struct sl_map){.arena = arena};
}

static size_t place_of(const struct sl_map *map, uint64_t key)
{
    /* Two rounds of multiply and shift: numbers in sequence must not fill neighbouring places. */
    key ^= key >> 32;
    key *= 0x9e3779b97f4a7c15u;
    key ^= key >> 29;
    key *= 0xbf58476d1ce4e5b9u;
    key ^= key >> 32;
    return (size_t)key & (map->capacity - 1);
}

static struct sl_map_entry *entry_of(const struct sl_map *map, uint64_t key)
{
    size_t place = place_of(map, key);
    while (map->entries[place].value != 0 && map->entries[place].key != key) {
        place = (place + 1) & (map->capacity - 1);
    }
    return &map->entries[place];
}

static bool grow(struct sl_map *map, size_t capacity)
{
    struct sl_map larger = {.arena = map->arena, .capacity = capacity};
    larger.entries = SL_ARENA_NEW(map->arena, struct sl_map_entry, larger.capacity);
    if (larger.entries == NULL) {
        return false;
    }
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->entries[i].value != 0) {
            *entry_of(&larger, map->entries[i].key) = map->entries[i];
        }
    }
    larger.count = map->count;
    *map = larger;
    return true;
}

void sl_map_reserve(struct sl_map *map, size_t more)
{
    size_t capacity = map->capacity == 0 ? 64 : map->capacity;
    while (capacity / 2 < map->count + more && capacity < SIZE_MAX / 4) {
        capacity *= 2;
    }
    if (capacity > map->capacity) {
        grow(map, capacity);
    }
}

uint32_t sl_map_number(struct sl_map *map, uint32_t high, uint32_t low, uint32_t fresh)
{
    /* At most half full, so that a search is short. */
    if (map->count * 2 >= map->capacity && !grow(map, map->capacity == 0 ? 64 : map->capacity * 2)) {
        return UINT32_MAX;
    }
    uint64_t key = (uint64_t)high << 32 | low;
    struct sl_map_entry *entry = entry_of(map, key);
    if (entry->value == 0) {
        entry->key = key;
        entry->value = fresh + 1;
        map->count++;
    }
    return entry->value - 1;
}

uint32_t sl_map_find(const struct sl_map *map, uint32_t high, uint32_t low)
{
    return map->count == 0 ? UINT32_MAX : entry_of(map, (uint64_t)high << 32 | low)->value - 1;
}
