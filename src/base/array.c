#include "base/array.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t first_capacity = 16;

bool sl_array_room(void *array, uint32_t *capacity, uint32_t count, size_t size)
{
    return count < *capacity || (count < UINT32_MAX && sl_array_reserve(array, capacity, count + 1, size));
}

bool sl_array_reserve(void *array, uint32_t *capacity, uint32_t count, size_t size)
{
    if (count <= *capacity) {
        return true;
    }
    uint64_t wanted = *capacity == 0 ? first_capacity : (uint64_t)*capacity * 2;
    while (wanted < count) {
        wanted *= 2;
    }
    wanted = wanted < UINT32_MAX ? wanted : UINT32_MAX - 1;
    if (wanted < count || wanted > SIZE_MAX / size) {
        return false;
    }
    /* Any type of pointer may stand at `array`, so it is copied and not accessed as another. */
    void *memory;
    memcpy(&memory, array, sizeof memory);
    memory = realloc(memory, (size_t)wanted * size);
    if (memory == NULL) {
        return false;
    }
    memcpy(array, &memory, sizeof memory);
    *capacity = (uint32_t)wanted;
    return true;
}
