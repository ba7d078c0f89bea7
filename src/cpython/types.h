/* types.h - which of CPython's own types an object has, told by the type's name (tp_name): nothing exports where the types
 * themselves lie. */
#ifndef SL_CPYTHON_TYPES_H
#define SL_CPYTHON_TYPES_H

#include "cpython/python.h"

enum sl_type {
    SL_TYPE_OTHER = 0,
    SL_TYPE_CONTEXT,
    SL_TYPE_CONTEXT_VARIABLE,
    SL_TYPE_HAMT,
    SL_TYPE_HAMT_BITMAP,
    SL_TYPE_HAMT_ARRAY,
    SL_TYPE_HAMT_COLLISION,
    SL_TYPE_COROUTINE,
    SL_TYPE_GENERATOR,
    SL_TYPE_ASYNC_GENERATOR,
    SL_TYPE_ASYNC_GENERATOR_SEND,
    SL_TYPE_ASYNC_GENERATOR_THROW,
    SL_TYPE_COROUTINE_WRAPPER,
    SL_TYPE_ANEXT,
    SL_TYPE_FUTURE_ITERATOR,
    SL_TYPE_TASK,
    SL_TYPE_COUNT,
};

/* Those that were met; part of struct sl_python. */
struct sl_types {
    struct {
        uint64_t address;
        enum sl_type type;
    } known[2 * SL_TYPE_COUNT]; /* a type may exist twice, in two interpreters */
    size_t count;
};

/* `address`: of the type object. Up to two reads for one that was not met before. */
enum sl_look sl_type_of(struct sl_python *python, uint64_t address, enum sl_type *type);

#endif
