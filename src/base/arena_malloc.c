/* The native source of an arena's pages. */
#include "base/arena.h"

#include <stdlib.h>

void *sl_arena_page_get(size_t size)
{
    return calloc(1, size);
}

void sl_arena_page_put(void *page, size_t size)
{
    (void)size;
    free(page);
}
