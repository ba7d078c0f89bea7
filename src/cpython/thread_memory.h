/* thread_memory.h - what is remembered of a thread from one walk of its stack to the next: where its stack lay, so that
 * the next walk can ask for all of it at once, and what was found, so that only what changed is looked at again. */
#ifndef SL_CPYTHON_THREAD_MEMORY_H
#define SL_CPYTHON_THREAD_MEMORY_H

#include "cpython/python.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of the data stack (struct _PyStackChunk). */
struct sl_chunk {
    uint64_t address;
    uint32_t size; /* as it says itself */
    uint32_t used; /* bytes of it up to the end of its last frame; the newest one's is not kept */
};

static inline bool sl_chunk_has(const struct sl_chunk *chunk, uint64_t address)
{
    return address >= chunk->address && address - chunk->address < chunk->size;
}

/* Its fields (Include/cpython/pystate.h): the next older chunk, the size of all of it, the words in use (set when a newer
 * chunk is begun), and where the frames begin; in the oldest one word later. */
#define SL_CHUNK_PREVIOUS 0
#define SL_CHUNK_SIZE 8
#define SL_CHUNK_TOP 16
#define SL_CHUNK_DATA 24

/* A chunk has 16 KiB, or as much as its first frame needs. Larger ones are not believed. */
#define SL_CHUNK_BYTES_MAX ((uint64_t)32 * 1024 * 1024)
/* More of them are more than SL_STACK_BYTES_MAX. */
#define SL_CHUNKS_MAX 4096u

#define SL_NO_CHUNK UINT32_MAX

/* A frame as it lies in memory. */
struct sl_raw_frame {
    uint64_t address;
    uint64_t code;        /* address */
    uint64_t instruction; /* address */
    uint32_t serial;      /* sl_known_code.serial of its code */
    uint32_t chunk; /* which of the chunks it lies in, the newest being 0; SL_NO_CHUNK outside of the data stack */
    bool hidden;    /* the interpreter's own: a boundary to C */
    bool entry;     /* it was called from C, which is told on 3.11 only */
    bool generator; /* it lies in a generator or coroutine, not on the data stack */
    bool shown;     /* a frame for a person: not hidden, and not one that is only being set up */
    bool nameless;  /* its code object was gone, or may have been, before it could be read */
};

/* Where the last C-level evaluation of a thread lies: cframe toggles among a few addresses when C calls Python in a
 * loop (before 3.13). */
#define SL_C_FRAMES 4

/* A frame outside of the data stack: a generator's, or a boundary to C. Those that were in the stack lately are asked
 * for, too, because a loop through C or generators comes back to the same few. */
struct sl_foreign {
    uint64_t address;
    uint8_t idle; /* for so many walks it was not in the stack */
    bool inner;   /* it was among the innermost frames, which are read twice */
};

/* Within so many of the innermost frame they are read twice, like the innermost part of the data stack. */
#define SL_INNER_FRAMES 8u

/* Between these addresses. */
struct sl_reach {
    uint64_t low, high;
};

/* What has not been reached in so many walks is not asked for any more. That it then has to be asked again, a moment
 * later, concerns what was in less than one of so many stacks, and of that only what is over within the time of a copy. */
#define SL_REACH_WALKS 256u

struct sl_thread_memory {
    uint64_t address; /* of the PyThreadState; 0: the slot is free */
    uint64_t native_id;
    uint64_t interpreter;
    uint64_t gil; /* address of the GIL, 0 when it is not known */
    bool kept;    /* it was in the last list of threads */

    /* Where its stack lay. */
    bool predicted;
    struct sl_reach reach;   /* where in the newest chunk the innermost frame was in the last walks, */
    struct sl_reach recent;  /* and in the latest of them, */
    uint32_t recent_count;   /* this many */
    struct sl_chunk *chunks; /* newest first; owned */
    uint32_t chunk_count, chunk_capacity;
    uint64_t c_frames[SL_C_FRAMES]; /* the latest first; 0: none */
    struct sl_foreign *foreign;     /* frames outside of the data stack, in order of their addresses; owned */
    uint32_t foreign_count, foreign_capacity;
    uint32_t roams;        /* the newest chunk has changed lately: ask for all of it, in so many walks */
    uint64_t generation;   /* the interpreter's count of freed code objects, before the last walk */
    bool generation_moves; /* it was another one in the walk before */
    uint32_t turn;         /* which of the long-lived code objects is compared next */

    /* What was found. */
    struct sl_raw_frame *last; /* innermost first; owned */
    uint32_t last_count, last_capacity;
    struct sl_raw_frame *next; /* the walk that is under way; owned */
    uint32_t next_count, next_capacity;
    struct sl_raw_frame *certain; /* the outer part of a stack whose inner part was torn; owned */
    uint32_t certain_count, certain_capacity;
    struct sl_frame *frames; /* the last result: it ends where the array ends; owned */
    uint32_t frame_count, frame_capacity;
    uint64_t changes;   /* sl_code_cache.changes when it was found */
    uint64_t odd;       /* the pair of frames that did not fit together in the last attempt; 0: none */
    uint32_t odd_count; /* how often in a row it was the same before */
};

struct sl_thread_memories {
    struct sl_thread_memory **slots; /* hash table by address, a power of two; owned */
    uint32_t slot_count, count;
};

void sl_thread_memories_init(struct sl_thread_memories *memories);
void sl_thread_memories_destroy(struct sl_thread_memories *memories);

/* The memory for a thread, empty when the thread is new (or another thread lies at its address by now). NULL when ours
 * is exhausted. */
struct sl_thread_memory *sl_thread_memory(struct sl_thread_memories *memories, const struct sl_python_thread *thread);

/* Drops what belongs to threads that are not among `threads`. */
void sl_thread_memories_keep(struct sl_thread_memories *memories, const struct sl_python_thread *threads, size_t count);

/* The innermost frame lies there, in the newest chunk. */
void sl_thread_memory_top(struct sl_thread_memory *memory, uint64_t address);

/* Room for `count` elements of the arrays above; false when memory is exhausted. */
bool sl_thread_memory_chunks(struct sl_thread_memory *memory, uint32_t count);
bool sl_thread_memory_foreign(struct sl_thread_memory *memory, uint32_t count);
bool sl_thread_memory_next(struct sl_thread_memory *memory, uint32_t count);
bool sl_thread_memory_certain(struct sl_thread_memory *memory, uint32_t count);
/* Keeps the frames at the end of the larger array. */
bool sl_thread_memory_frames(struct sl_thread_memory *memory, uint32_t count);

/* thread_foreign.c: which frames outside of the data stack the next walk asks for. Both are false when memory is exhausted. */

/* This one has come to be among the innermost. */
bool sl_thread_memory_foreign_twice(struct sl_thread_memory *memory, uint64_t address);

/* Those in `next`, which are in the stack now, and for some time what was asked for this time. */
bool sl_thread_memory_foreign_seen(struct sl_thread_memory *memory);

#endif
