/* text_unicode.h - names that came from the profiled program, made fit for a terminal.
 *
 * A program chooses its function names, file names and source lines; printed as they are they could move the cursor,
 * retitle the window, or reverse the order of what is read. Whatever is not plainly visible is therefore written as an
 * escape the way Python would write it (`\n`, `\x1b`, `\u202e`), and so is a fifth mark on top of one character.
 * Widths are those of UAX #11, from tables of our own: wcwidth(3) depends on the locale of the process we run in. */
#ifndef SL_RENDER_TEXT_UNICODE_H
#define SL_RENDER_TEXT_UNICODE_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends `bytes` made harmless, as UTF-8, or as ASCII when `unicode` is false. A tab becomes a space. */
void sl_text_clean(struct sl_buffer *into, const char *bytes, size_t size, bool unicode);

/* How many columns cleaned text takes. */
uint32_t sl_text_columns(const char *clean, size_t size);

enum sl_text_cut {
    SL_TEXT_CUT_END,
    SL_TEXT_CUT_MIDDLE, /* names: `VeryLong…method` */
    SL_TEXT_CUT_BEGIN,  /* paths: `…/deep/file.py:12` */
};

/* Appends `bytes` made harmless and cut to at most `columns`, with an ellipsis where something is missing. Returns the
 * columns it took. O(columns): of a text that is longer than SL_TEXT_LONG bytes only the two ends are looked at. */
uint32_t sl_text_fit(struct sl_buffer *into, const char *bytes, size_t size, uint32_t columns, enum sl_text_cut cut,
                     bool unicode);
#define SL_TEXT_LONG ((size_t)2048)

#endif
