/* markdown_parts.h - what the report and the comparison in Markdown share. */
#ifndef SL_RENDER_MARKDOWN_PARTS_H
#define SL_RENDER_MARKDOWN_PARTS_H

#include "base/buffer.h"
#include "base/output.h"
#include "profile/profile.h"

enum {
    SL_MARKDOWN_ROWS = 15,   /* of a table */
    SL_MARKDOWN_WIDTH = 110, /* of text in a code block: what GitHub shows without scrolling */
};

/* The begin or end of a code block with this text: longer than any run of backquotes in it. */
void sl_markdown_fence(struct sl_output *output, const struct sl_buffer *text, const char *after);

/* Text in a table's cell: what Markdown or HTML would read as more than text is escaped, and what cannot be seen
 * is spelled out (text_unicode.h). */
void sl_markdown_cell(struct sl_output *output, const char *text, size_t size);

/* A function's name and place, in the last two cells of a row, and the row's end. */
void sl_markdown_function(struct sl_output *output, const struct sl_profile *profile, sl_function function);

#endif
