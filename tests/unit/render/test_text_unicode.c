#include "render/text_unicode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CLEAN(text, unicode, expected) check_clean((text), sizeof(text) - 1, (unicode), (expected))

static void check_clean(const char *bytes, size_t size, bool unicode, const char *expected)
{
    struct sl_buffer clean;
    sl_buffer_init(&clean);
    sl_text_clean(&clean, bytes, size, unicode);
    assert_string_equal(clean.bytes != NULL ? clean.bytes : "", expected);
    sl_buffer_destroy(&clean);
}

static void check_fit(const char *text, uint32_t columns, enum sl_text_cut cut, bool unicode, const char *expected)
{
    struct sl_buffer fitted;
    sl_buffer_init(&fitted);
    uint32_t used = sl_text_fit(&fitted, text, strlen(text), columns, cut, unicode);
    const char *got = fitted.bytes != NULL ? fitted.bytes : "";
    assert_string_equal(got, expected);
    assert_int_equal(used, sl_text_columns(got, strlen(got)));
    assert_true(used <= columns);
    sl_buffer_destroy(&fitted);
}

static void a_plain_name_stays_as_it_is(void **state)
{
    (void)state;
    CLEAN("Kitchen.cook", true, "Kitchen.cook");
    CLEAN("Küche.koche", true, "Küche.koche");
    CLEAN("厨房", true, "厨房");
    CLEAN("a\tb", true, "a b");
    CLEAN("", true, "");
}

static void control_characters_and_escape_sequences_are_shown_escaped(void **state)
{
    (void)state;
    CLEAN("a\nb\rc", true, "a\\nb\\rc");
    CLEAN("\033]0;owned\007", true, "\\x1b]0;owned\\x07");
    CLEAN("nul\0byte", true, "nul\\x00byte");
    CLEAN("\x7f", true, "\\x7f");
    CLEAN("\xc2\x9b"
          "31m",
          true, "\\x9b31m");
}

static void what_reorders_or_hides_text_is_shown_escaped(void **state)
{
    (void)state;
    CLEAN("\u202egnp.exe\u202c", true, "\\u202egnp.exe\\u202c");
    CLEAN("\u2066a\u2069\u200f\u061c", true, "\\u2066a\\u2069\\u200f\\u061c");
    CLEAN("a\u200bb\ufeffc\u2028d\u00ade", true, "a\\u200bb\\ufeffc\\u2028d\\xade");
    CLEAN("\U000e0041\u3164", true, "\\U000e0041\\u3164");
}

static void invalid_utf8_is_shown_byte_by_byte(void **state)
{
    (void)state;
    CLEAN("a\xff\xfe", true, "a\\xff\\xfe");
    CLEAN("\xc3", true, "\\xc3");
    CLEAN("\xc0\x80", true, "\\xc0\\x80");                   /* an overlong NUL */
    CLEAN("\xed\xa0\x80", true, "\\xed\\xa0\\x80");          /* a surrogate */
    CLEAN("\xf4\x90\x80\x80", true, "\\xf4\\x90\\x80\\x80"); /* beyond Unicode */
    CLEAN("\xe2\x80", true, "\\xe2\\x80");
}

static void marks_cannot_pile_up_over_other_lines(void **state)
{
    (void)state;
    CLEAN("e\u0301", true, "e\u0301");
    CLEAN("e\u0301\u0301\u0301\u0301\u0301x\u0301", true, "e\u0301\u0301\u0301\u0301\\u0301x\u0301");
    CLEAN("\u0301e", true, "\\u0301e");
    CLEAN("\u2714\ufe0f", true, "\u2714");
}

static void ascii_is_nothing_but_ascii(void **state)
{
    (void)state;
    CLEAN("Küche 厨 \U0001f373", false, "K\\xfcche \\u53a8 \\U0001f373");
    CLEAN("e\u0301", false, "e\\u0301");
}

static void wide_characters_take_two_columns_and_marks_none(void **state)
{
    (void)state;
    assert_int_equal(sl_text_columns("abc", 3), 3);
    assert_int_equal(sl_text_columns("é", 2), 1);
    assert_int_equal(sl_text_columns("e\u0301", 3), 1);
    assert_int_equal(sl_text_columns("厨房", 6), 4);
    assert_int_equal(sl_text_columns("\U0001f373", 4), 2);
    assert_int_equal(sl_text_columns("├─ ⋯ ▸ ↻", strlen("├─ ⋯ ▸ ↻")), 8);
    assert_int_equal(sl_text_columns("\uac00", 3), 2);
    assert_int_equal(sl_text_columns("ｱ", 3), 1); /* half width */
}

static void names_are_cut_in_the_middle_and_paths_at_the_beginning(void **state)
{
    (void)state;
    check_fit("abcdefghij", 10, SL_TEXT_CUT_MIDDLE, true, "abcdefghij");
    check_fit("abcdefghij", 9, SL_TEXT_CUT_MIDDLE, true, "abcd…ghij");
    check_fit("abcdefghij", 6, SL_TEXT_CUT_MIDDLE, true, "abc…ij");
    check_fit("abcdefghij", 6, SL_TEXT_CUT_END, true, "abcde…");
    check_fit("/usr/lib/a.py:12", 8, SL_TEXT_CUT_BEGIN, true, "…a.py:12");
    check_fit("/usr/lib/a.py:12", 9, SL_TEXT_CUT_BEGIN, false, "..a.py:12");
    check_fit("abcdefghij", 6, SL_TEXT_CUT_MIDDLE, false, "ab..ij");
    check_fit("abcdefghij", 1, SL_TEXT_CUT_MIDDLE, true, "…");
    check_fit("abcdefghij", 1, SL_TEXT_CUT_MIDDLE, false, "");
    check_fit("abcdefghij", 0, SL_TEXT_CUT_MIDDLE, true, "");
    check_fit("", 0, SL_TEXT_CUT_MIDDLE, true, "");
}

static void a_cut_never_halves_a_character(void **state)
{
    (void)state;
    check_fit("厨房厨房厨房", 6, SL_TEXT_CUT_END, true, "厨房…");
    check_fit("厨房厨房厨房", 6, SL_TEXT_CUT_BEGIN, true, "…厨房");
    check_fit("厨房厨房厨房", 8, SL_TEXT_CUT_MIDDLE, true, "厨房…房");
    /* A mark stays with what it is drawn over, never with the ellipsis. */
    check_fit("abe\u0301cd", 3, SL_TEXT_CUT_BEGIN, true, "…cd");
    check_fit("abe\u0301cd", 4, SL_TEXT_CUT_BEGIN, true, "…e\u0301cd");
    check_fit("e\u0301abcd", 2, SL_TEXT_CUT_END, true, "e\u0301…");
}

static void of_a_name_of_megabytes_only_the_ends_are_read(void **state)
{
    (void)state;
    size_t size = 4 * 1024 * 1024;
    char *name = malloc(size);
    /* Two-byte characters, so that a cut at any even or odd place is tried. */
    for (size_t shift = 0; shift < 2; shift++) {
        memset(name, 'a', size);
        for (size_t i = shift; i + 1 < size; i += 2) {
            name[i] = '\xc3';
            name[i + 1] = '\xbc';
        }
        struct sl_buffer fitted;
        sl_buffer_init(&fitted);
        assert_int_equal(sl_text_fit(&fitted, name, size, 40, SL_TEXT_CUT_MIDDLE, true), 40);
        assert_null(strstr(fitted.bytes, "\\x"));
        sl_buffer_clear(&fitted);
        /* Also where it would fit, what was left out is told. */
        assert_true(sl_text_fit(&fitted, name, size, UINT32_MAX, SL_TEXT_CUT_MIDDLE, true) < 3000);
        assert_non_null(strstr(fitted.bytes, "…"));
        assert_null(strstr(fitted.bytes, "\\x"));
        sl_buffer_destroy(&fitted);
    }
    free(name);
}

/* Whatever bytes come: no control character, nothing but UTF-8, and the width that was asked for. */
static void random_bytes_never_come_out_harmful(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char bytes[64];
        size_t size = 0;
        size_t wanted = (size_t)(round % 64);
        while (size < wanted) {
            seed = seed * 6364136223846793005U + 1442695040888963407U;
            uint32_t draw = (uint32_t)(seed >> 33);
            bytes[size++] = draw % 3 == 0 ? (char)(draw >> 8) : (char)(0xC0 | ((draw >> 8) & 0x3F));
            if (size < wanted && draw % 3 != 0) {
                bytes[size++] = (char)(0x80 | ((draw >> 16) & 0x3F));
            }
        }
        struct sl_buffer fitted;
        sl_buffer_init(&fitted);
        uint32_t columns = (uint32_t)(round % 37);
        uint32_t used = sl_text_fit(&fitted, bytes, size, columns, (enum sl_text_cut)(round % 3), round % 2 == 0);
        assert_true(used <= columns);
        for (size_t i = 0; i < fitted.size; i++) {
            unsigned char byte = (unsigned char)fitted.bytes[i];
            assert_true(byte >= 0x20 && byte != 0x7F);
            assert_true(round % 2 == 0 || byte < 0x80);
        }
        struct sl_buffer again;
        sl_buffer_init(&again);
        sl_text_clean(&again, fitted.bytes, fitted.size, true);
        if (fitted.size > 0) {
            assert_string_equal(again.bytes, fitted.bytes);
        }
        sl_buffer_destroy(&again);
        sl_buffer_destroy(&fitted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_name_stays_as_it_is),
        cmocka_unit_test(control_characters_and_escape_sequences_are_shown_escaped),
        cmocka_unit_test(what_reorders_or_hides_text_is_shown_escaped),
        cmocka_unit_test(invalid_utf8_is_shown_byte_by_byte),
        cmocka_unit_test(marks_cannot_pile_up_over_other_lines),
        cmocka_unit_test(ascii_is_nothing_but_ascii),
        cmocka_unit_test(wide_characters_take_two_columns_and_marks_none),
        cmocka_unit_test(names_are_cut_in_the_middle_and_paths_at_the_beginning),
        cmocka_unit_test(a_cut_never_halves_a_character),
        cmocka_unit_test(of_a_name_of_megabytes_only_the_ends_are_read),
        cmocka_unit_test(random_bytes_never_come_out_harmful),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
