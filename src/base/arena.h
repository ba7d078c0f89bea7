/* arena.h - memory that is given back all at once.
 *
 * src/analysis allocates from nothing else, so that the same code runs in the command, in the extension and, compiled
 * to WebAssembly, in the report page. Memory comes zeroed and aligned for any type, and lives until the arena is
 * reset or destroyed. Not thread-safe. The one thing it needs from outside are the two functions below
 * (`sl_arena_page_get`, `sl_arena_page_put`): malloc and free natively, the module's own memory in the page. */
#ifndef SL_BASE_ARENA_H
#define SL_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct sl_arena_page;

struct sl_arena {
    struct sl_arena_page *newest;
    bool exhausted; /* set by the first allocation that failed; stays set until the reset */
};

/* An arena that holds nothing. Nothing is allocated before it is used. */
void sl_arena_init(struct sl_arena *arena);

/* `count` zeroed elements of `size` bytes. NULL when memory is exhausted or the product overflows; `exhausted` is then
 * set, so that a long computation may check once at its end. A count of zero gives a valid pointer. */
void *sl_arena_allocate(struct sl_arena *arena, size_t count, size_t size);

/* Gives everything back. The arena may be used again. */
void sl_arena_reset(struct sl_arena *arena);

#define SL_ARENA_NEW(arena, type, count) ((type *)sl_arena_allocate((arena), (count), sizeof(type)))

/* Supplied by the platform (arena_malloc.c natively, report's wasm glue in the page): `size` zeroed bytes, or NULL. */
void *sl_arena_page_get(size_t size);
void sl_arena_page_put(void *page, size_t size);

#endif
