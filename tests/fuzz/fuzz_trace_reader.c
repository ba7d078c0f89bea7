/* fuzz_trace_reader.c - no bytes, however made, may make the reader of traces crash, hang, or give a profile that breaks
 * the promises of profile.h.
 *
 * A mutated block hardly ever keeps its checksums, so they are put right here, and each block's size is made to reach to
 * the next one; a trace that has something in the two unused bytes of its header is left as it is. */
#include "profile/trace_format.h"
#include "profile/trace_reader.h"
#include "support/sound_profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint8_t *next_mark(uint8_t *from, const uint8_t *end)
{
    return memmem(from, (size_t)(end - from), SL_TRACE_BLOCK_MARK, SL_TRACE_BLOCK_MARK_SIZE);
}

static void put_right(uint8_t *bytes, size_t size)
{
    const uint8_t *end = bytes + size;
    put32(bytes + 12, (uint32_t)crc32_z(0, bytes, 12));
    uint8_t *block = next_mark(bytes + SL_TRACE_HEADER_SIZE, end);
    while (block != NULL && end - block >= SL_TRACE_BLOCK_HEADER_SIZE) {
        uint8_t *payload = block + SL_TRACE_BLOCK_HEADER_SIZE;
        uint8_t *next = next_mark(payload, end);
        size_t payload_size = (size_t)((next != NULL ? next : end) - payload);
        put32(block + 12, (uint32_t)payload_size);
        put32(block + 16, (uint32_t)crc32_z(0, payload, payload_size));
        put32(block + 20, (uint32_t)crc32_z(0, block, 20));
        block = next;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Exactly as large as the trace, so that a read behind its end is seen. */
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    if (bytes == NULL) {
        return 0;
    }
    memcpy(bytes, data, size);
    if (size >= SL_TRACE_HEADER_SIZE && bytes[10] == 0 && bytes[11] == 0) {
        put_right(bytes, size);
    }
    struct sl_error error = {0};
    struct sl_profile *profile = sl_trace_read(bytes, size, &error);
    if (profile == NULL && error.kind == SL_ERROR_NONE) {
        fprintf(stderr, "a failure without an error\n");
        abort();
    }
    const char *broken = profile != NULL ? broken_promise(profile) : NULL;
    if (broken != NULL) {
        fprintf(stderr, "a promise is broken: %s\n", broken);
        abort();
    }
    sl_profile_destroy(profile);
    free(bytes);
    return 0;
}
