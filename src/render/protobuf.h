/* protobuf.h - writes messages in Protocol Buffers' wire format, for pprof and OpenTelemetry.
 *
 * Our own, because writing is forty lines (a varint, and a field is a number and one of three wire types:
 * protobuf.dev/programming-guides/encoding), while the kept C libraries (protobuf-c, nanopb) want generated code for
 * each message and the whole message as a tree in memory first.
 *
 * A message inside a message is put together in a buffer of its own and appended with `sl_protobuf_message`. Fields
 * whose value is zero or empty are left out, as proto3 does. */
#ifndef SL_RENDER_PROTOBUF_H
#define SL_RENDER_PROTOBUF_H

#include "base/buffer.h"

#include <stddef.h>
#include <stdint.h>

void sl_protobuf_number(struct sl_buffer *message, uint32_t field, uint64_t value);
void sl_protobuf_fixed64(struct sl_buffer *message, uint32_t field, uint64_t value);

/* Bytes or a string. Written even when empty with `sl_protobuf_bytes_always`: an element of a repeated field. */
void sl_protobuf_bytes(struct sl_buffer *message, uint32_t field, const void *bytes, size_t size);
void sl_protobuf_bytes_always(struct sl_buffer *message, uint32_t field, const void *bytes, size_t size);

/* A finished message, or packed numbers (varints after each other), as a field of another. Always written. */
void sl_protobuf_message(struct sl_buffer *message, uint32_t field, const struct sl_buffer *inner);

#endif
