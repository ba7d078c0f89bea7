/* differences.h - two recordings held against each other: which functions, and which calls, took more time or less, and
 * whether that is more than chance.
 *
 * A function is the same in both when its kind, qualified name and short path (roles.h) are: the line that it begins at may
 * have moved, and the program may lie in another folder. What has all of these in common within one recording, such as two
 * lambdas of one function, counts as one function; it is own code if it is in one of the recordings. */
#ifndef SL_ANALYSIS_DIFFERENCES_H
#define SL_ANALYSIS_DIFFERENCES_H

#include "analysis/selection.h"

enum { SL_BEFORE = 0, SL_AFTER = 1, SL_SIDES = 2 };

/* One of the two. */
struct sl_side {
    const struct sl_profile *profile;
    struct sl_selection selection;
    const uint8_t *roles; /* from sl_roles; NULL: everything is own code */
};

struct sl_function_difference {
    sl_function functions[SL_SIDES]; /* SL_NONE: it was not seen there */
    struct sl_amount self[SL_SIDES];
    struct sl_amount total[SL_SIDES];
};

/* A node of both call trees (call_tree.h) laid on top of each other, processes and threads merged. Node 0 is the root. A
 * node has a larger number than its parent. */
struct sl_node_difference {
    sl_function functions[SL_SIDES]; /* as above; of the root, none */
    uint32_t parent;                 /* SL_NONE for the root */
    uint32_t first_child;            /* SL_NONE for a leaf; those whose total changed most come first */
    uint32_t next_sibling;
    uint32_t depth;
    struct sl_amount total[SL_SIDES];
    struct sl_amount self[SL_SIDES]; /* that of frames folded into it counted, */
    bool folds;                      /* of which there are some */
};

/* What a change is judged by. */
struct sl_measure {
    /* Of each recording (whole.h). Folded stacks, of which nobody knows from how many looks they are, are taken for exact:
     * UINT64_MAX samples. */
    struct sl_amount wholes[SL_SIDES];
    uint32_t threads[SL_SIDES]; /* that did not only wait; 1 at least */
    bool late; /* of one, so many looks were late that nothing is certain: more than a tenth, as for the text report */
    bool shares; /* parts of each whole are compared, not times */
};

struct sl_differences_options {
    bool shares;
    bool
        without_idle; /* leave out threads that only waited (thread_summary.h), unless one that runs the same function did
                        * not in the other recording */
    bool functions;   /* what is asked for: */
    bool trees;
};

struct sl_differences {
    struct sl_measure measure;
    uint32_t idle[SL_SIDES];                        /* threads that were left out */
    const uint8_t *roles[SL_SIDES];                 /* of each recording's functions; NULL where they were */
    const struct sl_function_difference *functions; /* seen in one of them, by kind, name and path */
    uint32_t function_count;
    const struct sl_node_difference *nodes;
    uint32_t node_count;
};

/* Lives as long as the arena; NULL when that is exhausted. Costs what two call trees do, and sorting the names of functions. */
const struct sl_differences *sl_differences(struct sl_arena *arena, const struct sl_side sides[SL_SIDES],
                                            const struct sl_differences_options *options);

/* How much more there is after than before, and the standard error of that: in nanoseconds, or in parts of each whole. It is
 * the error of looking now and then; how much two runs of one program differ by themselves is not in it. Threads that do the
 * same at the same time are seen doing so together, which makes it larger than if each were looked at for itself: as nobody
 * knows whether they do, it is as large as if all did. */
struct sl_change {
    double amount;
    double error;
};
struct sl_change sl_change(const struct sl_measure *measure, const struct sl_amount amounts[SL_SIDES]);

/* Whether it is more than three standard errors: of a thousand functions that did not change, three seem to. */
bool sl_change_is_certain(const struct sl_measure *measure, struct sl_change change);

#endif
