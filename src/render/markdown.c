/* markdown.c - the top of the tree and of the table of functions, for a comment on a pull request (GitHub's flavour of
 * Markdown). The tree is the text report in a code block; the block's fence is longer than any run of backquotes in it. */
#include "analysis/whole.h"
#include "base/arena.h"
#include "render/flat_facts.h"
#include "render/markdown_parts.h"
#include "render/renderers.h"
#include "render/text_unicode.h"

#include <string.h>

enum {
    NAME_LIMIT = 120, /* columns of a name in the table */
    FENCE_SHORTEST = 3,
};

/* Of the tree, unless somebody has said how much it is to show. */
static const double tree_threshold = 0.02;

void sl_markdown_fence(struct sl_output *output, const struct sl_buffer *text, const char *after)
{
    unsigned longest = FENCE_SHORTEST - 1, present = 0;
    for (size_t i = 0; i < text->size; i++) {
        present = text->bytes[i] == '`' ? present + 1 : 0;
        longest = present > longest ? present : longest;
    }
    for (unsigned i = 0; i <= longest; i++) {
        sl_output_text(output, "`");
    }
    sl_output_text(output, after);
}

void sl_markdown_cell(struct sl_output *output, const char *text, size_t size)
{
    static const char special[] = "\\`*_{}[]()<>#+-!|~&@$^=:";
    struct sl_buffer clean;
    sl_buffer_init(&clean);
    sl_text_fit(&clean, text, size, NAME_LIMIT, SL_TEXT_CUT_END, true);
    for (size_t i = 0; i < clean.size; i++) {
        if (strchr(special, clean.bytes[i]) != NULL) {
            sl_output_write(output, "\\", 1);
        }
        sl_output_write(output, clean.bytes + i, 1);
    }
    output->pending.failed |= clean.failed;
    sl_buffer_destroy(&clean);
}

static double percent(struct sl_amount part, struct sl_amount whole)
{
    return whole.ns > 0 ? 100 * (double)part.ns / (double)whole.ns : 0;
}

void sl_markdown_function(struct sl_output *output, const struct sl_profile *profile, sl_function function)
{
    const struct sl_function_record *record = &profile->functions[function];
    sl_markdown_cell(output, sl_profile_text(profile, record->name), sl_profile_text_size(profile, record->name));
    sl_output_text(output, " | ");
    if (record->kind == SL_FUNCTION_PYTHON) {
        const char *path = sl_short_path(profile, function);
        sl_markdown_cell(output, path, strlen(path));
        if (record->first_line > 0) {
            sl_output_format(output, ":%u", record->first_line);
        }
    }
    sl_output_text(output, " |\n");
}

static void write_row(struct sl_output *output, const struct sl_profile *profile, const struct sl_function_total *total,
                      struct sl_amount whole)
{
    sl_output_format(output, "| %.3f s | %.1f %% | %.3f s | %.1f %% | ", (double)total->self.ns / 1e9,
                     percent(total->self, whole), (double)total->total.ns / 1e9, percent(total->total, whole));
    sl_markdown_function(output, profile, total->function);
}

/* Of the same threads and the same whole as the tree above it. */
static bool write_table(struct sl_output *output, const struct sl_profile *profile,
                        const struct sl_render_options *options, struct sl_error *error)
{
    struct sl_selection selection = options->selection;
    struct sl_arena arena;
    sl_arena_init(&arena);
    uint32_t idle = 0, count = 0;
    struct sl_amount whole = sl_whole(profile, &selection);
    selection.threads = sl_busy_threads(&arena, profile, &selection, &idle);
    const struct sl_function_total *totals =
        selection.threads != NULL ? sl_function_totals(&arena, NULL, profile, &selection, &count) : NULL;
    const uint32_t *order = totals != NULL ? sl_function_order(&arena, totals, count, options->flat_by_total) : NULL;
    count = order != NULL ? count : 0;
    if (count > 0) {
        sl_output_text(output, "| self | | total | | function | |\n| ---: | ---: | ---: | ---: | :--- | :--- |\n");
    }
    for (uint32_t i = 0; i < count && i < SL_MARKDOWN_ROWS; i++) {
        write_row(output, profile, &totals[order[i]], whole);
    }
    if (count > SL_MARKDOWN_ROWS) {
        sl_output_format(output, "\n%u more functions\n", count - SL_MARKDOWN_ROWS);
    }
    sl_arena_reset(&arena);
    return order != NULL ? true : sl_error_memory(error);
}

bool sl_render_markdown(const struct sl_profile *profile, const struct sl_render_options *options,
                        struct sl_output *output, struct sl_error *error)
{
    struct sl_render_options tree = *options;
    tree.color = false;
    tree.unicode = true;
    tree.flat = false;
    tree.width = SL_MARKDOWN_WIDTH;
    tree.recording = NULL;
    tree.threshold = options->threshold_given ? options->threshold : tree_threshold;
    struct sl_output text;
    sl_output_memory(&text);
    bool done = sl_render_text(profile, &tree, &text, error);
    if (done) {
        sl_markdown_fence(output, &text.pending, "text\n");
        sl_output_write(output, text.pending.bytes, text.pending.size);
        sl_markdown_fence(output, &text.pending, "\n\n");
        done = write_table(output, profile, options, error);
    }
    sl_output_abandon(&text);
    return done;
}
