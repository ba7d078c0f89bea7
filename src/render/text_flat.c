/* Functions by their own time, the total beside it, or the other way round. */
#include "render/flat_facts.h"
#include "render/state_word.h"
#include "render/text_parts.h"

/* Below this the names need the room more than the second time does. */
enum { width_for_both = 70 };

/* The time that the table is about, and the one beside it. */
static uint64_t first_ns(const struct sl_text *text, const struct sl_function_total *total)
{
    return text->options->flat_by_total ? total->total.ns : total->self.ns;
}

static uint64_t second_ns(const struct sl_text *text, const struct sl_function_total *total)
{
    return text->options->flat_by_total ? total->self.ns : total->total.ns;
}

static bool with_both(const struct sl_text *text)
{
    return text->style.width >= width_for_both;
}

static void write_titles(struct sl_text *text)
{
    bool by_total = text->options->flat_by_total;
    sl_text_row_space(&text->row, 1);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, by_total ? "total" : "self");
    if (with_both(text)) {
        sl_text_row_space(&text->row, sl_text_number_columns(text) - text->row.columns + 1);
        sl_text_row_add(&text->row, SL_TEXT_QUIET, by_total ? "self" : "total");
    }
    sl_text_row_end(&text->row, text->output);
}

static void write_function(struct sl_text *text, const struct sl_function_total *total, sl_state state, bool heaviest)
{
    double share = (double)first_ns(text, total) / (double)text->scale.whole_ns;
    sl_text_numbers(text, first_ns(text, total), UINT64_MAX, sl_text_color_of_share(share), heaviest);
    if (with_both(text) && second_ns(text, total) > 0) {
        sl_text_numbers(text, second_ns(text, total), UINT64_MAX, SL_TEXT_QUIET, false);
    } else if (with_both(text)) {
        sl_text_no_numbers(text);
    }
    sl_text_function(text, total->function, NULL, sl_state_word(state));
    sl_text_row_end(&text->row, text->output);
}

/* What is not in the table. Totals overlap, so that their sum says nothing. */
static void write_left_out(struct sl_text *text, uint32_t count, uint64_t ns)
{
    char number[SL_TEXT_NUMBER_SIZE];
    if (text->options->flat_by_total) {
        sl_text_no_numbers(text);
    } else {
        sl_text_numbers(text, ns, UINT64_MAX, SL_TEXT_QUIET, false);
    }
    if (with_both(text)) {
        sl_text_no_numbers(text);
    }
    sl_text_count(count, number);
    sl_text_row_format(&text->row, SL_TEXT_QUIET, "%s%s more", text->style.signs->folded, number);
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
    const uint32_t *order = sl_function_order(&text->arena, totals, count, text->options->flat_by_total);
    if (order == NULL) {
        return false;
    }
    uint64_t heaviest_ns = 0;
    for (uint32_t i = 0; i < count; i++) {
        sl_text_make_room(text, totals[i].total.ns);
        heaviest_ns = first_ns(text, &totals[i]) > heaviest_ns ? first_ns(text, &totals[i]) : heaviest_ns;
    }
    if (heaviest_ns == 0 && idle == 0) {
        sl_text_no_time(text);
        return true;
    }
    write_titles(text);
    uint32_t left_out = 0;
    uint64_t left_out_ns = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct sl_function_total *total = &totals[order[i]];
        uint64_t ns = first_ns(text, total);
        if (ns > 0 && ns >= text->threshold_ns) {
            write_function(text, total, states[total->function], i == 0);
        } else {
            left_out += ns > 0;
            left_out_ns += ns;
        }
    }
    if (left_out > 0) {
        write_left_out(text, left_out, left_out_ns);
    }
    if (idle > 0) {
        sl_text_blank_line(text);
        sl_text_idle(text, idle);
    }
    return true;
}
