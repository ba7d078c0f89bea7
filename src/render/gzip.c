#include "render/gzip.h"

#include <limits.h>

enum {
    GZIP_WINDOW = 15 + 16, /* deflateInit2: the largest window, and a gzip header and trailer */
    DRAIN_BYTES = 64 * 1024,
};

bool sl_gzip_init(struct sl_gzip *gzip, struct sl_output *output, struct sl_error *error)
{
    *gzip = (struct sl_gzip){.output = output};
    if (deflateInit2(&gzip->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return sl_error_memory(error);
    }
    return true;
}

static void deflate_all(struct sl_gzip *gzip, int flush)
{
    unsigned char chunk[16 * 1024];
    do {
        gzip->stream.next_out = chunk;
        gzip->stream.avail_out = sizeof chunk;
        if (deflate(&gzip->stream, flush) == Z_STREAM_ERROR) {
            gzip->failed = true;
            return;
        }
        sl_output_write(gzip->output, chunk, sizeof chunk - gzip->stream.avail_out);
    } while (gzip->stream.avail_out == 0);
}

void sl_gzip_write(struct sl_gzip *gzip, const void *bytes, size_t size)
{
    const unsigned char *next = bytes;
    while (size > 0) {
        uInt piece = size < UINT_MAX ? (uInt)size : UINT_MAX;
        /* zlib does not write to what it reads; its type merely says so where ZLIB_CONST is not set. */
        gzip->stream.next_in = (unsigned char *)(uintptr_t)next;
        gzip->stream.avail_in = piece;
        deflate_all(gzip, Z_NO_FLUSH);
        next += piece;
        size -= piece;
    }
}

void sl_gzip_drain(struct sl_gzip *gzip, struct sl_buffer *buffer, bool always)
{
    if (buffer->failed) {
        gzip->failed = true;
    }
    if (always || buffer->size >= DRAIN_BYTES) {
        sl_gzip_write(gzip, buffer->bytes, buffer->size);
        sl_buffer_clear(buffer);
    }
}

bool sl_gzip_finish(struct sl_gzip *gzip, struct sl_error *error)
{
    deflate_all(gzip, Z_FINISH);
    deflateEnd(&gzip->stream);
    return gzip->failed ? sl_error_memory(error) : true;
}
