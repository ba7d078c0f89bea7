#include "cli/values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

enum { MINIMUM_NS = 1000 };
static const uint64_t maximum_ns = 10000000000;

static uint64_t time_of(const char *text)
{
    uint64_t time_ns = 0;
    struct sl_error error = {0};
    return sl_value_time("-i", text, MINIMUM_NS, maximum_ns, &time_ns, &error) ? time_ns : 0;
}

static void test_a_time_is_read_in_every_unit(void **state)
{
    (void)state;
    assert_int_equal(time_of("1ms"), 1000000);
    assert_int_equal(time_of("500us"), 500000);
    assert_int_equal(time_of("500\302\265s"), 500000);
    assert_int_equal(time_of("500\316\274s"), 500000);
    assert_int_equal(time_of("0.001"), 1000000);
    assert_int_equal(time_of("1e-3"), 1000000);
    assert_int_equal(time_of(".5s"), 500000000);
    assert_int_equal(time_of("2500ns"), 2500);
    assert_int_equal(time_of("10 ms"), 10000000);
    assert_int_equal(time_of("1us"), 1000);
    assert_int_equal(time_of("10"), 10000000000);
}

static void test_what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",    "ms",    "-1ms",    "+1ms", "1xs",   "1,5ms", "inf",
                                        "nan", "0x1p3", "1ms ",    ".",    "..1",   "1e",    "1e9",
                                        "0",   "10ns",  "10.001s", "1m",   "1.1.1", "1e400", "1 1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint64_t time_ns;
        struct sl_error error = {0};
        if (sl_value_time("-i", wrong[i], MINIMUM_NS, maximum_ns, &time_ns, &error)) {
            fail_msg("'%s' was taken as a time", wrong[i]);
        }
        assert_int_equal(error.kind, SL_ERROR_USAGE);
        assert_memory_equal(error.sentence, "-i ", 3);
    }
}

static void test_the_sentence_names_the_range(void **state)
{
    (void)state;
    uint64_t time_ns;
    struct sl_error error = {0};
    assert_false(sl_value_time("-i", "10ns", MINIMUM_NS, maximum_ns, &time_ns, &error));
    assert_string_equal(error.sentence, "-i takes a time from 1us to 10s, not '10ns'");
}

static void test_a_rate_is_the_time_between_two(void **state)
{
    (void)state;
    uint64_t time_ns = 0;
    assert_true(sl_value_rate("--rate", "1000", MINIMUM_NS, maximum_ns, &time_ns, NULL));
    assert_int_equal(time_ns, 1000000);
    assert_true(sl_value_rate("--rate", "10k", MINIMUM_NS, maximum_ns, &time_ns, NULL));
    assert_int_equal(time_ns, 100000);
    assert_true(sl_value_rate("--rate", "0.5Hz", MINIMUM_NS, maximum_ns, &time_ns, NULL));
    assert_int_equal(time_ns, 2000000000);
    static const char *const wrong[] = {"0", "-1", "2000000", "0.01", "fast", "1ms", "", "10 k"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(sl_value_rate("--rate", wrong[i], MINIMUM_NS, maximum_ns, &time_ns, NULL));
    }
}

static void test_a_share_is_in_percent(void **state)
{
    (void)state;
    double share = -1;
    assert_true(sl_value_share("--threshold", "0", &share, NULL));
    assert_true(share == 0);
    assert_true(sl_value_share("--threshold", "50%", &share, NULL));
    assert_true(share == 0.5);
    assert_false(sl_value_share("--threshold", "101", &share, NULL));
    assert_false(sl_value_share("--threshold", "half", &share, NULL));
    assert_false(sl_value_share("--threshold", "-1", &share, NULL));
}

static void test_a_wrong_choice_is_told_the_right_ones(void **state)
{
    (void)state;
    static const char *const words[] = {"auto", "always", "never", NULL};
    unsigned position = 9;
    struct sl_error error = {0};
    assert_true(sl_value_choice("--color", "never", words, &position, &error));
    assert_int_equal(position, 2);
    assert_false(sl_value_choice("--color", "alwys", words, &position, &error));
    assert_string_equal(error.sentence, "--color takes auto, always or never, not 'alwys': did you mean always?");
    assert_false(sl_value_choice("--color", "blue", words, &position, &error));
    assert_string_equal(error.sentence, "--color takes auto, always or never, not 'blue'");
}

static void test_a_time_is_written_as_it_can_be_read(void **state)
{
    (void)state;
    static const uint64_t times_ns[] = {1000, 1500, 250000, 1000000, 33000000, 1000000000, 10000000000};
    for (size_t i = 0; i < sizeof times_ns / sizeof times_ns[0]; i++) {
        char text[32];
        sl_value_time_text(times_ns[i], text, sizeof text);
        assert_int_equal(time_of(text), times_ns[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_time_is_read_in_every_unit),
        cmocka_unit_test(test_what_is_no_time_is_refused),
        cmocka_unit_test(test_the_sentence_names_the_range),
        cmocka_unit_test(test_a_rate_is_the_time_between_two),
        cmocka_unit_test(test_a_share_is_in_percent),
        cmocka_unit_test(test_a_wrong_choice_is_told_the_right_ones),
        cmocka_unit_test(test_a_time_is_written_as_it_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
