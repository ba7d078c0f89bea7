/* The stem of a recording is what all of its stacks lie above. */
#include "sampler/host_stem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A walk of as many frames as `codes` has letters, the outermost first; `lines` are their lines, of one digit each. */
static void see_one(struct sl_host_stem *stem, const char *codes, const char *lines, size_t outside, size_t shared,
                    bool resuming)
{
    struct sl_frame frames[8] = {0};
    size_t count = strlen(codes);
    for (size_t i = 0; i < count; i++) {
        uint32_t code = codes[i] != '?' ? (uint32_t)codes[i] : SL_CODE_NAMELESS;
        frames[count - 1 - i] = (struct sl_frame){.code = code, .line = (uint32_t)(lines[i] - '0')};
    }
    const struct sl_walk walk = {.frames = frames, .count = count};
    sl_host_stem_see(stem, &walk, outside, shared, resuming);
}

static void see(struct sl_host_stem *stem, const char *codes, const char *lines, size_t outside, size_t shared)
{
    see_one(stem, codes, lines, outside, shared, false);
}

static void test_it_is_what_is_shared_by_all(void **state)
{
    (void)state;
    struct sl_host_stem stem = {0};
    see(&stem, "abcd", "1111", 0, 3);
    assert_int_equal(stem.count, 3);
    see(&stem, "abcef", "11111", 0, 3);
    assert_int_equal(stem.count, 3);
    see(&stem, "xxabcef", "1111111", 2, 3); /* what lies outside of the root has no part in it */
    assert_int_equal(stem.count, 3);
    see(&stem, "abcd", "1121", 0, 3); /* the third went on to another line */
    assert_int_equal(stem.count, 2);
    see(&stem, "abcd", "1111", 0, 3); /* what was left does not come back */
    assert_int_equal(stem.count, 2);
    see(&stem, "ab", "11", 0, 2); /* one is always left */
    assert_int_equal(stem.count, 1);
    see(&stem, "xa", "11", 1, 1);
    assert_int_equal(stem.count, 0);
    see(&stem, "", "", 0, 2);
    see(&stem, "x", "1", 1, 0);
    assert_int_equal(stem.count, 0);
    sl_host_stem_destroy(&stem);
}

static void test_frames_without_names_tell_nothing(void **state)
{
    (void)state;
    struct sl_host_stem stem = {0};
    see(&stem, "a??d", "1001", 0, 3);
    see(&stem, "abcd", "1111", 0, 3);
    assert_int_equal(stem.count, 3);
    see(&stem, "a?cd", "1011", 0, 3);
    assert_int_equal(stem.count, 3);
    see(&stem, "abx?", "1110", 0, 3); /* above the stem they may be */
    assert_int_equal(stem.count, 2);
    sl_host_stem_destroy(&stem);
}

static void test_one_that_was_empty_stays_empty(void **state)
{
    (void)state;
    struct sl_host_stem stem = {0};
    see(&stem, "ab", "11", 0, 0);
    see(&stem, "ab", "11", 0, 1);
    assert_int_equal(stem.count, 0);
    sl_host_stem_destroy(&stem);
}

static void test_frames_that_only_go_back_to_where_they_wait_cut_nothing(void **state)
{
    (void)state;
    struct sl_host_stem stem = {0};
    see_one(&stem, "xab", "111", 1, 2, true); /* nor do they tell what it is */
    assert_false(stem.known);
    see(&stem, "abcde", "11111", 0, 3);
    assert_int_equal(stem.count, 3);
    see_one(&stem, "ab", "11", 0, 2, true);
    assert_int_equal(stem.count, 3);
    see_one(&stem, "ab", "12", 0, 2, true); /* the second went on to another line all the same */
    assert_int_equal(stem.count, 1);
    sl_host_stem_destroy(&stem);
}

static void test_what_a_walk_says_of_its_stem_is_noted(void **state)
{
    (void)state;
    struct sl_host_stem stem = {0};
    struct sl_frame frames[4] = {{.code = 4}, {.code = 3}, {.code = 2}, {.code = 1}};
    const struct sl_walk walk = {.frames = frames, .count = 4};
    const struct sl_stem_share unknown = {.outside = 2};
    const struct sl_stem_share known = {.outside = 1, .shared = 2, .whole = true};
    bool on_stem = true;
    assert_int_equal(sl_host_stem_note(&stem, &walk, &unknown, &on_stem), 2);
    assert_false(on_stem || stem.known);
    assert_int_equal(sl_host_stem_note(&stem, &walk, &known, &on_stem), 1);
    assert_true(on_stem);
    assert_int_equal(stem.count, 2);
    assert_int_equal(stem.frames[0].code, 2);
    sl_host_stem_destroy(&stem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_what_is_shared_by_all),
        cmocka_unit_test(test_frames_without_names_tell_nothing),
        cmocka_unit_test(test_one_that_was_empty_stays_empty),
        cmocka_unit_test(test_frames_that_only_go_back_to_where_they_wait_cut_nothing),
        cmocka_unit_test(test_what_a_walk_says_of_its_stem_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
