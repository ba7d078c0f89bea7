/* stem.h - the outer part of a stack as it stood at some moment, to tell how much of a later stack still is that part.
 *
 * The stack of a coroutine begins with its root: what that runs in is another stack each time it is resumed.
 *
 * A frame is taken for the same one while the same code object lies at the same address in it, and so do those between it
 * and where the comparison begins: the bottom of the stack, or the frame of a coroutine, its root, which comes back on
 * top of other frames each time it is resumed. It is the stem's while it also is at the same instruction: one that went on
 * has itself run since. A coroutine that is resumed passes other instructions on its way back into what it awaits, which
 * goes on then, too: as long as that has not ended, it has not gone on. One that awaits a generator is not told apart so. */
#ifndef SL_CPYTHON_STEM_H
#define SL_CPYTHON_STEM_H

#include "cpython/python.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_stem_frame {
    uint64_t address, code;
    uint64_t instruction; /* 0: not known */
};

struct sl_stem {
    /* From the root or the bottom on, the outermost first; behind them the one that the last calls, or called when it went
     * on, else zero. Owned. */
    struct sl_stem_frame *frames;
    size_t count;
    struct sl_stem_frame *outside; /* what the root was first seen to run in, the outermost first; NULL before; owned */
    size_t outside_count;
    uint64_t root; /* address of the root's frame; 0: there is none */
    /* What the stem is expected from, as long as that was not seen; else 0: the frame that they all lie outside of, and
     * the one that called that. */
    uint64_t caller, outer;
};

void sl_stem_init(struct sl_stem *stem);
void sl_stem_destroy(struct sl_stem *stem);

/* Takes what lies outside of the frame that calls, in the stack that was walked last of this thread: that frame is the
 * innermost but `skip`. `coroutine` is the address of the root, 0 when there is none. False when memory is exhausted; the
 * stem is then empty. */
bool sl_stem_take(struct sl_stem *stem, struct sl_python *python, const struct sl_python_thread *thread, size_t skip,
                  uint64_t coroutine);

/* The same without having walked: the stem is taken as soon as the frame that calls is seen, or the one that called it, and
 * is empty until then. Both are given by their frame objects, which must live; the second may be 0. `coroutine` as
 * above. */
void sl_stem_expect(struct sl_stem *stem, struct sl_python *python, uint64_t caller, uint64_t outer,
                    uint64_t coroutine);

/* What the outermost frames of a walk are, as far as they are shown: so many lie outside of the root, and then so many
 * belong to the stem. */
struct sl_stem_share {
    size_t outside;
    size_t shared;
    bool whole; /* a stem lies where these begin, so that frames which belong to it no more were left or went on */
    /* These are all: the innermost is on its way back into what it awaits. Else one at least is neither. */
    bool resuming;
};

/* Those of the thread's last walk. Frames of the stem that were left or went on are taken out of it. */
struct sl_stem_share sl_stem_shared(struct sl_stem *stem, struct sl_python *python,
                                    const struct sl_python_thread *thread);

/* The same for frames that begin with the root: `count` of them, the innermost first. */
struct sl_stem_share sl_stem_shared_from_root(struct sl_stem *stem, const struct sl_stem_frame *frames, size_t count);

/* Whether the root is among the frames of the thread's last walk. */
bool sl_stem_root_runs(const struct sl_stem *stem, struct sl_python *python, const struct sl_python_thread *thread);

#endif
