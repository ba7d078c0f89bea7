/* trace_writer.h - from the sections of a block to bytes in a file, or in memory.
 *
 * A block is put together section by section, compressed, checksummed and queued; `sl_trace_writer_flush` writes the
 * queue. While the sink fails, blocks wait; what waits is bounded by SL_TRACE_WAITING_MAX. Not thread-safe. */
#ifndef SL_PROFILE_TRACE_WRITER_H
#define SL_PROFILE_TRACE_WRITER_H

#include "base/buffer.h"
#include "base/error.h"
#include "profile/trace_format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Half an hour of a busy program at 1 kHz and more. Beyond it the oldest blocks of looks are dropped; definitions only
 * when nothing else is left, because later blocks need them. */
#define SL_TRACE_WAITING_MAX ((size_t)64 * 1024 * 1024)

struct sl_trace_waiting;

struct sl_trace_writer {
    int descriptor;         /* -1: memory */
    struct sl_buffer trace; /* the whole trace, when it is kept in memory */
    struct sl_trace_waiting *first, *last;
    size_t waiting_size;
    size_t waiting_max;   /* SL_TRACE_WAITING_MAX */
    size_t first_written; /* bytes of the first waiting block that the sink took already */
    uint32_t next_block;
    uint64_t dropped_size;  /* of blocks and events that had to be given up */
    void *compressor;       /* ZSTD_CCtx */
    struct sl_buffer block; /* being put together, header included */
    struct sl_buffer packed;
};

/* Writes the trace's header. */
bool sl_trace_writer_open(struct sl_trace_writer *writer, int descriptor, struct sl_error *error);
void sl_trace_writer_close(struct sl_trace_writer *writer);

/* A block: begin, its sections in any order, end. A section without content is left out. `entropy` says that the
 * content is known not to compress. What fails for want of memory makes the whole block fail: `sl_trace_writer_end`
 * then returns false, and nothing was queued. */
void sl_trace_writer_begin(struct sl_trace_writer *writer);
void sl_trace_writer_section(struct sl_trace_writer *writer, enum sl_trace_section section,
                             const struct sl_buffer *content, bool entropy);
bool sl_trace_writer_end(struct sl_trace_writer *writer, enum sl_trace_block kind);

/* Instead of the end, when it failed: what is in the block is lost, and the numbering of the blocks tells it. */
void sl_trace_writer_give_up(struct sl_trace_writer *writer);

/* Writes what is queued. False when the sink took not all of it. */
bool sl_trace_writer_flush(struct sl_trace_writer *writer, struct sl_error *error);

#endif
