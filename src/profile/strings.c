#include "profile/strings.h"
#include "base/array.h"
#include "profile/utf8.h"

#include <stdlib.h>
#include <string.h>

bool sl_strings_init(struct sl_strings *strings)
{
    *strings = (struct sl_strings){.seed = sl_hash_seed()};
    if (sl_strings_intern(strings, "", 0) == SL_NONE) {
        sl_strings_destroy(strings);
        return false;
    }
    return true;
}

void sl_strings_destroy(struct sl_strings *strings)
{
    sl_buffer_destroy(&strings->text);
    sl_buffer_destroy(&strings->scratch);
    sl_hash_index_destroy(&strings->index);
    free(strings->offsets);
    *strings = (struct sl_strings){0};
}

static sl_string append_clean(struct sl_strings *strings, const char *bytes, size_t size)
{
    size_t end = strings->text.size + size + 1;
    /* One offset more than strings: where the last one ends. */
    if (end > UINT32_MAX ||
        !sl_array_room(&strings->offsets, &strings->capacity, strings->count + 1, sizeof *strings->offsets)) {
        return SL_NONE;
    }
    strings->offsets[strings->count] = (uint32_t)strings->text.size;
    size_t before = strings->text.size;
    sl_buffer_append(&strings->text, bytes, size);
    sl_buffer_byte(&strings->text, '\0');
    if (strings->text.failed) {
        strings->text.size = before;
        strings->text.failed = false;
        return SL_NONE;
    }
    strings->offsets[strings->count + 1] = (uint32_t)end;
    return strings->count++;
}

/* Points `*bytes` to clean text. False when memory is exhausted. */
static bool make_clean(struct sl_strings *strings, const char **bytes, size_t *size)
{
    if (sl_utf8_is_clean(*bytes, *size)) {
        return true;
    }
    sl_buffer_clear(&strings->scratch);
    sl_utf8_clean(&strings->scratch, *bytes, *size);
    *bytes = strings->scratch.bytes;
    *size = strings->scratch.size;
    return !strings->scratch.failed;
}

sl_string sl_strings_append(struct sl_strings *strings, const char *bytes, size_t size)
{
    return make_clean(strings, &bytes, &size) ? append_clean(strings, bytes, size) : SL_NONE;
}

sl_string sl_strings_intern(struct sl_strings *strings, const char *bytes, size_t size)
{
    if (!make_clean(strings, &bytes, &size)) {
        return SL_NONE;
    }
    uint32_t hash = sl_hash_bytes(strings->seed, bytes, size);
    struct sl_hash_probe probe = sl_hash_probe(&strings->index, hash);
    for (uint32_t number; (number = sl_hash_next(&strings->index, &probe)) != SL_HASH_NONE;) {
        if (sl_strings_size(strings, number) == size && memcmp(sl_strings_text(strings, number), bytes, size) == 0) {
            return number;
        }
    }
    sl_string added = append_clean(strings, bytes, size);
    if (added != SL_NONE && !sl_hash_index_add(&strings->index, hash, added)) {
        strings->count--;
        strings->text.size = strings->offsets[strings->count];
        return SL_NONE;
    }
    return added;
}
