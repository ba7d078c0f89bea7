/* source_text.h - the text of source files that a recording names.
 *
 * The names come from the profiled program, so a file is only read when it is a regular one with an absolute path and
 * not absurdly large: nothing here waits for a FIFO, wakes a device, or reads without end. A file that was changed
 * after its code was loaded is not shown, since its lines are no longer those that ran. Each file is read once. */
#ifndef SL_RENDER_SOURCE_TEXT_H
#define SL_RENDER_SOURCE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_source_text;

/* A file of the recorded program. */
struct sl_source_file {
    const char *path;
    int place;          /* source_places.h; each path has one */
    uint64_t newest_ns; /* it is left out when it was modified after this moment (since 1970); 0: it is not */
};

/* NULL when memory is exhausted. */
struct sl_source_text *sl_source_text_create(void);

/* NULL is allowed. */
void sl_source_text_destroy(struct sl_source_text *source);

/* One line (numbered from 1) without white space at either end. False when it is not to be had, or blank. Lines are
 * those that Python counts: they end in \n, \r\n or \r. Valid until the destroy. */
bool sl_source_text_line(struct sl_source_text *source, const struct sl_source_file *wanted, uint32_t line,
                         const char **text, size_t *size);

/* A larger file is no source that a person wrote; what it would cost to read is what it is left out for. */
#define SL_SOURCE_FILE_MAX ((size_t)4 * 1024 * 1024)
/* After so many files or bytes no further file is read. */
#define SL_SOURCE_FILES_MAX 1024
#define SL_SOURCE_BYTES_MAX ((size_t)64 * 1024 * 1024)

#endif
