/* host_stem.h - the frames below all that a recording saw in the thread that started it: of its stack as it was then, those
 * that only waited for what was recorded. A reader leaves them out (docs/trace-format.md).
 *
 * They are the fewer the more was seen: a function that was left, or ran itself, is part of what was recorded, and so is,
 * since one stack is to be in one place, all that it called before that was known. */
#ifndef SL_SAMPLER_HOST_STEM_H
#define SL_SAMPLER_HOST_STEM_H

#include "cpython/python.h"
#include "cpython/stem.h"

#include <stdbool.h>
#include <stdint.h>

struct sl_host_stem {
    struct sl_frame *frames; /* the outermost first; owned */
    uint32_t count;
    uint32_t told; /* how many the trace was told of; `count` may be less since */
    bool known;
};

void sl_host_stem_destroy(struct sl_host_stem *stem);

/* A walk was seen, without whose `outside` outermost frames the next `shared` may be the stem's; one is left, unless they
 * are all `resuming`: on their way back to what they wait for, which is not seen, and then the stem may be longer. When
 * memory is exhausted it is empty. A walk in which one of these has no name tells nothing: the next one will. */
void sl_host_stem_see(struct sl_host_stem *stem, const struct sl_walk *walk, size_t outside, size_t shared,
                      bool resuming);

/* The same for what sl_stem_shared and the like say of the walk. How many of its outermost frames are no part of the
 * recording; `*on_stem`: the next ones are the stem's. */
size_t sl_host_stem_note(struct sl_host_stem *stem, const struct sl_walk *walk, const struct sl_stem_share *share,
                         bool *on_stem);

#endif
