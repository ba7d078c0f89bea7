/* code_identity.h - what tells a code object from another one that lies at the same address later (code_cache.h). */
#ifndef SL_CPYTHON_CODE_IDENTITY_H
#define SL_CPYTHON_CODE_IDENTITY_H

#include "cpython/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes at the start of a str that are part of an identity on 3.11: its header, and 16 of its characters. */
#define SL_IDENTITY_NAME_BYTES 64u

struct sl_code_identity {
    uint64_t file, qualified_name, line_table; /* addresses */
    uint64_t units;                            /* code units */
    uint32_t version;
    uint32_t first_line;
    /* 3.11 only, each without its reference count: */
    uint32_t file_bytes;                       /* that were read of the file name's str, */
    uint64_t file_hash;                        /* and a hash of them */
    uint8_t name_head[SL_IDENTITY_NAME_BYTES]; /* of the qualified name */
};

/* The identity in a header of layout->code_instructions bytes, */
void sl_code_identity_take(struct sl_code_identity *identity, const struct sl_layout *layout, const uint8_t *header);
/* and, on 3.11, in the texts: SL_IDENTITY_NAME_BYTES of the qualified name, and the first bytes of the file name's str.
 */
void sl_code_identity_texts(struct sl_code_identity *identity, const uint8_t *name, const uint8_t *file,
                            size_t file_bytes);
/* How many bytes of the qualified name to read for that; the rest of SL_IDENTITY_NAME_BYTES is zero. */
size_t sl_code_identity_name_bytes(const struct sl_layout *layout, const struct sl_code_identity *identity);
bool sl_code_identity_equal(const struct sl_code_identity *a, const struct sl_code_identity *b);

/* Whether the object that begins with these bytes is in use. One that was freed keeps much of what it said, while what
 * it points to may belong to others by now; but its reference count is 0, or overwritten by the allocator with the
 * address of the next free block. */
bool sl_object_in_use(const uint8_t *object);

#endif
