#include "base/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_an_array_has_room_for_one_more_and_keeps_its_content(void **state)
{
    (void)state;
    uint64_t *array = NULL;
    uint32_t capacity = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        assert_true(sl_array_room(&array, &capacity, i, sizeof *array));
        assert_true(capacity > i);
        array[i] = i;
    }
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(array[i], i);
    }
    free(array);
}

static void test_room_for_many_at_once_is_made_only_where_it_is_missing(void **state)
{
    (void)state;
    char *array = NULL;
    uint32_t capacity = 0;
    assert_true(sl_array_reserve(&array, &capacity, 0, 1));
    assert_null(array);
    assert_true(sl_array_reserve(&array, &capacity, 1000, 1));
    assert_true(capacity >= 1000);
    memset(array, 'x', 1000);
    uint32_t before = capacity;
    assert_true(sl_array_reserve(&array, &capacity, 1000, 1));
    assert_int_equal(capacity, before);
    assert_true(sl_array_reserve(&array, &capacity, 100000, 1));
    assert_true(capacity >= 100000);
    assert_int_equal(array[999], 'x');
    assert_false(sl_array_reserve(&array, &capacity, UINT32_MAX, 1));
    free(array);
}

static void test_what_cannot_be_had_leaves_the_array_as_it_is(void **state)
{
    (void)state;
    char *array = NULL;
    uint32_t capacity = 0;
    assert_true(sl_array_room(&array, &capacity, 0, 1));
    array[0] = 'x';
    char *before = array;
    capacity = UINT32_MAX - 1;
    assert_false(sl_array_room(&array, &capacity, UINT32_MAX - 1, 1));
    capacity = UINT32_MAX / 2;
    assert_false(sl_array_room(&array, &capacity, UINT32_MAX / 2, SIZE_MAX / 1000));
    assert_ptr_equal(array, before);
    assert_int_equal(capacity, UINT32_MAX / 2);
    assert_int_equal(array[0], 'x');
    free(array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_array_has_room_for_one_more_and_keeps_its_content),
        cmocka_unit_test(test_room_for_many_at_once_is_made_only_where_it_is_missing),
        cmocka_unit_test(test_what_cannot_be_had_leaves_the_array_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
