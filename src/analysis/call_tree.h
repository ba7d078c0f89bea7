/* call_tree.h - who called whom for how long: the tree that the text report, the page and most formats show.
 *
 * Nodes are numbered in depth-first order: a node's parent has a smaller number, its descendants follow it directly, so
 * a loop over the nodes visits them as they are printed and no traversal recurses. Node 0 is the root and stands for
 * the whole selection. Children are sorted by total time, heaviest first (in time order when `timeline`).
 *
 * How frames become nodes, by the role of their function (roles.h):
 * - OWN: a node of its own, below the nearest frame under it that is shown.
 * - LIBRARY, called from own code, or first in its stack: the entry into the library, a node of its own.
 * - LIBRARY, called from library code: folded into the entry. Its self time is `hidden` time of the entry; own code
 *   that it calls (a callback, the program under a test runner) becomes a child of the entry.
 * - MACHINERY: left out as if its caller did its work itself: its self time is its caller's (self, or hidden where the
 *   caller is folded), on the line that called it, and what it calls is called by its caller. At the bottom of a stack
 *   it leaves its self time to the root, process or thread.
 *
 * For every node total = self + hidden + the totals of its children; only in an inverted tree, where a child's total is
 * a part of its parent's that is looked at again, does that not hold. Marks ([broken], [starting], ...) are functions
 * like any other. */
#ifndef SL_ANALYSIS_CALL_TREE_H
#define SL_ANALYSIS_CALL_TREE_H

#include "analysis/selection.h"

enum sl_node_kind {
    SL_NODE_ROOT = 0,
    SL_NODE_PROCESS = 1,
    SL_NODE_THREAD = 2,
    SL_NODE_FUNCTION = 3,
};

struct sl_node {
    uint32_t kind;          /* enum sl_node_kind */
    uint32_t subject;       /* index of the process, thread or function */
    uint32_t parent;        /* SL_NONE for the root */
    uint32_t first_child;   /* SL_NONE for a leaf */
    uint32_t next_sibling;  /* SL_NONE for the last */
    uint32_t depth;         /* of the root 0 */
    uint32_t descendants;   /* the nodes numbered from this one's + 1 to this one's + descendants */
    uint32_t hidden_frames; /* distinct functions-in-place folded into this node, itself not counted */
    struct sl_amount total;
    struct sl_amount self;     /* in the function itself */
    struct sl_amount hidden;   /* self time of the frames folded into it; part of total, not of self */
    uint64_t begin_ns, end_ns; /* first and last moment it was seen */
    uint32_t first_line;       /* index into sl_call_tree.lines of its line_count lines, heaviest self time first */
    uint32_t line_count;
    uint32_t first_hidden; /* index into sl_call_tree.hidden of the hidden_count distinct functions folded into it,
                            * heaviest self time first */
    uint32_t hidden_count;
};

/* What one line of a node's function took. */
struct sl_node_line {
    uint32_t line;
    sl_state state; /* the state in which most of `self` was spent; where that is none, most of what is hidden in the
                     * frames that this line calls */
    struct sl_amount self;
    struct sl_amount total;
};

struct sl_call_tree {
    const struct sl_node *nodes;
    uint32_t node_count;
    const struct sl_node_line *lines;
    uint32_t line_count;
    const sl_function *hidden;
    uint32_t hidden_count;
};

struct sl_call_tree_options {
    const uint8_t *roles; /* from sl_roles; NULL: everything is OWN */
    bool by_process;      /* the root's children are processes */
    bool by_thread;       /* the next level is threads */
    bool timeline;        /* calls in the order in which they happened: a call that ended is not merged with a later
                            * one of the same function */
    bool inverted;        /* from the leaves to their callers: children of a node are who called it; self time only at
                            * the first level */
    bool without_lines;   /* nodes have none: for who does not show them, they are a third of the work */
    sl_function focus;    /* SL_NONE, or: stacks are cut so that they begin at this function's outermost frame; samples
                            * without it are left out */
};

/* A tree has at most this many nodes, so that a hostile or odd recording (each of 100,000 samples of a timeline a new
 * stack 10,000 deep) costs no more than their memory: some 450 bytes each while the tree is built, 1 GB in all. Frames
 * that would need more count as hidden in their callers; an inverted tree ends there. */
#define SL_CALL_TREE_NODES_MAX ((uint32_t)2 * 1024 * 1024)

/* NULL when the arena is exhausted. Linear in runs, stacks and nodes (times their logarithm for the sorting), without
 * recursion. The tree lives as long as the arena. */
const struct sl_call_tree *sl_call_tree_build(struct sl_arena *arena, const struct sl_profile *profile,
                                              const struct sl_selection *selection,
                                              const struct sl_call_tree_options *options);

/* Where the frames of a profile lie in a tree, kept so that the tree over another selection costs half as much. Zeroed it
 * keeps nothing. */
struct sl_call_tree_keeper {
    struct sl_arena arena;
    struct sl_tree_task *task;
    struct sl_call_tree_options options;
};

/* The same tree as sl_call_tree_build gives, for options that merge everything into one tree without lines: not by process
 * or thread, no timeline, not inverted, no focus. Until the keeper forgets, only the selection may be another one. */
const struct sl_call_tree *sl_call_tree_build_again(struct sl_call_tree_keeper *keeper, struct sl_arena *arena,
                                                    const struct sl_profile *profile,
                                                    const struct sl_selection *selection,
                                                    const struct sl_call_tree_options *options);

/* Gives its memory back. */
void sl_call_tree_forget(struct sl_call_tree_keeper *keeper);

#endif
