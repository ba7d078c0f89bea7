/* output.h - where a rendered report goes: a file that appears whole or not at all, an open descriptor, or memory.
 *
 * Writes are buffered. The first write that fails is remembered and everything after it is dropped, so that a renderer
 * writes without looking and the failure is told once, by `sl_output_close`. */
#ifndef SL_BASE_OUTPUT_H
#define SL_BASE_OUTPUT_H

#include "base/buffer.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct sl_output {
    struct sl_buffer pending; /* what has not been written yet; of an output in memory all of it */
    int descriptor;           /* -1: memory */
    int error_number;         /* of the first write that failed, 0 if none did */
    char *path;               /* of the file that is to appear, NULL when there is none; owned */
    char *temporary_path;     /* of the file that is written meanwhile, beside it; owned */
};

/* Collects in `output->pending`. */
void sl_output_memory(struct sl_output *output);

/* Writes to a descriptor that the caller keeps and closes. */
void sl_output_descriptor(struct sl_output *output, int descriptor);

/* Where the file of this name is, or will be: a link is followed, so that what it names is replaced and not the link.
 * NULL when memory is exhausted; to be freed. */
char *sl_output_place(const char *path);

/* The descriptor of ours that this name stands for: /dev/stdout, /dev/fd/1, /proc/self/fd/1, or a link to one. What is
 * behind it is somebody else's, who may be writing there, too: it is written to, and never replaced. */
#define SL_OUTPUT_DESCRIPTOR_NONE (-1)    /* the name stands for none */
#define SL_OUTPUT_DESCRIPTOR_FOREIGN (-2) /* for one of another process */
int sl_output_descriptor_named(const char *path);

/* Writes to a temporary file beside `path`, mode 0600 before the umask unless `path` exists (then its mode is kept);
 * `sl_output_close` puts it in the place of `path` in one step. What is no regular file (a device, a pipe), and what a
 * name of a descriptor stands for, is written directly. */
bool sl_output_file(struct sl_output *output, const char *path, struct sl_error *error);

void sl_output_write(struct sl_output *output, const void *bytes, size_t size);
void sl_output_text(struct sl_output *output, const char *text);
void sl_output_format(struct sl_output *output, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes what is pending now; not to be called for an output in memory. Whether it failed is then in `error_number`. */
void sl_output_flush(struct sl_output *output);

/* Writes what is pending; a file is now in its place: in one step, or if that is a mount point, which cannot be
 * replaced, with the finished content copied into it. On failure nothing has changed at `path`, unless that copy broke
 * off, and nothing is left beside it. Frees everything, `pending` too: of an output in memory, take that before. */
bool sl_output_close(struct sl_output *output, struct sl_error *error);

/* Gives up: what was at `path` stays as it was. */
void sl_output_abandon(struct sl_output *output);

#endif
