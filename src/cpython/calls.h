/* calls.h - the instructions of a code object that may be waiting for a Python function which they have called.
 *
 * Before 3.14 a frame that has been left stays as it was, and looks as if it waited for a callee. So a frame that is said
 * to have called another, and is at an instruction that calls nothing, most likely did not. What Python code is called
 * through C, by whatever instruction, is told apart in other ways (the callee is an entry frame, or lies on a frame of the
 * interpreter's own), and generators are resumed by others than these. */
#ifndef SL_CPYTHON_CALLS_H
#define SL_CPYTHON_CALLS_H

#include "cpython/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_calls {
    uint8_t *bits; /* one for each of the first `units` code units, the lowest first; NULL: nothing is known. Owned */
    uint32_t units;
};

/* Of a code object with more instructions, only the first of them are looked at: what is so short-lived that it matters is
 * short. */
#define SL_CALLS_BYTES_MAX ((size_t)512)

/* How many bytes of the instructions of a code object with so many code units are to be given to `sl_calls_find`; 0 from
 * 3.14 on, where frames that are left are wiped. */
size_t sl_calls_bytes(const struct sl_layout *layout, uint64_t units);

/* Finds them in the first `size` bytes. An entry of a cache that happens to look like such an instruction is taken for
 * one. False when memory is exhausted. */
bool sl_calls_find(struct sl_calls *calls, const struct sl_layout *layout, const uint8_t *instructions, size_t size);
void sl_calls_destroy(struct sl_calls *calls);

/* Whether a frame whose instruction is in code unit `unit` may have called another; true where nothing is known. */
bool sl_calls_may(const struct sl_calls *calls, uint32_t unit);

#endif
