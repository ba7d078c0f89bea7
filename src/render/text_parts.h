/* text_parts.h - what the parts of the text report share. text.c puts them together:
 *
 *   text_header.c   what was recorded, and how far it can be trusted
 *   text_threads.c  a tree for each process and thread
 *   text_groups.c   which those are: threads that do the same are one
 *   text_tree.c     one call tree, also in order of time
 *   text_lines.c    the hottest line of a function in it
 *   text_recursion.c  recursions in it, told in few rows
 *   text_hidden.c   what is said of folded frames
 *   text_function.c a function in a row of any of these
 *   text_columns.c  the numbers before it, and facts in a row
 *   text_flat.c     functions by their own time
 *   text_hints.c    what to do next
 */
#ifndef SL_RENDER_TEXT_PARTS_H
#define SL_RENDER_TEXT_PARTS_H

#include "analysis/call_tree.h"
#include "render/render.h"
#include "render/source_text.h"
#include "render/text_number.h"
#include "render/text_style.h"

struct sl_text {
    const struct sl_profile *profile;
    const struct sl_render_options *options;
    struct sl_output *output;
    struct sl_arena arena; /* for what lives as long as the report */
    struct sl_text_style style;
    struct sl_text_row row;
    const uint8_t *roles;
    struct sl_source_text *source; /* NULL: none is shown */
    const int *source_places;      /* by number of a file's name */
    const uint64_t *load_times;    /* the same; NULL: not known */
    struct sl_text_scale scale;    /* its whole is the selection's length */
    uint64_t threshold_ns;         /* what took less is only counted */
    uint32_t whole_columns;        /* of the times: before the decimal point */
    uint32_t decimal_columns;      /* the point and after */
    uint32_t share_columns;
};

/* Makes the columns wide enough for this time and its share. To be called before the first row is written. */
void sl_text_make_room(struct sl_text *text, uint64_t ns);

/* Columns that the numbers at the beginning of a row take, with the space before and after them. */
uint32_t sl_text_number_columns(const struct sl_text *text);

/* Begins a row with a time and its share of the whole, in their columns and in `color`; with `unit`, the unit is named.
 * With `begin_ns` not UINT64_MAX and a timeline, the instant comes first. */
void sl_text_numbers(struct sl_text *text, uint64_t ns, uint64_t begin_ns, enum sl_text_color color, bool unit);

/* What the columns are, where that is not plain to see: above a timeline. */
void sl_text_titles(struct sl_text *text);

/* The same columns, left blank. */
void sl_text_no_numbers(struct sl_text *text);

/* A line that is only text, wrapped nowhere but cut at the width. */
void sl_text_line(struct sl_text *text, enum sl_text_color color, const char *clean);

void sl_text_blank_line(struct sl_text *text);

/* That nothing was seen in what is shown. */
void sl_text_no_time(struct sl_text *text);

/* A function's name and place in what is left of the row: `Kitchen.cook  kitchen.py:40  NOTE  [sleep]`. `notes` are
 * ways to say one thing, longest first, ended by NULL; the first that leaves room for the rest is taken. Both may be
 * NULL. */
void sl_text_function(struct sl_text *text, sl_function function, const char *const *notes, const char *state_word);

/* `⋯ 7 frames hidden (json, codecs)` and shorter ways to say it, as notes for the above; `note` holds the text. */
struct sl_text_hidden_note {
    const char *ways[6];
    char text[5][256];
};
const char *const *sl_text_hidden_note(struct sl_text *text, const struct sl_call_tree *tree,
                                       const struct sl_node *node, struct sl_text_hidden_note *note);

/* Facts, joined by dots and wrapped between facts only. */
#define SL_TEXT_FACTS_MAX 12
struct sl_text_facts {
    size_t count;
    struct {
        enum sl_text_color color;
        const char *text; /* cleaned */
    } facts[SL_TEXT_FACTS_MAX];
};
void sl_text_fact(struct sl_text *text, struct sl_text_facts *facts, enum sl_text_color color, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Writes `left` at the left and `right` at the right of one row where both fit, else one after the other. */
void sl_text_facts_write(struct sl_text *text, const struct sl_text_facts *left, const struct sl_text_facts *right);

/* A string of the profile, cleaned and cut to what a row can hold; lives in the arena. Never NULL. */
const char *sl_text_string(struct sl_text *text, const char *bytes, size_t size, uint32_t columns,
                           enum sl_text_cut cut);

/* Whether a Profiler within the program recorded this, which has no command's options. */
bool sl_text_is_profilers(const struct sl_text *text);

/* What the report is headed by: its title, else what was recorded; in `*size` bytes, not cleaned. */
const char *sl_text_title(const struct sl_text *text, size_t *size);

void sl_text_header(struct sl_text *text);
void sl_text_hints(struct sl_text *text);

/* Each gives false when memory is exhausted. */
bool sl_text_trees(struct sl_text *text);
bool sl_text_flat(struct sl_text *text);

/* A row above a tree: whose it is. */
struct sl_text_heading {
    void (*add_title)(struct sl_text *text, const void *subject); /* adds it to the row */
    const void *subject;
    sl_function
        function; /* that the thread runs, SL_NONE when there is none: told in the same row where all is in it */
    bool named;   /* the title says enough without the function */
    const char *separator; /* between the title and that function */
    const char *remark;    /* NULL: none */
};

/* A tree of functions, with a heading or (NULL) without one. False when memory is exhausted. */
bool sl_text_tree(struct sl_text *text, struct sl_arena *arena, const struct sl_call_tree *tree,
                  const struct sl_text_heading *heading);

/* `31 threads idle`; nothing when there are none. */
void sl_text_idle(struct sl_text *text, uint32_t idle);

#endif
