/* Strings, functions, stacks and situations: each distinct one once, and strings always clean. */
#include "profile/functions.h"
#include "profile/situations.h"
#include "profile/stacks.h"
#include "profile/strings.h"
#include "profile/utf8.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_a_string_is_kept_once_and_numbers_follow_first_sight(void **state)
{
    (void)state;
    struct sl_strings strings;
    assert_true(sl_strings_init(&strings));
    assert_int_equal(sl_strings_intern(&strings, "", 0), 0);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            char name[16];
            int size = snprintf(name, sizeof name, "name %u", i);
            assert_int_equal(sl_strings_intern(&strings, name, (size_t)size), i + 1);
        }
    }
    assert_int_equal(strings.count, 5001);
    assert_string_equal(sl_strings_text(&strings, 4711), "name 4710");
    assert_int_equal(sl_strings_size(&strings, 4711), 9);
    assert_int_equal(sl_strings_intern(&strings, "a\0b", 3), 5001);
    assert_int_equal(sl_strings_intern(&strings, "a\0c", 3), 5002);
    assert_int_equal(sl_strings_intern(&strings, "a", 1), 5003);
    sl_strings_destroy(&strings);
}

static void check_clean(const char *bytes, size_t size, const char *expected)
{
    struct sl_buffer clean;
    sl_buffer_init(&clean);
    sl_utf8_clean(&clean, bytes, size);
    assert_int_equal(clean.size, strlen(expected));
    assert_memory_equal(clean.bytes != NULL ? clean.bytes : "", expected, clean.size);
    assert_int_equal(sl_utf8_is_clean(bytes, size), strlen(expected) == size && memcmp(bytes, expected, size) == 0);
    sl_buffer_destroy(&clean);
}
#define CHECK_CLEAN(bytes, expected) check_clean((bytes), sizeof(bytes) - 1, (expected))

static void test_valid_utf8_stays_as_it_is(void **state)
{
    (void)state;
    CHECK_CLEAN("", "");
    CHECK_CLEAN("plain, and longer than eight bytes", "plain, and longer than eight bytes");
    CHECK_CLEAN("\xC2\x80 \xDF\xBF", "\xC2\x80 \xDF\xBF");
    CHECK_CLEAN("\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF",
                "\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF");
    CHECK_CLEAN("\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF", "\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF");
}

static void test_each_byte_that_is_no_utf8_is_escaped(void **state)
{
    (void)state;
    CHECK_CLEAN("caf\xE9", "caf\\udce9");                              /* Latin-1 */
    CHECK_CLEAN("\x80", "\\udc80");                                    /* a continuation of nothing */
    CHECK_CLEAN("\xC0\x80 \xC1\xBF", "\\udcc0\\udc80 \\udcc1\\udcbf"); /* overlong */
    CHECK_CLEAN("\xE0\x9F\xBF", "\\udce0\\udc9f\\udcbf");
    CHECK_CLEAN("\xF0\x8F\xBF\xBF", "\\udcf0\\udc8f\\udcbf\\udcbf");
    CHECK_CLEAN("\xED\xA0\x80", "\\udced\\udca0\\udc80");            /* a surrogate */
    CHECK_CLEAN("\xF4\x90\x80\x80", "\\udcf4\\udc90\\udc80\\udc80"); /* above U+10FFFF */
    CHECK_CLEAN("\xF5\x80\x80\x80", "\\udcf5\\udc80\\udc80\\udc80");
    CHECK_CLEAN("\xE2\x82", "\\udce2\\udc82"); /* cut off */
    CHECK_CLEAN("\xE2\x82(\xC3\xA9", "\\udce2\\udc82(\xC3\xA9");
}

static void test_what_comes_out_of_cleaning_is_clean(void **state)
{
    (void)state;
    struct random random = {5};
    struct sl_buffer clean;
    sl_buffer_init(&clean);
    for (int round = 0; round < 20000; round++) {
        char bytes[24];
        size_t size = random_below(&random, sizeof bytes);
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (char)random_next(&random);
        }
        sl_buffer_clear(&clean);
        sl_utf8_clean(&clean, bytes, size);
        assert_true(sl_utf8_is_clean(clean.bytes, clean.size));
    }
    sl_buffer_destroy(&clean);
}

static void test_a_string_that_is_too_long_is_cut_between_characters(void **state)
{
    (void)state;
    size_t size = SL_STRING_BYTES_MAX + 10;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i + 1 < size; i += 2) {
        bytes[i] = (char)0xC3;
        bytes[i + 1] = (char)0xA9;
    }
    struct sl_buffer clean;
    sl_buffer_init(&clean);
    sl_utf8_clean(&clean, bytes, size);
    assert_in_range(clean.size, SL_STRING_BYTES_MAX - 4, SL_STRING_BYTES_MAX);
    assert_string_equal(clean.bytes + clean.size - 5, "\xC3\xA9...");
    assert_true(sl_utf8_is_clean(clean.bytes, clean.size));

    /* Escapes count, too. */
    memset(bytes, 0xFF, size);
    sl_buffer_clear(&clean);
    sl_utf8_clean(&clean, bytes, SL_STRING_BYTES_MAX / 2);
    assert_in_range(clean.size, SL_STRING_BYTES_MAX - 8, SL_STRING_BYTES_MAX);

    /* The longest one that is left alone. */
    memset(bytes, 'x', size);
    assert_true(sl_utf8_is_clean(bytes, SL_STRING_BYTES_MAX));
    assert_false(sl_utf8_is_clean(bytes, SL_STRING_BYTES_MAX + 1));
    sl_buffer_destroy(&clean);
    free(bytes);
}

static void test_functions_that_differ_in_anything_are_different(void **state)
{
    (void)state;
    struct sl_functions functions;
    assert_true(sl_functions_init(&functions));
    assert_int_equal(sl_functions_intern(&functions, (struct sl_function_record){0}), 0);
    const struct sl_function_record records[] = {
        {1, 2, 3, 0}, {2, 1, 3, 0}, {1, 2, 4, 0}, {1, 2, 3, 1}, {1, 3, 2, 0}, {1, 2, 0, 3},
    };
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < sizeof records / sizeof records[0]; i++) {
            assert_int_equal(sl_functions_intern(&functions, records[i]), i + 1);
        }
    }
    sl_functions_destroy(&functions);
}

static void test_a_stack_is_kept_once_and_its_caller_has_a_smaller_number(void **state)
{
    (void)state;
    struct sl_stacks stacks;
    assert_true(sl_stacks_init(&stacks));
    struct random random = {9};
    enum { COUNT = 20000 };
    struct sl_stack_record *seen = calloc(COUNT + 1, sizeof *seen);
    assert_non_null(seen);
    uint32_t count = 1;
    for (int i = 0; i < COUNT; i++) {
        struct sl_stack_record record = {
            .caller = random_below(&random, count < 100 ? count : 100),
            .function = random_below(&random, 20),
            .line = random_below(&random, 4),
        };
        sl_stack stack = sl_stacks_push(&stacks, record);
        assert_true(stack <= count);
        if (stack == count) {
            seen[count++] = record;
        }
        assert_memory_equal(&seen[stack], &record, sizeof record);
        assert_true(record.caller < stack || stack == 0);
    }
    /* No content has two numbers: as many as there are distinct ones among 100 * 20 * 4. */
    assert_in_range(count, 7000, 8001);
    free(seen);
    sl_stacks_destroy(&stacks);
}

static void test_a_recursion_of_a_million_frames_is_pushed_in_no_time(void **state)
{
    (void)state;
    struct sl_stacks stacks;
    assert_true(sl_stacks_init(&stacks));
    for (int round = 0; round < 2; round++) {
        sl_stack stack = 0;
        for (uint32_t depth = 1; depth <= 1000000; depth++) {
            stack = sl_stacks_push(&stacks, (struct sl_stack_record){.caller = stack, .function = 1, .line = 7});
            assert_int_equal(stack, depth);
        }
    }
    sl_stacks_destroy(&stacks);
}

static void test_what_was_met_keeps_its_number_and_the_rest_is_forgotten(void **state)
{
    (void)state;
    struct sl_remembered remembered = {.count = 10};
    uint16_t records[16] = {100, 101, 102, 103, 104, 105, 106, 107, 108, 109};
    sl_remembered_meet(&remembered, 2);
    sl_remembered_meet(&remembered, 7);
    assert_int_equal(sl_remembered_forget(&remembered, records, sizeof *records), 2);
    assert_int_equal(records[0], 102);
    assert_int_equal(records[1], 107);
    for (uint16_t i = 0; i < 3; i++) {
        records[2 + i] = 110 + i;
        remembered.count++;
    }
    assert_int_equal(sl_remembered_held(&remembered), 5);
    const uint32_t numbers[] = {2, 7, 10, 11, 12};
    for (uint32_t place = 0; place < 5; place++) {
        assert_int_equal(sl_remembered_number(&remembered, place), numbers[place]);
        assert_int_equal(sl_remembered_place(&remembered, numbers[place]), place);
        assert_false(sl_remembered_was_met(&remembered, place));
    }
    assert_int_equal(sl_remembered_place(&remembered, 0), SL_NONE);
    assert_int_equal(sl_remembered_place(&remembered, 9), SL_NONE);

    /* Once more, of what was kept and what has come. */
    sl_remembered_meet(&remembered, 1);
    sl_remembered_meet(&remembered, 3);
    assert_int_equal(sl_remembered_forget(&remembered, records, sizeof *records), 2);
    assert_int_equal(records[0], 107);
    assert_int_equal(records[1], 111);
    assert_int_equal(sl_remembered_number(&remembered, 0), 7);
    assert_int_equal(sl_remembered_number(&remembered, 1), 11);

    /* Where all is met again, there would be no room. */
    sl_remembered_meet(&remembered, 0);
    sl_remembered_meet(&remembered, 1);
    assert_int_equal(sl_remembered_forget(&remembered, records, sizeof *records), 0);
    assert_int_equal(sl_remembered_held(&remembered), 0);
    assert_int_equal(sl_remembered_place(&remembered, 7), SL_NONE);
    sl_remembered_destroy(&remembered);
}

static sl_stack push_all(struct sl_stacks *stacks, uint32_t depth, uint32_t last)
{
    sl_stack stack = 0;
    for (uint32_t i = 1; i < depth; i++) {
        stack = sl_stacks_push(stacks, (struct sl_stack_record){.caller = stack, .function = 1, .line = i});
    }
    return sl_stacks_push(stacks, (struct sl_stack_record){.caller = stack, .function = 2, .line = last});
}

static void test_stacks_that_come_back_are_kept_with_their_callers(void **state)
{
    (void)state;
    struct sl_stacks stacks;
    assert_true(sl_stacks_init(&stacks));
    sl_stack often = push_all(&stacks, 20, 1);
    sl_stack once = push_all(&stacks, 20, 2);
    for (uint32_t i = 0; i < 100; i++) {
        sl_stacks_push(&stacks, (struct sl_stack_record){.caller = once, .function = 3, .line = i});
    }
    assert_int_equal(push_all(&stacks, 20, 1), often);
    sl_stacks_forget(&stacks);
    assert_int_equal(sl_remembered_held(&stacks.numbers), 21); /* with the empty one */
    uint32_t count = stacks.numbers.count;
    assert_int_equal(push_all(&stacks, 20, 1), often);
    assert_int_equal(stacks.numbers.count, count);
    assert_int_equal(push_all(&stacks, 20, 2), count);
    sl_stacks_destroy(&stacks);
}

static void test_a_situation_is_a_stack_and_a_state(void **state)
{
    (void)state;
    struct sl_situations situations;
    sl_situations_init(&situations);
    const struct sl_situation records[] = {{0, 0}, {1, 0}, {0, 1}, {1, 1}, {1, UINT32_MAX}, {UINT32_MAX - 1, 1}};
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < sizeof records / sizeof records[0]; i++) {
            assert_int_equal(sl_situations_intern(&situations, records[i]), i);
        }
    }
    sl_situations_destroy(&situations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_string_is_kept_once_and_numbers_follow_first_sight),
        cmocka_unit_test(test_valid_utf8_stays_as_it_is),
        cmocka_unit_test(test_each_byte_that_is_no_utf8_is_escaped),
        cmocka_unit_test(test_what_comes_out_of_cleaning_is_clean),
        cmocka_unit_test(test_a_string_that_is_too_long_is_cut_between_characters),
        cmocka_unit_test(test_functions_that_differ_in_anything_are_different),
        cmocka_unit_test(test_a_stack_is_kept_once_and_its_caller_has_a_smaller_number),
        cmocka_unit_test(test_a_recursion_of_a_million_frames_is_pushed_in_no_time),
        cmocka_unit_test(test_what_was_met_keeps_its_number_and_the_rest_is_forgotten),
        cmocka_unit_test(test_stacks_that_come_back_are_kept_with_their_callers),
        cmocka_unit_test(test_a_situation_is_a_stack_and_a_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
