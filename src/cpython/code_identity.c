#include "cpython/code_identity.h"

#include "cpython/text.h"
#include "cpython/words.h"

#include <string.h>

void sl_code_identity_take(struct sl_code_identity *identity, const struct sl_layout *layout, const uint8_t *header)
{
    *identity = (struct sl_code_identity){
        .file = sl_word(header + layout->code_file),
        .qualified_name = sl_word(header + layout->code_qualified_name),
        .line_table = sl_word(header + layout->code_line_table),
        .units = sl_word(header + layout->code_size),
        .version = layout->code_version != 0 ? sl_half_word(header + layout->code_version) : 0,
        .first_line = sl_half_word(header + layout->code_first_line),
    };
}

void sl_code_identity_texts(struct sl_code_identity *identity, const uint8_t *name, const uint8_t *file,
                            size_t file_bytes)
{
    /* Not the reference counts, which move. */
    memcpy(identity->name_head, name + 8, SL_IDENTITY_NAME_BYTES - 8);
    identity->file_bytes = (uint32_t)file_bytes;
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 8; i < file_bytes; i++) {
        hash = (hash ^ file[i]) * 1099511628211u;
    }
    identity->file_hash = hash;
}

bool sl_code_identity_equal(const struct sl_code_identity *a, const struct sl_code_identity *b)
{
    return a->file == b->file && a->qualified_name == b->qualified_name && a->line_table == b->line_table &&
           a->units == b->units && a->version == b->version && a->first_line == b->first_line &&
           a->file_bytes == b->file_bytes && a->file_hash == b->file_hash &&
           memcmp(a->name_head, b->name_head, sizeof a->name_head) == 0;
}

size_t sl_code_identity_name_bytes(const struct sl_layout *layout, const struct sl_code_identity *identity)
{
    return sl_page_bounded(identity->qualified_name, layout->text_ascii, SL_IDENTITY_NAME_BYTES);
}

bool sl_object_in_use(const uint8_t *object)
{
    /* The count has 32 bits (from 3.14 on flags lie above them, Include/refcount.h). */
    uint64_t count = sl_word(object);
    return (uint32_t)count != 0 && (count >> 32 & 0xffff) <= 1;
}
