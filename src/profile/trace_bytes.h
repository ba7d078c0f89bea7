/* trace_bytes.h - numbers and checksums as the headers of a trace and of its blocks hold them (docs/trace-format.md). */
#ifndef SL_PROFILE_TRACE_BYTES_H
#define SL_PROFILE_TRACE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

static inline void sl_trace_put32(char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (char)(value >> (8 * i));
    }
}

static inline uint32_t sl_trace_get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint32_t sl_trace_checksum(const void *bytes, size_t size)
{
    return (uint32_t)crc32_z(0, bytes, size);
}

#endif
