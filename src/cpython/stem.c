#include "cpython/stem.h"

#include "cpython/runtime.h"

#include <stdlib.h>

void sl_stem_init(struct sl_stem *stem)
{
    *stem = (struct sl_stem){0};
}

void sl_stem_destroy(struct sl_stem *stem)
{
    free(stem->frames);
    sl_stem_init(stem);
}

bool sl_stem_take(struct sl_stem *stem, struct sl_python *python, const struct sl_python_thread *thread, size_t skip)
{
    sl_stem_init(stem);
    const struct sl_thread_memory *memory = sl_thread_memory(&python->memories, thread);
    if (memory == NULL) {
        return false;
    }
    uint32_t inner = 0; /* frames that are the caller's or called by it */
    for (size_t shown = 0; inner < memory->last_count && shown <= skip; inner++) {
        shown += memory->last[inner].shown;
    }
    size_t count = memory->last_count - inner;
    if (count == 0) {
        return true;
    }
    stem->frames = calloc(count, sizeof *stem->frames);
    if (stem->frames == NULL) {
        return false;
    }
    stem->count = count;
    for (size_t i = 0; i < count; i++) {
        const struct sl_raw_frame *raw = &memory->last[memory->last_count - 1 - i];
        stem->frames[i] = (struct sl_stem_frame){raw->address, raw->code};
    }
    return true;
}

size_t sl_stem_shared(struct sl_stem *stem, struct sl_python *python, const struct sl_python_thread *thread,
                      bool shorten)
{
    const struct sl_thread_memory *memory = stem->count > 0 ? sl_thread_memory(&python->memories, thread) : NULL;
    if (memory == NULL) {
        return 0;
    }
    uint32_t innermost = 0; /* of those that are shown */
    while (innermost < memory->last_count && !memory->last[innermost].shown) {
        innermost++;
    }
    size_t most = memory->last_count - innermost;
    most = most > 0 ? most - 1 : 0;
    most = most < stem->count ? most : stem->count;
    size_t shared = 0;
    size_t shown = 0;
    for (; shared < most; shared++) {
        const struct sl_raw_frame *raw = &memory->last[memory->last_count - 1 - shared];
        if (raw->address != stem->frames[shared].address || raw->code != stem->frames[shared].code) {
            break;
        }
        shown += raw->shown;
    }
    if (shorten) {
        stem->count = shared;
    }
    return shown;
}
