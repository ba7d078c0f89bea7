/* One function in one row: its name, its place, and what there is to say of it. */
#include "analysis/roles.h"
#include "render/text_parts.h"

#include <string.h>

static const char *place_of(struct sl_text *text, const struct sl_function_record *record, sl_function function,
                            struct sl_buffer *place)
{
    if (record->kind == SL_FUNCTION_MARK || sl_profile_text_size(text->profile, record->file) == 0) {
        return "";
    }
    const char *path = sl_short_path(text->profile, function);
    sl_text_fit(place, path, strlen(path), text->style.width, SL_TEXT_CUT_BEGIN, text->style.unicode);
    if (record->first_line > 0) {
        sl_buffer_format(place, ":%u", record->first_line);
    }
    return place->failed || place->bytes == NULL ? "" : place->bytes;
}

/* What must be left of a place to be of use: `…/kitchen.py:40`. */
static uint32_t shortest_place(const struct sl_text *text, const char *place, uint32_t columns)
{
    const char *slash = strrchr(place, '/');
    uint32_t ellipsis = text->style.unicode ? 1 : 2;
    uint32_t shortest = slash != NULL ? sl_text_columns(slash, strlen(slash)) + ellipsis : columns;
    return shortest < columns ? shortest : columns;
}

/* A path that is too long loses whole folders, as long as there are any. */
static void add_place(struct sl_text_row *row, const char *place, uint32_t columns)
{
    const char *ellipsis = row->style->unicode ? "…" : "..";
    uint32_t room = columns - (columns > 2 ? sl_text_columns(ellipsis, strlen(ellipsis)) : 0);
    if (sl_text_columns(place, strlen(place)) > columns) {
        const char *slash = strchr(place, '/');
        while (slash != NULL && sl_text_columns(slash, strlen(slash)) > room) {
            slash = strchr(slash + 1, '/');
        }
        if (slash != NULL) {
            sl_text_row_add(row, SL_TEXT_QUIET, ellipsis);
            sl_text_row_add(row, SL_TEXT_QUIET, slash);
            return;
        }
    }
    sl_text_row_fit(row, SL_TEXT_QUIET, place, strlen(place), columns, SL_TEXT_CUT_BEGIN);
}

void sl_text_function(struct sl_text *text, sl_function function, const char *const *notes, const char *state_word)
{
    const struct sl_function_record *record = &text->profile->functions[function];
    struct sl_text_row *row = &text->row;
    struct sl_buffer name;
    struct sl_buffer place_buffer;
    sl_buffer_init(&name);
    sl_buffer_init(&place_buffer);
    sl_text_fit(&name, sl_profile_text(text->profile, record->name), sl_profile_text_size(text->profile, record->name),
                text->style.width, SL_TEXT_CUT_MIDDLE, text->style.unicode);
    if (name.size == 0) {
        sl_buffer_text(&name, "(no name)");
    }
    const char *place = place_of(text, record, function, &place_buffer);

    uint32_t word_columns = state_word != NULL ? (uint32_t)strlen(state_word) + 4 : 0;
    uint32_t room = sl_text_row_room(row);
    room = room > word_columns + 8 ? room - word_columns : room;
    uint32_t name_columns = name.failed ? 0 : sl_text_columns(name.bytes, name.size);
    uint32_t place_columns = sl_text_columns(place, strlen(place));
    uint32_t gap = place_columns > 0 ? 2 : 0;
    uint32_t place_least = shortest_place(text, place, place_columns);

    const char *note = NULL;
    for (size_t i = 0; notes != NULL && notes[i] != NULL && note == NULL; i++) {
        uint32_t columns = sl_text_columns(notes[i], strlen(notes[i])) + 2;
        bool last = notes[i + 1] == NULL;
        if (name_columns + gap + (last ? place_least : place_columns) + columns <= room ||
            (last && columns < room / 3)) {
            note = notes[i];
            room -= columns;
        }
    }
    if (name_columns + gap + place_columns > room) {
        /* The path gives way first, down to the file's name; then the name, down to half of the room. */
        uint32_t left = room > name_columns + gap ? room - name_columns - gap : 0;
        uint32_t half = room / 2;
        uint32_t least = place_least < half ? place_least : half;
        place_columns = left > least ? left : least;
        name_columns = room > place_columns + gap ? room - place_columns - gap : 0;
    }
    enum sl_text_color color = record->kind == SL_FUNCTION_MARK       ? SL_TEXT_QUIET
                               : text->roles[function] == SL_ROLE_OWN ? SL_TEXT_STRONG
                                                                      : SL_TEXT_PLAIN;
    if (!name.failed) {
        sl_text_row_fit(row, color, name.bytes, name.size, name_columns, SL_TEXT_CUT_MIDDLE);
    }
    if (place_columns > 0) {
        sl_text_row_space(row, 2);
        add_place(row, place, place_columns);
    }
    if (note != NULL) {
        sl_text_row_space(row, 2);
        sl_text_row_add(row, SL_TEXT_QUIET, note);
    }
    if (state_word != NULL && word_columns <= sl_text_row_room(row)) {
        sl_text_row_format(row, SL_TEXT_TAG, "  [%s]", state_word);
    }
    row->bytes.failed = row->bytes.failed || name.failed || place_buffer.failed;
    sl_buffer_destroy(&name);
    sl_buffer_destroy(&place_buffer);
}
