#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sl_buffer_init(struct sl_buffer *buffer)
{
    *buffer = (struct sl_buffer){0};
}

void sl_buffer_destroy(struct sl_buffer *buffer)
{
    free(buffer->bytes);
    sl_buffer_init(buffer);
}

void sl_buffer_clear(struct sl_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
    if (buffer->bytes != NULL) {
        buffer->bytes[0] = '\0';
    }
}

bool sl_buffer_reserve(struct sl_buffer *buffer, size_t size)
{
    if (buffer->failed) {
        return false;
    }
    if (buffer->capacity - buffer->size > size) {
        return true;
    }
    if (size > SIZE_MAX / 4 || buffer->size > SIZE_MAX / 4) {
        buffer->failed = true;
        return false;
    }
    size_t capacity = buffer->capacity * 2 > 256 ? buffer->capacity * 2 : 256;
    while (capacity - buffer->size <= size) {
        capacity *= 2;
    }
    char *bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

void sl_buffer_append(struct sl_buffer *buffer, const void *bytes, size_t size)
{
    if (!sl_buffer_reserve(buffer, size)) {
        return;
    }
    if (size > 0) {
        memcpy(buffer->bytes + buffer->size, bytes, size);
    }
    buffer->size += size;
    buffer->bytes[buffer->size] = '\0';
}

void sl_buffer_text(struct sl_buffer *buffer, const char *text)
{
    sl_buffer_append(buffer, text, strlen(text));
}

void sl_buffer_byte(struct sl_buffer *buffer, char byte)
{
    sl_buffer_append(buffer, &byte, 1);
}

void sl_buffer_format(struct sl_buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (size >= 0 && sl_buffer_reserve(buffer, (size_t)size)) {
        vsnprintf(buffer->bytes + buffer->size, (size_t)size + 1, format, again);
        buffer->size += (size_t)size;
    }
    va_end(again);
}

void sl_buffer_varint(struct sl_buffer *buffer, uint64_t value)
{
    if (!sl_buffer_reserve(buffer, SL_VARINT_BYTES_MAX)) {
        return;
    }
    char *at = buffer->bytes + buffer->size;
    while (value >= 0x80) {
        *at++ = (char)(value | 0x80);
        value >>= 7;
    }
    *at++ = (char)value;
    *at = '\0';
    buffer->size = (size_t)(at - buffer->bytes);
}
