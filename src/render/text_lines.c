/* The hottest line of a function, with its source text and what it waited for. */
#include "analysis/roles.h"
#include "render/source_places.h"
#include "render/state_word.h"
#include "render/text_walk.h"

#include <string.h>

/* The line's source text, where it is to be had. */
static bool source_of(const struct sl_walk *walk, const struct sl_node *node, const struct sl_node_line *line,
                      const char **source, size_t *size)
{
    const struct sl_text *text = walk->text;
    if (text->source == NULL || text->source_places == NULL) {
        return false;
    }
    sl_string file = text->profile->functions[node->subject].file;
    const char *path = sl_profile_text(text->profile, file);
    const struct sl_source_file wanted = {
        .path = path,
        .text = sl_source_given_text(text->options, path),
        .place = text->source_places[file],
        .newest_ns = text->load_times != NULL ? text->load_times[file] : 0,
    };
    return sl_source_text_line(text->source, &wanted, line->line, source, size);
}

/* A function that took more than a fifth of its time itself, unless the line took too little or its row would say nothing
 * that the function's own does not. */
bool sl_walk_has_hot_line(const struct sl_walk *walk, const struct sl_node *node, uint64_t self_ns,
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

void sl_walk_write_hot_line(struct sl_walk *walk, const struct sl_node *node, const struct sl_node_line *line,
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
    sl_walk_add_guides(walk, level);
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
