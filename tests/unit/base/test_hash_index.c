#include "base/hash_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint32_t find(const struct sl_hash_index *index, uint32_t hash, uint32_t wanted)
{
    struct sl_hash_probe probe = sl_hash_probe(index, hash);
    for (uint32_t number; (number = sl_hash_next(index, &probe)) != SL_HASH_NONE;) {
        if (number == wanted) {
            return number;
        }
    }
    return SL_HASH_NONE;
}

static void test_nothing_is_found_in_an_empty_index(void **state)
{
    (void)state;
    struct sl_hash_index index;
    sl_hash_index_init(&index);
    assert_int_equal(find(&index, 0, 0), SL_HASH_NONE);
    sl_hash_index_destroy(&index);
}

static void test_every_number_is_found_again_however_often_the_index_grew(void **state)
{
    (void)state;
    struct sl_hash_index index;
    sl_hash_index_init(&index);
    enum { COUNT = 100000 };
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(sl_hash_index_add(&index, (uint32_t)sl_hash_mix(i), i));
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(find(&index, (uint32_t)sl_hash_mix(i), i), i);
        assert_int_equal(find(&index, (uint32_t)sl_hash_mix(i), i + COUNT), SL_HASH_NONE);
    }
    sl_hash_index_destroy(&index);
}

static void test_numbers_of_one_hash_are_all_given_in_the_order_of_their_addition(void **state)
{
    (void)state;
    struct sl_hash_index index;
    sl_hash_index_init(&index);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_true(sl_hash_index_add(&index, i % 3, i));
    }
    for (uint32_t hash = 0; hash < 3; hash++) {
        struct sl_hash_probe probe = sl_hash_probe(&index, hash);
        for (uint32_t i = hash; i < 1000; i += 3) {
            assert_int_equal(sl_hash_next(&index, &probe), i);
        }
        assert_int_equal(sl_hash_next(&index, &probe), SL_HASH_NONE);
    }
    sl_hash_index_destroy(&index);
}

static void test_a_hash_of_bytes_depends_on_each_byte_the_size_and_the_seed(void **state)
{
    (void)state;
    char bytes[40] = {0};
    for (size_t size = 0; size <= sizeof bytes; size++) {
        uint32_t hash = sl_hash_bytes(1, bytes, size);
        assert_int_equal(hash, sl_hash_bytes(1, bytes, size));
        assert_int_not_equal(hash, sl_hash_bytes(2, bytes, size));
        if (size > 0) {
            assert_int_not_equal(hash, sl_hash_bytes(1, bytes, size - 1));
        }
        for (size_t i = 0; i < size; i++) {
            bytes[i] = 1;
            assert_int_not_equal(hash, sl_hash_bytes(1, bytes, size));
            bytes[i] = 0;
        }
    }
    assert_int_not_equal(sl_hash_seed(), sl_hash_seed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_found_in_an_empty_index),
        cmocka_unit_test(test_every_number_is_found_again_however_often_the_index_grew),
        cmocka_unit_test(test_numbers_of_one_hash_are_all_given_in_the_order_of_their_addition),
        cmocka_unit_test(test_a_hash_of_bytes_depends_on_each_byte_the_size_and_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
