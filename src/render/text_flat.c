/* Functions by their own time, the total beside it. */
#include "analysis/functions.h"
#include "analysis/thread_summary.h"
#include "render/state_word.h"
#include "render/text_parts.h"

#include <string.h>

/* The selection's threads without those that only waited: their waiting would be all that there is to see. */
static const uint8_t *busy_threads(struct sl_text *text, uint32_t *idle)
{
    uint32_t count = 0;
    const struct sl_thread_summary *summaries =
        sl_thread_summaries(&text->arena, text->profile, &text->options->selection, &count);
    uint8_t *busy = SL_ARENA_NEW(&text->arena, uint8_t, text->profile->thread_count);
    *idle = 0;
    for (uint32_t i = 0; summaries != NULL && busy != NULL && i < count; i++) {
        *idle += summaries[i].idle;
        busy[summaries[i].thread] = !summaries[i].idle;
    }
    return summaries != NULL ? busy : NULL;
}

/* For each function the state that most of its own time was spent in, by its heaviest line. */
static const sl_state *states_of(struct sl_text *text, const struct sl_selection *selection)
{
    uint32_t count = 0;
    const struct sl_line_total *lines = sl_line_totals(&text->arena, text->profile, selection, &count);
    sl_state *states = SL_ARENA_NEW(&text->arena, sl_state, text->profile->function_count);
    uint64_t *heaviest = SL_ARENA_NEW(&text->arena, uint64_t, text->profile->function_count);
    if (lines == NULL || states == NULL || heaviest == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (lines[i].self.ns > heaviest[lines[i].function]) {
            heaviest[lines[i].function] = lines[i].self.ns;
            states[lines[i].function] = lines[i].state;
        }
    }
    return states;
}

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
    selection.threads = busy_threads(text, &idle);
    uint32_t count = 0;
    const struct sl_function_total *totals = sl_function_totals(&text->arena, text->profile, &selection, &count);
    const sl_state *states = states_of(text, &selection);
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
