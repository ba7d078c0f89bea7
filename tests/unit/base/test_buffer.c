#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void test_what_is_appended_stands_there_in_order_with_a_nul_behind_it(void **state)
{
    (void)state;
    struct sl_buffer buffer;
    sl_buffer_init(&buffer);
    for (int i = 0; i < 1000; i++) {
        sl_buffer_text(&buffer, "ab");
        sl_buffer_byte(&buffer, '\0');
        sl_buffer_append(&buffer, "cde", 3);
        sl_buffer_format(&buffer, "%03d", i);
    }
    assert_false(buffer.failed);
    assert_int_equal(buffer.size, 9 * 1000);
    assert_memory_equal(buffer.bytes, "ab\0cde000ab\0cde001", 18);
    assert_memory_equal(buffer.bytes + buffer.size - 3, "999", 4);
    sl_buffer_clear(&buffer);
    assert_int_equal(buffer.size, 0);
    assert_string_equal(buffer.bytes, "");
    sl_buffer_destroy(&buffer);
}

static void test_a_number_takes_seven_bits_a_byte(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        size_t size;
        const char *bytes;
    } cases[] = {
        {0, 1, "\x00"},
        {127, 1, "\x7f"},
        {128, 2, "\x80\x01"},
        {300, 2, "\xac\x02"},
        {UINT32_MAX, 5, "\xff\xff\xff\xff\x0f"},
        {UINT64_MAX, 10, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
    };
    struct sl_buffer buffer;
    sl_buffer_init(&buffer);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sl_buffer_clear(&buffer);
        sl_buffer_varint(&buffer, cases[i].value);
        assert_int_equal(buffer.size, cases[i].size);
        assert_memory_equal(buffer.bytes, cases[i].bytes, cases[i].size);
    }
    sl_buffer_destroy(&buffer);
}

static void test_what_does_not_fit_into_memory_is_dropped_and_remembered(void **state)
{
    (void)state;
    struct sl_buffer buffer;
    sl_buffer_init(&buffer);
    sl_buffer_text(&buffer, "kept");
    /* More than there is, whatever the machine; the bytes are not looked at. */
    sl_buffer_append(&buffer, "", SIZE_MAX / 2);
    assert_true(buffer.failed);
    sl_buffer_text(&buffer, "lost");
    assert_string_equal(buffer.bytes, "kept");
    sl_buffer_destroy(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_appended_stands_there_in_order_with_a_nul_behind_it),
        cmocka_unit_test(test_a_number_takes_seven_bits_a_byte),
        cmocka_unit_test(test_what_does_not_fit_into_memory_is_dropped_and_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
