/* folded_reader.h - a profile from folded stacks, the text format of flame graphs that most profilers write.
 *
 * One stack a line: frames from the root to the leaf, joined by `;`, a blank, and a number. A frame that reads
 * `name (path:line)`, as ours and py-spy's do, is taken apart; any other is a name. The number is taken as microseconds,
 * which is what ours and Austin's are; for tools that write numbers of samples the shares are right all the same, and a
 * sample is a microsecond. Folded stacks have no time in them: the stacks follow each other in the order of the file. */
#ifndef SL_PROFILE_FOLDED_READER_H
#define SL_PROFILE_FOLDED_READER_H

#include "base/error.h"
#include "profile/profile.h"

#include <stddef.h>

/* A profile, to be freed with sl_profile_destroy. NULL with SL_ERROR_FORMAT when a line is no folded stack (the
 * sentence names the line) or there is none at all. Memory is in proportion to the size; frames beyond
 * SL_FOLDED_DEPTH_MAX of one line are an error. */
struct sl_profile *sl_folded_read(const char *bytes, size_t size, struct sl_error *error);

#define SL_FOLDED_DEPTH_MAX 65536

/* A first line that is longer is none. */
#define SL_FOLDED_LINE_MAX ((size_t)1 << 20)

/* Whether the bytes begin with a line that is a folded stack: printable text that ends in a blank and a number. */
bool sl_folded_looks_like(const char *bytes, size_t size);

#endif
