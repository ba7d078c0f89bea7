/* The columns of numbers that every row of the report begins with, and lines of facts. */
#include "render/text_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static uint32_t unit_columns(const struct sl_text *text)
{
    return sl_text_columns(text->scale.unit, strlen(text->scale.unit));
}

static uint32_t instant_columns(const struct sl_text *text)
{
    char instant[SL_TEXT_NUMBER_SIZE];
    sl_text_instant(&text->scale, text->scale.whole_ns, instant);
    return text->options->timeline ? (uint32_t)strlen(instant) + 3 : 0;
}

void sl_text_make_room(struct sl_text *text, uint64_t ns)
{
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_time(&text->scale, ns, number);
    uint32_t whole = (uint32_t)strcspn(number, ".");
    text->whole_columns = whole > text->whole_columns ? whole : text->whole_columns;
    text->decimal_columns = (uint32_t)text->scale.decimals + 2;
    sl_text_share(&text->scale, ns, number);
    uint32_t share = (uint32_t)strlen(number);
    uint32_t least = text->scale.share_decimals > 0 ? 4 : 3;
    share = share > least ? share : least;
    text->share_columns = share > text->share_columns ? share : text->share_columns;
}

uint32_t sl_text_number_columns(const struct sl_text *text)
{
    return 1 + instant_columns(text) + text->whole_columns + text->decimal_columns + 1 + unit_columns(text) + 1 +
           text->share_columns + 2 + 2;
}

static void add_time(struct sl_text *text, uint64_t ns, enum sl_text_color color, bool unit)
{
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_time(&text->scale, ns, number);
    uint32_t whole = (uint32_t)strcspn(number, ".");
    uint32_t decimals = (uint32_t)strlen(number) - whole;
    sl_text_row_space(&text->row, whole < text->whole_columns ? text->whole_columns - whole : 0);
    sl_text_row_add(&text->row, color, number);
    if (unit) {
        sl_text_row_space(&text->row, 1);
        sl_text_row_add(&text->row, SL_TEXT_QUIET, text->scale.unit);
    } else {
        sl_text_row_space(&text->row, 1 + unit_columns(text));
    }
    sl_text_row_space(&text->row, decimals < text->decimal_columns ? text->decimal_columns - decimals : 0);
}

static void add_share(struct sl_text *text, uint64_t ns, enum sl_text_color color)
{
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_share(&text->scale, ns, number);
    uint32_t columns = (uint32_t)strlen(number);
    sl_text_row_space(&text->row, columns < text->share_columns ? text->share_columns - columns : 0);
    sl_text_row_format(&text->row, color, "%s %%", number);
}

void sl_text_numbers(struct sl_text *text, uint64_t ns, uint64_t begin_ns, enum sl_text_color color, bool unit)
{
    sl_text_row_space(&text->row, 1);
    if (text->options->timeline) {
        uint32_t columns = instant_columns(text);
        char instant[SL_TEXT_NUMBER_SIZE] = "";
        if (begin_ns != UINT64_MAX) {
            uint64_t zero_ns = text->options->selection.begin_ns;
            sl_text_instant(&text->scale, begin_ns > zero_ns ? begin_ns - zero_ns : 0, instant);
        }
        /* Selections may go on behind the whole, and their instants have more digits then. */
        uint32_t used = (uint32_t)strlen(instant) + 3;
        sl_text_row_space(&text->row, used < columns ? columns - used : 0);
        sl_text_row_add(&text->row, SL_TEXT_QUIET, instant);
        sl_text_row_space(&text->row, 3);
    }
    if (text->options->percent) {
        add_share(text, ns, color);
        sl_text_row_space(&text->row, 1);
        add_time(text, ns, color, unit);
    } else {
        add_time(text, ns, color, unit);
        sl_text_row_space(&text->row, 1);
        add_share(text, ns, color);
    }
    sl_text_row_space(&text->row, 2);
}

void sl_text_titles(struct sl_text *text)
{
    if (!text->options->timeline) {
        return;
    }
    sl_text_row_space(&text->row, 1);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, "start");
    uint32_t columns = instant_columns(text);
    sl_text_row_space(&text->row, columns > 5 ? columns - 5 : 1);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, text->options->percent ? "share" : "time");
    sl_text_row_end(&text->row, text->output);
}

void sl_text_no_numbers(struct sl_text *text)
{
    sl_text_row_space(&text->row, sl_text_number_columns(text));
}

/* ---- lines and facts ---- */

void sl_text_line(struct sl_text *text, enum sl_text_color color, const char *clean)
{
    sl_text_row_space(&text->row, 1);
    sl_text_row_fit(&text->row, color, clean, strlen(clean), text->style.width, SL_TEXT_CUT_END);
    sl_text_row_end(&text->row, text->output);
}

void sl_text_no_time(struct sl_text *text)
{
    sl_text_line(text, SL_TEXT_PLAIN, "no samples in what was selected");
}

void sl_text_blank_line(struct sl_text *text)
{
    sl_text_row_end(&text->row, text->output);
}

void sl_text_idle(struct sl_text *text, uint32_t idle)
{
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_count(idle, number);
    if (idle > 0) {
        sl_text_row_format(&text->row, SL_TEXT_QUIET, " %s %s idle", number, idle == 1 ? "thread" : "threads");
        sl_text_row_end(&text->row, text->output);
    }
}

const char *sl_text_string(struct sl_text *text, const char *bytes, size_t size, uint32_t columns, enum sl_text_cut cut)
{
    struct sl_buffer clean;
    sl_buffer_init(&clean);
    sl_text_fit(&clean, bytes, size, columns, cut, text->style.unicode);
    char *copy = sl_arena_allocate(&text->arena, clean.size + 1, 1);
    if (copy != NULL && clean.size > 0) {
        memcpy(copy, clean.bytes, clean.size);
    }
    sl_buffer_destroy(&clean);
    return copy != NULL ? copy : "";
}

void sl_text_fact(struct sl_text *text, struct sl_text_facts *facts, enum sl_text_color color, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char fact[1024];
    vsnprintf(fact, sizeof fact, format, arguments);
    va_end(arguments);
    if (facts->count == SL_TEXT_FACTS_MAX) {
        return;
    }
    facts->facts[facts->count].color = color;
    facts->facts[facts->count].text = sl_text_string(text, fact, strlen(fact), text->style.width, SL_TEXT_CUT_MIDDLE);
    facts->count++;
}

static uint32_t fact_columns(const struct sl_text_facts *facts, size_t i)
{
    return sl_text_columns(facts->facts[i].text, strlen(facts->facts[i].text));
}

static uint32_t columns_in_one_row(const struct sl_text *text, const struct sl_text_facts *facts)
{
    uint32_t dot = sl_text_columns(text->style.signs->dot, strlen(text->style.signs->dot));
    uint32_t columns = 0;
    for (size_t i = 0; i < facts->count; i++) {
        columns += fact_columns(facts, i) + (i > 0 ? dot : 0);
    }
    return columns;
}

/* Goes on in a new row before a fact that has no room in this one. */
static void add_facts(struct sl_text *text, const struct sl_text_facts *facts)
{
    const char *dot = text->style.signs->dot;
    uint32_t dot_columns = sl_text_columns(dot, strlen(dot));
    bool first = true;
    for (size_t i = 0; i < facts->count; i++) {
        uint32_t columns = fact_columns(facts, i) + (first ? 0 : dot_columns);
        if (!first && columns > sl_text_row_room(&text->row)) {
            sl_text_row_end(&text->row, text->output);
            sl_text_row_space(&text->row, 1);
            first = true;
        }
        if (!first) {
            sl_text_row_add(&text->row, SL_TEXT_QUIET, dot);
        }
        sl_text_row_fit(&text->row, facts->facts[i].color, facts->facts[i].text, strlen(facts->facts[i].text),
                        text->style.width, SL_TEXT_CUT_MIDDLE);
        first = false;
    }
}

void sl_text_facts_write(struct sl_text *text, const struct sl_text_facts *left, const struct sl_text_facts *right)
{
    uint32_t left_columns = columns_in_one_row(text, left);
    uint32_t right_columns = columns_in_one_row(text, right);
    sl_text_row_space(&text->row, 1);
    add_facts(text, left);
    if (right->count > 0 && left_columns + right_columns + 5 <= text->style.width) {
        sl_text_row_space(&text->row, sl_text_row_room(&text->row) - right_columns - 1);
        add_facts(text, right);
    } else if (right->count > 0) {
        sl_text_row_end(&text->row, text->output);
        sl_text_row_space(&text->row, 1);
        add_facts(text, right);
    }
    sl_text_row_end(&text->row, text->output);
}
