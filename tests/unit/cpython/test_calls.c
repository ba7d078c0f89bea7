/* test_calls.c - which instructions of a code object may wait for a callee. */
#include "cpython/calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const struct sl_layout layout = {.minor = 12};

static void test_calls_are_found_with_their_caches(void **state)
{
    (void)state;
    /* RESUME, CALL with three caches, POP_TOP, LOAD_CONST 171, half a unit */
    const uint8_t instructions[] = {151, 0, 171, 1, 0, 0, 0, 0, 0, 0, 1, 0, 100, 171, 171};
    struct sl_calls calls;
    assert_true(sl_calls_find(&calls, &layout, instructions, sizeof instructions));
    const bool expected[] = {false, true, true, true, true, false, false};
    for (uint32_t unit = 0; unit < 7; unit++) {
        assert_int_equal(sl_calls_may(&calls, unit), expected[unit]);
    }
    assert_true(sl_calls_may(&calls, 7)); /* it was not looked at */
    sl_calls_destroy(&calls);
    assert_true(sl_calls_may(&calls, 0));
}

static void test_caches_end_where_the_instructions_do(void **state)
{
    (void)state;
    const uint8_t instructions[] = {151, 0, 171, 1, 0, 0};
    struct sl_calls calls;
    assert_true(sl_calls_find(&calls, &layout, instructions, sizeof instructions));
    assert_false(sl_calls_may(&calls, 0));
    assert_true(sl_calls_may(&calls, 2));
    sl_calls_destroy(&calls);
}

static void test_only_so_much_is_read_and_nothing_where_frames_are_wiped(void **state)
{
    (void)state;
    const struct sl_layout wipes = {.minor = 14, .wipes_code = true};
    assert_int_equal(sl_calls_bytes(&layout, 0), 0);
    assert_int_equal(sl_calls_bytes(&layout, 10), 20);
    assert_int_equal(sl_calls_bytes(&layout, UINT64_MAX), SL_CALLS_BYTES_MAX);
    assert_int_equal(sl_calls_bytes(&wipes, 10), 0);
    const uint8_t instructions[] = {100, 0};
    struct sl_calls calls;
    assert_true(sl_calls_find(&calls, &wipes, instructions, sizeof instructions));
    assert_true(sl_calls_may(&calls, 0));
    sl_calls_destroy(&calls);
    assert_true(sl_calls_find(&calls, &layout, NULL, 0));
    assert_true(sl_calls_may(&calls, 0));
    sl_calls_destroy(&calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_are_found_with_their_caches),
        cmocka_unit_test(test_caches_end_where_the_instructions_do),
        cmocka_unit_test(test_only_so_much_is_read_and_nothing_where_frames_are_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
