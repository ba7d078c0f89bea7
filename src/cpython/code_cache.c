#include "cpython/code_cache.h"

#include "base/array.h"
#include "cpython/code_object.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CODES_PER_BLOCK 256u

void sl_code_cache_init(struct sl_code_cache *cache)
{
    *cache = (struct sl_code_cache){.limit = SL_KNOWN_CODES_MAX, .line_spans_limit = SL_LINE_SPANS_MAX};
}

static void destroy_item(struct sl_code_cache *cache, struct sl_known_code *item)
{
    cache->line_spans -= item->lines.count;
    sl_line_table_destroy(&item->lines);
    sl_calls_destroy(&item->calls);
}

static void forget_items(struct sl_code_cache *cache)
{
    for (uint32_t i = 0; i < cache->count; i++) {
        destroy_item(cache, &cache->items[i]);
    }
    cache->count = 0;
    if (cache->slot_count > 0) {
        memset(cache->slots, 0, cache->slot_count * sizeof *cache->slots);
    }
}

void sl_code_cache_bound(struct sl_code_cache *cache)
{
    if (cache->count >= cache->limit) {
        forget_items(cache);
        cache->changes++;
    }
}

void sl_code_cache_destroy(struct sl_code_cache *cache)
{
    forget_items(cache);
    for (uint32_t i = 0; i < cache->code_count; i++) {
        free((char *)cache->codes[i / CODES_PER_BLOCK][i % CODES_PER_BLOCK].name);
    }
    for (uint32_t block = 0; block < (cache->code_count + CODES_PER_BLOCK - 1) / CODES_PER_BLOCK; block++) {
        free(cache->codes[block]);
    }
    free(cache->items);
    free(cache->slots);
    free(cache->codes);
    free(cache->code_slots);
    free(cache->homes);
    sl_code_cache_init(cache);
}

static uint32_t hash_address(uint64_t address)
{
    return (uint32_t)((address >> 4) * 0x9e3779b97f4a7c15u >> 32);
}

/* The slot that holds the address, or the free one where it belongs. */
static uint32_t *slot_of(const struct sl_code_cache *cache, uint64_t address)
{
    uint32_t slot = hash_address(address) & (cache->slot_count - 1);
    while (cache->slots[slot] != 0 && cache->items[cache->slots[slot] - 1].address != address) {
        slot = (slot + 1) & (cache->slot_count - 1);
    }
    return &cache->slots[slot];
}

struct sl_known_code *sl_code_cache_find(const struct sl_code_cache *cache, uint64_t address)
{
    if (cache->slot_count == 0) {
        return NULL;
    }
    uint32_t index = *slot_of(cache, address);
    return index == 0 ? NULL : &cache->items[index - 1];
}

/* An entry for an address that has none. Moves the other entries. */
static struct sl_known_code *add_item(struct sl_code_cache *cache, uint64_t address)
{
    if (cache->count == cache->capacity) {
        uint32_t capacity = cache->capacity == 0 ? 256 : cache->capacity * 2;
        struct sl_known_code *items = realloc(cache->items, capacity * sizeof *items);
        if (items == NULL) {
            return NULL;
        }
        cache->items = items;
        cache->capacity = capacity;
    }
    if (cache->count * 2 >= cache->slot_count) {
        uint32_t slot_count = cache->slot_count == 0 ? 1024 : cache->slot_count * 2;
        uint32_t *slots = calloc(slot_count, sizeof *slots);
        if (slots == NULL) {
            return NULL;
        }
        free(cache->slots);
        cache->slots = slots;
        cache->slot_count = slot_count;
        assert(cache->items != NULL);
        for (uint32_t i = 0; i < cache->count; i++) {
            /* The first `count` items have been filled in, which the analyzer cannot know. */
            *slot_of(cache, cache->items[i].address) = i + 1; // NOLINT(clang-analyzer-core.CallAndMessage)
        }
    }
    assert(cache->slots != NULL && cache->items != NULL);
    *slot_of(cache, address) = cache->count + 1;
    struct sl_known_code *item = &cache->items[cache->count++];
    *item = (struct sl_known_code){.address = address};
    return item;
}

const struct sl_code *sl_code_cache_code(const struct sl_code_cache *cache, uint32_t number)
{
    return number < cache->code_count ? &cache->codes[number / CODES_PER_BLOCK][number % CODES_PER_BLOCK] : NULL;
}

/* FNV-1a over what a person knows a code object by. */
static uint32_t hash_code(const struct sl_code *code)
{
    uint32_t hash = 2166136261u ^ code->first_line;
    for (size_t i = 0; i < code->name_size; i++) {
        hash = (hash ^ (uint8_t)code->name[i]) * 16777619u;
    }
    for (size_t i = 0; i < code->file_size; i++) {
        hash = (hash ^ (uint8_t)code->file[i]) * 16777619u;
    }
    return hash;
}

static bool same_code(const struct sl_code *a, const struct sl_code *b)
{
    return a->first_line == b->first_line && a->name_size == b->name_size && a->file_size == b->file_size &&
           memcmp(a->name, b->name, a->name_size) == 0 && memcmp(a->file, b->file, a->file_size) == 0;
}

static uint32_t *code_slot_of(const struct sl_code_cache *cache, const struct sl_code *code)
{
    uint32_t slot = hash_code(code) & (cache->code_slot_count - 1);
    while (cache->code_slots[slot] != 0 && !same_code(sl_code_cache_code(cache, cache->code_slots[slot] - 1), code)) {
        slot = (slot + 1) & (cache->code_slot_count - 1);
    }
    return &cache->code_slots[slot];
}

static bool grow_code_slots(struct sl_code_cache *cache)
{
    uint32_t slot_count = cache->code_slot_count == 0 ? 1024 : cache->code_slot_count * 2;
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    free(cache->code_slots);
    cache->code_slots = slots;
    cache->code_slot_count = slot_count;
    for (uint32_t number = 0; number < cache->code_count; number++) {
        *code_slot_of(cache, sl_code_cache_code(cache, number)) = number + 1;
    }
    return true;
}

/* A place for the next code in the blocks. */
static struct sl_code *next_code(struct sl_code_cache *cache)
{
    uint32_t block = cache->code_count / CODES_PER_BLOCK;
    if (cache->code_count % CODES_PER_BLOCK == 0) {
        if (block == cache->block_capacity) {
            uint32_t capacity = cache->block_capacity == 0 ? 16 : cache->block_capacity * 2;
            struct sl_code **codes = realloc(cache->codes, capacity * sizeof(struct sl_code *));
            if (codes == NULL) {
                return NULL;
            }
            cache->codes = codes;
            cache->block_capacity = capacity;
        }
        cache->codes[block] = malloc(CODES_PER_BLOCK * sizeof(struct sl_code));
        if (cache->codes[block] == NULL) {
            return NULL;
        }
    }
    return &cache->codes[block][cache->code_count % CODES_PER_BLOCK];
}

/* The number of a code, met at `address`, by its content, of which a copy is kept when it is new; SL_CODE_NUMBER_NONE when
 * memory is exhausted. */
#define SL_CODE_NUMBER_NONE UINT32_MAX

static uint32_t number_of(struct sl_code_cache *cache, const struct sl_code *code, uint64_t address)
{
    if (cache->code_count * 2 >= cache->code_slot_count && !grow_code_slots(cache)) {
        return SL_CODE_NUMBER_NONE;
    }
    uint32_t *slot = code_slot_of(cache, code);
    if (*slot != 0) {
        return *slot - 1;
    }
    struct sl_code *place = next_code(cache);
    bool home = sl_array_room(&cache->homes, &cache->home_capacity, cache->code_count, sizeof *cache->homes);
    char *text = malloc(code->name_size + code->file_size + 2);
    if (place == NULL || !home || text == NULL) {
        free(text);
        return SL_CODE_NUMBER_NONE;
    }
    *place = *code;
    place->name = text;
    memcpy(text, code->name, code->name_size);
    text[code->name_size] = '\0';
    place->file = text + code->name_size + 1;
    memcpy(text + code->name_size + 1, code->file, code->file_size);
    text[code->name_size + 1 + code->file_size] = '\0';
    cache->homes[cache->code_count] = address;
    *slot = ++cache->code_count;
    return cache->code_count - 1;
}

/* `<string>`, `<stdin>`, `<template>`: but `<frozen importlib._bootstrap>` stays. */
static bool is_no_file(const struct sl_buffer *file)
{
    static const char frozen[] = "<frozen ";
    assert(file->bytes != NULL || file->size == 0);
    return file->size > 0 && file->bytes[0] == '<' &&
           (file->size < sizeof frozen - 1 || memcmp(file->bytes, frozen, sizeof frozen - 1) != 0);
}

/* What one that lies where other code lay adds to the churn, while any other one takes 1 away; from how much on it counts,
 * and the most that it becomes. */
#define CHURN_STEP 12u
#define CHURN_COUNTS 16u
#define CHURN_MAX 256u

static void note_churn(struct sl_code_cache *cache, bool replaces)
{
    if (replaces) {
        cache->churn = cache->churn + CHURN_STEP < CHURN_MAX ? cache->churn + CHURN_STEP : CHURN_MAX;
    } else if (cache->churn > 0) {
        cache->churn--;
    }
}

bool sl_code_cache_churns(const struct sl_code_cache *cache)
{
    return cache->churn > CHURN_COUNTS;
}

bool sl_code_cache_made_once(const struct sl_code_cache *cache, const struct sl_known_code *known)
{
    return cache->homes[known->number] == known->address;
}

static bool keep(struct sl_code_cache *cache, struct sl_read_code *read)
{
    struct sl_code code = {
        .name = read->name.bytes != NULL ? read->name.bytes : "",
        .name_size = read->name.size,
        .file = read->file.bytes != NULL ? read->file.bytes : "",
        .file_size = read->file.size,
        .first_line = read->identity.first_line,
    };
    uint32_t number = number_of(cache, &code, read->address);
    struct sl_known_code *item = sl_code_cache_find(cache, read->address);
    if (number == SL_CODE_NUMBER_NONE) {
        return false;
    }
    note_churn(cache, item != NULL && item->number != number);
    /* The same one may be read again, because another one that was read with it did not hold still. */
    bool anew = item != NULL && !sl_code_identity_equal(&item->identity, &read->identity);
    if (anew) {
        cache->homes[item->number] = 0;
    }
    if (anew || cache->homes[number] != read->address) {
        cache->homes[number] = 0;
    }
    if (item == NULL) {
        item = add_item(cache, read->address);
        if (item == NULL) {
            return false;
        }
    } else {
        destroy_item(cache, item);
        cache->changes++;
    }
    *item = (struct sl_known_code){
        .address = read->address,
        .identity = read->identity,
        .number = number,
        .serial = ++cache->serial,
        .first_traceable = read->first_traceable,
        .frame_bytes = read->frame_bytes,
        .coroutine = read->coroutine,
        .lines = read->lines,
        .calls = read->calls,
        .short_lived = is_no_file(&read->file),
    };
    cache->line_spans += read->lines.count;
    read->lines = (struct sl_line_table){0};
    read->calls = (struct sl_calls){0};
    return true;
}

/* How many spans of line tables there is room for, if the entries for these addresses are replaced. */
static uint32_t spans_left(const struct sl_code_cache *cache, const uint64_t *addresses, size_t count)
{
    uint32_t left = cache->line_spans < cache->line_spans_limit ? cache->line_spans_limit - cache->line_spans : 0;
    for (size_t i = 0; i < count; i++) {
        const struct sl_known_code *known = sl_code_cache_find(cache, addresses[i]);
        left += known != NULL ? known->lines.count : 0;
    }
    return left;
}

enum sl_look sl_code_cache_learn(struct sl_code_cache *cache, struct sl_process *process,
                                 const struct sl_layout *layout, const uint64_t *addresses,
                                 const uint8_t *const *headers, size_t count)
{
    for (size_t from = 0; from < count; from += SL_CODES_AT_ONCE) {
        struct sl_read_code codes[SL_CODES_AT_ONCE];
        size_t batch = count - from < SL_CODES_AT_ONCE ? count - from : SL_CODES_AT_ONCE;
        enum sl_look look = sl_code_objects_read(codes, process, layout, &cache->code_type, addresses + from,
                                                 headers != NULL ? headers + from : NULL, batch,
                                                 spans_left(cache, addresses + from, batch));
        for (size_t i = 0; i < batch && look == SL_LOOK_OK; i++) {
            if (!keep(cache, &codes[i])) {
                look = SL_LOOK_MEMORY;
            }
        }
        sl_code_objects_destroy(codes, batch);
        if (look != SL_LOOK_OK) {
            return look;
        }
    }
    return SL_LOOK_OK;
}
