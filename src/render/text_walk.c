/* Indentation costs three columns a level, and a row needs room for its name. So it stops growing: beyond the soft limit
 * a function that is called by one that calls nothing else stays at its caller's indentation, beyond the hard one every
 * function does, and tells its depth. */
#include "render/text_walk.h"

bool sl_walk_has_row(const struct sl_walk *walk, uint32_t node)
{
    return walk->tree->nodes[node].total.ns >= walk->text->threshold_ns;
}

uint32_t sl_walk_with_row(const struct sl_walk *walk, uint32_t node)
{
    while (node != SL_NONE && !sl_walk_has_row(walk, node)) {
        node = walk->tree->nodes[node].next_sibling;
    }
    return node;
}

void sl_walk_add_guides(struct sl_walk *walk, uint32_t level)
{
    const struct sl_text_signs *signs = walk->text->style.signs;
    for (uint32_t i = 1; i <= level; i++) {
        sl_text_row_add(&walk->text->row, SL_TEXT_QUIET, walk->open[i] ? signs->open : signs->blank);
    }
}

void sl_walk_begin_row(struct sl_walk *walk, const struct sl_walk_node *below, bool last, uint64_t ns,
                       uint64_t begin_ns, enum sl_text_color color)
{
    struct sl_text *text = walk->text;
    const struct sl_text_signs *signs = text->style.signs;
    sl_text_numbers(text, ns, begin_ns, color, !walk->unit_told);
    walk->unit_told = true;
    uint32_t level = below->level;
    if (level == 0) {
        return;
    }
    sl_walk_add_guides(walk, level - 1);
    if (below->stays) {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, walk->open[level] ? signs->stays_open : signs->stays);
        return;
    }
    sl_text_row_add(&text->row, SL_TEXT_QUIET, last ? signs->last : signs->branch);
    walk->open[level] = !last;
}

struct sl_walk_node *sl_walk_open(struct sl_walk *walk, uint32_t node, uint32_t level,
                                  const struct sl_walk_brief *brief, uint64_t self_ns, bool line_told)
{
    const struct sl_node *record = &walk->tree->nodes[node];
    struct sl_walk_node *open = &walk->stack[walk->depth++];
    *open = (struct sl_walk_node){
        .next_child = sl_walk_with_row(walk, record->first_child),
        .level = level + 1,
        .self_ns = self_ns,
        .self_name = record->hidden.ns > 0 ? "self and hidden frames" : "self",
        .left_out = brief->left_out,
        .left_out_ns = brief->left_out_ns,
    };
    bool only_rest = brief->visible == 0 && brief->left_out == 0;
    open->self_pending = !only_rest && !line_told && self_ns > 0 && self_ns >= walk->text->threshold_ns;
    bool single = brief->visible == 1 && brief->left_out == 0 && !open->self_pending;
    open->stays = level >= walk->hard_level || (level >= walk->soft_level && single);
    if (open->stays) {
        open->level = level;
    } else {
        walk->open[open->level] = false;
    }
    return open;
}

bool sl_walk_rows_left(const struct sl_walk_node *open)
{
    return open->next_child != SL_NONE || open->self_pending || open->around_ns > 0 || open->left_out > 0;
}
