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

struct sl_await_chain {
    struct sl_trail trail;
    uint64_t coroutine;              /* that was followed; the outermost frame, which is the last, is its own */
    struct sl_walk walk;             /* `unchanged`: all or none */
    struct sl_frame *frames;         /* owned, as are of the same frames: */
    struct sl_stem_frame *addresses; /* where they lie, */
    uint64_t *instructions;          /* and the addresses of their instructions */
    uint32_t frame_capacity, address_capacity, instruction_capacity;
};

struct sl_await {
    struct sl_await_chain chain; /* of the last successful reading */
    bool interrupted;            /* there was one since that was not */
    struct sl_await_chain next;  /* of the last other one; `walk` is empty unless it came to the end of the chain */
};

void sl_await_init(struct sl_await *await);
void sl_await_destroy(struct sl_await *await);

enum sl_awaiting {
    SL_AWAITING = 0, /* it is suspended, and this is what it waits for */
    SL_AWAIT_RUNS,
    SL_AWAIT_ENDED, /* or not begun */
    SL_AWAIT_TORN,  /* it changed while it was read: look again at once */
};
/* Whether it waits for the same as in the last successful reading. */
bool sl_await_still(struct sl_await *await, struct sl_python *python, uint64_t coroutine);

/* One that waits for the same as in the last successful reading takes one read, two when it has run in between. */
enum sl_awaiting sl_await_read(struct sl_await *await, struct sl_python *python, uint64_t coroutine);

#endif
