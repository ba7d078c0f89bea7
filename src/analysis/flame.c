#include "analysis/flame.h"

const uint64_t *sl_flame_offsets(struct sl_arena *arena, const struct sl_call_tree *tree)
{
    uint64_t *offsets = SL_ARENA_NEW(arena, uint64_t, tree->node_count);
    if (offsets == NULL) {
        return NULL;
    }
    /* A parent comes before its children, and an elder sibling before the younger. */
    for (uint32_t i = 0; i < tree->node_count; i++) {
        const struct sl_node *node = &tree->nodes[i];
        if (node->first_child != SL_NONE) {
            offsets[node->first_child] = offsets[i];
        }
        if (node->next_sibling != SL_NONE) {
            offsets[node->next_sibling] = offsets[i] + node->total.ns;
        }
    }
    return offsets;
}
