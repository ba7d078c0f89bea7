#include "profile/utf8.h"

#include <stdint.h>
#include <string.h>

static const char cut_mark[] = "...";

/* RFC 3629, section 4. */
size_t sl_utf8_long_size(const unsigned char *at, size_t left)
{
    unsigned char first = at[0];
    size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || left < size) {
        return 0;
    }
    /* The second byte's range rules out overlong forms, surrogates and what lies above U+10FFFF. */
    unsigned char lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < lowest || at[1] > highest) {
        return 0;
    }
    for (size_t i = 2; i < size; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return size;
}

bool sl_utf8_is_clean(const char *bytes, size_t size)
{
    if (size > SL_STRING_BYTES_MAX) {
        return false;
    }
    const unsigned char *at = (const unsigned char *)bytes;
    size_t i = 0;
    while (i < size) {
        uint64_t word;
        if (size - i >= sizeof word) {
            memcpy(&word, at + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        size_t step = sl_utf8_size(at + i, size - i);
        if (step == 0) {
            return false;
        }
        i += step;
    }
    return true;
}

void sl_utf8_clean(struct sl_buffer *clean, const char *bytes, size_t size)
{
    if (sl_utf8_is_clean(bytes, size)) {
        sl_buffer_append(clean, bytes, size);
        return;
    }
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = (const unsigned char *)bytes;
    size_t start = clean->size;
    size_t room = SL_STRING_BYTES_MAX - strlen(cut_mark);
    size_t i = 0;
    while (i < size && !clean->failed) {
        size_t step = sl_utf8_size(at + i, size - i);
        char escape[6] = {'\\', 'u', 'd', 'c', digits[at[i] >> 4], digits[at[i] & 15]};
        size_t added = step > 0 ? step : sizeof escape;
        if (clean->size - start + added > room) {
            sl_buffer_text(clean, cut_mark);
            return;
        }
        sl_buffer_append(clean, step > 0 ? bytes + i : escape, added);
        i += step > 0 ? step : 1;
    }
}
