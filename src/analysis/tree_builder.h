/* tree_builder.h - a call tree while it grows: branches, their lines, and what is folded into them.
 *
 * The three ways to build a tree (merged, in order of time, inverted) all place frames with `sl_tree_place` and add
 * amounts to the places; `sl_tree_finish` sorts and numbers the result. A branch is made after its parent, so loops
 * over the branches replace recursion. Everything lies in a scratch arena; whether that was exhausted is checked once,
 * by `sl_tree_finish`. */
#ifndef SL_ANALYSIS_TREE_BUILDER_H
#define SL_ANALYSIS_TREE_BUILDER_H

#include "analysis/call_tree.h"
#include "analysis/map.h"
#include "analysis/roles.h"
#include "analysis/stack_samples.h"

/* A node of the tree to be, or (when `shown` is another branch) a function that is folded into one. */
struct sl_branch {
    uint32_t parent; /* SL_NONE for the root; of a folded one the branch that it was called from */
    uint32_t shown;  /* the branch that a person will see: itself, or the one it is folded into */
    uint32_t kind;   /* enum sl_node_kind */
    uint32_t subject;
    uint32_t caller_line;  /* entry of the parent's line that called it, where the tree's way of building knows it */
    uint32_t first_callee; /* of the branches made from this one, in the order of making; SL_NONE before that */
    uint32_t first_line;   /* entry of the first line that was seen, SL_NONE before that */
    bool seen;             /* a folded one: counts among the hidden frames */
    struct sl_amount self;
    struct sl_amount hidden;
    struct sl_amount total;
    uint64_t begin_ns, end_ns;
};

/* One line of a branch. */
struct sl_branch_line {
    uint32_t branch;
    uint32_t line;
    uint32_t states;        /* of its self time: a list in `line_states` */
    uint32_t hidden_states; /* of the time of frames folded into the branch, called from here */
    struct sl_amount self;
    struct sl_amount total;
};

/* Where a frame of a stack came to lie in the tree. */
struct sl_place {
    uint32_t branch; /* its own, or its caller's when it is left out */
    uint32_t shown;
    uint32_t line;  /* entry of the line of `shown`; SL_NONE for the root, a process or a thread */
    bool inside;    /* a library frame above it is folded */
    bool folded;    /* its self time is hidden time of `shown` */
    bool own_entry; /* the frame is shown: `line` is its own */
    bool told;      /* of a tree that is kept: the stack has its place */
};

struct sl_tree_builder {
    struct sl_arena *scratch;
    const uint8_t *roles; /* NULL: all OWN */
    sl_function focus;
    bool unmerged; /* a new shown branch for each call */
    bool without_lines;
    bool totals_given; /* totals of branches are added by the caller, and not summed up from self times */
    struct sl_branch *branches;
    uint32_t branch_count, branch_capacity;
    struct sl_branch_line *lines;
    uint32_t line_count, line_capacity;
    struct sl_state_times line_states;
    struct sl_map branch_numbers; /* (parent, function), but for the first callee of a branch */
    struct sl_map line_numbers;   /* (branch, line), but for the first line of a branch */
    bool exhausted;
};

/* An empty tree: branch 0 is the root. */
void sl_tree_init(struct sl_tree_builder *tree, struct sl_arena *scratch, const struct sl_call_tree_options *options);

/* Makes room for so many more branches and lines at once. */
void sl_tree_reserve(struct sl_tree_builder *tree, uint32_t count);

/* Forgets all amounts; the branches stay. */
void sl_tree_clear(struct sl_tree_builder *tree);

/* The place of a process or thread below `parent`, found or made: what its stacks begin in. */
struct sl_place sl_tree_base(struct sl_tree_builder *tree, uint32_t parent, enum sl_node_kind kind, uint32_t subject);

/* The place of the root. */
struct sl_place sl_tree_root(void);

/* The place of a frame that was called from `caller`. */
struct sl_place sl_tree_place(struct sl_tree_builder *tree, const struct sl_place *caller, sl_function function,
                              uint32_t line);

/* The branch of `function` as called from the shown branch `parent`, found or made. SL_NONE when there is no room. */
uint32_t sl_tree_child(struct sl_tree_builder *tree, uint32_t parent, sl_function function);

/* The same, for a function that is folded into `shown`; `parent` is `shown` or folded into it too. */
uint32_t sl_tree_folded(struct sl_tree_builder *tree, uint32_t parent, uint32_t shown, sl_function function);

/* The role of a function in this tree: as in `roles`, but the focus is never left out. */
enum sl_role sl_tree_role(const struct sl_tree_builder *tree, sl_function function);

/* The entry of a line of a branch, found or made. SL_NONE when there is no room, or the tree has no lines. */
uint32_t sl_tree_line(struct sl_tree_builder *tree, uint32_t branch, uint32_t line);

/* Adds time that ended in a place. */
void sl_tree_add_self(struct sl_tree_builder *tree, const struct sl_place *place, struct sl_amount amount);
void sl_tree_add_state(struct sl_tree_builder *tree, const struct sl_place *place, sl_state state, uint64_t ns);

/* All states that a stack was seen in. */
void sl_tree_add_states(struct sl_tree_builder *tree, const struct sl_place *place,
                        const struct sl_stack_samples *samples, const struct sl_stack_sample *stack);

/* The branch was seen in this span; its ancestors need not be told. */
void sl_tree_add_span(struct sl_tree_builder *tree, uint32_t branch, uint64_t begin_ns, uint64_t end_ns);

/* The tree, in `arena`. NULL when an arena is exhausted. */
const struct sl_call_tree *sl_tree_finish(struct sl_tree_builder *tree, struct sl_arena *arena, bool timeline);

#endif
