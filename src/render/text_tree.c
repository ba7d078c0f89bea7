/* The tree of calls. Rows are written on one walk over the tree with a stack of its own, so that a recursion of any
 * depth takes no more than its rows.
 *
 * Indentation costs three columns a level, and a row needs room for its name. So it stops growing: beyond the soft limit
 * a function that is called by one that calls nothing else stays at its caller's indentation, beyond the hard one every
 * function does, and tells its depth. A recursion that runs on without branching is one row. */
#include "analysis/roles.h"
#include "render/state_word.h"
#include "render/text_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    levels_max = 60, /* of indentation, however wide the terminal */
    period_max = 4,  /* functions that call each other in turn, at most, to be told as one recursion */
};

/* What the rows below a node are made of. */
struct brief {
    uint32_t visible; /* children that have a row */
    uint32_t left_out;
    uint64_t left_out_ns;
};

/* A node whose rows have begun. */
struct open_node {
    uint32_t next_child; /* with a row, SL_NONE when there is none left */
    uint32_t level;      /* of the rows below it */
    bool stays;          /* they have the level of the node itself */
    bool self_pending;
    const char *self_name;
    uint64_t self_ns;
    uint32_t left_out;
    uint64_t left_out_ns;
};

struct walk {
    struct sl_text *text;
    struct sl_arena *arena;
    const struct sl_call_tree *tree;
    struct brief *briefs;
    struct open_node *stack;
    uint32_t depth;
    uint32_t soft_level, hard_level;
    bool open[levels_max + 2]; /* for each level: a row of it is still to come */
    bool unit_told;
};

static bool has_row(const struct walk *walk, uint32_t node)
{
    return walk->tree->nodes[node].total.ns >= walk->text->threshold_ns;
}

static uint32_t with_row(const struct walk *walk, uint32_t node)
{
    while (node != SL_NONE && !has_row(walk, node)) {
        node = walk->tree->nodes[node].next_sibling;
    }
    return node;
}

/* What was left out below a node and is nothing to speak of even together is counted further up. */
static struct brief *look_ahead(const struct walk *walk)
{
    const struct sl_call_tree *tree = walk->tree;
    struct brief *briefs = SL_ARENA_NEW(walk->arena, struct brief, tree->node_count);
    for (uint32_t i = tree->node_count - 1; briefs != NULL && i > 0; i--) {
        struct brief *brief = &briefs[tree->nodes[i].parent];
        if (!has_row(walk, i)) {
            brief->left_out++;
            brief->left_out_ns += tree->nodes[i].total.ns;
            continue;
        }
        brief->visible++;
        if (briefs[i].left_out_ns < walk->text->threshold_ns) {
            brief->left_out += briefs[i].left_out;
            brief->left_out_ns += briefs[i].left_out_ns;
            briefs[i].left_out = 0;
            briefs[i].left_out_ns = 0;
        }
    }
    /* At the very top a rest that no number would show is not missed. */
    if (briefs != NULL && (double)briefs[0].left_out_ns < 0.0005 * (double)walk->text->scale.whole_ns) {
        briefs[0].left_out = 0;
    }
    return briefs;
}

static void add_guides(struct walk *walk, uint32_t level)
{
    const struct sl_text_signs *signs = walk->text->style.signs;
    for (uint32_t i = 1; i <= level; i++) {
        sl_text_row_add(&walk->text->row, SL_TEXT_QUIET, walk->open[i] ? signs->open : signs->blank);
    }
}

/* Numbers, guides and the sign in front of what `below` has as its next row, which is its last when `last`. */
static void begin_row(struct walk *walk, const struct open_node *below, bool last, uint64_t ns, uint64_t begin_ns,
                      enum sl_text_color color)
{
    struct sl_text *text = walk->text;
    const struct sl_text_signs *signs = text->style.signs;
    sl_text_numbers(text, ns, begin_ns, color, !walk->unit_told);
    walk->unit_told = true;
    uint32_t level = below->level;
    if (level == 0) {
        return;
    }
    add_guides(walk, level - 1);
    if (below->stays) {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, walk->open[level] ? signs->stays_open : signs->stays);
        return;
    }
    sl_text_row_add(&text->row, SL_TEXT_QUIET, last ? signs->last : signs->branch);
    walk->open[level] = !last;
}

/* ---- the hottest line ---- */

/* The line's source text, where it is to be had. */
static bool source_of(const struct walk *walk, const struct sl_node *node, const struct sl_node_line *line,
                      const char **source, size_t *size)
{
    const struct sl_text *text = walk->text;
    const char *path = sl_profile_text(text->profile, text->profile->functions[node->subject].file);
    return sl_source_text_line(text->source, path, line->line, source, size);
}

/* A function that took more than a fifth of its time itself has its hottest line shown, unless that is not worth a row
 * or the row would say nothing that the function's own does not. */
static bool has_hot_line(const struct walk *walk, const struct sl_node *node, uint64_t self_ns,
                         const struct sl_node_line *line)
{
    const struct sl_text *text = walk->text;
    if (node->kind != SL_NODE_FUNCTION || line == NULL || line->line == 0 || self_ns * 5 <= node->total.ns ||
        line->self.ns == 0 || line->self.ns < text->threshold_ns) {
        return false;
    }
    const struct sl_function_record *function = &text->profile->functions[node->subject];
    if (function->kind != SL_FUNCTION_PYTHON) {
        return false;
    }
    const char *source;
    size_t size;
    if (line->line == function->first_line && sl_state_word(line->state) == NULL &&
        !source_of(walk, node, line, &source, &size)) {
        return false;
    }
    return text->roles[node->subject] == SL_ROLE_OWN || text->options->source == SL_SOURCE_ALL ||
           (double)line->self.ns >= 0.05 * (double)text->scale.whole_ns;
}

static void write_hot_line(struct walk *walk, const struct sl_node *node, const struct sl_node_line *line,
                           uint32_t level, bool rows_follow)
{
    struct sl_text *text = walk->text;
    const struct sl_text_signs *signs = text->style.signs;
    char ns_text[SL_TEXT_NUMBER_SIZE];
    char total_text[SL_TEXT_NUMBER_SIZE];
    sl_text_time(&text->scale, line->self.ns, ns_text);
    sl_text_time(&text->scale, node->total.ns, total_text);
    if (strcmp(ns_text, total_text) == 0) {
        sl_text_no_numbers(text);
    } else {
        sl_text_numbers(text, line->self.ns, UINT64_MAX, SL_TEXT_QUIET, false);
    }
    add_guides(walk, level);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, rows_follow ? signs->open : signs->blank);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, signs->line);
    sl_text_row_format(&text->row, SL_TEXT_QUIET, "line %u", line->line);

    const char *word = sl_state_word(line->state);
    uint32_t word_columns = word != NULL ? (uint32_t)strlen(word) + 4 : 0;
    const char *source;
    size_t size;
    uint32_t room = sl_text_row_room(&text->row);
    if (room > word_columns + 8 && source_of(walk, node, line, &source, &size)) {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, ": ");
        sl_text_row_fit(&text->row, SL_TEXT_PLAIN, source, size, room - word_columns - 2, SL_TEXT_CUT_END);
    }
    if (word != NULL && sl_text_row_room(&text->row) >= word_columns) {
        sl_text_row_format(&text->row, SL_TEXT_TAG, "  [%s]", word);
    }
    sl_text_row_end(&text->row, text->output);
}

/* ---- rows ---- */

/* Opens a node: what is to come below it. `level` is that of its own row. */
static struct open_node *open_node(struct walk *walk, uint32_t node, uint32_t level, const struct brief *brief,
                                   uint64_t self_ns, bool line_told)
{
    const struct sl_node *record = &walk->tree->nodes[node];
    struct open_node *open = &walk->stack[walk->depth++];
    *open = (struct open_node){
        .next_child = with_row(walk, record->first_child),
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

static bool rows_left(const struct open_node *open)
{
    return open->next_child != SL_NONE || open->self_pending || open->left_out > 0;
}

/* The line with the most self time, or, where more time is in hidden frames, the one that called most of that. NULL
 * without lines. */
static const struct sl_node_line *telling_line(const struct walk *walk, const struct sl_node *node)
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

/* The rest of a function's row, which stands at `level`, and its hottest line. `left_out` is added to what is counted
 * below it; `remark` is said where nothing is to be said of hidden frames. */
static void finish_function(struct walk *walk, uint32_t number, uint32_t level, struct brief left_out,
                            const char *remark)
{
    struct sl_text *text = walk->text;
    const struct sl_node *node = &walk->tree->nodes[number];
    const struct sl_node_line *line = telling_line(walk, node);
    uint64_t self_ns = node->self.ns + node->hidden.ns;
    bool hot = has_hot_line(walk, node, node->self.ns, line);
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

    struct brief brief = walk->briefs[number];
    brief.left_out += left_out.left_out;
    brief.left_out_ns += left_out.left_out_ns;
    bool line_told = hot && (double)line->self.ns >= 0.9 * (double)self_ns;
    struct open_node *open = open_node(walk, number, level, &brief, self_ns, line_told);
    if (hot) {
        write_hot_line(walk, node, line, level, rows_left(open) && !open->stays);
    }
}

static void write_function(struct walk *walk, const struct open_node *below, bool last, uint32_t number)
{
    struct sl_text *text = walk->text;
    const struct sl_node *node = &walk->tree->nodes[number];
    double share = (double)node->total.ns / (double)text->scale.whole_ns;
    uint32_t level = below->level;
    begin_row(walk, below, last, node->total.ns, node->begin_ns, sl_text_color_of_share(share));
    if (below->stays && level >= walk->hard_level) {
        sl_text_row_format(&text->row, SL_TEXT_QUIET, "%u: ", node->depth);
    }
    finish_function(walk, number, level, (struct brief){0}, NULL);
}

static void write_self(struct walk *walk, struct open_node *below)
{
    struct sl_text *text = walk->text;
    below->self_pending = false;
    begin_row(walk, below, !rows_left(below), below->self_ns, UINT64_MAX, SL_TEXT_QUIET);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, below->self_name);
    sl_text_row_end(&text->row, text->output);
}

static void write_left_out(struct walk *walk, struct open_node *below)
{
    struct sl_text *text = walk->text;
    char count[SL_TEXT_NUMBER_SIZE];
    sl_text_count(below->left_out, count);
    uint64_t ns = below->left_out_ns;
    below->left_out = 0;
    begin_row(walk, below, true, ns, UINT64_MAX, SL_TEXT_QUIET);
    sl_text_row_format(&text->row, SL_TEXT_QUIET, "%s%s more", text->style.signs->folded, count);
    sl_text_row_end(&text->row, text->output);
}

/* ---- recursion ---- */

static bool same_function(const struct walk *walk, uint32_t a, uint32_t b)
{
    const struct sl_node *nodes = walk->tree->nodes;
    return nodes[a].kind == SL_NODE_FUNCTION && nodes[b].kind == SL_NODE_FUNCTION &&
           nodes[a].subject == nodes[b].subject;
}

/* The last node of a recursion that goes on from `first`, the only call that its caller makes: each function calls
 * only one, and that is the one `period` calls before. SL_NONE when it is too short to be worth it. */
static uint32_t recursion_end(const struct walk *walk, uint32_t first, uint32_t period)
{
    const struct sl_node *nodes = walk->tree->nodes;
    uint32_t before = first;
    for (uint32_t i = 0; i < period; i++) {
        before = nodes[before].parent;
        if (before == SL_NONE || nodes[before].kind != SL_NODE_FUNCTION) {
            return SL_NONE;
        }
    }
    uint32_t count = 0;
    uint32_t last = SL_NONE;
    for (uint32_t node = first; node != SL_NONE && same_function(walk, node, before);) {
        count++;
        last = node;
        before = node;
        for (uint32_t i = 1; i < period; i++) {
            before = nodes[before].parent;
        }
        node = walk->briefs[node].visible == 1 ? with_row(walk, nodes[node].first_child) : SL_NONE;
    }
    return count >= 3 && count >= 2 * period ? last : SL_NONE;
}

static int by_line_then_weight(const void *a, const void *b)
{
    const struct sl_node_line *left = a;
    const struct sl_node_line *right = b;
    return left->line != right->line ? (left->line < right->line ? -1 : 1)
                                     : (left->self.ns > right->self.ns ? -1 : left->self.ns < right->self.ns);
}

/* The hottest line of the function of `first`, in all of its calls up to `last`. */
static struct sl_node_line hottest_of(struct walk *walk, uint32_t first, uint32_t last, uint64_t *self_ns)
{
    const struct sl_call_tree *tree = walk->tree;
    struct sl_node_line hottest = {0};
    size_t count = 0;
    for (uint32_t node = last;; node = tree->nodes[node].parent) {
        count += same_function(walk, node, first) ? tree->nodes[node].line_count : 0;
        if (node == first) {
            break;
        }
    }
    struct sl_node_line *lines = SL_ARENA_NEW(walk->arena, struct sl_node_line, count);
    if (lines == NULL) {
        return hottest;
    }
    count = 0;
    for (uint32_t node = last;; node = tree->nodes[node].parent) {
        const struct sl_node *record = &tree->nodes[node];
        if (same_function(walk, node, first)) {
            *self_ns += record->self.ns;
            memcpy(lines + count, tree->lines + record->first_line, record->line_count * sizeof *lines);
            count += record->line_count;
        }
        if (node == first) {
            break;
        }
    }
    qsort(lines, count, sizeof *lines, by_line_then_weight);
    for (size_t i = 0; i < count;) {
        struct sl_node_line sum = lines[i]; /* the heaviest one of its line gives the state */
        for (i++; i < count && lines[i].line == sum.line; i++) {
            sum.self.ns += lines[i].self.ns;
        }
        hottest = sum.self.ns > hottest.self.ns ? sum : hottest;
    }
    return hottest;
}

/* One row for the calls from `first` to `last`. */
static void write_recursion(struct walk *walk, const struct open_node *below, bool is_last, uint32_t first,
                            uint32_t last, uint32_t period)
{
    struct sl_text *text = walk->text;
    const struct sl_node *nodes = walk->tree->nodes;
    struct brief brief = walk->briefs[last];
    uint64_t self_ns = nodes[last].self.ns + nodes[last].hidden.ns;
    for (uint32_t node = nodes[last].parent; node != nodes[first].parent; node = nodes[node].parent) {
        brief.left_out += walk->briefs[node].left_out;
        brief.left_out_ns += walk->briefs[node].left_out_ns;
        self_ns += nodes[node].self.ns + nodes[node].hidden.ns;
    }
    char count[SL_TEXT_NUMBER_SIZE];
    sl_text_count(nodes[last].depth - nodes[first].depth + 1, count);
    double share = (double)nodes[first].total.ns / (double)text->scale.whole_ns;
    uint32_t level = below->level;
    begin_row(walk, below, is_last, nodes[first].total.ns, nodes[first].begin_ns, sl_text_color_of_share(share));
    sl_text_row_format(&text->row, SL_TEXT_QUIET, "%s%s calls deeper: ", text->style.signs->again, count);
    uint32_t node = first;
    for (uint32_t i = 0; i < period; i++) {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, i > 0 ? ", " : "");
        sl_string name = text->profile->functions[nodes[node].subject].name;
        enum sl_text_color color = text->roles[nodes[node].subject] == SL_ROLE_OWN ? SL_TEXT_STRONG : SL_TEXT_PLAIN;
        sl_text_row_fit(&text->row, color, sl_profile_text(text->profile, name),
                        sl_profile_text_size(text->profile, name), 40, SL_TEXT_CUT_MIDDLE);
        node = with_row(walk, nodes[node].first_child);
    }
    sl_text_row_end(&text->row, text->output);

    uint64_t line_self_ns = 0;
    struct sl_node_line line = hottest_of(walk, first, last, &line_self_ns);
    bool hot = has_hot_line(walk, &nodes[first], line_self_ns, &line);
    bool line_told = hot && (double)line.self.ns >= 0.9 * (double)self_ns;
    struct open_node *open = open_node(walk, last, level, &brief, self_ns, line_told);
    if (hot) {
        write_hot_line(walk, &nodes[first], &line, level, rows_left(open) && !open->stays);
    }
}

static void write_child(struct walk *walk, struct open_node *below)
{
    uint32_t node = below->next_child;
    const struct sl_node *record = &walk->tree->nodes[node];
    below->next_child = with_row(walk, record->next_sibling);
    bool last = !rows_left(below);
    if (walk->briefs[record->parent].visible == 1) {
        for (uint32_t period = 1; period <= period_max; period++) {
            uint32_t end = recursion_end(walk, node, period);
            if (end != SL_NONE) {
                write_recursion(walk, below, last, node, end, period);
                return;
            }
        }
    }
    write_function(walk, below, last, node);
}

/* ---- the whole tree ---- */

/* The node of the function that a thread is named after, when all of its time is in it: what is below it in the stack
 * is only what starts a thread. SL_NONE when there is none. What was too small for a row on the way is added to
 * `*left_out`. */
static uint32_t node_of_heading(const struct walk *walk, sl_function function, struct brief *left_out)
{
    const struct sl_node *nodes = walk->tree->nodes;
    uint32_t node = 0;
    while (walk->briefs[node].visible == 1 && nodes[node].self.ns + nodes[node].hidden.ns < walk->text->threshold_ns) {
        left_out->left_out += walk->briefs[node].left_out;
        left_out->left_out_ns += walk->briefs[node].left_out_ns;
        node = with_row(walk, nodes[node].first_child);
        if (nodes[node].subject == function) {
            return node;
        }
        if (walk->text->roles[nodes[node].subject] == SL_ROLE_OWN) {
            break;
        }
    }
    return SL_NONE;
}

static void open_root(struct walk *walk, uint32_t level)
{
    const struct sl_node *root = &walk->tree->nodes[0];
    walk->stack[walk->depth++] = (struct open_node){
        .next_child = with_row(walk, root->first_child),
        .level = level,
        .self_ns = root->self.ns,
        .self_name = "the interpreter itself", /* stacks of nothing but its machinery */
        .self_pending = root->self.ns > 0 && root->self.ns >= walk->text->threshold_ns,
        .left_out = walk->briefs[0].left_out,
        .left_out_ns = walk->briefs[0].left_out_ns,
    };
}

static void write_heading(struct walk *walk, const struct sl_text_heading *heading)
{
    struct sl_text *text = walk->text;
    uint64_t total_ns = walk->tree->nodes[0].total.ns;
    double share = (double)total_ns / (double)text->scale.whole_ns;
    sl_text_numbers(text, total_ns, UINT64_MAX, sl_text_color_of_share(share), true);
    walk->unit_told = true;
    heading->add_title(text, heading->subject);
    struct brief left_out = {0};
    uint32_t node = heading->function != SL_NONE ? node_of_heading(walk, heading->function, &left_out) : SL_NONE;
    if (node != SL_NONE) {
        sl_text_row_add(&text->row, SL_TEXT_PLAIN, heading->separator);
        finish_function(walk, node, 0, left_out, heading->remark);
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

static void write_rows(struct walk *walk)
{
    while (walk->depth > 0) {
        struct open_node *below = &walk->stack[walk->depth - 1];
        uint32_t child = below->next_child;
        bool child_first = child != SL_NONE && (!below->self_pending || walk->text->options->timeline ||
                                                walk->tree->nodes[child].total.ns >= below->self_ns);
        if (child_first) {
            write_child(walk, below);
        } else if (below->self_pending) {
            write_self(walk, below);
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
    struct walk walk = {.text = text, .arena = arena, .tree = tree};
    uint32_t columns = sl_text_number_columns(text);
    uint32_t for_names = text->style.width * 2 / 5 > 24 ? text->style.width * 2 / 5 : 24;
    uint32_t levels = text->style.width > columns + for_names ? (text->style.width - columns - for_names) / 3 : 1;
    walk.hard_level = levels < 2 ? 2 : levels > levels_max ? levels_max : levels;
    walk.soft_level = walk.hard_level * 3 / 4;

    uint32_t deepest = 0;
    for (uint32_t i = 0; i < tree->node_count; i++) {
        deepest = tree->nodes[i].depth > deepest ? tree->nodes[i].depth : deepest;
    }
    walk.briefs = look_ahead(&walk);
    walk.stack = SL_ARENA_NEW(arena, struct open_node, (size_t)deepest + 1);
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
