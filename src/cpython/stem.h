/* stem.h - the outer part of a stack as it stood at some moment, to tell how much of a later stack still is that part.
 *
 * A frame is taken for the same one while the same code object lies at the same address in it and all frames outside of
 * it are the same, too. */
#ifndef SL_CPYTHON_STEM_H
#define SL_CPYTHON_STEM_H

#include "cpython/python.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_stem {
    struct sl_stem_frame {
        uint64_t address, code;
    } * frames; /* the outermost first; owned */
    size_t count;
};

void sl_stem_init(struct sl_stem *stem);
void sl_stem_destroy(struct sl_stem *stem);

/* Takes what lies outside of the frame that calls, in the stack that was walked last of this thread: that frame is the
 * innermost but `skip`. False when memory is exhausted; the stem is then empty. */
bool sl_stem_take(struct sl_stem *stem, struct sl_python *python, const struct sl_python_thread *thread, size_t skip);

/* How many of the frames of the thread's last walk, the outermost, belong to the stem; one that they do not belong to is
 * always left. Frames of the stem that have been left do not come back: `shorten` takes them out for good. */
size_t sl_stem_shared(struct sl_stem *stem, struct sl_python *python, const struct sl_python_thread *thread,
                      bool shorten);

#endif
