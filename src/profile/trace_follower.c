#include "profile/trace_follower.h"

#include "base/buffer.h"
#include "profile/profile_fold.h"
#include "profile/trace_decoder.h"

#include <stdlib.h>
#include <string.h>

/* Less than this is not worth folding. */
#define RUNS_MIN ((uint32_t)32 * 1024)

#define KEEP_MIN_NS ((uint64_t)1000000000)

struct sl_trace_follower {
    struct sl_trace_decoder decoder;
    struct sl_trace_blocks blocks;
    bool open;                /* the trace's header was read */
    struct sl_buffer pending; /* of the next block */
    struct sl_profile view;
    bool viewed;       /* `view` is of what was read last */
    uint64_t exact_ns; /* what lies before is folded */
    uint32_t fold_at;  /* number of runs */
};

struct sl_trace_follower *sl_trace_follower_create(struct sl_error *error)
{
    struct sl_trace_follower *follower = calloc(1, sizeof *follower);
    if (follower == NULL) {
        sl_error_memory(error);
        return NULL;
    }
    sl_trace_decoder_init(&follower->decoder);
    sl_buffer_init(&follower->pending);
    follower->fold_at = RUNS_MIN;
    if (follower->decoder.builder.exhausted) {
        sl_trace_follower_destroy(follower);
        sl_error_memory(error);
        return NULL;
    }
    return follower;
}

void sl_trace_follower_destroy(struct sl_trace_follower *follower)
{
    if (follower == NULL) {
        return;
    }
    sl_profile_view_release(&follower->view);
    sl_trace_blocks_close(&follower->blocks);
    sl_trace_decoder_destroy(&follower->decoder);
    sl_buffer_destroy(&follower->pending);
    free(follower);
}

/* Folds what ended `keep_ns` ago, and tells how many of the runs were not folded. False when memory is exhausted. */
static bool fold(struct sl_trace_follower *follower, uint64_t keep_ns, uint32_t *kept)
{
    struct sl_trace_decoder *decoder = &follower->decoder;
    struct sl_profile_builder *builder = &decoder->builder;
    uint64_t before_ns = decoder->time_ns > keep_ns ? decoder->time_ns - keep_ns : 0;
    before_ns = before_ns > follower->exact_ns ? before_ns : follower->exact_ns;
    uint32_t folded = 0;
    uint32_t *places = calloc((size_t)builder->thread_count + 1, sizeof *places);
    bool done = places != NULL && sl_profile_fold(builder, before_ns, decoder->time_ns, places, &folded);
    if (done) {
        uint32_t live_count = 0;
        for (uint32_t i = 0; i < decoder->live_count; i++) {
            if (places[decoder->live[i]] != SL_NONE) {
                decoder->live[live_count++] = places[decoder->live[i]];
            }
        }
        decoder->live_count = live_count;
        follower->exact_ns = before_ns;
    }
    free(places);
    *kept = builder->run_count - folded;
    return done;
}

/* Keeps the memory for runs bounded. The next time comes when there are twice as many, so that folding costs no more
 * than reading does. Where memory is short that is tried again later. */
static void fold_when_due(struct sl_trace_follower *follower)
{
    const struct sl_profile_builder *builder = &follower->decoder.builder;
    if (builder->run_count < follower->fold_at) {
        return;
    }
    uint32_t kept = UINT32_MAX;
    for (uint64_t keep_ns = SL_FOLLOWER_KEEP_NS; keep_ns >= KEEP_MIN_NS && kept > SL_FOLLOWER_RUNS_MAX / 2;
         keep_ns /= 2) {
        if (!fold(follower, keep_ns, &kept)) {
            break;
        }
    }
    uint32_t count = builder->run_count > RUNS_MIN / 2 ? builder->run_count : RUNS_MIN / 2;
    follower->fold_at = count < UINT32_MAX / 2 ? count * 2 : UINT32_MAX;
}

static uint32_t payload_size(const uint8_t *header)
{
    const uint8_t *at = header + 12;
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Reads the blocks of `bytes` that are there as a whole. */
static bool read_blocks(struct sl_trace_follower *follower, const uint8_t *bytes, size_t size, struct sl_error *error)
{
    struct sl_trace_blocks *blocks = &follower->blocks;
    struct sl_trace_decoder *decoder = &follower->decoder;
    while (size - blocks->offset >= SL_TRACE_BLOCK_HEADER_SIZE && !decoder->ended) {
        size_t payload = payload_size(bytes + blocks->offset);
        if (payload > SL_TRACE_BLOCK_MAX) {
            return sl_error_set(error, SL_ERROR_FORMAT, "the recording is damaged");
        }
        if (payload > size - blocks->offset - SL_TRACE_BLOCK_HEADER_SIZE) {
            break;
        }
        blocks->bytes = bytes;
        blocks->size = blocks->offset + SL_TRACE_BLOCK_HEADER_SIZE + payload;
        struct sl_trace_block_view block;
        enum sl_trace_step step = sl_trace_blocks_next(blocks, &block);
        if (step == SL_TRACE_STEP_BLOCK) {
            sl_trace_decode(decoder, &block);
        }
        if (step == SL_TRACE_STEP_MEMORY || decoder->builder.exhausted) {
            return sl_error_memory(error);
        }
        fold_when_due(follower);
    }
    return true;
}

bool sl_trace_follower_feed(struct sl_trace_follower *follower, const void *bytes, size_t size, struct sl_error *error)
{
    struct sl_buffer *pending = &follower->pending;
    sl_profile_view_release(&follower->view);
    follower->viewed = false;
    sl_buffer_append(pending, bytes, size);
    if (pending->failed) {
        return sl_error_memory(error);
    }
    if (!follower->open) {
        if (pending->size < SL_TRACE_HEADER_SIZE) {
            return true;
        }
        if (!sl_trace_blocks_open(&follower->blocks, pending->bytes, pending->size, error)) {
            return false;
        }
        follower->open = true;
    }
    if (!read_blocks(follower, (const uint8_t *)pending->bytes, pending->size, error)) {
        return false;
    }
    size_t used = follower->blocks.offset;
    memmove(pending->bytes, pending->bytes + used, pending->size - used);
    pending->size -= used;
    follower->blocks.offset = 0;
    return true;
}

const struct sl_profile *sl_trace_follower_profile(struct sl_trace_follower *follower)
{
    if (follower->viewed) {
        return &follower->view;
    }
    struct sl_trace_decoder *decoder = &follower->decoder;
    sl_trace_decode_cut(decoder);
    struct sl_facts facts = decoder->facts;
    facts.duration_ns = decoder->time_ns;
    facts.looks = decoder->looks;
    facts.interval_ns = facts.interval_ns > 0 ? facts.interval_ns : 1;
    facts.complete = true; /* so far */
    facts.lost_bytes = follower->blocks.lost_bytes + decoder->lost_bytes + decoder->dropped_bytes;
    follower->viewed = sl_profile_view(&decoder->builder, &facts, &follower->view);
    return follower->viewed ? &follower->view : NULL;
}

uint64_t sl_trace_follower_exact_ns(const struct sl_trace_follower *follower)
{
    return follower->exact_ns;
}
