/* frame.h - one frame (_PyInterpreterFrame) as it was copied, before and behind the moment that a walk stands for, and
 * what can be concluded from the two copies. stack.h says which copies there are. */
#ifndef SL_CPYTHON_FRAME_H
#define SL_CPYTHON_FRAME_H

#include "cpython/layout.h"

#include <stdbool.h>
#include <stdint.h>

/* What a frame's header says. */
struct sl_header {
    uint64_t code;
    uint64_t previous;
    uint64_t instruction;
    bool possible;   /* it can be a frame: of a known owner, with a code object, in the right place */
    bool hidden;     /* the interpreter's own: a boundary to C */
    bool generator;  /* it belongs to a generator or coroutine */
    bool links_well; /* its caller lies where a frame was expected to be; set by who knows */
    bool entry;      /* it was called from C (3.11; later a hidden frame says so) */
    bool waiting;    /* for a callee that it called itself, not through C; or, a generator, for its next turn. Before
                     * 3.14; later nothing in a frame tells */
};

/* The header of layout->frame_header bytes at `copy`. */
struct sl_header sl_header_parse(const struct sl_layout *layout, const uint8_t *copy, bool on_data_stack);

struct sl_copies {
    bool has_before, has_behind;
    struct sl_header before, behind;
};

/* The copy that stands for the innermost frame; false when neither can. */
bool sl_frame_choose(const struct sl_copies *copies, struct sl_header *header);

/* The copy that stands for the caller of `callee`, a frame that was in the stack at the moment and for which
 * `callee_header` was chosen. If it is the `innermost` frame, the caller may tell that the callee's other copy must be
 * taken. False when the two may never have met. */
bool sl_frame_choose_caller(const struct sl_layout *layout, const struct sl_copies *copies,
                            const struct sl_copies *callee, bool innermost, struct sl_header *callee_header,
                            struct sl_header *header);

/* Whether a frame without a caller, chosen as `header`, can be the bottom of a stack where no hidden frame marks it
 * (3.11). `innermost`: it is the only one. */
bool sl_frame_is_bottom(const struct sl_copies *copies, const struct sl_header *header, bool innermost);

#endif
