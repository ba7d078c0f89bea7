#include "render/text_number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint64_t ms = 1000000;
static const uint64_t s = 1000000000;

static void check_time(uint64_t whole_ns, uint64_t looks, uint64_t ns, const char *expected)
{
    struct sl_text_scale scale = sl_text_scale(whole_ns, looks, true);
    char text[SL_TEXT_NUMBER_SIZE];
    sl_text_time(&scale, ns, text);
    assert_string_equal(text, expected);
}

static void check_share(uint64_t looks, uint64_t part, const char *expected)
{
    struct sl_text_scale scale = sl_text_scale(100000, looks, true);
    char text[SL_TEXT_NUMBER_SIZE];
    sl_text_share(&scale, part, text);
    assert_string_equal(text, expected);
}

static void check_duration(uint64_t ns, const char *expected)
{
    char text[SL_TEXT_NUMBER_SIZE];
    sl_text_duration(ns, true, text);
    assert_string_equal(text, expected);
}

/* The standard error of half of 2310 looks in 2.31 s is 24 ms, of 1 % of them 5 ms. */
static void a_time_has_as_many_digits_as_its_samples_allow(void **state)
{
    (void)state;
    check_time(2310 * ms, 2310, 2310 * ms, "2.310"); /* everything is no estimate */
    check_time(2310 * ms, 2310, 1612 * ms, "1.61");
    check_time(2310 * ms, 2310, 23 * ms, "0.023");
    check_time(2310 * ms, 23, 1612 * ms, "1.6");
    check_time(2310 * ms, 231000, 1612 * ms, "1.612");
    check_time(2310 * ms, 231000, 23 * ms, "0.0230");
    check_time(4000 * s, 4000000, 2000 * s, "2,000");
    check_time(2310 * ms, 0, 1612 * ms, "2");
}

static void a_short_recording_is_told_in_milliseconds_or_microseconds(void **state)
{
    (void)state;
    assert_string_equal(sl_text_scale(2 * s, 2000, true).unit, "s");
    assert_string_equal(sl_text_scale(300 * ms, 300, true).unit, "ms");
    assert_string_equal(sl_text_scale(300000, 30, true).unit, "µs");
    assert_string_equal(sl_text_scale(300000, 30, false).unit, "us");
    check_time(300 * ms, 300, 150 * ms, "150");
    check_time(300 * ms, 300, 3 * ms, "3");
    check_time(0, 0, 0, "0.000");
}

static void a_share_has_a_decimal_where_it_means_something(void **state)
{
    (void)state;
    check_share(2310, 70400, "70");
    check_share(2310, 100000, "100");
    check_share(2310, 640, "0.6");
    check_share(2310, 949, "0.9");
    check_share(2310, 960, "1");
    check_share(2310, 0, "0");
    check_share(100000, 70400, "70.4");
    check_share(100000, 0, "0.0");
    check_share(2310, 3200000, "3,200");
}

static void a_duration_has_three_digits_and_a_fitting_unit(void **state)
{
    (void)state;
    check_duration(0, "0 s");
    check_duration(999, "999 ns");
    check_duration(3 * ms, "3.00 ms");
    check_duration(350000, "350 µs");
    check_duration(2310 * ms, "2.31 s");
    check_duration(23100 * ms, "23.1 s");
    check_duration(192 * s, "3 min 12 s");
    check_duration(3599 * s + 900 * ms, "60 min 0 s");
    check_duration(7500 * s, "2 h 5 min");
}

static void an_interval_is_told_exactly(void **state)
{
    (void)state;
    char text[SL_TEXT_NUMBER_SIZE];
    sl_text_interval(1 * ms, true, text);
    assert_string_equal(text, "1 ms");
    sl_text_interval(2500000, true, text);
    assert_string_equal(text, "2.5 ms");
    sl_text_interval(500000, true, text);
    assert_string_equal(text, "500 µs");
    sl_text_interval(12500, false, text);
    assert_string_equal(text, "12.5 us");
    sl_text_interval(10 * s, true, text);
    assert_string_equal(text, "10 s");
}

static void a_count_has_commas(void **state)
{
    (void)state;
    char text[SL_TEXT_NUMBER_SIZE];
    sl_text_count(0, text);
    assert_string_equal(text, "0");
    sl_text_count(999, text);
    assert_string_equal(text, "999");
    sl_text_count(2310, text);
    assert_string_equal(text, "2,310");
    sl_text_count(UINT64_MAX, text);
    assert_string_equal(text, "18,446,744,073,709,551,615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_has_as_many_digits_as_its_samples_allow),
        cmocka_unit_test(a_short_recording_is_told_in_milliseconds_or_microseconds),
        cmocka_unit_test(a_share_has_a_decimal_where_it_means_something),
        cmocka_unit_test(a_duration_has_three_digits_and_a_fitting_unit),
        cmocka_unit_test(an_interval_is_told_exactly),
        cmocka_unit_test(a_count_has_commas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
