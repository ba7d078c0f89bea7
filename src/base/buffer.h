/* buffer.h - bytes that grow: what a trace block, a line of a report or a whole page is put together in.
 *
 * A buffer that runs out of memory drops what is appended from then on and remembers it in `failed`, so that a long
 * sequence of appends is checked once, at its end. */
#ifndef SL_BASE_BUFFER_H
#define SL_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_buffer {
    char *bytes; /* NUL-terminated once anything was appended; owned */
    size_t size; /* without the NUL */
    size_t capacity;
    bool failed;
};

void sl_buffer_init(struct sl_buffer *buffer);
void sl_buffer_destroy(struct sl_buffer *buffer);

/* Forgets the content and keeps the memory. */
void sl_buffer_clear(struct sl_buffer *buffer);

/* Makes room for `size` more bytes, which the caller may then write behind `bytes + size` and add to `size` itself.
 * False, with `failed` set, when memory is exhausted. */
bool sl_buffer_reserve(struct sl_buffer *buffer, size_t size);

void sl_buffer_append(struct sl_buffer *buffer, const void *bytes, size_t size);
void sl_buffer_text(struct sl_buffer *buffer, const char *text);
void sl_buffer_byte(struct sl_buffer *buffer, char byte);
void sl_buffer_format(struct sl_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An unsigned LEB128 number: seven bits a byte, lowest first, the top bit set on all but the last. */
void sl_buffer_varint(struct sl_buffer *buffer, uint64_t value);
#define SL_VARINT_BYTES_MAX 10

#endif
