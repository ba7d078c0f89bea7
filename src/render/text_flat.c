/* Functions by their own time, the total beside it. */
#include "analysis/functions.h"
#include "render/flat_facts.h"
#include "render/state_word.h"
#include "render/text_parts.h"

/* Below this the names need the room more than the total does. */
enum { width_for_total = 70 };

static void write_titles(struct sl_text *text, uint32_t columns)
{
    sl_text_row_space(&text->row, 1);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, "self");
    if (text->style.width >= width_for_total) {
        sl_text_row_space(&text->row, columns - text->row.columns + 1);
        sl_text_row_add(&text->row, SL_TEXT_QUIET, "total");
    }
    sl_text_row_end(&text->row, text->output);
}

bool sl_text_flat(struct sl_text *text)
{
    uint32_t idle = 0;
    struct sl_selection selection = text->options->selection;
    selection.threads = sl_busy_threads(&text->arena, text->profile, &text->options->selection, &idle);
    uint32_t count = 0;
    const struct sl_function_total *totals = sl_function_totals(&text->arena, NULL, text->profile, &selection, &count);
    const sl_state *states = sl_function_states(&text->arena, text->profile, &selection);
    if (selection.threads == NULL || totals == NULL || states == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        sl_text_make_room(text, totals[i].total.ns);
    }
    bool with_total = text->style.width >= width_for_total;
    write_titles(text, sl_text_number_columns(text));
    uint32_t left_out = 0;
    uint64_t left_out_ns = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct sl_function_total *total = &totals[i];
        if (total->self.ns == 0 || total->self.ns < text->threshold_ns) {
            left_out += total->self.ns > 0;
            left_out_ns += total->self.ns;
            continue;
        }
        double share = (double)total->self.ns / (double)text->scale.whole_ns;
        sl_text_numbers(text, total->self.ns, UINT64_MAX, sl_text_color_of_share(share), i == 0);
        if (with_total) {
            sl_text_numbers(text, total->total.ns, UINT64_MAX, SL_TEXT_QUIET, false);
        }
        sl_text_function(text, total->function, NULL, sl_state_word(states[total->function]));
        sl_text_row_end(&text->row, text->output);
    }
    if (left_out > 0) {
        char number[SL_TEXT_NUMBER_SIZE];
        sl_text_numbers(text, left_out_ns, UINT64_MAX, SL_TEXT_QUIET, false);
        if (with_total) {
            sl_text_no_numbers(text);
        }
        sl_text_count(left_out, number);
        sl_text_row_format(&text->row, SL_TEXT_QUIET, "%s%s more", text->style.signs->folded, number);
        sl_text_row_end(&text->row, text->output);
    }
    if (idle > 0) {
        sl_text_blank_line(text);
        sl_text_idle(text, idle);
    }
    return true;
}
