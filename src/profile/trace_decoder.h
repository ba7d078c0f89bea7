/* trace_decoder.h - from the blocks of a trace, one after the other, to what a profile is built of.
 *
 * Shared by trace_reader.h, which has a whole trace, and trace_follower.h, to which one comes bit by bit. What a block
 * holds is untrusted; what was lost before it is told by the blocks' numbers.
 *
 *   trace_definitions.c  strings, functions, stacks, situations, processes, threads, counters
 *   trace_decoder.c      looks, and the order of the blocks
 */
#ifndef SL_PROFILE_TRACE_DECODER_H
#define SL_PROFILE_TRACE_DECODER_H

#include "profile/profile_builder.h"
#include "profile/trace_blocks.h"

#include <stdbool.h>
#include <stdint.h>

struct sl_trace_decoder {
    struct sl_profile_builder builder;
    struct sl_facts facts; /* strings by the trace's numbers */
    uint32_t next_block;
    uint32_t looks_blocks;  /* read so far */
    bool lost;              /* something that belongs before the next block is missing */
    bool ended;             /* the last block was read */
    bool whole;             /* every block so far was sound, and none is missing */
    uint64_t lost_bytes;    /* of blocks that were not sound */
    uint64_t dropped_bytes; /* that the recorder says it had to give up */
    uint64_t time_ns;       /* end of the last look */
    uint64_t looks;
    double length, squared_length; /* sums over the looks that were read */
    uint32_t *live; /* places of the threads that the last block of looks left live, and maybe of others */
    uint32_t live_count, live_capacity;
};

void sl_trace_decoder_init(struct sl_trace_decoder *decoder);
void sl_trace_decoder_destroy(struct sl_trace_decoder *decoder);

/* The next block. Whether memory is exhausted is in `builder.exhausted`. */
void sl_trace_decode(struct sl_trace_decoder *decoder, const struct sl_trace_block_view *block);

/* No further block comes: ends the runs of all threads. */
void sl_trace_decode_end(struct sl_trace_decoder *decoder);

/* More may come: ends the runs of all threads at the end of the last look, and lets the same runs begin there again. */
void sl_trace_decode_cut(struct sl_trace_decoder *decoder);

/* For the decoder's own parts. Each is false when the content is damaged; what was read until then stays. */
bool sl_trace_decode_definitions(struct sl_trace_decoder *decoder, const struct sl_cursor *sections);
bool sl_trace_decode_facts(struct sl_trace_decoder *decoder, struct sl_cursor content);

/* A cursor for each of several columns of `count` numbers that lie one behind the other. */
bool sl_trace_split_columns(struct sl_cursor content, uint32_t count, struct sl_cursor *columns, size_t column_count);

#endif
