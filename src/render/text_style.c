#include "render/text_style.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct sl_text_signs unicode_signs = {
    .branch = "├─ ",
    .last = "└─ ",
    .open = "│  ",
    .blank = "   ",
    .stays = " ↳ ",
    .stays_open = "│↳ ",
    .line = "▸ ",
    .folded = "⋯ ",
    .again = "↻ ",
    .dot = " · ",
    .to = " … ",
    .plus_minus = "± ",
    .becomes = " → ",
    .about = "≈",
    .micro = "µs",
};

static const struct sl_text_signs ascii_signs = {
    .branch = "|- ",
    .last = "`- ",
    .open = "|  ",
    .blank = "   ",
    .stays = " > ",
    .stays_open = "|> ",
    .line = "> ",
    .folded = "... ",
    .again = "... ",
    .dot = ", ",
    .to = " .. ",
    .plus_minus = "+/- ",
    .becomes = " -> ",
    .about = "~",
    .micro = "us",
};

/* 196, 136, 28, 243 and 30 of the 256 colours are #ff0000, #af8700, #008700, #767676 and #008787. */
static const char *const sequences[SL_TEXT_COLOR_COUNT] = {
    [SL_TEXT_PLAIN] = NULL,           [SL_TEXT_STRONG] = "\033[1m",        [SL_TEXT_QUIET] = "\033[38;5;243m",
    [SL_TEXT_RED] = "\033[38;5;196m", [SL_TEXT_YELLOW] = "\033[38;5;136m", [SL_TEXT_GREEN] = "\033[38;5;28m",
    [SL_TEXT_TAG] = "\033[38;5;30m",  [SL_TEXT_WARN] = "\033[1;38;5;136m",
};

struct sl_text_style sl_text_style(bool color, bool unicode, uint32_t width)
{
    struct sl_text_style style = {.color = color, .unicode = unicode};
    style.signs = unicode ? &unicode_signs : &ascii_signs;
    style.width = width == 0 ? 100 : width;
    style.width = style.width < SL_TEXT_WIDTH_MIN ? SL_TEXT_WIDTH_MIN : style.width;
    style.width = style.width > SL_TEXT_WIDTH_MAX ? SL_TEXT_WIDTH_MAX : style.width;
    return style;
}

enum sl_text_color sl_text_color_of_share(double share)
{
    if (share >= 0.6) {
        return SL_TEXT_RED;
    }
    if (share >= 0.2) {
        return SL_TEXT_YELLOW;
    }
    return share >= 0.05 ? SL_TEXT_GREEN : SL_TEXT_QUIET;
}

void sl_text_row_init(struct sl_text_row *row, const struct sl_text_style *style)
{
    *row = (struct sl_text_row){.style = style};
}

void sl_text_row_destroy(struct sl_text_row *row)
{
    sl_buffer_destroy(&row->bytes);
}

uint32_t sl_text_row_room(const struct sl_text_row *row)
{
    return row->columns < row->style->width ? row->style->width - row->columns : 0;
}

static void switch_color(struct sl_text_row *row, enum sl_text_color color)
{
    if (!row->style->color || row->color == color) {
        return;
    }
    sl_buffer_text(&row->bytes, row->color != SL_TEXT_PLAIN ? "\033[0m" : "");
    sl_buffer_text(&row->bytes, color != SL_TEXT_PLAIN ? sequences[color] : "");
    row->color = color;
}

void sl_text_row_add(struct sl_text_row *row, enum sl_text_color color, const char *clean)
{
    sl_text_row_fit(row, color, clean, strlen(clean), UINT32_MAX, SL_TEXT_CUT_END);
}

void sl_text_row_add_whole(struct sl_text_row *row, enum sl_text_color color, const char *clean)
{
    switch_color(row, color);
    sl_buffer_text(&row->bytes, clean);
    row->columns += sl_text_columns(clean, strlen(clean));
}

void sl_text_row_format(struct sl_text_row *row, enum sl_text_color color, const char *format, ...)
{
    /* For numbers and words of our own, which are short. */
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sl_text_row_add(row, color, text);
}

void sl_text_row_fit(struct sl_text_row *row, enum sl_text_color color, const char *bytes, size_t size,
                     uint32_t columns, enum sl_text_cut cut)
{
    if (size == 0) {
        return;
    }
    uint32_t room = sl_text_row_room(row);
    switch_color(row, color);
    row->columns += sl_text_fit(&row->bytes, bytes, size, columns < room ? columns : room, cut, row->style->unicode);
}

void sl_text_row_space(struct sl_text_row *row, uint32_t columns)
{
    for (uint32_t i = 0; i < columns; i++) {
        sl_buffer_byte(&row->bytes, ' ');
    }
    row->columns += columns;
}

void sl_text_row_end(struct sl_text_row *row, struct sl_output *output)
{
    while (row->bytes.size > 0 && row->bytes.bytes[row->bytes.size - 1] == ' ') {
        row->bytes.size--;
    }
    switch_color(row, SL_TEXT_PLAIN);
    sl_buffer_byte(&row->bytes, '\n');
    sl_output_write(output, row->bytes.bytes, row->bytes.size);
    output->pending.failed = output->pending.failed || row->bytes.failed;
    sl_buffer_clear(&row->bytes);
    row->columns = 0;
}
