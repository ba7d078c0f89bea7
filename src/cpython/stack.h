/* stack.h - one attempt to see a thread's stack: what is asked for, what is followed, what is made of it.
 *
 * The program runs while its memory is copied, so what a copy holds was true at slightly different moments. The order
 * of the pieces makes it possible to tell what was true at one moment, that at which the thread state was copied:
 *
 *   generation how many code objects were freed, where that is counted
 *   guard      the first frame of the newest chunk, when there are older chunks
 *   older      the older chunks, whole
 *   foreign    frames outside of the data stack: generators', and those that mark a boundary to C
 *   chunk      the newest chunk, from its begin to behind the innermost frame
 *   thread     the thread state, which points to the innermost frame     <- the moment
 *   top        the innermost part of the newest chunk once more, and of the foreign frames
 *   rest       identities of code objects, GIL, garbage collection
 *
 * Outer frames are in the first copy only: they do not change within a microsecond. Of the innermost ones there are
 * two copies. Refusing a stack because something was called or returned between them would take time away from short
 * functions, so each callee is judged together with its caller (stack_follow.c): what a frame says of itself tells
 * whether the callee above it is alive or a leftover. Only a pair that may never have met is torn. */
#ifndef SL_CPYTHON_STACK_H
#define SL_CPYTHON_STACK_H

#include "cpython/runtime.h"

#define SL_NO_PIECE SIZE_MAX

/* The part of a _PyCFrame that holds current_frame (Include/cpython/pystate.h, 3.11 and 3.12). */
#define SL_C_FRAME_BYTES 16

struct sl_stack {
    struct sl_python *python;
    struct sl_thread_memory *memory;

    /* Numbers of the snapshot's pieces, SL_NO_PIECE where there is none. */
    size_t guard;
    size_t older, older_count;
    size_t foreign, foreign_count;
    size_t chunk;
    size_t thread;
    size_t c_frames;
    size_t chunk_top;
    size_t foreign_inner, foreign_inner_count;
    size_t generation_before;
    size_t context_before, context_behind; /* where contexts are followed */
    size_t codes, code_count;              /* one check each (code_check.h) */
    size_t words, word_count;              /* see stack_words.c */
    size_t extra, extra_count;             /* frames that were asked for later */
    bool must_confirm;                     /* something else was */
    bool hurries; /* a code object is compared that may not stay: no copy may be slower than usual */

    uint64_t base;       /* the frame that every stack ends in, from 3.15; else 0 */
    uint64_t current;    /* the innermost frame at the moment, */
    uint64_t current_at; /* and where that is written */
    uint64_t context;    /* the context that was entered then */
    bool doubtful;       /* not all code objects of the last stack were compared, as far as they need be */
    bool late;           /* code objects were read so late that it cannot be told whose they are */
    bool copied;         /* all that was asked for at first is there */
    bool retold;         /* what it says is of an attempt before, not of the copy at hand */
    bool partial;        /* something in it was torn: what is followed is what lies below that */
    /* Code objects freed so far, before and behind the moment; 0 when it is not told. What is in the stack was in use at
     * the moment, so it is itself until more than those before it have been freed. */
    uint64_t freed_before, freed_behind;
    bool holds_gil, collecting; /* as in struct sl_walk */
    uint64_t copied_ns;         /* when copying began */
    uint32_t version;           /* the highest co_version that was known before */
};

enum sl_follow {
    SL_FOLLOW_OK,
    SL_FOLLOW_TORN,
    SL_FOLLOW_MOVED, /* the stack lies elsewhere than was thought; it is known by now, ask again */
    SL_FOLLOW_FAULT,
    SL_FOLLOW_GONE,
    SL_FOLLOW_DENIED,
    SL_FOLLOW_TOO_DEEP, /* beyond a bound of python.h */
    SL_FOLLOW_MEMORY,
};
enum sl_follow sl_follow_from_read(enum sl_read read);

/* What it means that a piece could not be added to the snapshot. */
enum sl_follow sl_follow_from_refusal(const struct sl_snapshot *snapshot);

/* stack_place.c: where the stack lies. */

/* Finds out from nothing, by one read for each chunk. SL_FOLLOW_OK, or what went wrong. */
enum sl_follow sl_stack_discover(struct sl_python *python, struct sl_thread_memory *memory);

/* The list of chunks, when `newest` is the newest one by now. */
enum sl_follow sl_stack_chunks(struct sl_python *python, struct sl_thread_memory *memory, uint64_t newest);

/* Remembers a _PyCFrame. */
void sl_stack_c_frame(struct sl_thread_memory *memory, uint64_t address);

/* stack_plan.c: copies everything that the stack is thought to consist of. */
enum sl_follow sl_stack_copy(struct sl_stack *stack, struct sl_python *python, struct sl_thread_memory *memory);

/* stack_words.c: adds the words to be seen beside the stack, behind its pieces; false when memory is exhausted. */
bool sl_stack_words_add(struct sl_stack *stack);

/* What they say of the GIL, of freed code objects, and of the list of threads if it was asked for; and that they could not
 * be copied. */
void sl_stack_words_see(struct sl_stack *stack);
void sl_stack_words_lose_list(const struct sl_stack *stack);

/* stack_follow.c: from the innermost frame to the bottom, into memory->next. When a pair on the way may never have met,
 * SL_FOLLOW_TORN, and what lies below it in memory->certain, unless something is there already. */
enum sl_follow sl_stack_follow(struct sl_stack *stack);

/* stack_confirm.c: the entry is what lay at its address at the moment. */
void sl_stack_confirm(const struct sl_stack *stack, struct sl_known_code *known);

/* Whether it surely still is. */
bool sl_stack_confirmed(const struct sl_stack *stack, const struct sl_known_code *known);

/* stack_learn.c: reads `count` (at most SL_LEARN_MAX) code objects that frames of memory->next have. `reused`: other ones
 * lay at these addresses before. Frames that may have had another one are made nameless. */
#define SL_LEARN_MAX 64u
enum sl_look sl_stack_learn(struct sl_stack *stack, const uint64_t *addresses, size_t count, bool reused);

/* stack_resolve.c: which functions and lines these are; on success memory->next has become memory->last, and
 * memory->frames the result. `*unchanged` counts the outermost frames that are as before. */
enum sl_look sl_stack_resolve(struct sl_stack *stack, uint64_t *unchanged);

#endif
