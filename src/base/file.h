/* file.h - a whole file in memory. */
#ifndef SL_BASE_FILE_H
#define SL_BASE_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether a file that begins with these bytes is none that is worth reading. Told of more and more of it, as it is read,
 * until the first megabyte is there. */
typedef bool (*sl_file_refusal)(const char *bytes, size_t size);

/* Appends all that the file gives; it may grow meanwhile, or be a pipe. What is `refused` (NULL: nothing is) is read no
 * further, and is the caller's to tell of. False with SL_ERROR_SYSTEM or SL_ERROR_PERMISSION, and a sentence that names
 * the path; also for a device. */
bool sl_file_read(const char *path, sl_file_refusal refused, struct sl_buffer *buffer, struct sl_error *error);

#endif
