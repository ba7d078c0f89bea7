#include "render/deflated.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* A million runs that are each a stack of its own are 13 MB, which zlib takes 0.7 s for at level 5, half of that at level
 * 4 for 2 % more bytes. Recordings of real programs are a tenth of that. */
static const int level = 5;
static const int level_of_large = 4;
static const size_t large_size = (size_t)4 * 1000 * 1000;

/* Raw deflate with the largest window: no header, no checksum. */
static const int window_bits = -15;

/* What ends a raw deflate stream at a byte's border: an empty stored block that is marked as the last one. */
static const unsigned char last_block[] = {0x01, 0x00, 0x00, 0xff, 0xff};

void sl_base64_write(struct sl_output *output, const void *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = bytes;
    char line[4 * 1024];
    size_t used = 0;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)in[i] << 16;
        group |= i + 1 < size ? (uint32_t)in[i + 1] << 8 : 0;
        group |= i + 2 < size ? in[i + 2] : 0;
        line[used++] = digits[group >> 18];
        line[used++] = digits[group >> 12 & 63];
        line[used++] = i + 1 < size ? digits[group >> 6 & 63] : '=';
        line[used++] = i + 2 < size ? digits[group & 63] : '=';
        if (used == sizeof line) {
            sl_output_write(output, line, used);
            used = 0;
        }
    }
    sl_output_write(output, line, used);
}

struct sl_deflated {
    z_stream stream;
    struct sl_buffer bytes;
    size_t limit_bytes;
    bool closed; /* nothing can be added any more */
    bool failed;
};

static struct sl_deflated *create(size_t limit_bytes, int at_level)
{
    struct sl_deflated *deflated = calloc(1, sizeof *deflated);
    if (deflated == NULL) {
        return NULL;
    }
    deflated->limit_bytes = limit_bytes;
    sl_buffer_init(&deflated->bytes);
    if (deflateInit2(&deflated->stream, at_level, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(deflated);
        return NULL;
    }
    return deflated;
}

struct sl_deflated *sl_deflated_create(size_t limit_bytes)
{
    return create(limit_bytes, level);
}

void sl_deflated_destroy(struct sl_deflated *deflated)
{
    if (deflated != NULL) {
        deflateEnd(&deflated->stream);
        sl_buffer_destroy(&deflated->bytes);
        free(deflated);
    }
}

/* Hands `size` bytes to zlib, whose own sizes have 32 bits, and collects what comes out. */
static void deflate_piece(struct sl_deflated *deflated, const void *bytes, size_t size, int flush)
{
    z_stream *stream = &deflated->stream;
    const unsigned char *in = bytes;
    unsigned char out[16 * 1024];
    do {
        uInt part = size > UINT_MAX / 2 ? UINT_MAX / 2 : (uInt)size;
        stream->next_in = (Bytef *)(uintptr_t)in;
        stream->avail_in = part;
        int now = part == size ? flush : Z_NO_FLUSH;
        do {
            stream->next_out = out;
            stream->avail_out = sizeof out;
            (void)deflate(stream, now);
            sl_buffer_append(&deflated->bytes, out, sizeof out - stream->avail_out);
        } while (stream->avail_out == 0);
        in += part;
        size -= part;
    } while (size > 0);
}

bool sl_deflated_add(struct sl_deflated *deflated, const void *bytes, size_t size)
{
    if (deflated->closed || deflated->failed) {
        return false;
    }
    size_t before = deflated->bytes.size;
    deflate_piece(deflated, bytes, size, Z_SYNC_FLUSH);
    if (deflated->bytes.failed) {
        deflated->failed = true;
        return false;
    }
    if (deflated->bytes.size + sizeof last_block > deflated->limit_bytes) {
        /* A flush ends at a byte's border, so the stream can be cut where it ended before. */
        deflated->bytes.size = before;
        deflated->closed = true;
        return false;
    }
    return true;
}

const struct sl_buffer *sl_deflated_finish(struct sl_deflated *deflated)
{
    deflated->closed = true;
    sl_buffer_append(&deflated->bytes, last_block, sizeof last_block);
    return deflated->failed || deflated->bytes.failed ? NULL : &deflated->bytes;
}

bool sl_deflated_write(struct sl_output *output, const void *bytes, size_t size, struct sl_error *error)
{
    struct sl_deflated *deflated = create(SIZE_MAX, size > large_size ? level_of_large : level);
    if (deflated == NULL) {
        return sl_error_memory(error);
    }
    deflate_piece(deflated, bytes, size, Z_FINISH);
    bool done = !deflated->bytes.failed;
    if (done) {
        sl_base64_write(output, deflated->bytes.bytes, deflated->bytes.size);
    } else {
        sl_error_memory(error);
    }
    sl_deflated_destroy(deflated);
    return done;
}
