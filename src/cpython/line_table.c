#include "cpython/line_table.h"

#include <stdlib.h>

enum location_code {
    CODE_ONE_LINE_0 = 10,
    CODE_ONE_LINE_2 = 12,
    CODE_NO_COLUMNS = 13,
    CODE_LONG = 14,
    CODE_NONE = 15,
};

struct cursor {
    const uint8_t *at, *end;
};

/* Six bits a byte, lowest first; bit 6 says that another follows. A line number has 31 bits. */
static bool read_varint(struct cursor *cursor, uint32_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 32; shift += 6) {
        if (cursor->at == cursor->end || (*cursor->at & 0x80) != 0) {
            return false;
        }
        uint8_t byte = *cursor->at++;
        *value |= (uint32_t)(byte & 0x3f) << shift;
        if ((byte & 0x40) == 0) {
            return true;
        }
    }
    return false;
}

/* The lowest bit is the sign. */
static bool read_signed_varint(struct cursor *cursor, int64_t *value)
{
    uint32_t bits;
    if (!read_varint(cursor, &bits)) {
        return false;
    }
    *value = (bits & 1) != 0 ? -(int64_t)(bits >> 1) : (int64_t)(bits >> 1);
    return true;
}

static bool skip(struct cursor *cursor, size_t count)
{
    if ((size_t)(cursor->end - cursor->at) < count) {
        return false;
    }
    cursor->at += count;
    return true;
}

/* One entry behind its first byte; by how many lines it moves on. */
static bool read_entry(struct cursor *cursor, unsigned code, int64_t *delta)
{
    uint32_t ignored;
    *delta = 0;
    switch (code) {
    case CODE_NONE:
        return true;
    case CODE_LONG:
        return read_signed_varint(cursor, delta) && read_varint(cursor, &ignored) && read_varint(cursor, &ignored) &&
               read_varint(cursor, &ignored);
    case CODE_NO_COLUMNS:
        return read_signed_varint(cursor, delta);
    default:
        if (code >= CODE_ONE_LINE_0 && code <= CODE_ONE_LINE_2) {
            *delta = (int64_t)code - CODE_ONE_LINE_0;
            return skip(cursor, 2);
        }
        return skip(cursor, 1);
    }
}

bool sl_line_table_decode(struct sl_line_table *table, const uint8_t *bytes, size_t size, uint64_t units,
                          uint32_t first_line, uint32_t most)
{
    *table = (struct sl_line_table){0};
    struct cursor cursor = {bytes, bytes + size};
    uint32_t capacity = 0;
    uint32_t unit = 0;
    int64_t line = first_line;
    while (cursor.at < cursor.end && unit < units) {
        uint8_t first = *cursor.at++;
        unsigned code = (first >> 3) & 15;
        int64_t delta;
        if ((first & 0x80) == 0 || !read_entry(&cursor, code, &delta)) {
            break;
        }
        line += delta;
        if (line < 0 || line > INT32_MAX || unit > INT32_MAX) {
            break;
        }
        unit += (first & 7) + 1u;
        uint32_t shown = code == CODE_NONE ? 0 : (uint32_t)line;
        if (table->count > 0 && table->spans[table->count - 1].line == shown) {
            table->spans[table->count - 1].end = unit;
            continue;
        }
        if (table->count == most) {
            break;
        }
        if (table->count == capacity) {
            capacity = capacity == 0 ? 16 : capacity * 2;
            struct sl_line_span *spans = realloc(table->spans, capacity * sizeof *spans);
            if (spans == NULL) {
                sl_line_table_destroy(table);
                return false;
            }
            table->spans = spans;
        }
        table->spans[table->count++] = (struct sl_line_span){unit, shown};
    }
    if (table->count < capacity) {
        struct sl_line_span *spans = realloc(table->spans, table->count * sizeof *spans);
        table->spans = spans != NULL ? spans : table->spans;
    }
    return true;
}

void sl_line_table_destroy(struct sl_line_table *table)
{
    free(table->spans);
    *table = (struct sl_line_table){0};
}

uint32_t sl_line_table_line(const struct sl_line_table *table, uint32_t unit)
{
    uint32_t low = 0;
    uint32_t high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (table->spans[middle].end <= unit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < table->count ? table->spans[low].line : 0;
}
