#include "profile/trace_blocks.h"

#include "profile/trace_bytes.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

bool sl_trace_blocks_open(struct sl_trace_blocks *blocks, const void *bytes, size_t size, struct sl_error *error)
{
    *blocks = (struct sl_trace_blocks){.bytes = bytes, .size = size};
    if (size < SL_TRACE_MAGIC_SIZE || memcmp(bytes, SL_TRACE_MAGIC, SL_TRACE_MAGIC_SIZE) != 0) {
        return sl_error_set(error, SL_ERROR_FORMAT, "this is not a recording of stacklapse");
    }
    if (size < SL_TRACE_HEADER_SIZE) {
        blocks->offset = size;
        blocks->lost_bytes = size;
    } else {
        const uint8_t *header = blocks->bytes;
        blocks->offset = SL_TRACE_HEADER_SIZE;
        if (sl_trace_checksum(header, 12) != sl_trace_get32(header + 12)) {
            /* The version cannot be believed. What the blocks hold shows whether they can be read. */
            blocks->lost_bytes = SL_TRACE_HEADER_SIZE;
        } else if (header[8] > SL_TRACE_MAJOR) {
            return sl_error_set(error, SL_ERROR_FORMAT,
                                "this recording was made by a newer stacklapse (trace format %d, this one reads %d)",
                                header[8], SL_TRACE_MAJOR);
        }
    }
    blocks->decompressor = ZSTD_createDCtx();
    return blocks->decompressor != NULL || sl_error_memory(error);
}

void sl_trace_blocks_close(struct sl_trace_blocks *blocks)
{
    ZSTD_freeDCtx(blocks->decompressor);
    free(blocks->contents);
    *blocks = (struct sl_trace_blocks){0};
}

/* What a section says of itself. */
struct section {
    uint64_t number;
    uint64_t codec;
    uint64_t size;
    uint64_t stored_size;
    const uint8_t *stored;
};

static bool next_section(struct sl_cursor *payload, struct section *section)
{
    section->number = sl_cursor_varint(payload);
    section->codec = sl_cursor_varint(payload);
    section->size = sl_cursor_varint(payload);
    section->stored_size = section->codec == SL_TRACE_PLAIN ? section->size : sl_cursor_varint(payload);
    section->stored = sl_cursor_bytes(payload, section->stored_size);
    return !payload->failed;
}

static bool is_known(const struct section *section)
{
    return section->number > 0 && section->number < SL_TRACE_SECTION_COUNT;
}

/* Checks the sections of a payload, and adds up what their contents need. False when the payload is damaged. */
static bool measure(struct sl_cursor payload, size_t *total)
{
    uint32_t seen = 0;
    *total = 0;
    while (sl_cursor_left(&payload) > 0) {
        struct section section;
        if (!next_section(&payload, &section)) {
            return false;
        }
        if (!is_known(&section)) {
            continue;
        }
        if ((seen >> section.number & 1) != 0 || section.codec > SL_TRACE_ZSTD || section.size > SL_TRACE_BLOCK_MAX ||
            section.size > section.stored_size * SL_TRACE_EXPANSION_MAX) {
            return false;
        }
        seen |= (uint32_t)1 << section.number;
        *total += section.codec == SL_TRACE_ZSTD ? section.size : 0;
        if (*total > SL_TRACE_BLOCK_MAX) {
            return false;
        }
    }
    return true;
}

static bool unpack(struct sl_trace_blocks *blocks, const struct section *section, uint8_t *content)
{
    /* The frame ends before the padding. */
    size_t frame = ZSTD_findFrameCompressedSize(section->stored, section->stored_size);
    if (ZSTD_isError(frame)) {
        return false;
    }
    size_t size = ZSTD_decompressDCtx(blocks->decompressor, content, section->size, section->stored, frame);
    return !ZSTD_isError(size) && size == section->size;
}

static enum sl_trace_step read_sections(struct sl_trace_blocks *blocks, struct sl_cursor payload,
                                        struct sl_trace_block_view *block)
{
    size_t total;
    memset(block->sections, 0, sizeof block->sections);
    if (block->kind < SL_TRACE_BLOCK_DEFINITIONS || block->kind > SL_TRACE_BLOCK_END) {
        return SL_TRACE_STEP_BLOCK; /* of a later version: who knows what is in it */
    }
    if (!measure(payload, &total)) {
        return SL_TRACE_STEP_NONE;
    }
    if (total > blocks->contents_capacity) {
        free(blocks->contents);
        blocks->contents_capacity = 0;
        blocks->contents = malloc(total);
        if (blocks->contents == NULL) {
            return SL_TRACE_STEP_MEMORY;
        }
        blocks->contents_capacity = total;
    }
    size_t used = 0;
    while (sl_cursor_left(&payload) > 0) {
        struct section section;
        next_section(&payload, &section);
        if (!is_known(&section) || section.size == 0) {
            continue;
        }
        const uint8_t *content = section.stored;
        if (section.codec == SL_TRACE_ZSTD) {
            if (!unpack(blocks, &section, blocks->contents + used)) {
                return SL_TRACE_STEP_NONE;
            }
            content = blocks->contents + used;
            used += section.size;
        }
        block->sections[section.number] = sl_cursor(content, section.size);
    }
    return SL_TRACE_STEP_BLOCK;
}

/* Moves on to the next block mark behind `offset`. */
static void skip_to_mark(struct sl_trace_blocks *blocks)
{
    size_t from = blocks->offset + 1;
    const uint8_t *mark =
        memmem(blocks->bytes + from, blocks->size - from, SL_TRACE_BLOCK_MARK, SL_TRACE_BLOCK_MARK_SIZE);
    size_t next = mark != NULL ? (size_t)(mark - blocks->bytes) : blocks->size;
    blocks->lost_bytes += next - blocks->offset;
    blocks->offset = next;
}

enum sl_trace_step sl_trace_blocks_next(struct sl_trace_blocks *blocks, struct sl_trace_block_view *block)
{
    while (blocks->offset < blocks->size) {
        const uint8_t *header = blocks->bytes + blocks->offset;
        size_t left = blocks->size - blocks->offset;
        if (left < SL_TRACE_BLOCK_HEADER_SIZE || memcmp(header, SL_TRACE_BLOCK_MARK, SL_TRACE_BLOCK_MARK_SIZE) != 0 ||
            sl_trace_checksum(header, 20) != sl_trace_get32(header + 20) ||
            sl_trace_get32(header + 12) > left - SL_TRACE_BLOCK_HEADER_SIZE) {
            skip_to_mark(blocks);
            continue;
        }
        const uint8_t *payload = header + SL_TRACE_BLOCK_HEADER_SIZE;
        size_t size = sl_trace_get32(header + 12);
        block->kind = header[4];
        block->number = sl_trace_get32(header + 8);
        block->size = SL_TRACE_BLOCK_HEADER_SIZE + size;
        blocks->offset += block->size;
        enum sl_trace_step step = SL_TRACE_STEP_NONE;
        if (sl_trace_checksum(payload, size) == sl_trace_get32(header + 16)) {
            step = read_sections(blocks, sl_cursor(payload, size), block);
        }
        if (step != SL_TRACE_STEP_NONE) {
            return step;
        }
        blocks->lost_bytes += block->size;
    }
    return SL_TRACE_STEP_NONE;
}
