#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static void test_a_sentence_is_made_of_its_parts_and_false_returned(void **state)
{
    (void)state;
    struct sl_error error = {0};
    assert_false(sl_error_set(&error, SL_ERROR_FORMAT, "%s is no %s", "x.txt", "recording"));
    assert_int_equal(error.kind, SL_ERROR_FORMAT);
    assert_string_equal(error.sentence, "x.txt is no recording");
}

static void test_a_sentence_that_is_too_long_is_cut(void **state)
{
    (void)state;
    char name[2000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct sl_error error;
    sl_error_set(&error, SL_ERROR_USAGE, "no such file: %s", name);
    assert_int_equal(strlen(error.sentence), sizeof error.sentence - 1);
    sl_error_system(&error, ENOENT, "%s", name);
    assert_true(strlen(error.sentence) < sizeof error.sentence);
}

static void test_what_the_system_said_tells_the_kind(void **state)
{
    (void)state;
    static const struct {
        int number;
        enum sl_error_kind kind;
    } cases[] = {
        {EPERM, SL_ERROR_PERMISSION}, {EACCES, SL_ERROR_PERMISSION}, {ESRCH, SL_ERROR_GONE}, {ENOSPC, SL_ERROR_SYSTEM}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sl_error error = {0};
        assert_false(sl_error_system(&error, cases[i].number, "cannot read process %d", 7));
        assert_int_equal(error.kind, cases[i].kind);
        assert_int_equal(error.error_number, cases[i].number);
        assert_non_null(strstr(error.sentence, "cannot read process 7: "));
        assert_non_null(strstr(error.sentence, strerror(cases[i].number)));
    }
}

static void test_a_number_of_the_system_is_not_left_from_before(void **state)
{
    (void)state;
    struct sl_error error = {0};
    assert_false(sl_error_memory(&error));
    assert_int_equal(error.error_number, ENOMEM);
    assert_false(sl_error_set(&error, SL_ERROR_FORMAT, "no recording"));
    assert_int_equal(error.error_number, 0);
}

static void test_nobody_has_to_listen(void **state)
{
    (void)state;
    assert_false(sl_error_set(NULL, SL_ERROR_GONE, "gone"));
    assert_false(sl_error_system(NULL, EIO, "gone"));
    assert_false(sl_error_memory(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sentence_is_made_of_its_parts_and_false_returned),
        cmocka_unit_test(test_a_sentence_that_is_too_long_is_cut),
        cmocka_unit_test(test_what_the_system_said_tells_the_kind),
        cmocka_unit_test(test_a_number_of_the_system_is_not_left_from_before),
        cmocka_unit_test(test_nobody_has_to_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
