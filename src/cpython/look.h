/* look.h - how reading a process's memory ends for who looks at a stack. */
#ifndef SL_CPYTHON_LOOK_H
#define SL_CPYTHON_LOOK_H

#include "cpython/python.h"
#include "cpython/snapshot.h"
#include "target/process.h"

/* What a failed read means to who looks. */
static inline enum sl_look sl_look_from_read(enum sl_read read)
{
    switch (read) {
    case SL_READ_OK:
        return SL_LOOK_OK;
    case SL_READ_GONE:
        return SL_LOOK_GONE;
    case SL_READ_DENIED:
        return SL_LOOK_DENIED;
    case SL_READ_FAULT:
        break;
    }
    return SL_LOOK_FAULT;
}

/* What it means that a piece could not be added. */
static inline enum sl_look sl_look_from_refusal(const struct sl_snapshot *snapshot)
{
    return snapshot->full ? SL_LOOK_TOO_DEEP : SL_LOOK_MEMORY;
}

#endif
