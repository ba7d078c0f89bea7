#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpython/line_table.h"
#include "line_tables.h"

#include <stdio.h>
#include <stdlib.h>

static void test_every_code_unit_has_the_line_that_its_interpreter_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof recorded_tables / sizeof recorded_tables[0]; i++) {
        const struct recorded_table *recorded = &recorded_tables[i];
        struct sl_line_table table;
        assert_true(sl_line_table_decode(&table, recorded->bytes, recorded->size, recorded->units, recorded->first_line,
                                         UINT32_MAX));
        uint32_t unit = 0;
        for (uint32_t span = 0; span < recorded->span_count; span++) {
            for (; unit < recorded->spans[span].end; unit++) {
                if (sl_line_table_line(&table, unit) != recorded->spans[span].line) {
                    print_message("%s: unit %u\n", recorded->name, unit);
                }
                assert_int_equal(sl_line_table_line(&table, unit), recorded->spans[span].line);
            }
        }
        assert_int_equal(unit, recorded->units);
        assert_int_equal(sl_line_table_line(&table, recorded->units), 0);
        sl_line_table_destroy(&table);
    }
}

static void test_a_table_cut_anywhere_still_tells_what_comes_before_the_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof recorded_tables / sizeof recorded_tables[0]; i++) {
        const struct recorded_table *recorded = &recorded_tables[i];
        for (size_t size = 0; size < recorded->size; size++) {
            struct sl_line_table table;
            assert_true(
                sl_line_table_decode(&table, recorded->bytes, size, recorded->units, recorded->first_line, UINT32_MAX));
            uint32_t known = table.count == 0 ? 0 : table.spans[table.count - 1].end;
            assert_true(known <= recorded->units);
            uint32_t span = 0;
            for (uint32_t unit = 0; unit < known; unit++) {
                span += unit == recorded->spans[span].end;
                assert_int_equal(sl_line_table_line(&table, unit), recorded->spans[span].line);
            }
            sl_line_table_destroy(&table);
        }
    }
}

/* Spans must stay in order, whatever the bytes are. */
static void test_random_bytes_give_ordered_spans_and_lines_in_range(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (int round = 0; round < 2000; round++) {
        uint8_t bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = (uint8_t)rand_r(&seed);
        }
        struct sl_line_table table;
        assert_true(
            sl_line_table_decode(&table, bytes, (size_t)rand_r(&seed) % sizeof bytes, UINT32_MAX, 7, UINT32_MAX));
        uint32_t end = 0;
        for (uint32_t i = 0; i < table.count; i++) {
            assert_true(table.spans[i].end > end);
            assert_true(table.spans[i].line <= INT32_MAX);
            end = table.spans[i].end;
        }
        sl_line_table_destroy(&table);
    }
}

static void test_an_empty_table_has_no_line(void **state)
{
    (void)state;
    struct sl_line_table table;
    assert_true(sl_line_table_decode(&table, (const uint8_t *)"", 0, 8, 12, UINT32_MAX));
    assert_int_equal(sl_line_table_line(&table, 0), 0);
    sl_line_table_destroy(&table);
}

/* Functions may share a table that was made for a longer one. */
static void test_what_lies_behind_the_code_is_left_out(void **state)
{
    (void)state;
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof bytes; i += 2) {
        bytes[i] = 0x80 | 13 << 3 | 1; /* two units, */
        bytes[i + 1] = 2;              /* one line further on */
    }
    struct sl_line_table table;
    assert_true(sl_line_table_decode(&table, bytes, sizeof bytes, 5, 10, UINT32_MAX));
    assert_int_equal(table.count, 3);
    assert_int_equal(sl_line_table_line(&table, 4), 13);
    sl_line_table_destroy(&table);
}

static void test_no_more_spans_are_kept_than_are_wanted(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0x80 | 13 << 3, 2, 0x80 | 13 << 3, 2, 0x80 | 13 << 3, 0, 0x80 | 13 << 3, 2};
    const uint32_t lines[] = {11, 12, 12, 13};
    for (uint32_t most = 0; most < 4; most++) {
        struct sl_line_table table;
        assert_true(sl_line_table_decode(&table, bytes, sizeof bytes, 8, 10, most));
        assert_int_equal(table.count, most);
        for (uint32_t unit = 0; unit < 4; unit++) {
            assert_int_equal(sl_line_table_line(&table, unit), lines[unit] - 10 <= most ? lines[unit] : 0);
        }
        sl_line_table_destroy(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_unit_has_the_line_that_its_interpreter_says),
        cmocka_unit_test(test_a_table_cut_anywhere_still_tells_what_comes_before_the_cut),
        cmocka_unit_test(test_random_bytes_give_ordered_spans_and_lines_in_range),
        cmocka_unit_test(test_an_empty_table_has_no_line),
        cmocka_unit_test(test_what_lies_behind_the_code_is_left_out),
        cmocka_unit_test(test_no_more_spans_are_kept_than_are_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
