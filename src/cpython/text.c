#include "cpython/text.h"

#include "cpython/words.h"

#include <stdlib.h>

#define PAGE_BYTES 4096u

/* state, from its lowest bit */
#define STATE_KIND(state) (((state) >> 2) & 7u)
#define STATE_COMPACT(state) (((state) >> 5) & 1u)
#define STATE_ASCII(state) (((state) >> 6) & 1u)

size_t sl_page_bounded(uint64_t address, size_t needed, size_t wanted)
{
    if (needed >= wanted) {
        return needed;
    }
    uint64_t to_page_end = PAGE_BYTES - ((address + needed) & (PAGE_BYTES - 1));
    if (((address + needed) & (PAGE_BYTES - 1)) == 0) {
        to_page_end = 0;
    }
    return needed + to_page_end < wanted ? needed + (size_t)to_page_end : wanted;
}

bool sl_text_shape(struct sl_text_shape *shape, const struct sl_layout *layout, uint64_t address, const uint8_t *head,
                   size_t size)
{
    if (size < layout->text_ascii) {
        return false;
    }
    uint64_t length = sl_word(head + layout->text_length);
    uint32_t state = sl_half_word(head + layout->text_state);
    uint32_t kind = STATE_KIND(state);
    if (length > (uint64_t)INT64_MAX / 4 || (kind != 1 && kind != 2 && kind != 4)) {
        return false;
    }
    shape->width = kind;
    shape->count = length > SL_TEXT_CHARACTERS_MAX ? SL_TEXT_CHARACTERS_MAX : (uint32_t)length;
    if (STATE_COMPACT(state) != 0) {
        if (STATE_ASCII(state) != 0 && kind != 1) {
            return false;
        }
        shape->characters = address + (STATE_ASCII(state) != 0 ? layout->text_ascii : layout->text_compact);
        return true;
    }
    if (size < SL_TEXT_APART_BYTES(layout)) {
        return false;
    }
    shape->characters = sl_word(head + layout->text_compact);
    return true;
}

static void append_code_point(struct sl_buffer *buffer, uint32_t point)
{
    if (point < 0x80) {
        sl_buffer_byte(buffer, (char)point);
    } else if (point < 0x800) {
        sl_buffer_byte(buffer, (char)(0xc0 | point >> 6));
        sl_buffer_byte(buffer, (char)(0x80 | (point & 0x3f)));
    } else if (point >= 0xd800 && point < 0xe000) {
        sl_buffer_format(buffer, "\\u%04x", point);
    } else if (point < 0x10000) {
        sl_buffer_byte(buffer, (char)(0xe0 | point >> 12));
        sl_buffer_byte(buffer, (char)(0x80 | (point >> 6 & 0x3f)));
        sl_buffer_byte(buffer, (char)(0x80 | (point & 0x3f)));
    } else if (point < 0x110000) {
        sl_buffer_byte(buffer, (char)(0xf0 | point >> 18));
        sl_buffer_byte(buffer, (char)(0x80 | (point >> 12 & 0x3f)));
        sl_buffer_byte(buffer, (char)(0x80 | (point >> 6 & 0x3f)));
        sl_buffer_byte(buffer, (char)(0x80 | (point & 0x3f)));
    } else {
        sl_buffer_text(buffer, "\xef\xbf\xbd"); /* U+FFFD: no character has this number */
    }
}

void sl_text_append(struct sl_buffer *buffer, const uint8_t *characters, uint32_t count, uint32_t width)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t point = 0;
        memcpy(&point, characters + (size_t)i * width, width);
        append_code_point(buffer, point);
    }
}

enum sl_read sl_text_finish(struct sl_process *process, const struct sl_layout *layout, uint64_t address,
                            const uint8_t *head, size_t size, struct sl_buffer *buffer)
{
    struct sl_text_shape shape;
    if (!sl_text_shape(&shape, layout, address, head, size)) {
        return SL_READ_FAULT;
    }
    size_t bytes = (size_t)shape.count * shape.width;
    if (shape.characters >= address && shape.characters - address <= size &&
        bytes <= size - (shape.characters - address)) {
        sl_text_append(buffer, head + (shape.characters - address), shape.count, shape.width);
        return SL_READ_OK;
    }
    uint8_t *characters = malloc(bytes);
    if (characters == NULL) {
        buffer->failed = true;
        return SL_READ_OK;
    }
    enum sl_read read = sl_process_read(process, shape.characters, characters, bytes);
    if (read == SL_READ_OK) {
        sl_text_append(buffer, characters, shape.count, shape.width);
    }
    free(characters);
    return read;
}

bool sl_text_cut(const struct sl_layout *layout, const uint8_t *head, size_t size)
{
    return size < SL_TEXT_APART_BYTES(layout) && STATE_COMPACT(sl_half_word(head + layout->text_state)) == 0;
}

enum sl_read sl_text_read(struct sl_process *process, const struct sl_layout *layout, uint64_t address,
                          struct sl_buffer *buffer)
{
    uint8_t head[SL_TEXT_HEAD_BYTES];
    size_t size = sl_page_bounded(address, layout->text_ascii, sizeof head);
    enum sl_read read = sl_process_read(process, address, head, size);
    if (read == SL_READ_OK && sl_text_cut(layout, head, size)) {
        size = SL_TEXT_APART_BYTES(layout);
        read = sl_process_read(process, address, head, size);
    }
    return read == SL_READ_OK ? sl_text_finish(process, layout, address, head, size, buffer) : read;
}
