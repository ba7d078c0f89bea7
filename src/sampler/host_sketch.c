#include "sampler/host_sketch.h"

#include "base/array.h"

#include <stdlib.h>

void sl_host_sketch_destroy(struct sl_host_sketch *sketch)
{
    free(sketch->frames);
    *sketch = (struct sl_host_sketch){0};
}

void sl_host_sketch_clear(struct sl_host_sketch *sketch)
{
    sketch->count = 0;
}

bool sl_host_sketch_add(struct sl_host_sketch *sketch, const struct sl_walk *walk, size_t trimmed)
{
    for (size_t i = trimmed; i < walk->count; i++) {
        if (!sl_array_room(&sketch->frames, &sketch->capacity, sketch->count, sizeof *sketch->frames)) {
            return false;
        }
        sketch->frames[sketch->count++] = walk->frames[walk->count - 1 - i];
    }
    return true;
}

sl_stack sl_host_sketch_stack(const struct sl_host_sketch *sketch, struct sl_translation *translation,
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
