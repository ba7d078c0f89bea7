/* strings.h - every distinct string of a recording, once.
 *
 * Number 0 is the empty string; numbers are given in order of first sight and never change. The strings lie one behind
 * the other in one piece of memory, each followed by a NUL, as in struct sl_profile. Not thread-safe. */
#ifndef SL_PROFILE_STRINGS_H
#define SL_PROFILE_STRINGS_H

#include "base/buffer.h"
#include "base/hash_index.h"
#include "profile/profile.h"

struct sl_strings {
    struct sl_buffer text;
    struct sl_buffer scratch; /* a string being cleaned */
    uint32_t *offsets;        /* count + 1 of them */
    uint32_t count;
    uint32_t capacity; /* of offsets */
    struct sl_hash_index index;
    uint64_t seed;
};

/* Holds the empty string. False when memory is exhausted. */
bool sl_strings_init(struct sl_strings *strings);
void sl_strings_destroy(struct sl_strings *strings);

/* The number of a string, which is made clean (utf8.h) first. SL_NONE when memory is exhausted, or the strings together
 * would take 4 GiB. */
sl_string sl_strings_intern(struct sl_strings *strings, const char *bytes, size_t size);

/* Adds a string under the next number without looking whether it is there: for a table that is read back. */
sl_string sl_strings_append(struct sl_strings *strings, const char *bytes, size_t size);

static inline const char *sl_strings_text(const struct sl_strings *strings, sl_string string)
{
    return strings->text.bytes + strings->offsets[string];
}

static inline uint32_t sl_strings_size(const struct sl_strings *strings, sl_string string)
{
    return strings->offsets[string + 1] - strings->offsets[string] - 1;
}

#endif
