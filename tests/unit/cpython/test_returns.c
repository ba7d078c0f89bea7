/* test_returns.c - which instructions of a code object leave its frames. */
#include "cpython/returns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct sl_layout layout = {.minor = 12, .return_opcode = 83, .return_constant_opcode = 121};

static void test_both_kinds_of_return_are_found(void **state)
{
    (void)state;
    const uint8_t instructions[] = {151, 0, 83, 0, 100, 83, 121, 1, 83};
    struct sl_returns returns;
    assert_true(sl_returns_find(&returns, &layout, instructions, sizeof instructions));
    assert_int_equal(returns.count, 2);
    assert_false(sl_returns_has(&returns, 0));
    assert_true(sl_returns_has(&returns, 1));
    assert_false(sl_returns_has(&returns, 2)); /* 83 is its argument */
    assert_true(sl_returns_has(&returns, 3));
    assert_false(sl_returns_has(&returns, 4)); /* half a unit */
    sl_returns_destroy(&returns);
    assert_false(sl_returns_has(&returns, 1));
}

static void test_a_version_without_the_second_kind_has_none_of_it(void **state)
{
    (void)state;
    const struct sl_layout old = {.minor = 11, .return_opcode = 83};
    const uint8_t instructions[] = {0, 0, 121, 0, 83, 0};
    struct sl_returns returns;
    assert_true(sl_returns_find(&returns, &old, instructions, sizeof instructions));
    assert_int_equal(returns.count, 1);
    assert_true(sl_returns_has(&returns, 2));
    sl_returns_destroy(&returns);
}

static void test_only_so_much_is_read_and_nothing_where_frames_are_wiped(void **state)
{
    (void)state;
    const struct sl_layout wipes = {.minor = 14};
    assert_int_equal(sl_returns_bytes(&layout, 0), 0);
    assert_int_equal(sl_returns_bytes(&layout, 10), 20);
    assert_int_equal(sl_returns_bytes(&layout, UINT64_MAX), SL_RETURNS_BYTES_MAX);
    assert_int_equal(sl_returns_bytes(&wipes, 10), 0);
    struct sl_returns returns;
    assert_true(sl_returns_find(&returns, &layout, NULL, 0));
    assert_int_equal(returns.count, 0);
    sl_returns_destroy(&returns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_kinds_of_return_are_found),
        cmocka_unit_test(test_a_version_without_the_second_kind_has_none_of_it),
        cmocka_unit_test(test_only_so_much_is_read_and_nothing_where_frames_are_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
