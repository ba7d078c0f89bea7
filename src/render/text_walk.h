/* text_walk.h - the walk over a call tree that writes its rows: what text_tree.c (functions), text_lines.c (their hottest
 * lines) and text_recursion.c (recursions told in few rows) share.
 *
 * Nodes whose rows have begun lie on a stack of the walk's own, so that no depth makes the program recurse. */
#ifndef SL_RENDER_TEXT_WALK_H
#define SL_RENDER_TEXT_WALK_H

#include "render/text_parts.h"

#define SL_WALK_LEVELS_MAX 60 /* of indentation, however wide the terminal */

/* What is known of a node before its rows are written. */
struct sl_walk_brief {
    uint32_t visible; /* children that have a row */
    uint32_t left_out;
    uint64_t left_out_ns;
    uint32_t rows;         /* nodes below it that have a row */
    uint32_t same_above;   /* the nearest node above it of the same function, SL_NONE when there is none */
    uint32_t nested;       /* how many such nodes lie above it */
    uint32_t nested_below; /* how many lie above the most nested node of the same function below it, or above itself */
};

/* A node whose rows have begun. */
struct sl_walk_node {
    uint32_t next_child; /* with a row, SL_NONE when there is none left */
    uint32_t level;      /* of the rows below it */
    bool stays;          /* they have the level of the node itself */
    bool self_pending;
    const char *self_name;
    uint64_t self_ns;
    uint64_t around_ns; /* of a thread's function: the thread's time outside it, 0 when that is not worth a row */
    uint32_t left_out;
    uint64_t left_out_ns;
};

/* What a recursion that is being added up makes of a function. */
struct sl_walk_mark {
    uint32_t summary; /* the number of the recursion; of another one, nothing of this is valid */
    uint32_t part;
    bool recursive;
};

struct sl_walk {
    struct sl_text *text;
    struct sl_arena *arena;
    const struct sl_call_tree *tree;
    struct sl_walk_brief *briefs;
    struct sl_walk_node *stack;
    uint32_t depth;
    struct sl_walk_mark *marks; /* one for each function; NULL before the first such recursion */
    uint32_t summaries;
    uint32_t soft_level, hard_level;
    bool open[SL_WALK_LEVELS_MAX + 2]; /* for each level: a row of it is still to come */
    bool unit_told;
};

/* Whether a node took long enough. */
bool sl_walk_has_row(const struct sl_walk *walk, uint32_t node);

/* The node, or the nearest of its later siblings, that has a row. */
uint32_t sl_walk_with_row(const struct sl_walk *walk, uint32_t node);

bool sl_walk_rows_left(const struct sl_walk_node *open);

/* Numbers, guides and the sign in front of what `below` has as its next row, which is its last when `last`. */
void sl_walk_begin_row(struct sl_walk *walk, const struct sl_walk_node *below, bool last, uint64_t ns,
                       uint64_t begin_ns, enum sl_text_color color);

/* The guides in front of a row of this level, without a sign for the row itself. */
void sl_walk_add_guides(struct sl_walk *walk, uint32_t level);

/* Opens a node: its children and its self time are to come below a row at `level`. `line_told`: its self time is told
 * by its hottest line. */
struct sl_walk_node *sl_walk_open(struct sl_walk *walk, uint32_t node, uint32_t level,
                                  const struct sl_walk_brief *brief, uint64_t self_ns, bool line_told);

/* text_lines.c: whether the node's function, with this self time, has a hottest line that is worth a row. `line` may be
 * NULL. */
bool sl_walk_has_hot_line(const struct sl_walk *walk, const struct sl_node *node, uint64_t self_ns,
                          const struct sl_node_line *line);

/* Its row, below the node's own at `level`. */
void sl_walk_write_hot_line(struct sl_walk *walk, const struct sl_node *node, const struct sl_node_line *line,
                            uint32_t level, bool rows_follow);

/* text_recursion.c: writes a recursion that begins with `node`, the next child of `below`, in few rows. False, and nothing
 * is written, when there is none that is long enough. */
bool sl_walk_write_recursion(struct sl_walk *walk, const struct sl_walk_node *below, bool last, uint32_t node);

#endif
