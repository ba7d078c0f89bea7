/* remembered.h - the numbers of a table's entries, where the table may forget most of them.
 *
 * Entries lie in an array, in order of their numbers. At first an entry's place is its number. When a table has grown large,
 * what was met again since the last time is kept, with its number, in the first places; what was not is forgotten. Programs
 * come back to some stacks all the time and to most of them never. */
#ifndef SL_PROFILE_REMEMBERED_H
#define SL_PROFILE_REMEMBERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_remembered {
    uint32_t count; /* of all numbers that were given */
    uint32_t first; /* from this one on they are in the places behind those that were kept */
    uint32_t *kept; /* numbers of those, ascending; owned */
    uint32_t kept_count;
    uint64_t *met; /* a bit for each place; owned */
    uint32_t met_words;
};

void sl_remembered_destroy(struct sl_remembered *remembered);

/* How many entries there are. */
static inline uint32_t sl_remembered_held(const struct sl_remembered *remembered)
{
    return remembered->kept_count + (remembered->count - remembered->first);
}

/* The number of the entry at a place. */
static inline uint32_t sl_remembered_number(const struct sl_remembered *remembered, uint32_t place)
{
    return place < remembered->kept_count ? remembered->kept[place]
                                          : remembered->first + (place - remembered->kept_count);
}

/* The place of the entry with a number that was given; SL_NONE when it was forgotten. O(1) for those that came since others
 * were forgotten, else O(log). */
uint32_t sl_remembered_place(const struct sl_remembered *remembered, uint32_t number);

/* The entry at this place was met again: it is kept the next time. Where memory is exhausted it is not. */
void sl_remembered_meet(struct sl_remembered *remembered, uint32_t place);
bool sl_remembered_was_met(const struct sl_remembered *remembered, uint32_t place);

/* Keeps the entries that were met, and none if they are more than three quarters: there is to be room for others. `records`
 * has `size` bytes for each place; those of what is kept are moved to the first ones. Returns how many. */
uint32_t sl_remembered_forget(struct sl_remembered *remembered, void *records, size_t size);

#endif
