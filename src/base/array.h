/* array.h - arrays that grow by doubling. */
#ifndef SL_BASE_ARRAY_H
#define SL_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes sure that an array of `size`-byte elements has room for one more than `count`. `array` is the address of the
 * pointer to its first element, which is replaced when the array must move. No array gets UINT32_MAX elements, so that
 * UINT32_MAX can mean none. False when memory is exhausted; the array is then as before. */
bool sl_array_room(void *array, uint32_t *capacity, uint32_t count, size_t size);

/* The same for `count` elements in all. */
bool sl_array_reserve(void *array, uint32_t *capacity, uint32_t count, size_t size);

#endif
