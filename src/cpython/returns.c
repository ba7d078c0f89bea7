#include "cpython/returns.h"

#include <stdlib.h>

size_t sl_returns_bytes(const struct sl_layout *layout, uint64_t units)
{
    if (layout->return_opcode == 0) {
        return 0;
    }
    return units < SL_RETURNS_BYTES_MAX / 2 ? (size_t)units * 2 : SL_RETURNS_BYTES_MAX;
}

static bool leaves(const struct sl_layout *layout, uint8_t opcode)
{
    return opcode != 0 && (opcode == layout->return_opcode || opcode == layout->return_constant_opcode);
}

bool sl_returns_find(struct sl_returns *returns, const struct sl_layout *layout, const uint8_t *instructions,
                     size_t size)
{
    *returns = (struct sl_returns){0};
    uint32_t count = 0;
    for (size_t at = 0; at + 1 < size; at += 2) {
        count += leaves(layout, instructions[at]);
    }
    if (count == 0) {
        return true;
    }
    returns->units = malloc(count * sizeof *returns->units);
    if (returns->units == NULL) {
        return false;
    }
    for (size_t at = 0; at + 1 < size; at += 2) {
        if (leaves(layout, instructions[at])) {
            returns->units[returns->count++] = (uint32_t)(at / 2);
        }
    }
    return true;
}

void sl_returns_destroy(struct sl_returns *returns)
{
    free(returns->units);
    *returns = (struct sl_returns){0};
}

bool sl_returns_has(const struct sl_returns *returns, uint32_t unit)
{
    uint32_t low = 0;
    uint32_t high = returns->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (returns->units[middle] < unit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < returns->count && returns->units[low] == unit;
}
