/* utf8.h - makes any bytes valid UTF-8, so that no output has to think about it again.
 *
 * Names and paths come from the memory and the file system of other people's programs. Each byte that is no part of
 * valid UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) becomes the six characters `\udcXX`,
 * as Python itself writes a name of such bytes (surrogateescape). Everything else, NUL included, stays. */
#ifndef SL_PROFILE_UTF8_H
#define SL_PROFILE_UTF8_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* The size of the character of two bytes or more at `at`, where `left` bytes (at least one) are; 0 if there is no valid
 * one. */
size_t sl_utf8_long_size(const unsigned char *at, size_t left);

/* The size of the valid character at `at`, 0 if there is none. */
static inline size_t sl_utf8_size(const unsigned char *at, size_t left)
{
    return at[0] < 0x80 ? 1 : sl_utf8_long_size(at, left);
}

/* The size of the control character at `at`; 0 if there is none. Those of two bytes (U+0080 to U+009F) move terminals
 * and end lines as the others do. */
static inline size_t sl_utf8_control_size(const unsigned char *at, size_t left)
{
    if (at[0] < 0x20 || at[0] == 0x7f) {
        return 1;
    }
    return at[0] == 0xc2 && left > 1 && at[1] >= 0x80 && at[1] < 0xa0 ? 2 : 0;
}

/* The longest string that a recording keeps. Longer ones (a path list gone wild, a generated name) are cut between two
 * characters and end in "...". */
#define SL_STRING_BYTES_MAX ((size_t)1024 * 1024)

/* Whether `bytes` is a string that needs no change: valid, and not too long. */
bool sl_utf8_is_clean(const char *bytes, size_t size);

/* Appends `bytes` to `clean`, escaped and cut. */
void sl_utf8_clean(struct sl_buffer *clean, const char *bytes, size_t size);

#endif
