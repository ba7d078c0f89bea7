/* trace_blocks.h - from the bytes of a trace to its blocks, whatever happened to them.
 *
 * Only blocks whose checksums are right come out, in the order of the file; what lies between them is counted as lost.
 * Linear in the size of the trace, for hostile bytes too: a block whose header is right and whose payload is not is
 * skipped as a whole. */
#ifndef SL_PROFILE_TRACE_BLOCKS_H
#define SL_PROFILE_TRACE_BLOCKS_H

#include "base/error.h"
#include "profile/cursor.h"
#include "profile/trace_format.h"

struct sl_trace_blocks {
    const uint8_t *bytes;
    size_t size;
    size_t offset;
    uint64_t lost_bytes;
    void *decompressor; /* ZSTD_DCtx */
    uint8_t *contents;  /* of the sections of the block that was given last */
    size_t contents_capacity;
};

struct sl_trace_block_view {
    uint32_t kind; /* enum sl_trace_block, or what a later version has added */
    uint32_t number;
    size_t size;                                       /* in the file */
    struct sl_cursor sections[SL_TRACE_SECTION_COUNT]; /* without a byte where the block has none */
};

/* The bytes must stay until the close. False with SL_ERROR_FORMAT when they are no trace, or one of a later major
 * version. */
bool sl_trace_blocks_open(struct sl_trace_blocks *blocks, const void *bytes, size_t size, struct sl_error *error);
void sl_trace_blocks_close(struct sl_trace_blocks *blocks);

enum sl_trace_step {
    SL_TRACE_STEP_BLOCK,
    SL_TRACE_STEP_NONE, /* no further block */
    SL_TRACE_STEP_MEMORY,
};

/* The next block; its sections are valid until the next call. */
enum sl_trace_step sl_trace_blocks_next(struct sl_trace_blocks *blocks, struct sl_trace_block_view *block);

#endif
