/* What differs between two recordings, for a comment on a pull request: the text in a code block, and a table of the
 * functions that changed most by their own time. */
#include "render/compare.h"
#include "render/markdown_parts.h"
#include "render/renderers.h"
#include "render/text_number.h"

#include <string.h>

static void write_amounts(struct sl_output *output, const struct sl_compare *compare,
                          const struct sl_amount amounts[SL_SIDES])
{
    const struct sl_amount *wholes = compare->differences->measure.wholes;
    for (int which = 0; which < SL_SIDES; which++) {
        char text[SL_TEXT_NUMBER_SIZE] = "-";
        if (amounts[which].ns > 0 && compare->options->percent) {
            sl_output_format(output, "%.1f %% | ", 100 * (double)amounts[which].ns / (double)wholes[which].ns);
            continue;
        }
        if (amounts[which].ns > 0) {
            sl_text_duration(amounts[which].ns, compare->options->unicode, text);
        }
        sl_output_format(output, "%s | ", text);
    }
}

static void write_row(struct sl_output *output, const struct sl_compare *compare,
                      const struct sl_function_difference *function)
{
    int named = sl_compare_named(function->functions);
    const struct sl_amount *amounts = sl_compare_time(compare, function);
    char text[SL_COMPARE_TEXT_SIZE];
    sl_output_text(output, "| ");
    write_amounts(output, compare, amounts);
    sl_compare_change_text(compare, sl_compare_change(compare, amounts).amount, text);
    sl_markdown_cell(output, text, strlen(text));
    sl_output_text(output, " | ");
    sl_compare_ratio_text(compare, amounts, text);
    sl_markdown_cell(output, text, strlen(text));
    sl_output_text(output, " | ");
    sl_markdown_function(output, compare->sides[named].profile, function->functions[named]);
}

static bool write_table(struct sl_output *output, struct sl_compare *compare)
{
    uint32_t count = 0;
    const uint32_t *places = sl_compare_functions(compare, &count);
    if (places == NULL) {
        return false;
    }
    if (count > 0) {
        sl_output_format(output, "| before | after | change | | %s | |\n| ---: | ---: | ---: | ---: | :--- | :--- |\n",
                         compare->options->flat_by_total ? "function and what it called" : "function itself");
    }
    for (uint32_t i = 0; i < count && i < SL_MARKDOWN_ROWS; i++) {
        write_row(output, compare, &compare->differences->functions[places[i]]);
    }
    if (count > SL_MARKDOWN_ROWS) {
        sl_output_format(output, "\n%u more functions\n", count - SL_MARKDOWN_ROWS);
    }
    return true;
}

bool sl_compare_markdown(const struct sl_comparison *comparison, const struct sl_render_options *options,
                         struct sl_output *output, struct sl_error *error)
{
    struct sl_render_options tree = *options;
    tree.color = false;
    tree.unicode = true;
    tree.flat = false;
    tree.width = SL_MARKDOWN_WIDTH;
    tree.recording = NULL;
    struct sl_render_options table = *options;
    table.unicode = true;
    struct sl_output text;
    sl_output_memory(&text);
    bool done = sl_compare_text(comparison, &tree, &text, error);
    if (done) {
        sl_markdown_fence(output, &text.pending, "text\n");
        sl_output_write(output, text.pending.bytes, text.pending.size);
        sl_markdown_fence(output, &text.pending, "\n\n");
        struct sl_compare compare;
        const struct sl_compare_needs needs = {.for_people = true, .functions = true};
        done = sl_compare_open(&compare, comparison, &table, needs, error) &&
               (write_table(output, &compare) || sl_error_memory(error));
        sl_compare_close(&compare);
    }
    sl_output_abandon(&text);
    return done;
}
