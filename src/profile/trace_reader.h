/* trace_reader.h - from the bytes of a trace to the columns of a profile.
 *
 * The bytes are untrusted. Every number is checked before it is used; what is allocated is bounded by the size of the
 * trace (a small multiple of what its blocks decompress to, which is itself capped by SL_TRACE_EXPANSION_MAX times
 * the compressed size and by SL_TRACE_BLOCK_MAX a block). A trace that is cut off or damaged gives what can be read of
 * it: `facts.complete` is then false and `facts.lost_bytes` says how much is missing. */
#ifndef SL_PROFILE_TRACE_READER_H
#define SL_PROFILE_TRACE_READER_H

#include "base/error.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>

/* A profile read from a trace, which it does not refer to afterwards. NULL with SL_ERROR_FORMAT when it is no trace at
 * all or of a later major format version, SL_ERROR_SYSTEM when memory is exhausted. */
struct sl_profile *sl_trace_read(const void *bytes, size_t size, struct sl_error *error);

/* The same from a file (SL_ERROR_SYSTEM or SL_ERROR_PERMISSION when it cannot be opened or read). */
struct sl_profile *sl_trace_read_file(const char *path, struct sl_error *error);

/* Frees what one of the above, or sl_recording_file_read (recording_file.h), gave. NULL is allowed. */
void sl_profile_destroy(struct sl_profile *profile);

#endif
