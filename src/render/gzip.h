/* gzip.h - compresses what is written to an output, as one gzip member (RFC 1952) without a time in it, so that the
 * same recording always gives the same bytes. */
#ifndef SL_RENDER_GZIP_H
#define SL_RENDER_GZIP_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/output.h"

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

struct sl_gzip {
    z_stream stream;
    struct sl_output *output; /* the caller's */
    bool failed;
};

/* False when memory is exhausted; nothing is to be freed then. */
bool sl_gzip_init(struct sl_gzip *gzip, struct sl_output *output, struct sl_error *error);
void sl_gzip_write(struct sl_gzip *gzip, const void *bytes, size_t size);

/* Writes what a buffer holds and empties it, once it holds more than a block's worth; `always` for the last time. */
void sl_gzip_drain(struct sl_gzip *gzip, struct sl_buffer *buffer, bool always);

/* Writes the end and frees everything. False when something could not be compressed. */
bool sl_gzip_finish(struct sl_gzip *gzip, struct sl_error *error);

#endif
