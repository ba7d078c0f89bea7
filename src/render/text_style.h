/* text_style.h - how the text report looks: colours, signs, and rows put together column by column.
 *
 * The colours are fixed ones of the 256 that terminals share, chosen for their contrast: against white and against
 * black each has at least 3.3 to 1. The sixteen classic colours would follow the user's theme, and there yellow on
 * white is often unreadable. */
#ifndef SL_RENDER_TEXT_STYLE_H
#define SL_RENDER_TEXT_STYLE_H

#include "base/buffer.h"
#include "base/output.h"
#include "render/text_unicode.h"

#include <stdbool.h>
#include <stdint.h>

enum sl_text_color {
    SL_TEXT_PLAIN = 0,
    SL_TEXT_STRONG, /* bold: the user's own functions */
    SL_TEXT_QUIET,  /* dimmed: places, guides, what is said beside the point */
    SL_TEXT_RED,
    SL_TEXT_YELLOW,
    SL_TEXT_GREEN,
    SL_TEXT_TAG,  /* what a line waits for */
    SL_TEXT_WARN, /* what limits how far the report can be trusted */
    SL_TEXT_COLOR_COUNT,
};

/* Every sign that is not a letter, in UTF-8 or in ASCII. */
struct sl_text_signs {
    const char *branch, *last, *open, *blank; /* guides of the tree, three columns each */
    const char *stays, *stays_open;           /* a callee that is not indented any further, three columns each */
    const char *line;                         /* before the hottest line */
    const char *folded;                       /* before what was left out */
    const char *again;                        /* before calls of a recursion */
    const char *dot;                          /* between facts */
    const char *to;                           /* between the first and the last of a row */
    const char *plus_minus;
    const char *becomes; /* between what was before and what is after */
    const char *about;   /* in place of a change that may be chance */
    const char *micro;
};

struct sl_text_style {
    bool color;
    bool unicode;
    uint32_t width; /* columns that a row may take */
    const struct sl_text_signs *signs;
};

/* A width of 0 is taken as 100; one too narrow for any report as SL_TEXT_WIDTH_MIN, one too wide for any eye as
 * SL_TEXT_WIDTH_MAX. */
struct sl_text_style sl_text_style(bool color, bool unicode, uint32_t width);
#define SL_TEXT_WIDTH_MIN ((uint32_t)40)
#define SL_TEXT_WIDTH_MAX ((uint32_t)1000)

/* Red from 60 %, yellow from 20 %, green from 5 %, dimmed below. */
enum sl_text_color sl_text_color_of_share(double share);

/* A row that is being put together. */
struct sl_text_row {
    const struct sl_text_style *style;
    struct sl_buffer bytes;
    uint32_t columns;
    enum sl_text_color color; /* that is switched on */
};

void sl_text_row_init(struct sl_text_row *row, const struct sl_text_style *style);
void sl_text_row_destroy(struct sl_text_row *row);

/* Columns that are left. */
uint32_t sl_text_row_room(const struct sl_text_row *row);

/* Adds text of our own, cut to what is left of the row. */
void sl_text_row_add(struct sl_text_row *row, enum sl_text_color color, const char *clean);

/* The same, never cut: for a command, which is of no use in part. The terminal may wrap it. */
void sl_text_row_add_whole(struct sl_text_row *row, enum sl_text_color color, const char *clean);

/* The same, built from a format. */
void sl_text_row_format(struct sl_text_row *row, enum sl_text_color color, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds text of the program's, cleaned and cut to `columns` (and to what is left of the row). */
void sl_text_row_fit(struct sl_text_row *row, enum sl_text_color color, const char *bytes, size_t size,
                     uint32_t columns, enum sl_text_cut cut);

/* Adds spaces. */
void sl_text_row_space(struct sl_text_row *row, uint32_t columns);

/* Writes the row without spaces at its end, and begins the next. */
void sl_text_row_end(struct sl_text_row *row, struct sl_output *output);

#endif
