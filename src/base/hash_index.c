#include "base/hash_index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static const uint32_t first_slot_count = 64;

void sl_hash_index_init(struct sl_hash_index *index)
{
    *index = (struct sl_hash_index){0};
}

void sl_hash_index_destroy(struct sl_hash_index *index)
{
    free(index->slots);
    sl_hash_index_init(index);
}

static void place(struct sl_hash_slot *slots, uint32_t mask, struct sl_hash_slot entry)
{
    uint32_t slot = entry.hash & mask;
    while (slots[slot].number != SL_HASH_NONE) {
        slot = (slot + 1) & mask;
    }
    slots[slot] = entry;
}

static bool grow(struct sl_hash_index *index)
{
    uint64_t count = index->slots == NULL ? first_slot_count : ((uint64_t)index->mask + 1) * 2;
    if (count > (uint64_t)1 << 31) {
        return false;
    }
    struct sl_hash_slot *slots = malloc(count * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    memset(slots, 0xFF, count * sizeof *slots); /* every number SL_HASH_NONE */
    uint32_t mask = (uint32_t)count - 1;
    if (index->slots != NULL) {
        for (uint32_t slot = 0; slot <= index->mask; slot++) {
            if (index->slots[slot].number != SL_HASH_NONE) {
                place(slots, mask, index->slots[slot]);
            }
        }
    }
    free(index->slots);
    index->slots = slots;
    index->mask = mask;
    return true;
}

bool sl_hash_index_add(struct sl_hash_index *index, uint32_t hash, uint32_t number)
{
    if (index->slots == NULL || index->count >= SL_HASH_ROOM(index->mask + 1)) {
        if (!grow(index)) {
            return false;
        }
    }
    place(index->slots, index->mask, (struct sl_hash_slot){.hash = hash, .number = number});
    index->count++;
    return true;
}

void sl_hash_index_clear(struct sl_hash_index *index)
{
    if (index->slots != NULL) {
        memset(index->slots, 0xFF, ((size_t)index->mask + 1) * sizeof *index->slots);
    }
    index->count = 0;
}

uint32_t sl_hash_bytes(uint64_t seed, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t hash = seed ^ (size * UINT64_C(0x9E3779B97F4A7C15));
    while (size >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        hash = sl_hash_mix(hash ^ word);
        at += sizeof word;
        size -= sizeof word;
    }
    uint64_t rest = 0;
    if (size > 0) {
        memcpy(&rest, at, size);
    }
    return (uint32_t)sl_hash_mix(hash ^ rest);
}

uint64_t sl_hash_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed) {
        return seed;
    }
    /* Early in the boot of a machine: the address space layout and the clock are all there is. */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return sl_hash_mix((uint64_t)(uintptr_t)&seed ^ ((uint64_t)now.tv_nsec << 32));
}
