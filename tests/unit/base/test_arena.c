#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_memory_comes_zeroed_and_aligned_also_after_a_reset(void **state)
{
    (void)state;
    struct sl_arena arena;
    sl_arena_init(&arena);
    for (int round = 0; round < 2; round++) {
        for (size_t size = 1; size < 5000; size += 37) {
            unsigned char *bytes = SL_ARENA_NEW(&arena, unsigned char, size);
            assert_non_null(bytes);
            assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++) {
                assert_int_equal(bytes[i], 0);
            }
            memset(bytes, 0xA5, size);
        }
        sl_arena_reset(&arena);
    }
}

static void test_pieces_do_not_overlap(void **state)
{
    (void)state;
    struct sl_arena arena;
    sl_arena_init(&arena);
    enum { count = 300 };
    unsigned char *pieces[count];
    for (size_t i = 0; i < count; i++) {
        /* Now and then a piece that is larger than a page. */
        size_t size = i % 50 == 7 ? 200000 : 100 + i;
        pieces[i] = SL_ARENA_NEW(&arena, unsigned char, size);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)(i % 251), size);
    }
    for (size_t i = 0; i < count; i++) {
        size_t size = i % 50 == 7 ? 200000 : 100 + i;
        assert_int_equal(pieces[i][0], i % 251);
        assert_int_equal(pieces[i][size - 1], i % 251);
    }
    sl_arena_reset(&arena);
}

static void test_a_product_that_overflows_exhausts_the_arena_until_the_reset(void **state)
{
    (void)state;
    struct sl_arena arena;
    sl_arena_init(&arena);
    assert_null(sl_arena_allocate(&arena, SIZE_MAX / 2, 3));
    assert_true(arena.exhausted);
    assert_null(sl_arena_allocate(&arena, 1, SIZE_MAX - 8));
    sl_arena_reset(&arena);
    assert_false(arena.exhausted);
    assert_non_null(SL_ARENA_NEW(&arena, int, 1));
    sl_arena_reset(&arena);
}

static void test_nothing_of_something_is_a_valid_pointer(void **state)
{
    (void)state;
    struct sl_arena arena;
    sl_arena_init(&arena);
    assert_non_null(SL_ARENA_NEW(&arena, int, 0));
    assert_false(arena.exhausted);
    sl_arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_comes_zeroed_and_aligned_also_after_a_reset),
        cmocka_unit_test(test_pieces_do_not_overlap),
        cmocka_unit_test(test_a_product_that_overflows_exhausts_the_arena_until_the_reset),
        cmocka_unit_test(test_nothing_of_something_is_a_valid_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
