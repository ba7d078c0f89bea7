/* columns.h - a whole profile as one sequence of bytes, made to be small once it is deflated: what the report page
 * carries.
 *
 * Every number is an unsigned LEB128 varint; what may be negative is zigzag-coded. Like values lie together (all names,
 * then all files, ...), and where a value follows from its neighbour only the difference is kept. Writer
 * (columns_write.c) and reader (columns_read.c) belong to the same version of stacklapse: this is no format for
 * keeping, traces are. The reader needs no libc, because it is also compiled into the page's WebAssembly.
 *
 * The columns in their order, each with as many numbers as its table has rows:
 *   version; the facts in the order of their struct
 *   strings: count; sizes; all bytes
 *   functions after the empty one: count; name, difference to the row before; file, the same; first line; kind
 *   stacks after the empty one: count; distance to the caller; function; line, difference to the function's first line
 *   processes, threads, tasks: count; row by row
 *   states that occur: count; states
 *   runs, thread by thread: time since the end of the run before; duration (below); stack, difference to the run
 *   before; index of the state without the task; samples; if there are tasks, the task
 * A duration of whole slots is (zigzag of slots - samples) * 2, so that nearly all are 0; any other is ns * 2 + 1. */
#ifndef SL_RENDER_COLUMNS_H
#define SL_RENDER_COLUMNS_H

#include "base/arena.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>

#define SL_COLUMNS_VERSION 2

struct sl_buffer;

/* Appends the profile to `buffer`. Linear. A buffer that ran out of memory says so in `buffer->failed`. */
void sl_columns_write(const struct sl_profile *profile, struct sl_buffer *buffer);

/* A profile from `size` bytes, everything in it allocated from `arena`. The bytes are not trusted: every number is
 * checked before it is used, and no table is larger than the bytes that are there allow. NULL when they are no columns
 * of this version or memory is exhausted. */
struct sl_profile *sl_columns_read(struct sl_arena *arena, const void *bytes, size_t size);

#endif
