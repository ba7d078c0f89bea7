#include "cpython/thread_memory.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

void sl_thread_memories_init(struct sl_thread_memories *memories)
{
    *memories = (struct sl_thread_memories){0};
}

static void destroy(struct sl_thread_memory *memory)
{
    if (memory != NULL) {
        free(memory->chunks);
        free(memory->foreign);
        free(memory->last);
        free(memory->next);
        free(memory->certain);
        free(memory->frames);
        free(memory);
    }
}

void sl_thread_memories_destroy(struct sl_thread_memories *memories)
{
    for (uint32_t i = 0; i < memories->slot_count; i++) {
        destroy(memories->slots[i]);
    }
    free(memories->slots);
    sl_thread_memories_init(memories);
}

/* Addresses are multiples of 16 at least; multiplying spreads them over the upper bits. */
static uint32_t hash(uint64_t address)
{
    return (uint32_t)((address >> 4) * 0x9e3779b97f4a7c15u >> 32);
}

static struct sl_thread_memory **slot_of(struct sl_thread_memory **slots, uint32_t slot_count, uint64_t address)
{
    uint32_t slot = hash(address) & (slot_count - 1);
    while (slots[slot] != NULL && slots[slot]->address != address) {
        slot = (slot + 1) & (slot_count - 1);
    }
    return &slots[slot];
}

/* A new table of `slot_count` with those memories that are kept. */
static bool rebuild(struct sl_thread_memories *memories, uint32_t slot_count)
{
    struct sl_thread_memory **slots = calloc(slot_count, sizeof(struct sl_thread_memory *));
    if (slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < memories->slot_count; i++) {
        if (memories->slots[i] != NULL) {
            *slot_of(slots, slot_count, memories->slots[i]->address) = memories->slots[i];
        }
    }
    free(memories->slots);
    memories->slots = slots;
    memories->slot_count = slot_count;
    return true;
}

struct sl_thread_memory *sl_thread_memory(struct sl_thread_memories *memories, const struct sl_python_thread *thread)
{
    if (memories->count * 2 >= memories->slot_count &&
        !rebuild(memories, memories->slot_count == 0 ? 16 : memories->slot_count * 2)) {
        return NULL;
    }
    struct sl_thread_memory **slot = slot_of(memories->slots, memories->slot_count, thread->address);
    if (*slot != NULL && ((*slot)->native_id != thread->native_id || (*slot)->interpreter != thread->interpreter)) {
        struct sl_thread_memory *memory = *slot;
        memory->native_id = thread->native_id;
        memory->interpreter = thread->interpreter;
        memory->gil = 0;
        memory->predicted = false;
        memory->last_count = 0;
        memory->frame_count = 0;
    }
    if (*slot == NULL) {
        *slot = calloc(1, sizeof **slot);
        if (*slot == NULL) {
            return NULL;
        }
        (*slot)->address = thread->address;
        (*slot)->native_id = thread->native_id;
        (*slot)->interpreter = thread->interpreter;
        memories->count++;
    }
    return *slot;
}

void sl_thread_memories_keep(struct sl_thread_memories *memories, const struct sl_python_thread *threads, size_t count)
{
    if (memories->count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct sl_thread_memory *memory = *slot_of(memories->slots, memories->slot_count, threads[i].address);
        if (memory != NULL) {
            memory->kept = true;
        }
    }
    bool dropped = false;
    for (uint32_t i = 0; i < memories->slot_count; i++) {
        struct sl_thread_memory *memory = memories->slots[i];
        if (memory != NULL && !memory->kept) {
            destroy(memory);
            memories->slots[i] = NULL;
            memories->count--;
            dropped = true;
        } else if (memory != NULL) {
            memory->kept = false;
        }
    }
    if (dropped && !rebuild(memories, memories->slot_count)) {
        /* Without a new table the gaps would hide memories: then it is better to have none. */
        sl_thread_memories_destroy(memories);
    }
}

static bool in_newest_chunk(const struct sl_thread_memory *memory, uint64_t address)
{
    return memory->chunk_count > 0 && sl_chunk_has(&memory->chunks[0], address);
}

static void extend(const struct sl_thread_memory *memory, struct sl_reach *reach, uint64_t address)
{
    bool known = in_newest_chunk(memory, reach->low);
    reach->low = known && reach->low < address ? reach->low : address;
    reach->high = known && reach->high > address ? reach->high : address;
}

void sl_thread_memory_top(struct sl_thread_memory *memory, uint64_t address)
{
    memory->roams -= memory->roams > 0;
    if (!in_newest_chunk(memory, address)) {
        return;
    }
    extend(memory, &memory->reach, address);
    extend(memory, &memory->recent, address);
    if (++memory->recent_count >= SL_REACH_WALKS) {
        memory->reach = memory->recent;
        memory->recent = (struct sl_reach){address, address};
        memory->recent_count = 0;
    }
}

bool sl_thread_memory_chunks(struct sl_thread_memory *memory, uint32_t count)
{
    return sl_array_reserve(&memory->chunks, &memory->chunk_capacity, count, sizeof *memory->chunks);
}

bool sl_thread_memory_foreign(struct sl_thread_memory *memory, uint32_t count)
{
    return sl_array_reserve(&memory->foreign, &memory->foreign_capacity, count, sizeof *memory->foreign);
}

bool sl_thread_memory_next(struct sl_thread_memory *memory, uint32_t count)
{
    return sl_array_reserve(&memory->next, &memory->next_capacity, count, sizeof *memory->next);
}

bool sl_thread_memory_certain(struct sl_thread_memory *memory, uint32_t count)
{
    return sl_array_reserve(&memory->certain, &memory->certain_capacity, count, sizeof *memory->certain);
}

bool sl_thread_memory_frames(struct sl_thread_memory *memory, uint32_t count)
{
    if (count <= memory->frame_capacity) {
        return true;
    }
    uint32_t capacity = memory->frame_capacity == 0 ? 32 : memory->frame_capacity;
    while (capacity < count) {
        capacity *= 2;
    }
    struct sl_frame *frames = malloc(capacity * sizeof *frames);
    if (frames == NULL) {
        return false;
    }
    if (memory->frame_count > 0) {
        memcpy(frames + capacity - memory->frame_count, memory->frames + memory->frame_capacity - memory->frame_count,
               memory->frame_count * sizeof *frames);
    }
    free(memory->frames);
    memory->frames = frames;
    memory->frame_capacity = capacity;
    return true;
}
