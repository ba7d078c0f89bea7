/* Recursions, told in few rows.
 *
 * One that runs on without branching (each call makes but one that matters, and that is of a function some calls before)
 * is a chain: one row, below which the tree goes on where the chain ends.
 *
 * One that branches (a visitor of trees, a recursive descent) repeats its functions at every level of every branch.
 * Where it would fill the screen, what lies below its third round is added up: how much time the functions that call each
 * other took themselves, and how much what they called took. */
#include "analysis/roles.h"
#include "render/text_walk.h"

#include <stdlib.h>
#include <string.h>

enum {
    chain_least = 3,  /* calls, for a row to be worth it */
    period_max = 4,   /* functions in turn, at most, to be told as a chain */
    rounds_shown = 2, /* of a branching recursion, before it is added up */
    rounds_least = 3, /* that must follow, for it to be one */
    rows_least = 30,  /* and that many rows: more than one likes to read */
    names_max = 6,    /* of functions that call each other */
};

/* ---- chains ---- */

static bool same_function(const struct sl_walk *walk, uint32_t a, uint32_t b)
{
    const struct sl_node *nodes = walk->tree->nodes;
    return nodes[a].kind == SL_NODE_FUNCTION && nodes[b].kind == SL_NODE_FUNCTION &&
           nodes[a].subject == nodes[b].subject;
}

/* The last node of a recursion that goes on from `first`, the only call that its caller makes: each function calls
 * only one, and that is the one `period` calls before. SL_NONE when it is too short to be worth it. */
static uint32_t recursion_end(const struct sl_walk *walk, uint32_t first, uint32_t period)
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
        node = walk->briefs[node].visible == 1 ? sl_walk_with_row(walk, nodes[node].first_child) : SL_NONE;
    }
    return count >= chain_least && count >= 2 * period ? last : SL_NONE;
}

static int by_line_then_weight(const void *a, const void *b)
{
    const struct sl_node_line *left = a;
    const struct sl_node_line *right = b;
    return left->line != right->line ? (left->line < right->line ? -1 : 1)
                                     : (left->self.ns > right->self.ns ? -1 : left->self.ns < right->self.ns);
}

/* The hottest line of the function of `first`, in all of its calls up to `last`. */
static struct sl_node_line hottest_of(struct sl_walk *walk, uint32_t first, uint32_t last, uint64_t *self_ns)
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

/* One of the functions that call each other. */
static void add_name(struct sl_walk *walk, sl_function function, bool first)
{
    struct sl_text *text = walk->text;
    sl_string name = text->profile->functions[function].name;
    enum sl_text_color color = text->roles[function] == SL_ROLE_OWN ? SL_TEXT_STRONG : SL_TEXT_PLAIN;
    sl_text_row_add(&text->row, SL_TEXT_QUIET, first ? "" : ", ");
    sl_text_row_fit(&text->row, color, sl_profile_text(text->profile, name), sl_profile_text_size(text->profile, name),
                    40, SL_TEXT_CUT_MIDDLE);
}

/* One row for the calls from `first` to `last`. */
static void write_chain(struct sl_walk *walk, const struct sl_walk_node *below, bool is_last, uint32_t first,
                        uint32_t last, uint32_t period)
{
    struct sl_text *text = walk->text;
    const struct sl_node *nodes = walk->tree->nodes;
    struct sl_walk_brief brief = walk->briefs[last];
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
    sl_walk_begin_row(walk, below, is_last, nodes[first].total.ns, nodes[first].begin_ns,
                      sl_text_color_of_share(share));
    sl_text_row_format(&text->row, SL_TEXT_QUIET, "%s%s calls deeper: ", text->style.signs->again, count);
    uint32_t node = first;
    for (uint32_t i = 0; i < period; i++) {
        add_name(walk, nodes[node].subject, i == 0);
        node = sl_walk_with_row(walk, nodes[node].first_child);
    }
    sl_text_row_end(&text->row, text->output);

    uint64_t line_self_ns = 0;
    struct sl_node_line line = hottest_of(walk, first, last, &line_self_ns);
    bool hot = sl_walk_has_hot_line(walk, &nodes[first], line_self_ns, &line);
    bool line_told = hot && (double)line.self.ns >= 0.9 * (double)self_ns;
    struct sl_walk_node *open = sl_walk_open(walk, last, level, &brief, self_ns, line_told);
    if (hot) {
        sl_walk_write_hot_line(walk, &nodes[first], &line, level, sl_walk_rows_left(open) && !open->stays);
    }
}

/* ---- branching recursion ---- */

/* What one function took in all of a recursion. */
struct part {
    sl_function function;
    bool recursive; /* it is one of those that call each other: its own time. Otherwise its total */
    uint64_t ns;
};

struct summary {
    struct part *parts;
    uint32_t count;
    uint32_t calls_deep;
};

static int by_weight(const void *a, const void *b)
{
    const struct part *left = a;
    const struct part *right = b;
    if (left->ns != right->ns) {
        return left->ns > right->ns ? -1 : 1;
    }
    return left->function < right->function ? -1 : left->function > right->function;
}

static struct sl_walk_mark *mark_of(const struct sl_walk *walk, uint32_t node)
{
    struct sl_walk_mark *mark = &walk->marks[walk->tree->nodes[node].subject];
    if (mark->summary != walk->summaries) {
        *mark = (struct sl_walk_mark){.summary = walk->summaries, .part = SL_NONE};
    }
    return mark;
}

/* Marks the functions that call each other: those that are being called already, and every one between two of them. */
static bool mark_recursive(struct sl_walk *walk, uint32_t first)
{
    const struct sl_node *nodes = walk->tree->nodes;
    uint32_t count = nodes[first].descendants + 1;
    uint8_t *between = SL_ARENA_NEW(walk->arena, uint8_t, count);
    if (walk->marks == NULL) {
        walk->marks = SL_ARENA_NEW(walk->arena, struct sl_walk_mark, walk->text->profile->function_count);
    }
    if (between == NULL || walk->marks == NULL) {
        return false;
    }
    walk->summaries++;
    for (uint32_t node = first; nodes[node].kind == SL_NODE_FUNCTION; node = nodes[node].parent) {
        mark_of(walk, node)->recursive = true;
    }
    for (uint32_t i = count; i-- > 0;) {
        struct sl_walk_mark *mark = mark_of(walk, first + i);
        mark->recursive = mark->recursive || between[i] != 0;
        if (i > 0 && mark->recursive) {
            between[nodes[first + i].parent - first] = 1;
        }
    }
    return true;
}

static void add_part(const struct sl_walk *walk, struct summary *summary, uint32_t node, uint64_t ns)
{
    struct sl_walk_mark *mark = mark_of(walk, node);
    if (mark->part == SL_NONE) {
        mark->part = summary->count++;
        summary->parts[mark->part] = (struct part){
            .function = walk->tree->nodes[node].subject,
            .recursive = mark->recursive,
        };
    }
    summary->parts[mark->part].ns += ns;
}

/* Adds up all that lies in and below `first`. */
static bool sum_up(struct sl_walk *walk, uint32_t first, struct summary *summary)
{
    const struct sl_node *nodes = walk->tree->nodes;
    uint32_t end = first + nodes[first].descendants + 1;
    summary->parts = SL_ARENA_NEW(walk->arena, struct part, end - first);
    if (summary->parts == NULL || !mark_recursive(walk, first)) {
        return false;
    }
    for (uint32_t node = first; node < end;) {
        if (mark_of(walk, node)->recursive) {
            uint32_t calls = nodes[node].depth - nodes[first].depth + 1;
            summary->calls_deep = calls > summary->calls_deep ? calls : summary->calls_deep;
            add_part(walk, summary, node, nodes[node].self.ns + nodes[node].hidden.ns);
            node++;
        } else {
            add_part(walk, summary, node, nodes[node].total.ns);
            node += nodes[node].descendants + 1;
        }
    }
    return true;
}

static void write_summary_row(struct sl_walk *walk, const struct sl_walk_node *below, bool last, uint32_t first,
                              const struct summary *summary)
{
    struct sl_text *text = walk->text;
    uint64_t ns = walk->tree->nodes[first].total.ns;
    char count[SL_TEXT_NUMBER_SIZE];
    sl_text_count(summary->calls_deep, count);
    sl_walk_begin_row(walk, below, last, ns, UINT64_MAX,
                      sl_text_color_of_share((double)ns / (double)text->scale.whole_ns));
    sl_text_row_format(&text->row, SL_TEXT_QUIET, "%sup to %s calls deeper: ", text->style.signs->again, count);
    uint32_t named = 0;
    for (uint32_t i = 0; i < summary->count && sl_text_row_room(&text->row) > 12; i++) {
        if (!summary->parts[i].recursive) {
            continue;
        }
        if (named == names_max) {
            sl_text_row_add(&text->row, SL_TEXT_QUIET, text->style.unicode ? ", …" : ", ...");
            break;
        }
        add_name(walk, summary->parts[i].function, named == 0);
        named++;
    }
    sl_text_row_end(&text->row, text->output);
}

/* One row for each part that took long enough. */
static void write_parts(struct sl_walk *walk, struct sl_walk_node *below, const struct summary *summary)
{
    struct sl_text *text = walk->text;
    uint32_t shown = 0;
    while (shown < summary->count && summary->parts[shown].ns > 0 && summary->parts[shown].ns >= text->threshold_ns) {
        shown++;
    }
    for (uint32_t i = shown; i < summary->count; i++) {
        below->left_out += summary->parts[i].ns > 0;
        below->left_out_ns += summary->parts[i].ns;
    }
    for (uint32_t i = 0; i < shown; i++) {
        const struct part *part = &summary->parts[i];
        bool last = i + 1 == shown && below->left_out == 0;
        double share = (double)part->ns / (double)text->scale.whole_ns;
        sl_walk_begin_row(walk, below, last, part->ns, UINT64_MAX,
                          part->recursive ? SL_TEXT_QUIET : sl_text_color_of_share(share));
        if (part->recursive) {
            sl_string name = text->profile->functions[part->function].name;
            sl_text_row_add(&text->row, SL_TEXT_QUIET, "self of ");
            sl_text_row_fit(&text->row, SL_TEXT_QUIET, sl_profile_text(text->profile, name),
                            sl_profile_text_size(text->profile, name), UINT32_MAX, SL_TEXT_CUT_MIDDLE);
        } else {
            sl_text_function(text, part->function, NULL, NULL);
        }
        sl_text_row_end(&text->row, text->output);
    }
}

static bool fills_the_screen(const struct sl_walk *walk, uint32_t node)
{
    const struct sl_walk_brief *brief = &walk->briefs[node];
    const struct sl_render_options *options = walk->text->options;
    return brief->nested >= rounds_shown && brief->nested_below >= brief->nested + rounds_least &&
           brief->rows >= rows_least && !options->roles.show_all && !options->timeline && walk->text->threshold_ns > 0;
}

static bool write_branching(struct sl_walk *walk, const struct sl_walk_node *below, bool last, uint32_t first)
{
    struct summary summary = {0};
    if (!sum_up(walk, first, &summary)) {
        return false;
    }
    uint32_t level = below->level;
    write_summary_row(walk, below, last, first, &summary);
    qsort(summary.parts, summary.count, sizeof *summary.parts, by_weight);
    struct sl_walk_brief nothing = {0};
    struct sl_walk_node *open = sl_walk_open(walk, first, level, &nothing, 0, true);
    open->next_child = SL_NONE;
    write_parts(walk, open, &summary);
    return true;
}

bool sl_walk_write_recursion(struct sl_walk *walk, const struct sl_walk_node *below, bool last, uint32_t node)
{
    uint32_t caller = walk->tree->nodes[node].parent;
    for (uint32_t period = 1; period <= period_max && walk->briefs[caller].visible == 1; period++) {
        uint32_t end = recursion_end(walk, node, period);
        if (end != SL_NONE) {
            write_chain(walk, below, last, node, end, period);
            return true;
        }
    }
    return fills_the_screen(walk, node) && write_branching(walk, below, last, node);
}
