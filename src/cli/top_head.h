/* top_head.h - the rows of the live view above and below its table: what is looked at, and how. */
#ifndef SL_CLI_TOP_HEAD_H
#define SL_CLI_TOP_HEAD_H

#include "cli/top_rows.h"
#include "render/text_parts.h"

/* What is written above the title of a page, where there is room. */
enum { SL_TOP_HEAD_ROWS = 4 };

/* Writes `count` of them: all, the one that says how the numbers are to be read, or none. */
void sl_top_head_write(struct sl_text *text, const struct sl_top_rows *rows, const struct sl_top_numbers *numbers,
                       const struct sl_top_view *view, uint32_t count);

/* The title of the page of a function's stacks: of the last `recent_ns`, or (0) since the start. */
void sl_top_head_stacks(struct sl_text *text, sl_function function, uint64_t recent_ns);

/* The keys, or the filter while it is typed. */
void sl_top_head_foot(struct sl_text *text, const struct sl_top_view *view);

#endif
