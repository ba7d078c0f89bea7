/* The tree of calls: the rows of its functions, each with what took time in it. */
#include "analysis/roles.h"
#include "render/state_word.h"
#include "render/text_walk.h"

#include <string.h>

/* How deep each function is nested in itself. */
static bool find_nesting(const struct sl_walk *walk, struct sl_walk_brief *briefs)
{
    const struct sl_call_tree *tree = walk->tree;
    /* For each function the innermost of the nodes that are open, plus one. */
    uint32_t *innermost = SL_ARENA_NEW(walk->arena, uint32_t, walk->text->profile->function_count);
    if (innermost == NULL) {
        return false;
    }
    uint32_t open = 0;
    for (uint32_t i = 1; i < tree->node_count; i++) {
        for (; open != tree->nodes[i].parent; open = tree->nodes[open].parent) {
            uint32_t above = briefs[open].same_above;
            innermost[tree->nodes[open].subject] = above == SL_NONE ? 0 : above + 1;
        }
        uint32_t above = innermost[tree->nodes[i].subject];
        briefs[i].same_above = above == 0 ? SL_NONE : above - 1;
        briefs[i].nested = above == 0 ? 0 : briefs[above - 1].nested + 1;
        briefs[i].nested_below = briefs[i].nested;
        innermost[tree->nodes[i].subject] = i + 1;
        open = i;
    }
    for (uint32_t i = tree->node_count - 1; i > 0; i--) {
        uint32_t above = briefs[i].same_above;
        if (above != SL_NONE && briefs[i].nested_below > briefs[above].nested_below) {
            briefs[above].nested_below = briefs[i].nested_below;
        }
    }
    return true;
}

/* What was left out below a node and is nothing to speak of even together is counted further up. */
static struct sl_walk_brief *look_ahead(const struct sl_walk *walk)
{
    const struct sl_call_tree *tree = walk->tree;
    struct sl_walk_brief *briefs = SL_ARENA_NEW(walk->arena, struct sl_walk_brief, tree->node_count);
    for (uint32_t i = tree->node_count - 1; briefs != NULL && i > 0; i--) {
        struct sl_walk_brief *brief = &briefs[tree->nodes[i].parent];
        if (!sl_walk_has_row(walk, i)) {
            brief->left_out++;
            brief->left_out_ns += tree->nodes[i].total.ns;
            continue;
        }
        brief->visible++;
        brief->rows += 1 + briefs[i].rows;
        if (briefs[i].left_out_ns < walk->text->threshold_ns) {
            brief->left_out += briefs[i].left_out;
            brief->left_out_ns += briefs[i].left_out_ns;
            briefs[i].left_out = 0;
            briefs[i].left_out_ns = 0;
        }
    }
    if (briefs != NULL && !find_nesting(walk, briefs)) {
        return NULL;
    }
    /* At the very top a rest that no number would show is not missed. */
    if (briefs != NULL && (double)briefs[0].left_out_ns < 0.0005 * (double)walk->text->scale.whole_ns) {
        briefs[0].left_out = 0;
    }
    return briefs;
}

/* The line with the most self time, or, where more time is in hidden frames, the one that called most of that. NULL
 * without lines. */
static const struct sl_node_line *telling_line(const struct sl_walk *walk, const struct sl_node *node)
{
    const struct sl_node_line *lines = &walk->tree->lines[node->first_line];
    const struct sl_node_line *best = node->line_count > 0 ? lines : NULL;
    for (uint32_t i = 0; i < node->line_count && node->hidden.ns > node->self.ns; i++) {
        bool calls = lines[i].self.ns == 0;
        if (calls && (best->self.ns > 0 || lines[i].total.ns > best->total.ns)) {
            best = &lines[i];
        }
    }
    return best;
}

/* What lies around the function that a thread runs. */
struct around {
    uint64_t ns;
    struct sl_walk_brief left_out;
};

/* The rest of a function's row, which stands at `level`, and its hottest line. `around` (NULL: nothing) is told below it;
 * `remark` is said where nothing is to be said of hidden frames. */
static void finish_function(struct sl_walk *walk, uint32_t number, uint32_t level, const struct around *around,
                            const char *remark)
{
    struct sl_text *text = walk->text;
    const struct sl_node *node = &walk->tree->nodes[number];
    const struct sl_node_line *line = telling_line(walk, node);
    uint64_t self_ns = node->self.ns + node->hidden.ns;
    bool hot = sl_walk_has_hot_line(walk, node, node->self.ns, line);
    const char *word = NULL;
    if (!hot && line != NULL && self_ns * 2 > node->total.ns) {
        word = sl_state_word(line->state);
    }
    struct sl_text_hidden_note note;
    const char *const remarks[] = {remark, NULL};
    const char *const *notes = remark != NULL ? remarks : NULL;
    if (node->hidden_frames > 0) {
        notes = sl_text_hidden_note(text, walk->tree, node, &note);
    }
    sl_text_function(text, node->subject, notes, word);
    sl_text_row_end(&text->row, text->output);

    struct sl_walk_brief brief = walk->briefs[number];
    if (around != NULL) {
        brief.left_out += around->left_out.left_out;
        brief.left_out_ns += around->left_out.left_out_ns;
    }
    bool line_told = hot && (double)line->self.ns >= 0.9 * (double)self_ns;
    struct sl_walk_node *open = sl_walk_open(walk, number, level, &brief, self_ns, line_told);
    if (around != NULL && around->ns >= text->threshold_ns) {
        open->around_ns = around->ns;
    }
    if (hot) {
        sl_walk_write_hot_line(walk, node, line, level, sl_walk_rows_left(open) && !open->stays);
    }
}

static void write_function(struct sl_walk *walk, const struct sl_walk_node *below, bool last, uint32_t number)
{
    struct sl_text *text = walk->text;
    const struct sl_node *node = &walk->tree->nodes[number];
    double share = (double)node->total.ns / (double)text->scale.whole_ns;
    uint32_t level = below->level;
    sl_walk_begin_row(walk, below, last, node->total.ns, node->begin_ns, sl_text_color_of_share(share));
    if (below->stays && level >= walk->hard_level) {
        sl_text_row_format(&text->row, SL_TEXT_QUIET, "%u: ", node->depth);
    }
    finish_function(walk, number, level, NULL, NULL);
}

static void write_self(struct sl_walk *walk, struct sl_walk_node *below)
{
    struct sl_text *text = walk->text;
    below->self_pending = false;
    sl_walk_begin_row(walk, below, !sl_walk_rows_left(below), below->self_ns, UINT64_MAX, SL_TEXT_QUIET);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, below->self_name);
    sl_text_row_end(&text->row, text->output);
}

static void write_around(struct sl_walk *walk, struct sl_walk_node *below)
{
    struct sl_text *text = walk->text;
    uint64_t ns = below->around_ns;
    below->around_ns = 0;
    sl_walk_begin_row(walk, below, !sl_walk_rows_left(below), ns, UINT64_MAX, SL_TEXT_QUIET);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, "before and after");
    sl_text_row_end(&text->row, text->output);
}

static void write_left_out(struct sl_walk *walk, struct sl_walk_node *below)
{
    struct sl_text *text = walk->text;
    char count[SL_TEXT_NUMBER_SIZE];
    sl_text_count(below->left_out, count);
    uint64_t ns = below->left_out_ns;
    below->left_out = 0;
    sl_walk_begin_row(walk, below, true, ns, UINT64_MAX, SL_TEXT_QUIET);
    sl_text_row_format(&text->row, SL_TEXT_QUIET, "%s%s more", text->style.signs->folded, count);
    sl_text_row_end(&text->row, text->output);
}

static void write_child(struct sl_walk *walk, struct sl_walk_node *below)
{
    uint32_t node = below->next_child;
    const struct sl_node *record = &walk->tree->nodes[node];
    below->next_child = sl_walk_with_row(walk, record->next_sibling);
    bool last = !sl_walk_rows_left(below);
    if (!sl_walk_write_recursion(walk, below, last, node)) {
        write_function(walk, below, last, node);
    }
}

/* ---- the whole tree ---- */

/* The node of the function that a thread is named after, when nearly all of its time is in it: what is below it in the
 * stack is only what starts a thread. SL_NONE when there is none. */
static uint32_t node_of_heading(const struct sl_walk *walk, sl_function function, struct around *around)
{
    const struct sl_node *nodes = walk->tree->nodes;
    uint32_t node = 0;
    while (walk->briefs[node].visible == 1) {
        around->ns += nodes[node].self.ns + nodes[node].hidden.ns;
        around->left_out.left_out += walk->briefs[node].left_out;
        around->left_out.left_out_ns += walk->briefs[node].left_out_ns;
        node = sl_walk_with_row(walk, nodes[node].first_child);
        if (nodes[node].subject == function) {
            return around->ns <= nodes[0].total.ns / 10 ? node : SL_NONE;
        }
        if (walk->text->roles[nodes[node].subject] == SL_ROLE_OWN) {
            break;
        }
    }
    return SL_NONE;
}

static void open_root(struct sl_walk *walk, uint32_t level)
{
    const struct sl_node *root = &walk->tree->nodes[0];
    walk->stack[walk->depth++] = (struct sl_walk_node){
        .next_child = sl_walk_with_row(walk, root->first_child),
        .level = level,
        .self_ns = root->self.ns,
        .self_name = "the interpreter itself", /* stacks of nothing but its machinery */
        .self_pending = root->self.ns > 0 && root->self.ns >= walk->text->threshold_ns,
        .left_out = walk->briefs[0].left_out,
        .left_out_ns = walk->briefs[0].left_out_ns,
    };
}

static void write_heading(struct sl_walk *walk, const struct sl_text_heading *heading)
{
    struct sl_text *text = walk->text;
    uint64_t total_ns = walk->tree->nodes[0].total.ns;
    double share = (double)total_ns / (double)text->scale.whole_ns;
    sl_text_numbers(text, total_ns, UINT64_MAX, sl_text_color_of_share(share), true);
    walk->unit_told = true;
    heading->add_title(text, heading->subject);
    struct around around = {0};
    uint32_t node = heading->function != SL_NONE ? node_of_heading(walk, heading->function, &around) : SL_NONE;
    if (node != SL_NONE) {
        sl_text_row_add(&text->row, SL_TEXT_PLAIN, heading->separator);
        finish_function(walk, node, 0, &around, heading->remark);
        return;
    }
    if (heading->function != SL_NONE && !heading->named) {
        const char *const remarks[] = {heading->remark, NULL};
        sl_text_row_add(&text->row, SL_TEXT_PLAIN, heading->separator);
        sl_text_function(text, heading->function, remarks, NULL);
    } else if (heading->remark != NULL &&
               sl_text_columns(heading->remark, strlen(heading->remark)) + 2 < sl_text_row_room(&text->row)) {
        sl_text_row_format(&text->row, SL_TEXT_QUIET, "  %s", heading->remark);
    }
    sl_text_row_end(&text->row, text->output);
    open_root(walk, 1);
}

static void write_rows(struct sl_walk *walk)
{
    while (walk->depth > 0) {
        struct sl_walk_node *below = &walk->stack[walk->depth - 1];
        uint32_t child = below->next_child;
        bool child_first = child != SL_NONE && (!below->self_pending || walk->text->options->timeline ||
                                                walk->tree->nodes[child].total.ns >= below->self_ns);
        if (child_first) {
            write_child(walk, below);
        } else if (below->self_pending) {
            write_self(walk, below);
        } else if (below->around_ns > 0) {
            write_around(walk, below);
        } else if (below->left_out > 0) {
            write_left_out(walk, below);
        } else {
            walk->depth--;
        }
    }
}

bool sl_text_tree(struct sl_text *text, struct sl_arena *arena, const struct sl_call_tree *tree,
                  const struct sl_text_heading *heading)
{
    struct sl_walk walk = {.text = text, .arena = arena, .tree = tree};
    uint32_t columns = sl_text_number_columns(text);
    uint32_t for_names = text->style.width * 2 / 5 > 24 ? text->style.width * 2 / 5 : 24;
    uint32_t levels = text->style.width > columns + for_names ? (text->style.width - columns - for_names) / 3 : 1;
    walk.hard_level = levels < 2 ? 2 : levels > SL_WALK_LEVELS_MAX ? SL_WALK_LEVELS_MAX : levels;
    walk.soft_level = walk.hard_level * 3 / 4;

    uint32_t deepest = 0;
    for (uint32_t i = 0; i < tree->node_count; i++) {
        deepest = tree->nodes[i].depth > deepest ? tree->nodes[i].depth : deepest;
    }
    walk.briefs = look_ahead(&walk);
    walk.stack = SL_ARENA_NEW(arena, struct sl_walk_node, (size_t)deepest + 1);
    if (walk.briefs == NULL || walk.stack == NULL) {
        return false;
    }
    if (heading != NULL) {
        write_heading(&walk, heading);
    } else {
        open_root(&walk, 0);
    }
    write_rows(&walk);
    return !arena->exhausted;
}
