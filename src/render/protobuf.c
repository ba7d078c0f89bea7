#include "render/protobuf.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2 };

static void tag(struct sl_buffer *message, uint32_t field, enum wire_type type)
{
    sl_buffer_varint(message, (uint64_t)field << 3 | (uint64_t)type);
}

void sl_protobuf_number(struct sl_buffer *message, uint32_t field, uint64_t value)
{
    if (value != 0) {
        tag(message, field, WIRE_VARINT);
        sl_buffer_varint(message, value);
    }
}

void sl_protobuf_fixed64(struct sl_buffer *message, uint32_t field, uint64_t value)
{
    if (value == 0) {
        return;
    }
    unsigned char bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    tag(message, field, WIRE_FIXED64);
    sl_buffer_append(message, bytes, sizeof bytes);
}

void sl_protobuf_bytes_always(struct sl_buffer *message, uint32_t field, const void *bytes, size_t size)
{
    tag(message, field, WIRE_BYTES);
    sl_buffer_varint(message, size);
    sl_buffer_append(message, bytes, size);
}

void sl_protobuf_bytes(struct sl_buffer *message, uint32_t field, const void *bytes, size_t size)
{
    if (size > 0) {
        sl_protobuf_bytes_always(message, field, bytes, size);
    }
}

void sl_protobuf_message(struct sl_buffer *message, uint32_t field, const struct sl_buffer *inner)
{
    sl_protobuf_bytes_always(message, field, inner->bytes, inner->size);
}
