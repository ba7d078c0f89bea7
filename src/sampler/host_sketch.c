#include "sampler/host_sketch.h"

#include "base/array.h"

#include <stdlib.h>

void sl_sketch_destroy(struct sl_host_sketch *sketch)
{
    free(sketch->frames);
    *sketch = (struct sl_host_sketch){0};
}

void sl_sketch_clear(struct sl_host_sketch *sketch, enum sl_sketch_top top)
{
    sketch->count = 0;
    sketch->top = top;
}

void sl_sketch_add(struct sl_host_sketch *sketch, const struct sl_walk *walk, size_t trimmed)
{
    for (size_t i = trimmed; i < walk->count && sketch->top != SL_SKETCH_MISSED; i++) {
        if (sl_array_room(&sketch->frames, &sketch->capacity, sketch->count, sizeof *sketch->frames)) {
            sketch->frames[sketch->count++] = walk->frames[walk->count - 1 - i];
        } else {
            sl_sketch_clear(sketch, SL_SKETCH_MISSED);
        }
    }
}

sl_stack sl_sketch_stack(const struct sl_host_sketch *sketch, struct sl_translation *translation,
                         const struct sl_python *python)
{
    sl_stack stack = 0;
    for (uint32_t i = 0; i < sketch->count && stack != SL_NONE; i++) {
        sl_function function = sl_translate_function(translation, python, sketch->frames[i].code);
        stack = function != SL_NONE ? sl_recorder_stack(translation->recorder, stack, function, sketch->frames[i].line)
                                    : SL_NONE;
    }
    return stack;
}
