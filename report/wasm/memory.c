/* memory.c - the page's memory: what src/analysis takes from libc and from base/arena.h's platform, in WebAssembly.
 *
 * Pages of arenas are pieces of the module's linear memory above what the linker laid out. Free pieces are kept in a
 * list in order of address, neighbours joined; the first one that is large enough is taken, and the memory grows when
 * there is none. Pieces are large and few, so the list is short. */
#include "base/arena.h"

#include <stdint.h>
#include <string.h>

/* The most that a view may take: a browser's tab is ended by less than the 4 GiB that could be addressed. */
static const size_t memory_max = (size_t)3 << 30;

static const size_t memory_page = 65536;

/* Sizes are rounded up to this, so that a remnant can always hold its own description. */
static const size_t granularity = 64;

struct piece {
    struct piece *next;
    size_t size;
};

extern unsigned char __heap_base;

static struct piece *pieces;
static uintptr_t top; /* nothing above it was ever handed out; 0 before the first use */

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    return __builtin_memcpy(to, from, size);
}

void *memmove(void *to, const void *from, size_t size)
{
    return __builtin_memmove(to, from, size);
}

void *memset(void *memory, int byte, size_t size)
{
    return __builtin_memset(memory, byte, size);
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *left = a;
    const unsigned char *right = b;
    for (size_t i = 0; i < size; i++) {
        if (left[i] != right[i]) {
            return left[i] - right[i];
        }
    }
    return 0;
}

void *memchr(const void *memory, int byte, size_t size)
{
    const unsigned char *bytes = memory;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == (unsigned char)byte) {
            return (void *)(uintptr_t)(bytes + i);
        }
    }
    return NULL;
}

size_t strlen(const char *text)
{
    size_t size = 0;
    while (text[size] != '\0') {
        size++;
    }
    return size;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char left = (unsigned char)a[i];
        unsigned char right = (unsigned char)b[i];
        if (left != right || left == '\0') {
            return left - right;
        }
    }
    return 0;
}

char *strchr(const char *text, int character)
{
    for (; *text != (char)character; text++) {
        if (*text == '\0') {
            return NULL;
        }
    }
    return (char *)(uintptr_t)text;
}

char *strrchr(const char *text, int character)
{
    for (size_t i = strlen(text) + 1; i-- > 0;) {
        if (text[i] == (char)character) {
            return (char *)(uintptr_t)(text + i);
        }
    }
    return NULL;
}

/* Memory that was never used, which comes zeroed. */
static void *from_top(size_t size)
{
    if (top == 0) {
        top = ((uintptr_t)&__heap_base + granularity - 1) & ~(granularity - 1);
    }
    if (size > memory_max || top > memory_max - size) {
        return NULL;
    }
    size_t present = __builtin_wasm_memory_size(0) * memory_page;
    if (top + size > present) {
        size_t missing = (top + size - present + memory_page - 1) / memory_page;
        if (__builtin_wasm_memory_grow(0, missing) == SIZE_MAX) {
            return NULL;
        }
    }
    void *memory = (void *)top;
    top += size;
    return memory;
}

void *sl_arena_page_get(size_t size)
{
    if (size > memory_max) {
        return NULL;
    }
    size = (size + granularity - 1) & ~(granularity - 1);
    for (struct piece **link = &pieces; *link != NULL; link = &(*link)->next) {
        struct piece *piece = *link;
        if (piece->size < size) {
            continue;
        }
        if (piece->size == size) {
            *link = piece->next;
        } else {
            struct piece *rest = (struct piece *)((uintptr_t)piece + size);
            *rest = (struct piece){.next = piece->next, .size = piece->size - size};
            *link = rest;
        }
        memset(piece, 0, size);
        return piece;
    }
    return from_top(size);
}

void sl_arena_page_put(void *page, size_t size)
{
    size = (size + granularity - 1) & ~(granularity - 1);
    struct piece *before = NULL;
    struct piece *after = pieces;
    while (after != NULL && (uintptr_t)after < (uintptr_t)page) {
        before = after;
        after = after->next;
    }
    struct piece *piece = page;
    *piece = (struct piece){.next = after, .size = size};
    if (after != NULL && (uintptr_t)piece + size == (uintptr_t)after) {
        piece->size += after->size;
        piece->next = after->next;
    }
    if (before == NULL) {
        pieces = piece;
    } else if ((uintptr_t)before + before->size == (uintptr_t)piece) {
        before->size += piece->size;
        before->next = piece->next;
    } else {
        before->next = piece;
    }
}
