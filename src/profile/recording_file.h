/* recording_file.h - a profile from any file that holds one: a trace of ours, or folded stacks of whatever tool. */
#ifndef SL_PROFILE_RECORDING_FILE_H
#define SL_PROFILE_RECORDING_FILE_H

#include "base/buffer.h"
#include "base/error.h"
#include "profile/profile.h"

/* A profile, to be freed with sl_profile_destroy. NULL with an error that names the path: what sl_trace_read and
 * sl_folded_read give, or that the file cannot be read. */
struct sl_profile *sl_recording_file_read(const char *path, struct sl_error *error);

/* The same of a trace alone, whose bytes are appended to `trace`: a pipe gives them only once. Folded stacks are an error. */
struct sl_profile *sl_recording_file_read_trace(const char *path, struct sl_buffer *trace, struct sl_error *error);

#endif
