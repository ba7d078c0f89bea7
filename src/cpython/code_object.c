#include "cpython/code_object.h"

#include "cpython/look.h"
#include "cpython/text.h"
#include "cpython/words.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a line table that are read on the chance that they are all of it. */
#define LINE_TABLE_HEAD_BYTES 512u

/* No frame is larger: the data stack doubles its chunks from 16 KiB until one fits. */
#define FRAME_BYTES_MAX ((uint32_t)16 * 1024 * 1024)

/* CO_COROUTINE of Include/cpython/code.h. */
#define CODE_IS_COROUTINE 0x80u

/* All that is read of one code object at first. */
struct heads {
    uint8_t header[SL_CODE_HEADER_MAX];
    uint8_t name[SL_TEXT_HEAD_BYTES];
    uint8_t file[SL_TEXT_HEAD_BYTES];
    uint8_t table[LINE_TABLE_HEAD_BYTES];
    uint8_t instructions[SL_CALLS_BYTES_MAX];
    uint8_t again[SL_CODE_HEADER_MAX];
    size_t name_size, file_size, table_size, instructions_size;
    bool long_content;
};

enum sl_look sl_is_code_type(struct sl_process *process, const struct sl_layout *layout, uint64_t type, bool *is)
{
    uint8_t name_address[8];
    char name[5];
    enum sl_read read = sl_process_read(process, type + layout->type_name, name_address, sizeof name_address);
    if (read == SL_READ_OK) {
        read = sl_process_read(process, sl_word(name_address), name, sizeof name);
    }
    *is = read == SL_READ_OK && memcmp(name, "code", sizeof name) == 0;
    return sl_look_from_read(read);
}

static enum sl_look read_headers(struct heads *heads, struct sl_process *process, const struct sl_layout *layout,
                                 const uint64_t *addresses, size_t count, bool again)
{
    struct sl_read_piece pieces[SL_CODES_AT_ONCE];
    for (size_t i = 0; i < count; i++) {
        pieces[i] =
            (struct sl_read_piece){addresses[i], again ? heads[i].again : heads[i].header, layout->code_instructions};
    }
    return sl_look_from_read(sl_process_read_pieces(process, pieces, count));
}

/* The names, the line tables, the instructions where they matter, and the headers once more. */
static enum sl_look read_contents(struct heads *heads, struct sl_process *process, const struct sl_layout *layout,
                                  const uint64_t *addresses, size_t count)
{
    struct sl_read_piece pieces[SL_CODES_AT_ONCE * 5];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        struct heads *head = &heads[i];
        uint64_t name = sl_word(head->header + layout->code_qualified_name);
        uint64_t file = sl_word(head->header + layout->code_file);
        uint64_t table = sl_word(head->header + layout->code_line_table);
        memset(head->name, 0, SL_IDENTITY_NAME_BYTES);
        head->name_size = sl_page_bounded(name, layout->text_ascii, sizeof head->name);
        head->file_size = sl_page_bounded(file, layout->text_ascii, sizeof head->file);
        head->table_size = sl_page_bounded(table, layout->bytes_data, sizeof head->table);
        pieces[used++] = (struct sl_read_piece){name, head->name, head->name_size};
        pieces[used++] = (struct sl_read_piece){file, head->file, head->file_size};
        pieces[used++] = (struct sl_read_piece){table, head->table, head->table_size};
        head->instructions_size = sl_calls_bytes(layout, sl_word(head->header + layout->code_size));
        if (head->instructions_size > 0) {
            uint64_t instructions = addresses[i] + layout->code_instructions;
            pieces[used++] = (struct sl_read_piece){instructions, head->instructions, head->instructions_size};
        }
    }
    for (size_t i = 0; i < count; i++) {
        pieces[used++] = (struct sl_read_piece){addresses[i], heads[i].again, layout->code_instructions};
    }
    return sl_look_from_read(sl_process_read_pieces(process, pieces, used));
}

static enum sl_look decode_text(struct sl_buffer *buffer, struct sl_process *process, const struct sl_layout *layout,
                                uint64_t address, const uint8_t *head, size_t size, bool *long_content)
{
    struct sl_text_shape shape;
    uint8_t whole[SL_TEXT_HEAD_BYTES];
    if (sl_text_cut(layout, head, size)) {
        size = SL_TEXT_APART_BYTES(layout);
        enum sl_read read = sl_process_read(process, address, whole, size);
        if (read != SL_READ_OK) {
            return sl_look_from_read(read);
        }
        head = whole;
        *long_content = true;
    }
    if (!sl_text_shape(&shape, layout, address, head, size)) {
        return SL_LOOK_TORN;
    }
    if (shape.characters - address > size || (size_t)shape.count * shape.width > size - (shape.characters - address)) {
        *long_content = true;
    }
    return sl_look_from_read(sl_text_finish(process, layout, address, head, size, buffer));
}

static enum sl_look decode_table(struct sl_line_table *lines, struct sl_process *process,
                                 const struct sl_layout *layout, const struct sl_code_identity *identity,
                                 struct heads *head, uint32_t most_spans)
{
    if (most_spans == 0) {
        return SL_LOOK_OK;
    }
    uint64_t size = sl_word(head->table + layout->bytes_size);
    if (size > (uint64_t)INT64_MAX) {
        return SL_LOOK_TORN;
    }
    if (size > SL_LINE_TABLE_BYTES_MAX) {
        size = SL_LINE_TABLE_BYTES_MAX;
    }
    if (size <= head->table_size - layout->bytes_data) {
        bool decoded = sl_line_table_decode(lines, head->table + layout->bytes_data, (size_t)size, identity->units,
                                            identity->first_line, most_spans);
        return decoded ? SL_LOOK_OK : SL_LOOK_MEMORY;
    }
    head->long_content = true;
    uint8_t *bytes = malloc((size_t)size);
    if (bytes == NULL) {
        return SL_LOOK_MEMORY;
    }
    enum sl_look look =
        sl_look_from_read(sl_process_read(process, identity->line_table + layout->bytes_data, bytes, (size_t)size));
    if (look == SL_LOOK_OK &&
        !sl_line_table_decode(lines, bytes, (size_t)size, identity->units, identity->first_line, most_spans)) {
        look = SL_LOOK_MEMORY;
    }
    free(bytes);
    return look;
}

/* How many of the bytes that were read of the file name belong to it. */
static size_t file_bytes(const struct sl_layout *layout, const struct heads *head, uint64_t address)
{
    struct sl_text_shape shape;
    if (!sl_text_shape(&shape, layout, address, head->file, head->file_size)) {
        return 0;
    }
    uint64_t begin = shape.characters - address;
    uint64_t bytes = (uint64_t)shape.count * shape.width;
    bool whole = begin <= head->file_size && bytes <= head->file_size - begin;
    return whole ? (size_t)(begin + bytes) : head->file_size;
}

static uint32_t frame_bytes(const struct sl_layout *layout, const uint8_t *header)
{
    uint64_t words;
    if (layout->code_frame_size != 0) {
        words = sl_half_word(header + layout->code_frame_size);
    } else {
        words = (uint64_t)sl_half_word(header + layout->code_locals) + sl_half_word(header + layout->code_stack) +
                layout->frame_header / 8;
    }
    return words > FRAME_BYTES_MAX / 8 ? FRAME_BYTES_MAX : (uint32_t)words * 8;
}

static enum sl_look decode(struct sl_read_code *code, struct heads *head, struct sl_process *process,
                           const struct sl_layout *layout, uint32_t most_spans)
{
    if (memcmp(head->header + 8, head->again + 8, 8) != 0) {
        return SL_LOOK_TORN;
    }
    sl_code_identity_take(&code->identity, layout, head->header);
    if (layout->code_version == 0) {
        sl_code_identity_texts(&code->identity, head->name, head->file, file_bytes(layout, head, code->identity.file));
    }
    code->first_traceable = sl_half_word(head->header + layout->code_first_traceable);
    code->frame_bytes = frame_bytes(layout, head->header);
    code->coroutine = (sl_half_word(head->header + layout->code_flags) & CODE_IS_COROUTINE) != 0;
    if (code->identity.first_line > INT32_MAX) {
        code->identity.first_line = 0;
    }
    enum sl_look look = decode_text(&code->name, process, layout, code->identity.qualified_name, head->name,
                                    head->name_size, &head->long_content);
    if (look == SL_LOOK_OK) {
        look = decode_text(&code->file, process, layout, code->identity.file, head->file, head->file_size,
                           &head->long_content);
    }
    if (look == SL_LOOK_OK) {
        look = decode_table(&code->lines, process, layout, &code->identity, head, most_spans);
    }
    if (look == SL_LOOK_OK && !sl_calls_find(&code->calls, layout, head->instructions, head->instructions_size)) {
        look = SL_LOOK_MEMORY;
    }
    return look == SL_LOOK_OK && (code->name.failed || code->file.failed) ? SL_LOOK_MEMORY : look;
}

/* Nothing but the reference count may have changed between the first header and the last. */
static bool same_headers(const struct heads *heads, const struct sl_layout *layout, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sl_code_identity before;
        struct sl_code_identity after;
        sl_code_identity_take(&before, layout, heads[i].header);
        sl_code_identity_take(&after, layout, heads[i].again);
        if (!sl_object_in_use(heads[i].again) || !sl_code_identity_equal(&before, &after) ||
            sl_word(heads[i].header + layout->object_type) != sl_word(heads[i].again + layout->object_type)) {
            return false;
        }
    }
    return true;
}

enum sl_look sl_code_objects_read(struct sl_read_code *codes, struct sl_process *process,
                                  const struct sl_layout *layout, uint64_t *code_type, const uint64_t *addresses,
                                  const uint8_t *const *headers, size_t count, uint32_t most_spans)
{
    for (size_t i = 0; i < count; i++) {
        codes[i] = (struct sl_read_code){.address = addresses[i]};
    }
    struct heads heads[SL_CODES_AT_ONCE];
    for (size_t i = 0; headers != NULL && i < count; i++) {
        memcpy(heads[i].header, headers[i], layout->code_instructions);
    }
    enum sl_look look = headers != NULL ? SL_LOOK_OK : read_headers(heads, process, layout, addresses, count, false);
    if (look != SL_LOOK_OK) {
        return look;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t type = sl_word(heads[i].header + layout->object_type);
        if (*code_type == 0) {
            bool is_code;
            look = sl_is_code_type(process, layout, type, &is_code);
            if (look != SL_LOOK_OK) {
                return look;
            }
            *code_type = is_code ? type : 0;
        }
        if (type != *code_type || *code_type == 0) {
            return SL_LOOK_TORN;
        }
        heads[i].long_content = false;
    }
    look = read_contents(heads, process, layout, addresses, count);
    bool long_content = false;
    for (size_t i = 0; i < count && look == SL_LOOK_OK; i++) {
        look = decode(&codes[i], &heads[i], process, layout, most_spans);
        most_spans -= codes[i].lines.count;
        long_content = long_content || heads[i].long_content;
    }
    if (look == SL_LOOK_OK && long_content) {
        look = read_headers(heads, process, layout, addresses, count, true);
    }
    return look == SL_LOOK_OK && !same_headers(heads, layout, count) ? SL_LOOK_TORN : look;
}

void sl_code_objects_destroy(struct sl_read_code *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sl_buffer_destroy(&codes[i].name);
        sl_buffer_destroy(&codes[i].file);
        sl_line_table_destroy(&codes[i].lines);
        sl_calls_destroy(&codes[i].calls);
    }
}
