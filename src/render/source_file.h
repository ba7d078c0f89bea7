/* source_file.h - one source file of the recorded program: opened without fear, as UTF-8, by lines.
 *
 * The path comes from the profiled program, so a file is only read when it is a regular one with an absolute path and not
 * absurdly large: nothing here waits for a FIFO, wakes a device, or reads without end. A file that was changed after its
 * code was loaded is not read, since its lines are no longer those that ran. */
#ifndef SL_RENDER_SOURCE_FILE_H
#define SL_RENDER_SOURCE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which file, and when it is to be had. */
struct sl_source_file {
    const char *path;
    const char *text;   /* that is at hand and taken in its place, whatever follows; NULL: the file is read */
    int place;          /* source_places.h; each path has one */
    uint64_t newest_ns; /* it is left out when it was modified after this moment (since 1970); 0: it is not */
    size_t size_max;    /* in bytes; a larger one is left out */
    bool harmless;      /* it must be the user's own or one that everybody may read */
};

/* Its text. Lines are those that Python counts, which end in \n, \r\n or \r in the file; here all end in \n, but maybe the
 * last. */
struct sl_source_lines {
    char *text; /* owned; NULL: it is not to be had */
    size_t size;
    uint32_t *starts; /* owned; line n (from 1) begins at starts[n - 1]; count + 1 elements */
    uint32_t count;
};

/* False when it is not to be had, empty files included; `lines` is empty then. */
bool sl_source_read(const struct sl_source_file *file, struct sl_source_lines *lines);

/* Frees the text; `lines` is empty then. */
void sl_source_forget(struct sl_source_lines *lines);

#endif
