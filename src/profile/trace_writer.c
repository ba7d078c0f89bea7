#include "profile/trace_writer.h"

#include "profile/trace_bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

/* Sections have some tens of kilobytes: tables for larger ones would be megabytes that each recording pays for, and
 * compress it no better. */
static const struct {
    ZSTD_cParameter parameter;
    int value;
} compression[] = {
    {ZSTD_c_compressionLevel, 6},
    {ZSTD_c_windowLog, 17},
    {ZSTD_c_hashLog, 16},
    {ZSTD_c_chainLog, 16},
};

struct sl_trace_waiting {
    struct sl_trace_waiting *next;
    enum sl_trace_block kind;
    size_t size;
    char bytes[];
};

/* Writes all of it, as far as the descriptor takes it. Returns how much it took; errno tells why it was not all. */
static size_t write_all(int descriptor, const char *bytes, size_t size)
{
    size_t written = 0;
    while (written < size) {
        ssize_t step = write(descriptor, bytes + written, size - written);
        if (step > 0) {
            written += (size_t)step;
        } else if (step == 0) {
            errno = ENOSPC;
            break;
        } else if (errno != EINTR) {
            break;
        }
    }
    return written;
}

bool sl_trace_writer_open(struct sl_trace_writer *writer, int descriptor, struct sl_error *error)
{
    *writer = (struct sl_trace_writer){.descriptor = descriptor, .waiting_max = SL_TRACE_WAITING_MAX};
    char header[SL_TRACE_HEADER_SIZE] = {0};
    memcpy(header, SL_TRACE_MAGIC, SL_TRACE_MAGIC_SIZE);
    header[8] = SL_TRACE_MAJOR;
    header[9] = SL_TRACE_MINOR;
    sl_trace_put32(header + 12, sl_trace_checksum(header, 12));
    if (descriptor < 0) {
        sl_buffer_append(&writer->trace, header, sizeof header);
        if (writer->trace.failed) {
            sl_trace_writer_close(writer);
            return sl_error_memory(error);
        }
    } else if (write_all(descriptor, header, sizeof header) < sizeof header) {
        int error_number = errno;
        sl_trace_writer_close(writer);
        return sl_error_system(error, error_number, "cannot write the recording");
    }
    return true;
}

void sl_trace_writer_close(struct sl_trace_writer *writer)
{
    while (writer->first != NULL) {
        struct sl_trace_waiting *next = writer->first->next;
        free(writer->first);
        writer->first = next;
    }
    ZSTD_freeCCtx(writer->compressor);
    sl_buffer_destroy(&writer->trace);
    sl_buffer_destroy(&writer->block);
    sl_buffer_destroy(&writer->packed);
    *writer = (struct sl_trace_writer){.descriptor = -1};
}

void sl_trace_writer_begin(struct sl_trace_writer *writer)
{
    static const char header[SL_TRACE_BLOCK_HEADER_SIZE];
    sl_buffer_clear(&writer->block);
    sl_buffer_append(&writer->block, header, sizeof header);
}

/* Made when it is first needed: it is by far the largest part of a writer, and a recording that is thrown away, as most
 * of a web application's are, never needs it. */
static bool make_compressor(struct sl_trace_writer *writer)
{
    if (writer->compressor == NULL) {
        writer->compressor = ZSTD_createCCtx();
        for (size_t i = 0; writer->compressor != NULL && i < sizeof compression / sizeof compression[0]; i++) {
            ZSTD_CCtx_setParameter(writer->compressor, compression[i].parameter, compression[i].value);
        }
    }
    return writer->compressor != NULL;
}

/* Compresses into `packed`, and pads. False when that saves nothing. */
static bool pack(struct sl_trace_writer *writer, const struct sl_buffer *content)
{
    if (!make_compressor(writer)) {
        return false;
    }
    struct sl_buffer *packed = &writer->packed;
    sl_buffer_clear(packed);
    size_t bound = ZSTD_compressBound(content->size);
    if (!sl_buffer_reserve(packed, bound)) {
        return false;
    }
    size_t size = ZSTD_compress2(writer->compressor, packed->bytes, bound, content->bytes, content->size);
    if (ZSTD_isError(size) || size >= content->size) {
        return false;
    }
    size_t least = (content->size + SL_TRACE_EXPANSION_MAX - 1) / SL_TRACE_EXPANSION_MAX;
    if (size < least) {
        memset(packed->bytes + size, 0, least - size);
        size = least;
    }
    packed->size = size;
    return true;
}

void sl_trace_writer_section(struct sl_trace_writer *writer, enum sl_trace_section section,
                             const struct sl_buffer *content, bool entropy)
{
    struct sl_buffer *block = &writer->block;
    if (content->failed) {
        block->failed = true;
    }
    if (content->size == 0) {
        return;
    }
    bool packed = !entropy && pack(writer, content);
    sl_buffer_varint(block, section);
    sl_buffer_varint(block, packed ? SL_TRACE_ZSTD : SL_TRACE_PLAIN);
    sl_buffer_varint(block, content->size);
    if (packed) {
        sl_buffer_varint(block, writer->packed.size);
        sl_buffer_append(block, writer->packed.bytes, writer->packed.size);
    } else {
        sl_buffer_append(block, content->bytes, content->size);
    }
}

static void forget(struct sl_trace_writer *writer, struct sl_trace_waiting *before, struct sl_trace_waiting *block)
{
    if (before == NULL) {
        writer->first = block->next;
    } else {
        before->next = block->next;
    }
    if (writer->last == block) {
        writer->last = before;
    }
    writer->waiting_size -= block->size;
    free(block);
}

/* Drops the oldest block of the kind, except one that the file holds in part. */
static bool drop_oldest(struct sl_trace_writer *writer, enum sl_trace_block kind)
{
    struct sl_trace_waiting *before = NULL;
    struct sl_trace_waiting *block = writer->first;
    if (block != NULL && writer->first_written > 0) {
        before = block;
        block = block->next;
    }
    while (block != NULL && block->kind != kind) {
        before = block;
        block = block->next;
    }
    if (block == NULL) {
        return false;
    }
    writer->dropped_size += block->size;
    forget(writer, before, block);
    return true;
}

static bool queue(struct sl_trace_writer *writer, enum sl_trace_block kind)
{
    size_t size = writer->block.size;
    struct sl_trace_waiting *waiting = malloc(sizeof *waiting + size);
    if (waiting == NULL) {
        return false;
    }
    waiting->next = NULL;
    waiting->kind = kind;
    waiting->size = size;
    memcpy(waiting->bytes, writer->block.bytes, size);
    if (writer->last == NULL) {
        writer->first = waiting;
    } else {
        writer->last->next = waiting;
    }
    writer->last = waiting;
    writer->waiting_size += size;
    while (writer->waiting_size > writer->waiting_max && writer->first != writer->last) {
        if (!drop_oldest(writer, SL_TRACE_BLOCK_LOOKS) && !drop_oldest(writer, SL_TRACE_BLOCK_DEFINITIONS)) {
            break;
        }
    }
    return true;
}

bool sl_trace_writer_end(struct sl_trace_writer *writer, enum sl_trace_block kind)
{
    struct sl_buffer *block = &writer->block;
    if (block->failed) {
        return false;
    }
    char *header = block->bytes;
    memcpy(header, SL_TRACE_BLOCK_MARK, SL_TRACE_BLOCK_MARK_SIZE);
    header[4] = (char)kind;
    size_t payload_size = block->size - SL_TRACE_BLOCK_HEADER_SIZE;
    sl_trace_put32(header + 8, writer->next_block);
    sl_trace_put32(header + 12, (uint32_t)payload_size);
    sl_trace_put32(header + 16, sl_trace_checksum(block->bytes + SL_TRACE_BLOCK_HEADER_SIZE, payload_size));
    sl_trace_put32(header + 20, sl_trace_checksum(header, 20));
    if (writer->descriptor < 0) {
        sl_buffer_append(&writer->trace, block->bytes, block->size);
        if (writer->trace.failed) {
            writer->trace.failed = false;
            return false;
        }
    } else if (!queue(writer, kind)) {
        return false;
    }
    writer->next_block++;
    return true;
}

void sl_trace_writer_give_up(struct sl_trace_writer *writer)
{
    writer->dropped_size += writer->block.size;
    writer->next_block++;
}

bool sl_trace_writer_flush(struct sl_trace_writer *writer, struct sl_error *error)
{
    while (writer->first != NULL) {
        struct sl_trace_waiting *block = writer->first;
        size_t left = block->size - writer->first_written;
        size_t written = write_all(writer->descriptor, block->bytes + writer->first_written, left);
        if (written < left) {
            int error_number = errno;
            writer->first_written += written;
            return sl_error_system(error, error_number, "cannot write the recording");
        }
        writer->first_written = 0;
        forget(writer, NULL, block);
    }
    return true;
}
