/* file.h - a whole file in memory. */
#ifndef SL_BASE_FILE_H
#define SL_BASE_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>

/* Appends all that the file gives; it may grow meanwhile, or be a pipe. False with SL_ERROR_SYSTEM or
 * SL_ERROR_PERMISSION, and a sentence that names the path. */
bool sl_file_read(const char *path, struct sl_buffer *buffer, struct sl_error *error);

#endif
