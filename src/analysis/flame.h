/* flame.h - where the boxes of a flame graph lie: the nodes of a call tree beside each other. */
#ifndef SL_ANALYSIS_FLAME_H
#define SL_ANALYSIS_FLAME_H

#include "analysis/call_tree.h"

/* For each node of the tree the time that lies left of it; its width is its total, its row its depth. A node's children
 * begin where it begins, in their order (heaviest first); what remains at the right is its self time. NULL when the
 * arena is exhausted. */
const uint64_t *sl_flame_offsets(struct sl_arena *arena, const struct sl_call_tree *tree);

#endif
