/* returns.h - the instructions of a code object at which its frames are left.
 *
 * Before 3.14 a frame that has been left stays as it was: it looks as if it waited for a callee, at the instruction that
 * left it. So a frame that is said to have called another, and is at one of these, most likely did not. */
#ifndef SL_CPYTHON_RETURNS_H
#define SL_CPYTHON_RETURNS_H

#include "cpython/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_returns {
    uint32_t *units; /* ascending; owned */
    uint32_t count;
};

/* Of a code object with more instructions, only the first of them are looked at. */
#define SL_RETURNS_BYTES_MAX ((size_t)2048)

/* How many bytes of a code object with so many code units are to be given to `sl_returns_find`; 0 from 3.14 on. */
size_t sl_returns_bytes(const struct sl_layout *layout, uint64_t units);

/* Finds them in the first `size` bytes of the instructions. A cache entry that happens to look like one is taken for one.
 * False when memory is exhausted. */
bool sl_returns_find(struct sl_returns *returns, const struct sl_layout *layout, const uint8_t *instructions,
                     size_t size);
void sl_returns_destroy(struct sl_returns *returns);

/* Whether code unit `unit` is among them. */
bool sl_returns_has(const struct sl_returns *returns, uint32_t unit);

#endif
