#include "sampler/host_stem.h"

#include <stdlib.h>

void sl_host_stem_destroy(struct sl_host_stem *stem)
{
    free(stem->frames);
    *stem = (struct sl_host_stem){0};
}

/* Frame `index` of the walk, counted from the outermost. */
static const struct sl_frame *from_outermost(const struct sl_walk *walk, size_t index)
{
    return &walk->frames[walk->count - 1 - index];
}

static void take(struct sl_host_stem *stem, const struct sl_walk *walk, size_t outside, size_t shared)
{
    stem->known = true;
    stem->frames = shared > 0 ? calloc(shared, sizeof *stem->frames) : NULL;
    for (size_t i = 0; i < shared && stem->frames != NULL; i++) {
        stem->frames[stem->count++] = *from_outermost(walk, outside + i);
    }
}

/* Whether any of those that may be the stem's has no name. */
static bool any_nameless(const struct sl_walk *walk, size_t outside, size_t shared)
{
    for (size_t i = 0; i < shared; i++) {
        if (from_outermost(walk, outside + i)->code == SL_CODE_NAMELESS) {
            return true;
        }
    }
    return false;
}

void sl_host_stem_see(struct sl_host_stem *stem, const struct sl_walk *walk, size_t outside, size_t shared,
                      bool resuming)
{
    size_t most = walk->count > outside ? walk->count - outside - (resuming ? 0 : 1) : 0;
    shared = shared < most ? shared : most;
    if (any_nameless(walk, outside, shared)) {
        return;
    }
    if (!stem->known) {
        if (!resuming) {
            take(stem, walk, outside, shared);
        }
        return;
    }
    uint32_t same = 0;
    while (same < stem->count && same < shared) {
        const struct sl_frame *frame = from_outermost(walk, outside + same);
        if (frame->code != stem->frames[same].code || frame->line != stem->frames[same].line) {
            break;
        }
        same++;
    }
    if (!resuming || same < shared) {
        stem->count = same;
    }
}

size_t sl_host_stem_note(struct sl_host_stem *stem, const struct sl_walk *walk, const struct sl_stem_share *share,
                         bool *on_stem)
{
    *on_stem = share->whole;
    if (share->whole) {
        sl_host_stem_see(stem, walk, share->outside, share->shared, share->resuming);
    }
    return share->outside;
}
