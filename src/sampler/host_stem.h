/* host_stem.h - the stack on which all lies that a recording saw in the thread that started it: the part of it that was
 * there then, and only waited for what was recorded. A reader leaves it out (docs/trace-format.md).
 *
 * It is the smaller the more was seen: a function that was left, or ran itself, is part of what was recorded, and so is,
 * since one stack is to be in one place, all that it called before that was known. */
#ifndef SL_SAMPLER_HOST_STEM_H
#define SL_SAMPLER_HOST_STEM_H

#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>

struct sl_host_stem {
    sl_stack *stacks; /* one for each frame, the outermost first; owned */
    size_t count;
    bool known;
};

void sl_host_stem_destroy(struct sl_host_stem *stem);

/* Of the frames of a stack, whose `stacks` are told as those of the stem are, `shared` may be the stem's; one of the
 * `count` is always left. Whether the stem is another one since. When memory is exhausted it is empty. */
bool sl_host_stem_see(struct sl_host_stem *stem, const sl_stack *stacks, size_t count, size_t shared);

/* The empty stack while nothing was seen. */
sl_stack sl_host_stem_stack(const struct sl_host_stem *stem);

#endif
