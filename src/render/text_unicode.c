#include "render/text_unicode.h"

#include "profile/utf8.h"

#include <string.h>

struct range {
    uint32_t first, last;
};

#include "render/text_unicode_ranges.h"

/* Marks drawn over one character; more are nobody's name, but a way to draw over other lines. */
enum { marks_max = 4 };

#define IN(ranges, code) in_ranges((ranges), sizeof(ranges) / sizeof *(ranges), (code))

static bool in_ranges(const struct range *ranges, size_t count, uint32_t code)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code > ranges[middle].last) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && code >= ranges[low].first;
}

/* One character of `bytes`, which has at least one byte: its size, or 0 when it is no valid UTF-8. */
static size_t decode(const char *bytes, size_t size, uint32_t *code)
{
    const unsigned char *at = (const unsigned char *)bytes;
    size_t length = sl_utf8_size(at, size);
    if (length == 1) {
        *code = at[0];
    } else if (length > 1) {
        uint32_t value = at[0] & (0x7FU >> length);
        for (size_t i = 1; i < length; i++) {
            value = value << 6 | (at[i] & 0x3FU);
        }
        *code = value;
    }
    return length;
}

static bool is_variation_selector(uint32_t code)
{
    return code >= 0xFE00 && code <= 0xFE0F;
}

static void append_escape(struct sl_buffer *into, uint32_t code)
{
    if (code == '\n' || code == '\r') {
        sl_buffer_text(into, code == '\n' ? "\\n" : "\\r");
    } else if (code < 0x100) {
        sl_buffer_format(into, "\\x%02x", code);
    } else {
        sl_buffer_format(into, code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
    }
}

void sl_text_clean(struct sl_buffer *into, const char *bytes, size_t size, bool unicode)
{
    int marks = 0;
    for (size_t i = 0; i < size;) {
        uint32_t code = 0;
        size_t length = decode(bytes + i, size - i, &code);
        if (length == 0) {
            sl_buffer_format(into, "\\x%02x", (unsigned char)bytes[i]);
            i++;
            continue;
        }
        bool mark = code >= 0x300 && IN(combining_ranges, code);
        marks = mark ? marks + 1 : 0;
        if (code == '\t') {
            sl_buffer_byte(into, ' ');
        } else if (code >= 0x20 && code < 0x7F) {
            sl_buffer_byte(into, (char)code);
        } else if (is_variation_selector(code)) {
            /* Terminals disagree about its width, and what it changes is only how its neighbour is drawn. */
            marks--;
        } else if (!unicode || code < 0x80 || marks > marks_max || (mark && i == 0) || IN(escaped_ranges, code)) {
            append_escape(into, code);
        } else {
            sl_buffer_append(into, bytes + i, length);
        }
        i += length;
    }
}

static uint32_t columns_of(uint32_t code)
{
    if (code < 0x300) {
        return 1;
    }
    if (IN(combining_ranges, code)) {
        return 0;
    }
    return IN(wide_ranges, code) ? 2 : 1;
}

uint32_t sl_text_columns(const char *clean, size_t size)
{
    uint32_t columns = 0;
    for (size_t i = 0; i < size;) {
        uint32_t code = 0;
        size_t length = decode(clean + i, size - i, &code);
        columns += columns_of(code);
        i += length > 0 ? length : 1;
    }
    return columns;
}

/* The bytes at the beginning of `clean` that fit into `columns`, the marks of the last character included. */
static size_t head_that_fits(const char *clean, size_t size, uint32_t columns)
{
    uint32_t used = 0;
    size_t i = 0;
    while (i < size) {
        uint32_t code = 0;
        size_t length = decode(clean + i, size - i, &code);
        used += columns_of(code);
        if (used > columns) {
            break;
        }
        i += length > 0 ? length : 1;
    }
    return i;
}

/* Where the end of `clean` begins that fits into `columns`; not with a mark, which would sit on the ellipsis. */
static size_t tail_that_fits(const char *clean, size_t size, uint32_t columns)
{
    uint32_t used = 0;
    size_t tail = size;
    size_t i = size;
    while (i > 0) {
        size_t start = i - 1;
        while (start > 0 && ((unsigned char)clean[start] & 0xC0) == 0x80) {
            start--;
        }
        uint32_t code = 0;
        decode(clean + start, i - start, &code);
        uint32_t width = columns_of(code);
        used += width;
        if (used > columns) {
            break;
        }
        i = start;
        if (width > 0) {
            tail = start;
        }
    }
    return tail;
}

static void clean_ends(struct sl_buffer *into, const char *bytes, size_t size, bool unicode)
{
    if (size <= SL_TEXT_LONG) {
        sl_text_clean(into, bytes, size, unicode);
        return;
    }
    /* Not in the middle of a character: a continuation byte would be shown as an invalid one. */
    size_t head = SL_TEXT_LONG / 2;
    while (head > SL_TEXT_LONG / 2 - 4 && ((unsigned char)bytes[head] & 0xC0) == 0x80) {
        head--;
    }
    size_t tail = size - SL_TEXT_LONG / 2;
    while (tail < size - SL_TEXT_LONG / 2 + 4 && ((unsigned char)bytes[tail] & 0xC0) == 0x80) {
        tail++;
    }
    sl_text_clean(into, bytes, head, unicode);
    sl_buffer_text(into, unicode ? "…" : "..");
    sl_text_clean(into, bytes + tail, size - tail, unicode);
}

uint32_t sl_text_fit(struct sl_buffer *into, const char *bytes, size_t size, uint32_t columns, enum sl_text_cut cut,
                     bool unicode)
{
    struct sl_buffer clean;
    sl_buffer_init(&clean);
    clean_ends(&clean, bytes, size, unicode);
    uint32_t wanted = sl_text_columns(clean.bytes, clean.size);
    if (wanted <= columns) {
        sl_buffer_append(into, clean.bytes, clean.size);
    } else {
        const char *ellipsis = unicode ? "…" : "..";
        uint32_t ellipsis_columns = unicode ? 1 : 2;
        uint32_t room = columns > ellipsis_columns ? columns - ellipsis_columns : 0;
        uint32_t for_head = cut == SL_TEXT_CUT_END ? room : cut == SL_TEXT_CUT_BEGIN ? 0 : (room + 1) / 2;
        size_t head = head_that_fits(clean.bytes, clean.size, for_head);
        size_t tail = tail_that_fits(clean.bytes, clean.size, room - for_head);
        size_t before = into->size;
        sl_buffer_append(into, clean.bytes, head);
        sl_buffer_append(into, ellipsis, columns >= ellipsis_columns ? strlen(ellipsis) : 0);
        sl_buffer_append(into, clean.bytes + tail, clean.size - tail);
        wanted = into->failed ? 0 : sl_text_columns(into->bytes + before, into->size - before);
    }
    into->failed = into->failed || clean.failed;
    sl_buffer_destroy(&clean);
    return wanted;
}
