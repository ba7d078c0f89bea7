#include "text_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_tree_of_calls_is_one_screen(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_render_options options = report_options(fixture);
    assert_string_equal(
        report_without_page(fixture, &options),
        "\n"
        " stacklapse  app.py --port 0                                                    2026-11-22 21:04:17\n"
        " 2.31 s wall · 1.87 s CPU                            Python 3.12.1 · /usr/bin/python3.12 · pid 4711\n"
        " 2,310 samples every 1 ms · shares ± 1 %        0 missed · 0 broken · 3 late · cost 0.2 % of a core\n"
        "\n"
        " 2.310 s 100 %  <module>  app.py:1\n"
        " 1.61     70 %  ├─ Kitchen.cook  app.py:1\n"
        " 1.21     53 %  │  ├─ Stove.scald  kitchen.py:1\n"
        " 1.10     48 %  │  │     ▸ line 15: for i in range(n): x += i  # 15\n"
        " 0.31     13 %  │  ├─ Recipe.load  app.py:1\n"
        " 0.30     13 %  │  │  ├─ loads  json/__init__.py:1  ⋯ 2 frames hidden (json, codecs)\n"
        " 0.18      8 %  │  │  │  ├─ self and hidden frames\n"
        " 0.12      5 %  │  │  │  └─ decode_unit  app.py:1\n"
        "                │  │  │        ▸ line 9\n"
        " 0.012   0.5 %  │  │  └─ self\n"
        " 0.09      4 %  │  └─ self\n"
        " 0.64     28 %  ├─ wait_for_oven  app.py:1\n"
        "                │     ▸ line 25  [sleep]\n"
        " 0.03      1 %  ├─ at_exit  app.py:1\n"
        "                │     ▸ line 92\n"
        " 0.03      1 %  └─ ⋯ 14 more\n"
        "\n"
        " again:  stacklapse view last --show-all\n");
}

static void without_unicode_it_is_the_same_in_ascii(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_render_options options = report_options(fixture);
    options.unicode = false;
    assert_string_equal(
        report_without_page(fixture, &options),
        "\n"
        " stacklapse  app.py --port 0                                                    2026-11-22 21:04:17\n"
        " 2.31 s wall, 1.87 s CPU                               Python 3.12.1, /usr/bin/python3.12, pid 4711\n"
        " 2,310 samples every 1 ms, shares +/- 1 %          0 missed, 0 broken, 3 late, cost 0.2 % of a core\n"
        "\n"
        " 2.310 s 100 %  <module>  app.py:1\n"
        " 1.61     70 %  |- Kitchen.cook  app.py:1\n"
        " 1.21     53 %  |  |- Stove.scald  kitchen.py:1\n"
        " 1.10     48 %  |  |     > line 15: for i in range(n): x += i  # 15\n"
        " 0.31     13 %  |  |- Recipe.load  app.py:1\n"
        " 0.30     13 %  |  |  |- loads  json/__init__.py:1  ... 2 frames hidden (json, codecs)\n"
        " 0.18      8 %  |  |  |  |- self and hidden frames\n"
        " 0.12      5 %  |  |  |  `- decode_unit  app.py:1\n"
        "                |  |  |        > line 9\n"
        " 0.012   0.5 %  |  |  `- self\n"
        " 0.09      4 %  |  `- self\n"
        " 0.64     28 %  |- wait_for_oven  app.py:1\n"
        "                |     > line 25  [sleep]\n"
        " 0.03      1 %  |- at_exit  app.py:1\n"
        "                |     > line 92\n"
        " 0.03      1 %  `- ... 14 more\n"
        "\n"
        " again:  stacklapse view last --show-all\n");
}

static void shares_come_first_when_asked_for(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "<module>:1 a:2", running, 750);
    report_ran(fixture, "<module>:1 b:2", running, 250);
    struct sl_render_options options = report_options(fixture);
    options.percent = true;
    assert_string_equal(report_tree(fixture, &options), " 100 % 1.000 s  <module>  app.py:1\n"
                                                        "  75 % 0.75     ├─ a  app.py:1\n"
                                                        "                │     ▸ line 2\n"
                                                        "  25 % 0.25     └─ b  app.py:1\n"
                                                        "                      ▸ line 2\n");
}

static void a_narrow_terminal_gets_shorter_names(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_render_options options = report_options(fixture);
    options.width = 60;
    assert_string_equal(report_without_page(fixture, &options),
                        "\n"
                        " stacklapse  app.py --port 0            2026-11-22 21:04:17\n"
                        " 2.31 s wall · 1.87 s CPU\n"
                        " Python 3.12.1 · /usr/bin/python3.12 · pid 4711\n"
                        " 2,310 samples every 1 ms · shares ± 1 %\n"
                        " 0 missed · 0 broken · 3 late · cost 0.2 % of a core\n"
                        "\n"
                        " 2.310 s 100 %  <module>  app.py:1\n"
                        " 1.61     70 %  ├─ Kitchen.cook  app.py:1\n"
                        " 1.21     53 %  │  ├─ Stove.scald  kitchen.py:1\n"
                        " 1.10     48 %  │  │     ▸ line 15: for i in range(n): x +=…\n"
                        " 0.31     13 %  │  ├─ Recipe.load  app.py:1\n"
                        " 0.30     13 %  │  │  ├─ loads  json/__init__.py:1  ⋯ 2\n"
                        " 0.18      8 %  │  │  │  ├─ self and hidden frames\n"
                        " 0.12      5 %  │  │  │  └─ decode_unit  app.py:1\n"
                        "                │  │  │        ▸ line 9\n"
                        " 0.012   0.5 %  │  │  └─ self\n"
                        " 0.09      4 %  │  └─ self\n"
                        " 0.64     28 %  ├─ wait_for_oven  app.py:1\n"
                        "                │     ▸ line 25  [sleep]\n"
                        " 0.03      1 %  ├─ at_exit  app.py:1\n"
                        "                │     ▸ line 92\n"
                        " 0.03      1 %  └─ ⋯ 14 more\n"
                        "\n"
                        " again:  stacklapse view last --show-all\n");
}

static void functions_by_self_time_have_their_total_beside_it(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_render_options options = report_options(fixture);
    options.flat = true;
    assert_string_equal(report_tree(fixture, &options),
                        " self            total\n"
                        " 1.21 s   53 %   1.21     53 %  Stove.scald  kitchen.py:1\n"
                        " 0.64     28 %   0.64     28 %  wait_for_oven  app.py:1  [sleep]\n"
                        " 0.12      5 %   0.12      5 %  decode_unit  app.py:1\n"
                        " 0.12      5 %   0.24     10 %  JSONDecoder.decode  json/decoder.py:1\n"
                        " 0.09      4 %   1.61     70 %  Kitchen.cook  app.py:1\n"
                        " 0.06      2 %   0.06      2 %  StreamReader.read  codecs.py:1\n"
                        " 0.03      1 %   0.03      1 %  at_exit  app.py:1\n"
                        " 0.012   0.5 %   0.31     13 %  Recipe.load  app.py:1\n"
                        " 0.03      1 %                  ⋯ 14 more\n");
}

static void functions_by_total_time_have_those_without_time_of_their_own(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "<module>:1 load:2 parse:3", running, 600);
    report_ran(fixture, "<module>:1 parse:3", running, 390);
    report_ran(fixture, "<module>:1 load:2 small:3", running, 10);
    struct sl_render_options options = report_options(fixture);
    options.flat = true;
    options.flat_by_total = true;
    assert_string_equal(report_tree(fixture, &options), " total           self\n"
                                                        " 1.000 s 100 %                  <module>  app.py:1\n"
                                                        " 0.990    99 %   0.990    99 %  parse  app.py:1\n"
                                                        " 0.61     61 %                  load  app.py:1\n"
                                                        " 0.010     1 %   0.010     1 %  small  app.py:1\n");
    options.threshold = 0.7;
    assert_string_equal(report_tree(fixture, &options), " total           self\n"
                                                        " 1.000 s 100 %                  <module>  app.py:1\n"
                                                        " 0.990    99 %   0.990    99 %  parse  app.py:1\n"
                                                        "                                ⋯ 2 more\n");
    options.width = 60;
    assert_string_equal(report_tree(fixture, &options), " total\n"
                                                        " 1.000 s 100 %  <module>  app.py:1\n"
                                                        " 0.990    99 %  parse  app.py:1\n"
                                                        "                ⋯ 2 more\n");
}

static void where_nothing_was_selected_a_table_says_so_as_the_tree_does(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "main:2", SL_STATE_KNOWN | SL_STATE_ON_CPU, 1000);
    struct sl_render_options options = report_options(fixture);
    options.selection.mode = SL_MODE_GIL;
    assert_non_null(strstr(report_text(fixture, &options), " no samples in what was selected\n"));
    options.flat = true;
    assert_non_null(strstr(report_text(fixture, &options), " no samples in what was selected\n"));
    assert_null(strstr(fixture->text, "self"));
    options.flat_by_total = true;
    assert_non_null(strstr(report_text(fixture, &options), " no samples in what was selected\n"));
}

static void a_timeline_has_calls_in_their_order_with_their_start(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "<module>:1 load:2", running, 300);
    report_ran(fixture, "<module>:2 compute:2 inner:7", running, 500);
    report_ran(fixture, "<module>:3 load:2", running, 200);
    report_ran(fixture, "<module>:4 once:2", running, 4);
    report_ran(fixture, "<module>:5 twice:2", running, 4);
    struct sl_render_options options = report_options(fixture);
    options.timeline = true;
    assert_string_equal(report_tree(fixture, &options), " start   time\n"
                                                        " 0.000   1.008 s 100 %  <module>  app.py:1\n"
                                                        " 0.000   0.30     30 %  ├─ load  app.py:1\n"
                                                        "                        │     ▸ line 2\n"
                                                        " 0.300   0.50     50 %  ├─ compute  app.py:1\n"
                                                        " 0.300   0.50     50 %  │  └─ inner  app.py:1\n"
                                                        "                        │        ▸ line 7\n"
                                                        " 0.800   0.20     20 %  ├─ load  app.py:1\n"
                                                        "                        │     ▸ line 2\n"
                                                        "         0.008   0.8 %  └─ ⋯ 2 more\n");
}

static void what_is_below_the_threshold_is_counted_and_shown_when_asked_for(void **state)
{
    struct fixture *fixture = *state;
    report_ran(fixture, "<module>:1 main:2 big:3", running, 990);
    report_ran(fixture, "<module>:1 main:2 small:3", running, 4);
    report_ran(fixture, "<module>:1 main:2 smaller:3", running, 3);
    report_ran(fixture, "other:1", running, 3);
    struct sl_render_options options = report_options(fixture);
    assert_string_equal(report_tree(fixture, &options), " 0.997 s 100 %  <module>  app.py:1\n"
                                                        " 0.997   100 %  └─ main  app.py:1\n"
                                                        " 0.990    99 %     ├─ big  app.py:1\n"
                                                        "                   │     ▸ line 3\n"
                                                        " 0.007   0.7 %     └─ ⋯ 2 more\n"
                                                        " 0.003   0.3 %  ⋯ 1 more\n");
    options.threshold = 0;
    assert_string_equal(report_tree(fixture, &options), " 0.997 s 100 %  <module>  app.py:1\n"
                                                        " 0.997   100 %  └─ main  app.py:1\n"
                                                        " 0.990    99 %     ├─ big  app.py:1\n"
                                                        "                   │     ▸ line 3\n"
                                                        " 0.004   0.4 %     ├─ small  app.py:1\n"
                                                        "                   │     ▸ line 3\n"
                                                        " 0.003   0.3 %     └─ smaller  app.py:1\n"
                                                        "                         ▸ line 3\n"
                                                        " 0.003   0.3 %  other  app.py:1\n");
}

static void the_short_form_has_one_line_above_the_tree(void **state)
{
    struct fixture *fixture = *state;
    builder_facts(fixture->builder)->late = 0;
    builder_facts(fixture->builder)->description = builder_string(fixture->builder, "Block at /app/api.py:14");
    report_ran(fixture, "busy:6", running, 19);
    struct sl_render_options options = report_options(fixture);
    options.short_form = true;
    assert_string_equal(report_text(fixture, &options), " Block at /app/api.py:14 · 19.0 ms · 19 samples\n"
                                                        "\n"
                                                        " 19 ms   100 %  busy  app.py:1\n"
                                                        "                   ▸ line 6\n");
}

/* Without what colours it, the coloured report is the plain one; nothing else is an escape sequence. */
static void colours_are_all_that_colour_adds(void **state)
{
    struct fixture *fixture = *state;
    report_cook(fixture);
    struct sl_render_options options = report_options(fixture);
    char *plain = strdup(report_text(fixture, &options));
    assert_null(strchr(plain, '\033'));
    options.color = true;
    const char *colored = report_text(fixture, &options);
    assert_non_null(strstr(colored, "\033[38;5;196m"));
    assert_non_null(strstr(colored, "\033[1mKitchen.cook"));
    assert_null(strstr(colored, "\033[1mloads"));
    char *stripped = calloc(1, strlen(colored) + 1);
    size_t used = 0;
    for (const char *at = colored; *at != '\0';) {
        if (*at == '\033') {
            assert_int_equal(at[1], '[');
            at += 2 + strspn(at + 2, "0123456789;");
            assert_int_equal(*at++, 'm');
        } else {
            stripped[used++] = *at++;
        }
    }
    assert_string_equal(stripped, plain);
    free(stripped);
    free(plain);
    /* No row leaves a colour on. */
    for (const char *line = colored; *line != '\0'; line = strchr(line, '\n') + 1) {
        size_t size = (size_t)(strchr(line, '\n') - line);
        char *row = strndup(line, size);
        char *last = strrchr(row, '\033');
        assert_true(last == NULL || strncmp(last, "\033[0m", 4) == 0);
        free(row);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, report_set_up, report_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_tree_of_calls_is_one_screen),
        TEST(without_unicode_it_is_the_same_in_ascii),
        TEST(shares_come_first_when_asked_for),
        TEST(a_narrow_terminal_gets_shorter_names),
        TEST(functions_by_self_time_have_their_total_beside_it),
        TEST(functions_by_total_time_have_those_without_time_of_their_own),
        TEST(where_nothing_was_selected_a_table_says_so_as_the_tree_does),
        TEST(a_timeline_has_calls_in_their_order_with_their_start),
        TEST(what_is_below_the_threshold_is_counted_and_shown_when_asked_for),
        TEST(the_short_form_has_one_line_above_the_tree),
        TEST(colours_are_all_that_colour_adds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
