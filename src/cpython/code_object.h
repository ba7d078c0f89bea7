/* code_object.h - reads code objects (PyCodeObject, Include/cpython/code.h) out of a process. */
#ifndef SL_CPYTHON_CODE_OBJECT_H
#define SL_CPYTHON_CODE_OBJECT_H

#include "base/buffer.h"
#include "cpython/calls.h"
#include "cpython/code_identity.h"
#include "cpython/layout.h"
#include "cpython/line_table.h"
#include "cpython/python.h"
#include "target/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one code object says of itself. */
struct sl_read_code {
    uint64_t address;
    struct sl_code_identity identity;
    uint32_t first_traceable;
    uint32_t frame_bytes;
    bool coroutine;        /* made by `async def` without a yield */
    struct sl_buffer name; /* co_qualname */
    struct sl_buffer file; /* co_filename */
    struct sl_line_table lines;
    struct sl_calls calls;
};

/* How many are read together: five pieces for each must fit one system call. */
#define SL_CODES_AT_ONCE (SL_READ_PIECES_MAX / 5)

/* A line table longer than this is cut. A function of 100,000 lines has some 500 kB. */
#define SL_LINE_TABLE_BYTES_MAX ((size_t)4 * 1024 * 1024)

/* Reads `count` (at most SL_CODES_AT_ONCE) code objects, each before and after what it points to: what comes back
 * belongs to one and the same code object. `headers`: copies of their first layout->code_instructions bytes which were
 * made before, one for each; NULL: they are read here. `*code_type` is the address of PyCode_Type; 0: it is found out by
 * its name. All their line tables together have `most_spans` spans at most: those that come too late are cut, or empty.
 * Whatever is returned, `codes` must be destroyed. */
enum sl_look sl_code_objects_read(struct sl_read_code *codes, struct sl_process *process,
                                  const struct sl_layout *layout, uint64_t *code_type, const uint64_t *addresses,
                                  const uint8_t *const *headers, size_t count, uint32_t most_spans);
void sl_code_objects_destroy(struct sl_read_code *codes, size_t count);

/* Whether the object of type `type` is a code object, by the type's name. */
enum sl_look sl_is_code_type(struct sl_process *process, const struct sl_layout *layout, uint64_t type, bool *is);

#endif
