/* hash_index.h - finds the number of something that a table holds, by its content, in constant time.
 *
 * The table (strings, stacks, threads, ...) keeps the content and gives each entry a number; the index keeps pairs of
 * hash and number, by open addressing, and never looks at the content itself. Entries are never removed but all at once.
 * A search is:
 *
 *     struct sl_hash_probe probe = sl_hash_probe(&index, hash);
 *     for (uint32_t number; (number = sl_hash_next(&index, &probe)) != SL_HASH_NONE;) {
 *         if (entry `number` of the table is the wanted one) {
 *             return number;
 *         }
 *     }
 *     return sl_hash_index_add(&index, hash, new_number) ? new_number : SL_HASH_NONE;
 */
#ifndef SL_BASE_HASH_INDEX_H
#define SL_BASE_HASH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_HASH_NONE UINT32_MAX

/* How many numbers an index holds before it doubles its slots, of which there are so many, a power of two. */
#define SL_HASH_ROOM(slots) ((slots) / 4 * 3)

struct sl_hash_slot {
    uint32_t hash;
    uint32_t number; /* SL_HASH_NONE: free */
};

struct sl_hash_index {
    struct sl_hash_slot *slots; /* NULL until the first one is added; owned */
    uint32_t mask;              /* number of slots, a power of two, minus one */
    uint32_t count;
};

void sl_hash_index_init(struct sl_hash_index *index);
void sl_hash_index_destroy(struct sl_hash_index *index);

/* Takes all numbers out, and keeps the slots. */
void sl_hash_index_clear(struct sl_hash_index *index);

/* Adds a number that the index does not hold yet. False when memory is exhausted; the index is then as before. */
bool sl_hash_index_add(struct sl_hash_index *index, uint32_t hash, uint32_t number);

/* A hash of bytes. `seed` differs from process to process where the content comes from outside, so that nobody can
 * prepare content that collides. */
uint32_t sl_hash_bytes(uint64_t seed, const void *bytes, size_t size);

/* A seed that cannot be guessed. */
uint64_t sl_hash_seed(void);

/* Spreads the bits of a key that fits in one number. */
static inline uint64_t sl_hash_mix(uint64_t key)
{
    key = (key ^ (key >> 32)) * UINT64_C(0x9E3779B97F4A7C15);
    key = (key ^ (key >> 29)) * UINT64_C(0xD6E8FEB86659FD93);
    return key ^ (key >> 32);
}

struct sl_hash_probe {
    uint32_t hash;
    uint32_t slot;
};

static inline struct sl_hash_probe sl_hash_probe(const struct sl_hash_index *index, uint32_t hash)
{
    return (struct sl_hash_probe){.hash = hash, .slot = hash & index->mask};
}

/* The next number whose hash is the wanted one, SL_HASH_NONE when there is no further one. */
static inline uint32_t sl_hash_next(const struct sl_hash_index *index, struct sl_hash_probe *probe)
{
    if (index->slots == NULL) {
        return SL_HASH_NONE;
    }
    for (;;) {
        /* Ends: a quarter of the slots is always free. */
        struct sl_hash_slot slot = index->slots[probe->slot];
        probe->slot = (probe->slot + 1) & index->mask;
        if (slot.number == SL_HASH_NONE || slot.hash == probe->hash) {
            return slot.number;
        }
    }
}

#endif
