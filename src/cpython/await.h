/* await.h - what a coroutine that is suspended waits for: from it through what it awaits, and what that awaits, to where
 * the chain leaves coroutines.
 *
 * Followed are coroutines, generators that delegate, asynchronous generators (by the objects that asend() and athrow()
 * give), coroutines' wrappers, and tasks of _asyncio that are awaited. Everything is read from the objects themselves; the
 * frames of suspended ones lie within them. */
#ifndef SL_CPYTHON_AWAIT_H
#define SL_CPYTHON_AWAIT_H

#include "cpython/python.h"
#include "cpython/stem.h"
#include "cpython/trail.h"

/* A chain that is longer is told up to here. */
#define SL_AWAIT_FRAMES_MAX 1024u

struct sl_await {
    struct sl_trail trail;
    uint64_t coroutine; /* that was followed */

    /* Of the last successful reading, the outermost, which is the coroutine itself, last. */
    struct sl_walk walk;             /* `unchanged`: all or none */
    struct sl_frame *frames;         /* owned, as are of the same frames: */
    struct sl_stem_frame *addresses; /* where they lie, */
    uint64_t *instructions;          /* and the addresses of their instructions */
    uint32_t frame_capacity, address_capacity, instruction_capacity;
};

void sl_await_init(struct sl_await *await);
void sl_await_destroy(struct sl_await *await);

enum sl_awaiting {
    SL_AWAITING = 0, /* it is suspended; the chain is in `walk` */
    SL_AWAIT_RUNS,
    SL_AWAIT_ENDED, /* or not begun */
    SL_AWAIT_TORN,  /* it changed while it was read: look again at once */
};
enum sl_awaiting sl_await_read(struct sl_await *await, struct sl_python *python, uint64_t coroutine);

#endif
