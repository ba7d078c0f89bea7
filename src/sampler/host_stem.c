#include "sampler/host_stem.h"

#include <stdlib.h>
#include <string.h>

void sl_host_stem_destroy(struct sl_host_stem *stem)
{
    free(stem->stacks);
    *stem = (struct sl_host_stem){0};
}

static bool take(struct sl_host_stem *stem, const sl_stack *stacks, size_t count)
{
    stem->known = true;
    stem->stacks = count > 0 ? calloc(count, sizeof *stacks) : NULL;
    if (stem->stacks == NULL) {
        return false;
    }
    memcpy(stem->stacks, stacks, count * sizeof *stacks);
    stem->count = count;
    return true;
}

bool sl_host_stem_see(struct sl_host_stem *stem, const sl_stack *stacks, size_t count, size_t shared)
{
    size_t most = count > 0 ? count - 1 : 0;
    shared = shared < most ? shared : most;
    if (!stem->known) {
        return take(stem, stacks, shared);
    }
    shared = shared < stem->count ? shared : stem->count;
    /* A stack tells its callers: where one is the same, all below are. */
    while (shared > 0 && stacks[shared - 1] != stem->stacks[shared - 1]) {
        shared--;
    }
    bool changed = shared != stem->count;
    stem->count = shared;
    return changed;
}

sl_stack sl_host_stem_stack(const struct sl_host_stem *stem)
{
    return stem->count > 0 ? stem->stacks[stem->count - 1] : 0;
}
