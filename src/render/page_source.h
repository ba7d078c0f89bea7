/* page_source.h - the text of the program's source that a report page carries, by policy.
 *
 * Taken are the functions that were seen, from their first line to their last with some lines around them, heaviest
 * first: of the user's own code all, of libraries' the SL_SOURCE_LIBRARY_FUNCTIONS heaviest, together no more than
 * SL_PAGE_SOURCE_LIMIT bytes once deflated. SL_SOURCE_ALL takes libraries' functions without that limit, SL_SOURCE_NONE
 * nothing.
 *
 * Only ordinary source files are read: absolute path ending in `.py` or `.pyw`, regular, at most SL_PAGE_SOURCE_FILE_MAX
 * bytes, owned by the user or readable by everyone (so that a report made by root carries nobody's secrets), and not
 * changed since their code was loaded (the lines would be others). What cannot be read is left out without a word: the
 * page says for each function whether its text is there.
 *
 * What options.given_sources has is taken from there.
 *
 * The text is a sequence of pieces, deflated: varints for the string number of the file, the number of the first line
 * and the size in bytes, then the bytes (source_file.h: UTF-8, lines that end in \n). No line is in two pieces. */
#ifndef SL_RENDER_PAGE_SOURCE_H
#define SL_RENDER_PAGE_SOURCE_H

#include "analysis/functions.h"
#include "base/error.h"
#include "base/output.h"
#include "profile/profile.h"
#include "render/render.h"

#include <stdbool.h>

#define SL_PAGE_SOURCE_LIMIT ((size_t)100 * 1000)
#define SL_SOURCE_LIBRARY_FUNCTIONS 20
#define SL_PAGE_SOURCE_FILE_MAX ((size_t)8 * 1024 * 1024)

/* With SL_SOURCE_ALL: a page stays something that a browser opens. */
#define SL_SOURCE_ALL_LIMIT ((size_t)16 * 1000 * 1000)

/* Writes the pieces in base64; nothing at all when there are none. `totals` are those of the whole recording. False when
 * memory is exhausted. */
bool sl_page_source_write(const struct sl_profile *profile, const struct sl_render_options *options,
                          const struct sl_function_total *totals, uint32_t total_count, struct sl_output *output,
                          struct sl_error *error);

#endif
