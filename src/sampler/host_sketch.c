#include "sampler/host_sketch.h"

#include "base/array.h"

#include <stdlib.h>

void sl_host_sketch_destroy(struct sl_host_sketch *sketch)
{
    free(sketch->frames);
    free(sketch->stacks);
    *sketch = (struct sl_host_sketch){0};
}

void sl_host_sketch_clear(struct sl_host_sketch *sketch)
{
    sketch->count = 0;
    sketch->on_stem = false;
}

bool sl_host_sketch_add(struct sl_host_sketch *sketch, const struct sl_walk *walk, size_t outside, bool on_stem)
{
    if (on_stem) {
        sketch->on_stem = true;
        sketch->stem_first = sketch->count;
    }
    for (size_t i = outside; i < walk->count; i++) {
        if (!sl_array_room(&sketch->frames, &sketch->capacity, sketch->count, sizeof *sketch->frames)) {
            return false;
        }
        sketch->frames[sketch->count++] = walk->frames[walk->count - 1 - i];
    }
    return true;
}

sl_stack sl_host_sketch_translate(struct sl_host_sketch *sketch, struct sl_translation *translation,
                                  const struct sl_python *python)
{
    sketch->stacks = calloc((size_t)sketch->count + 1, sizeof *sketch->stacks);
    sl_stack stack = sketch->stacks != NULL ? 0 : SL_NONE;
    for (uint32_t i = 0; i < sketch->count && stack != SL_NONE; i++) {
        stack = sl_translate_frame(translation, python, stack, &sketch->frames[i]);
        sketch->stacks[i] = stack;
    }
    return stack;
}
