/* Frames outside of the data stack: which of them the next walk asks for. */
#include "cpython/thread_memory.h"

#include <stdlib.h>

/* Those that are not in the stack any more are asked for in so many further walks, this many of them. */
#define IDLE_WALKS 32u
#define IDLE_MAX 6u

static int by_address(const void *left, const void *right)
{
    uint64_t a = ((const struct sl_foreign *)left)->address;
    uint64_t b = ((const struct sl_foreign *)right)->address;
    return a < b ? -1 : a > b;
}

bool sl_thread_memory_foreign_twice(struct sl_thread_memory *memory, uint64_t address)
{
    for (uint32_t i = 0; i < memory->foreign_count; i++) {
        if (memory->foreign[i].address == address) {
            memory->foreign[i].inner = true;
            return true;
        }
    }
    /* It lay in a piece that was asked for for the sake of others. */
    if (!sl_thread_memory_foreign(memory, memory->foreign_count + 1)) {
        return false;
    }
    memory->foreign[memory->foreign_count++] = (struct sl_foreign){.address = address, .inner = true};
    qsort(memory->foreign, memory->foreign_count, sizeof *memory->foreign, by_address);
    return true;
}

bool sl_thread_memory_foreign_seen(struct sl_thread_memory *memory)
{
    uint32_t old = memory->foreign_count;
    uint32_t all = old;
    for (uint32_t i = 0; i < memory->next_count; i++) {
        const struct sl_raw_frame *raw = &memory->next[i];
        if (!raw->hidden && !raw->generator) {
            continue;
        }
        if (!sl_thread_memory_foreign(memory, all + 1)) {
            return false;
        }
        memory->foreign[all++] = (struct sl_foreign){.address = raw->address, .inner = i < SL_INNER_FRAMES};
    }
    if (all - old > 1) {
        qsort(memory->foreign + old, all - old, sizeof *memory->foreign, by_address);
    }
    uint32_t seen = old;
    uint32_t idle = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < old; i++) {
        struct sl_foreign foreign = memory->foreign[i];
        /* Both are in order. */
        while (seen < all && memory->foreign[seen].address < foreign.address) {
            seen++;
        }
        bool still = seen < all && memory->foreign[seen].address == foreign.address;
        if (!still && foreign.idle < IDLE_WALKS && idle < IDLE_MAX) {
            idle++;
            foreign.idle++;
            foreign.inner = true;
            memory->foreign[kept++] = foreign;
        }
    }
    for (uint32_t n = old; n < all; n++) {
        memory->foreign[kept++] = memory->foreign[n];
    }
    memory->foreign_count = kept;
    if (kept > 1) {
        qsort(memory->foreign, kept, sizeof *memory->foreign, by_address);
    }
    return true;
}
