#include "cli/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static const char *const options[] = {"interval", "rate", "renderer", "threads", "timeline", "show", "show-all", NULL};

static void test_a_misspelt_word_finds_the_right_one(void **state)
{
    (void)state;
    assert_string_equal(sl_nearest("intervall", options), "interval");
    assert_string_equal(sl_nearest("intreval", options), "interval");
    assert_string_equal(sl_nearest("Rate", options), "rate");
    assert_string_equal(sl_nearest("time-line", options), "timeline");
    assert_string_equal(sl_nearest("show_all", options), "show-all");
    assert_string_equal(sl_nearest("shwo", options), "show");
}

static void test_the_beginning_of_one_word_finds_it(void **state)
{
    (void)state;
    assert_string_equal(sl_nearest("int", options), "interval");
    assert_string_equal(sl_nearest("time", options), "timeline");
}

static void test_a_word_that_is_near_none_finds_none(void **state)
{
    (void)state;
    assert_null(sl_nearest("x", options));
    assert_null(sl_nearest("", options));
    assert_null(sl_nearest("frobnicate", options));
    char endless[10000];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(sl_nearest(endless, options));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_misspelt_word_finds_the_right_one),
        cmocka_unit_test(test_the_beginning_of_one_word_finds_it),
        cmocka_unit_test(test_a_word_that_is_near_none_finds_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
