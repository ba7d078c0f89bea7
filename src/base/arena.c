#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>

/* Large enough that a report needs few pages, small enough that an empty one costs nothing. */
static const size_t page_size = (size_t)64 * 1024;

struct sl_arena_page {
    struct sl_arena_page *older;
    size_t size; /* of the whole page, this header included */
    size_t used;
};

static size_t rounded_up(size_t size)
{
    const size_t alignment = alignof(max_align_t);
    return (size + alignment - 1) & ~(alignment - 1);
}

void sl_arena_init(struct sl_arena *arena)
{
    arena->newest = NULL;
    arena->exhausted = false;
}

static struct sl_arena_page *page_with_room(struct sl_arena *arena, size_t size)
{
    struct sl_arena_page *page = arena->newest;
    if (page != NULL && page->size - page->used >= size) {
        return page;
    }
    size_t header = rounded_up(sizeof *page);
    size_t needed = header + size > page_size ? header + size : page_size;
    struct sl_arena_page *fresh = sl_arena_page_get(needed);
    if (fresh == NULL) {
        return NULL;
    }
    fresh->size = needed;
    fresh->used = header;
    if (page != NULL && needed > page_size) {
        /* A page of its own for one large piece: the page before it still has room for small ones. */
        fresh->older = page->older;
        page->older = fresh;
    } else {
        fresh->older = page;
        arena->newest = fresh;
    }
    return fresh;
}

void *sl_arena_allocate(struct sl_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX / 2) / size) {
        arena->exhausted = true;
        return NULL;
    }
    size_t wanted = rounded_up(count * size);
    struct sl_arena_page *page = page_with_room(arena, wanted);
    if (page == NULL) {
        arena->exhausted = true;
        return NULL;
    }
    void *memory = (char *)page + page->used;
    page->used += wanted;
    return memory;
}

void sl_arena_reset(struct sl_arena *arena)
{
    struct sl_arena_page *page = arena->newest;
    while (page != NULL) {
        struct sl_arena_page *older = page->older;
        sl_arena_page_put(page, page->size);
        page = older;
    }
    sl_arena_init(arena);
}
