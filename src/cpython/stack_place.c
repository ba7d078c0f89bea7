#include "cpython/stack.h"

#include "cpython/words.h"

#include <string.h>

enum sl_follow sl_follow_from_read(enum sl_read read)
{
    switch (read) {
    case SL_READ_OK:
        return SL_FOLLOW_OK;
    case SL_READ_GONE:
        return SL_FOLLOW_GONE;
    case SL_READ_DENIED:
        return SL_FOLLOW_DENIED;
    case SL_READ_FAULT:
        break;
    }
    return SL_FOLLOW_FAULT;
}

enum sl_follow sl_follow_from_refusal(const struct sl_snapshot *snapshot)
{
    return snapshot->full ? SL_FOLLOW_TOO_DEEP : SL_FOLLOW_MEMORY;
}

void sl_stack_c_frame(struct sl_thread_memory *memory, uint64_t address)
{
    uint32_t place = 0;
    while (place < SL_C_FRAMES - 1 && memory->c_frames[place] != address) {
        place++;
    }
    for (; place > 0; place--) {
        memory->c_frames[place] = memory->c_frames[place - 1];
    }
    memory->c_frames[0] = address;
}

/* Adds the chunks from `newest` on behind those that are known, until one of these (its place in the list is returned), or
 * the oldest. */
static enum sl_follow read_new(struct sl_python *python, struct sl_thread_memory *memory, uint64_t newest,
                               uint32_t *fresh_count, uint32_t *known)
{
    *fresh_count = 0;
    uint64_t address = newest;
    while (address != 0) {
        for (*known = 0; *known < memory->chunk_count; (*known)++) {
            if (memory->chunks[*known].address == address) {
                return SL_FOLLOW_OK;
            }
        }
        for (uint32_t i = 0; i < *fresh_count; i++) {
            if (memory->chunks[memory->chunk_count + i].address == address) {
                return SL_FOLLOW_TORN; /* it goes round */
            }
        }
        if (*fresh_count == SL_CHUNKS_MAX) {
            return SL_FOLLOW_TOO_DEEP;
        }
        uint8_t header[SL_CHUNK_DATA];
        enum sl_read read = sl_process_read(python->process, address, header, sizeof header);
        if (read != SL_READ_OK) {
            return sl_follow_from_read(read);
        }
        uint64_t size = sl_word(header + SL_CHUNK_SIZE);
        uint64_t top = sl_word(header + SL_CHUNK_TOP);
        if (size <= SL_CHUNK_DATA || size > SL_CHUNK_BYTES_MAX || size % 8 != 0 || top > (size - SL_CHUNK_DATA) / 8) {
            return SL_FOLLOW_TORN;
        }
        if (!sl_thread_memory_chunks(memory, memory->chunk_count + *fresh_count + 1)) {
            return SL_FOLLOW_MEMORY;
        }
        memory->chunks[memory->chunk_count + (*fresh_count)++] =
            (struct sl_chunk){address, (uint32_t)size, SL_CHUNK_DATA + (uint32_t)top * 8};
        address = sl_word(header + SL_CHUNK_PREVIOUS);
    }
    *known = memory->chunk_count;
    return SL_FOLLOW_OK;
}

enum sl_follow sl_stack_chunks(struct sl_python *python, struct sl_thread_memory *memory, uint64_t newest)
{
    uint32_t fresh_count;
    uint32_t known;
    enum sl_follow follow = read_new(python, memory, newest, &fresh_count, &known);
    if (follow != SL_FOLLOW_OK) {
        return follow;
    }
    uint32_t before = memory->chunk_count;
    uint32_t kept = before - known;
    uint32_t count = fresh_count + kept;
    if (count > SL_CHUNKS_MAX) {
        return SL_FOLLOW_TOO_DEEP;
    }
    if (!sl_thread_memory_chunks(memory, before + count)) {
        return SL_FOLLOW_MEMORY;
    }
    if (count > 0) {
        memcpy(memory->chunks + before + fresh_count, memory->chunks + known, kept * sizeof *memory->chunks);
        memmove(memory->chunks, memory->chunks + before, count * sizeof *memory->chunks);
    }
    memory->chunk_count = count;
    return SL_FOLLOW_OK;
}

enum sl_follow sl_stack_discover(struct sl_python *python, struct sl_thread_memory *memory)
{
    const struct sl_layout *layout = &python->layout;
    uint8_t state[SL_THREAD_BYTES_MAX];
    enum sl_read read = sl_process_read(python->process, memory->address, state, layout->thread_chunk + 8);
    if (read != SL_READ_OK) {
        return sl_follow_from_read(read);
    }
    memory->chunk_count = 0;
    uint64_t frame = sl_word(state + layout->thread_frame);
    if (layout->c_frames) {
        sl_stack_c_frame(memory, frame);
    }
    enum sl_follow follow = sl_stack_chunks(python, memory, sl_word(state + layout->thread_chunk));
    memory->predicted = follow == SL_FOLLOW_OK;
    if (memory->predicted && !layout->c_frames) {
        sl_thread_memory_top(memory, frame);
    }
    return follow;
}
