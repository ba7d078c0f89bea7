#include "cpython/types.h"

#include "cpython/look.h"
#include "cpython/runtime.h"
#include "cpython/text.h"

#include <string.h>

/* The longest name below, and its NUL. */
#define NAME_BYTES 40

static const char *const names[SL_TYPE_COUNT] = {
    [SL_TYPE_CONTEXT] = "_contextvars.Context",
    [SL_TYPE_CONTEXT_VARIABLE] = "_contextvars.ContextVar",
    [SL_TYPE_HAMT] = "hamt",
    [SL_TYPE_HAMT_BITMAP] = "hamt_bitmap_node",
    [SL_TYPE_HAMT_ARRAY] = "hamt_array_node",
    [SL_TYPE_HAMT_COLLISION] = "hamt_collision_node",
    [SL_TYPE_COROUTINE] = "coroutine",
    [SL_TYPE_GENERATOR] = "generator",
    [SL_TYPE_ASYNC_GENERATOR] = "async_generator",
    [SL_TYPE_ASYNC_GENERATOR_SEND] = "async_generator_asend",
    [SL_TYPE_ASYNC_GENERATOR_THROW] = "async_generator_athrow",
    [SL_TYPE_COROUTINE_WRAPPER] = "coroutine_wrapper",
    [SL_TYPE_ANEXT] = "anext_awaitable",
    [SL_TYPE_FUTURE_ITERATOR] = "_asyncio.FutureIter",
    [SL_TYPE_TASK] = "_asyncio.Task",
};

static enum sl_type named(const char *name)
{
    for (int type = SL_TYPE_OTHER + 1; type < SL_TYPE_COUNT; type++) {
        if (strcmp(name, names[type]) == 0) {
            return (enum sl_type)type;
        }
    }
    return SL_TYPE_OTHER;
}

enum sl_look sl_type_of(struct sl_python *python, uint64_t address, enum sl_type *type)
{
    struct sl_types *types = &python->types;
    *type = SL_TYPE_OTHER;
    for (size_t i = 0; i < types->count; i++) {
        if (types->known[i].address == address) {
            *type = types->known[i].type;
            return SL_LOOK_OK;
        }
    }
    uint64_t name_address;
    char name[NAME_BYTES + 1] = "";
    enum sl_look look = sl_look_from_read(
        sl_process_read(python->process, address + python->layout.type_name, &name_address, sizeof name_address));
    if (look == SL_LOOK_OK) {
        size_t size = sl_page_bounded(name_address, 1, NAME_BYTES);
        look = sl_look_from_read(sl_process_read(python->process, name_address, name, size));
        if (look == SL_LOOK_OK && size < NAME_BYTES && memchr(name, '\0', size) == NULL) {
            size_t rest = NAME_BYTES - size;
            look = sl_look_from_read(sl_process_read(python->process, name_address + size, name + size, rest));
        }
    }
    if (look != SL_LOOK_OK) {
        return look;
    }
    *type = named(name);
    if (*type != SL_TYPE_OTHER && types->count < sizeof types->known / sizeof types->known[0]) {
        types->known[types->count].address = address;
        types->known[types->count].type = *type;
        types->count++;
    }
    return SL_LOOK_OK;
}
