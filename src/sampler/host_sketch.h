/* host_sketch.h - what the first look at a recording saw, of one of many of which most are discarded before the second.
 *
 * To make a recorder for each would cost more than all looks together. So what is seen first is kept as it is, and told
 * to the recorder when there is one. */
#ifndef SL_SAMPLER_HOST_SKETCH_H
#define SL_SAMPLER_HOST_SKETCH_H

#include "cpython/python.h"
#include "sampler/slots.h"
#include "sampler/translation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_host_sketch {
    bool taken;              /* all of what follows is known, and was not told yet */
    struct sl_span span;     /* on the recording's clock */
    struct sl_frame *frames; /* outermost first; owned */
    uint32_t count, capacity;
    bool on_stem;        /* the recording's stem is among them (host_stem.h), */
    uint32_t stem_first; /* from this one on */
    sl_stack *stacks;    /* for each frame, once they were translated; owned */
    uint64_t retried;
};

void sl_host_sketch_destroy(struct sl_host_sketch *sketch);

/* Forgets the frames, and keeps their memory. */
void sl_host_sketch_clear(struct sl_host_sketch *sketch);

/* Puts the frames of a walk on top, without the `outside` outermost of them. `on_stem`: the stem begins with the next one.
 * False when memory is exhausted. */
bool sl_host_sketch_add(struct sl_host_sketch *sketch, const struct sl_walk *walk, size_t outside, bool on_stem);

/* The frames as a stack, and `stacks`; SL_NONE when memory is exhausted. */
sl_stack sl_host_sketch_translate(struct sl_host_sketch *sketch, struct sl_translation *translation,
                                  const struct sl_python *python);

#endif
