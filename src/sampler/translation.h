/* translation.h - from what a process calls its code to what a recording calls it: frames to stack numbers.
 *
 * Walks tell how many of the outermost frames are as they were, so a stack's translation costs what changed of it and
 * not its depth. One translation serves one process in one recording at a time, a strand one thread state in it. */
#ifndef SL_SAMPLER_TRANSLATION_H
#define SL_SAMPLER_TRANSLATION_H

#include "cpython/python.h"
#include "profile/recorder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_translation {
    struct sl_recorder *recorder;
    sl_function *functions; /* by number of the code object; SL_NONE where it was not seen yet; owned */
    uint32_t function_count;
    char *folders;         /* that modules are known to come from, joined by \n; owned; NULL: none is known */
    bool elsewhere;        /* code of a file that lies in none of them was met since they were told */
    bool without_profiler; /* frames of profiler_files.h are left out */
};

/* What the last walk of one thread state was translated to: a stack for each frame, the outermost first. */
struct sl_strand {
    sl_stack root;  /* what the outermost frame was put on */
    size_t outside; /* so many of the outermost frames were left out; their stack is the root */
    sl_stack *stacks;
    size_t count;
    uint32_t capacity;
};

void sl_translation_init(struct sl_translation *translation, struct sl_recorder *recorder);
/* Goes over to another recorder, which has seen none of the functions. Its strands are to be destroyed then. */
void sl_translation_turn(struct sl_translation *translation, struct sl_recorder *recorder);

void sl_translation_destroy(struct sl_translation *translation);

/* Tells the folders that modules come from, joined by \n. */
void sl_translation_know_folders(struct sl_translation *translation, const char *folders);

void sl_strand_init(struct sl_strand *strand);
void sl_strand_destroy(struct sl_strand *strand);

/* The stack of a walk, put on top of `root` (0: on nothing), without its outermost `outside` frames. Every successful
 * walk of the strand's thread state must come here or to sl_strand_pass, because the next one is told relative to it.
 * SL_NONE when memory is exhausted. */
sl_stack sl_translate(struct sl_translation *translation, const struct sl_python *python, struct sl_strand *strand,
                      sl_stack root, size_t outside, const struct sl_walk *walk);

/* The stack of one frame on top of `caller`, which is `caller` itself where the frame is left out. SL_NONE when memory is
 * exhausted. */
sl_stack sl_translate_frame(struct sl_translation *translation, const struct sl_python *python, sl_stack caller,
                            const struct sl_frame *frame);

/* The recording's function of a code object; SL_NONE when memory is exhausted. */
sl_function sl_translate_function(struct sl_translation *translation, const struct sl_python *python, uint32_t number);

/* A walk whose stack is not asked for, or not yet: translating it later, before the next walk, is allowed. */
void sl_strand_pass(struct sl_strand *strand, const struct sl_walk *walk);

#endif
