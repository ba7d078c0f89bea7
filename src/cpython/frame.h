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
    bool suspended;  /* it does not run: it has not begun yet, or calls, or ended its turn. Before 3.14 */
    bool waiting;    /* it is suspended, and has begun. Before 3.14 */
};

/* The header of layout->frame_header bytes at `copy`. */
struct sl_header sl_header_parse(const struct sl_layout *layout, const uint8_t *copy, bool on_data_stack);

struct sl_copies {
    bool has_before, has_behind;
    struct sl_header before, behind;
};

/* A frame that was in the stack at the moment, and the copy that stands for it. */
struct sl_chosen {
    struct sl_copies copies;
    struct sl_header header;
    bool innermost;
    /* Before 3.14: as the innermost frame was copied behind the moment, it waited, so it had been left. Then all that it
     * stands on may be leftovers there, too, each of which looks as if it still waited for the next. */
    bool left;
    bool alive; /* it still was in the stack when it was copied behind the moment: what lies below it there is its
                 * caller */
};

/* Chooses for the innermost frame; false when neither copy can be a frame. */
bool sl_frame_choose(const struct sl_layout *layout, const struct sl_copies *copies, struct sl_chosen *chosen);

/* Chooses for the caller of `callee`, and may choose the other copy for an innermost callee. False when the two may
 * never have met. */
bool sl_frame_choose_caller(const struct sl_layout *layout, const struct sl_copies *copies, struct sl_chosen *callee,
                            struct sl_chosen *caller);

/* Whether it is the same frame in both copies, or lies where nothing changes and was copied once. */
bool sl_frame_stayed(const struct sl_copies *copies);

/* Whether a frame without a caller can be the bottom of a stack where no hidden frame marks it (3.11). */
bool sl_frame_is_bottom(const struct sl_chosen *chosen);

#endif
