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

/* The longest string that a recording keeps. Longer ones (a path list gone wild, a generated name) are cut between two
 * characters and end in "...". */
#define SL_STRING_BYTES_MAX ((size_t)1024 * 1024)

/* Whether `bytes` is a string that needs no change: valid, and not too long. */
bool sl_utf8_is_clean(const char *bytes, size_t size);

/* Appends `bytes` to `clean`, escaped and cut. */
void sl_utf8_clean(struct sl_buffer *clean, const char *bytes, size_t size);

#endif
