#include "cpython/dictionary.h"

#include "cpython/text.h"
#include "cpython/words.h"

#include <stdlib.h>

/* PyDictKeysObject, the same from 3.11 to 3.15: sizes as logarithms, the kind, the number of entries, then the index
 * and behind it the entries. */
#define KEYS_INDEX_BYTES 9 /* dk_log2_index_bytes */
#define KEYS_KIND 10
#define KEYS_ENTRY_COUNT 24
#define KEYS_HEADER 32

/* Keys of any type have their hash before them; keys that are all str have not (DICT_KEYS_UNICODE). */
enum { KIND_GENERAL = 0, KIND_TEXT = 1 };
#define GENERAL_ENTRY_BYTES 24
#define TEXT_ENTRY_BYTES 16

/* Names up to this many bytes are compared: the header of a str and its characters. */
#define NAME_BYTES 96

static void match(const struct sl_layout *layout, uint64_t key, const uint8_t *head, uint64_t value, uint64_t place,
                  struct sl_dictionary_entry *entries, size_t count)
{
    struct sl_text_shape shape;
    if (!sl_text_shape(&shape, layout, key, head, NAME_BYTES) || shape.width != 1 ||
        shape.characters != key + layout->text_ascii || shape.count > NAME_BYTES - layout->text_ascii) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (strlen(entries[i].name) == shape.count &&
            memcmp(entries[i].name, head + layout->text_ascii, shape.count) == 0) {
            entries[i].value = value;
            entries[i].place = place;
        }
    }
}

/* The keys of one batch of table entries, which lie at `begin`, in one read. */
static enum sl_read match_batch(struct sl_process *process, const struct sl_layout *layout, uint64_t begin,
                                const uint8_t *table, size_t entry_bytes, size_t table_count,
                                struct sl_dictionary_entry *entries, size_t count)
{
    uint8_t heads[SL_READ_PIECES_MAX][NAME_BYTES];
    uint64_t keys[SL_READ_PIECES_MAX];
    uint64_t values[SL_READ_PIECES_MAX];
    uint64_t places[SL_READ_PIECES_MAX];
    struct sl_read_piece pieces[SL_READ_PIECES_MAX];
    size_t used = 0;
    for (size_t i = 0; i < table_count; i++) {
        const uint8_t *entry = table + i * entry_bytes;
        uint64_t key = sl_word(entry + entry_bytes - 16);
        uint64_t value = sl_word(entry + entry_bytes - 8);
        if (key == 0 || value == 0) {
            continue;
        }
        keys[used] = key;
        values[used] = value;
        places[used] = begin + (i + 1) * entry_bytes - 8;
        memset(heads[used], 0, NAME_BYTES);
        pieces[used] = (struct sl_read_piece){key, heads[used], sl_page_bounded(key, layout->text_ascii, NAME_BYTES)};
        used++;
    }
    if (used == 0) {
        return SL_READ_OK;
    }
    enum sl_read read = sl_process_read_pieces(process, pieces, used);
    if (read != SL_READ_OK && read != SL_READ_FAULT) {
        return read;
    }
    for (size_t i = 0; i < used; i++) {
        /* One key that cannot be read must not hide the others. */
        if (read == SL_READ_FAULT && sl_process_read(process, keys[i], heads[i], pieces[i].size) != SL_READ_OK) {
            continue;
        }
        match(layout, keys[i], heads[i], values[i], places[i], entries, count);
    }
    return SL_READ_OK;
}

enum sl_read sl_dictionary_find(struct sl_process *process, const struct sl_layout *layout, uint64_t address,
                                struct sl_dictionary_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        entries[i].value = entries[i].place = 0;
    }
    uint64_t keys;
    uint8_t header[KEYS_HEADER];
    enum sl_read read = sl_process_read(process, address + layout->dict_keys, &keys, sizeof keys);
    if (read == SL_READ_OK) {
        read = sl_process_read(process, keys, header, sizeof header);
    }
    if (read != SL_READ_OK) {
        return read;
    }
    uint8_t kind = header[KEYS_KIND];
    uint64_t table_count = sl_word(header + KEYS_ENTRY_COUNT);
    if (kind > KIND_TEXT || header[KEYS_INDEX_BYTES] > 40 || table_count > (uint64_t)INT64_MAX) {
        return SL_READ_FAULT;
    }
    if (table_count > SL_DICTIONARY_ENTRIES_MAX) {
        table_count = SL_DICTIONARY_ENTRIES_MAX;
    }
    size_t entry_bytes = kind == KIND_TEXT ? TEXT_ENTRY_BYTES : GENERAL_ENTRY_BYTES;
    uint64_t begin = keys + KEYS_HEADER + ((uint64_t)1 << header[KEYS_INDEX_BYTES]);
    for (uint64_t from = 0; from < table_count; from += SL_READ_PIECES_MAX) {
        uint8_t table[SL_READ_PIECES_MAX * GENERAL_ENTRY_BYTES];
        size_t batch = table_count - from < SL_READ_PIECES_MAX ? (size_t)(table_count - from) : SL_READ_PIECES_MAX;
        read = sl_process_read(process, begin + from * entry_bytes, table, batch * entry_bytes);
        if (read == SL_READ_OK) {
            read = match_batch(process, layout, begin + from * entry_bytes, table, entry_bytes, batch, entries, count);
        }
        if (read != SL_READ_OK) {
            return read;
        }
    }
    return SL_READ_OK;
}
