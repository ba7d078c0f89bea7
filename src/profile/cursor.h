/* cursor.h - reads numbers out of bytes that nobody has checked.
 *
 * A cursor that runs out of bytes, or meets a number that is none, fails: it stays failed, gives 0 from then on, and a
 * sequence of reads is checked once, at its end. */
#ifndef SL_PROFILE_CURSOR_H
#define SL_PROFILE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct sl_cursor sl_cursor(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    return (struct sl_cursor){.at = at, .end = at + size};
}

static inline size_t sl_cursor_left(const struct sl_cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

/* `size` bytes, NULL when there are not that many. */
static inline const uint8_t *sl_cursor_bytes(struct sl_cursor *cursor, uint64_t size)
{
    if (cursor->failed || size > sl_cursor_left(cursor)) {
        cursor->failed = true;
        cursor->at = cursor->end;
        return NULL;
    }
    const uint8_t *bytes = cursor->at;
    cursor->at += size;
    return bytes;
}

/* An unsigned LEB128 number, as sl_buffer_varint writes it. More than 64 bits are a failure. */
static inline uint64_t sl_cursor_varint(struct sl_cursor *cursor)
{
    if (cursor->at < cursor->end && *cursor->at < 0x80) {
        return *cursor->at++;
    }
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
        uint64_t part = *cursor->at & 0x7F;
        if (shift == 63 && part > 1) {
            break;
        }
        value |= part << shift;
        if ((*cursor->at++ & 0x80) == 0) {
            return value;
        }
    }
    cursor->failed = true;
    cursor->at = cursor->end;
    return 0;
}

/* A number of at most 32 bits. */
static inline uint32_t sl_cursor_varint32(struct sl_cursor *cursor)
{
    uint64_t value = sl_cursor_varint(cursor);
    if (value > UINT32_MAX) {
        cursor->failed = true;
        cursor->at = cursor->end;
        return 0;
    }
    return (uint32_t)value;
}

/* Numbers that may be negative, small in either direction: 0, -1, 1, -2, ... are 0, 1, 2, 3, ... */
static inline uint64_t sl_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static inline int64_t sl_unzigzag(uint64_t code)
{
    return (int64_t)((code >> 1) ^ (~(code & 1) + 1));
}

#endif
