/* profiler_files.h - the files of the Python code that a program's functions run below only because it profiles itself.
 *
 * Recordings of our own process leave the frames of that code out, wherever they stand: what they took is their caller's.
 * All functions may be called from any thread, but files are added by one at a time. */
#ifndef SL_SAMPLER_PROFILER_FILES_H
#define SL_SAMPLER_PROFILER_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* Adds one, by the path that its code objects have, for as long as the process runs. One that is known, and any beyond a few,
 * changes nothing. */
void sl_profiler_files_add(const char *path);

/* Whether the path is that of one. */
bool sl_profiler_files_have(const char *path, size_t size);

#endif
