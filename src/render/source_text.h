/* source_text.h - single lines of source files that a recording names. Each file is read once. */
#ifndef SL_RENDER_SOURCE_TEXT_H
#define SL_RENDER_SOURCE_TEXT_H

#include "render/source_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_source_text;

/* NULL when memory is exhausted. */
struct sl_source_text *sl_source_text_create(void);

/* NULL is allowed. */
void sl_source_text_destroy(struct sl_source_text *source);

/* One line (numbered from 1) without white space at either end. False when it is not to be had, or blank. Of a file, at most
 * SL_SOURCE_FILE_MAX bytes are read, whatever `wanted` allows. `source` may be NULL: there is nothing then. Valid until the
 * destroy. */
bool sl_source_text_line(struct sl_source_text *source, const struct sl_source_file *wanted, uint32_t line,
                         const char **text, size_t *size);

/* A larger file is no source that a person wrote; what it would cost to read is what it is left out for. */
#define SL_SOURCE_FILE_MAX ((size_t)4 * 1024 * 1024)
/* After so many files or bytes no further file is read. */
#define SL_SOURCE_FILES_MAX 1024
#define SL_SOURCE_BYTES_MAX ((size_t)64 * 1024 * 1024)

#endif
