/* line_table.h - which line an instruction belongs to: co_linetable, as PEP 657 made it for CPython 3.11 and later.
 *
 * The table is a sequence of entries. Each begins with a byte whose top bit is set: four bits of code, three bits of
 * length (code units that the entry covers, less one). Code 15 is no location, 14 a long one (four varints), 13 has no
 * columns (one signed varint), 10 to 12 a line 0 to 2 further on with two bytes of columns, 0 to 9 the same line with
 * one (Objects/locations.md of CPython 3.11, InternalDocs/code_objects.md later). */
#ifndef SL_CPYTHON_LINE_TABLE_H
#define SL_CPYTHON_LINE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_line_span {
    uint32_t end;  /* code unit behind the last one of this line */
    uint32_t line; /* 0: there is no line for it */
};

struct sl_line_table {
    struct sl_line_span *spans; /* in order, without gaps, neighbours with different lines; owned */
    uint32_t count;
};

/* Takes the table of `units` code units apart. What does not fit together ends it there, and so do the units, and the span
 * behind the first `most`. False only when memory is exhausted. */
bool sl_line_table_decode(struct sl_line_table *table, const uint8_t *bytes, size_t size, uint64_t units,
                          uint32_t first_line, uint32_t most);
void sl_line_table_destroy(struct sl_line_table *table);

/* The line of the code unit `unit`, 0 when there is none or it lies behind the table. O(log spans). */
uint32_t sl_line_table_line(const struct sl_line_table *table, uint32_t unit);

#endif
