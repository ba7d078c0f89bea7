#include "cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

/* The options of a command line whose words are separated by single spaces. */
struct parsed {
    char text[512];
    char *words[64];
    struct sl_options options;
    struct sl_error error;
    bool taken;
};

static void parse(struct parsed *parsed, enum sl_command_set command, const char *line)
{
    memset(parsed, 0, sizeof *parsed);
    strncpy(parsed->text, line, sizeof parsed->text - 1);
    size_t count = 0;
    char *rest = parsed->text;
    for (char *word; *line != '\0' && (word = strsep(&rest, " ")) != NULL;) {
        parsed->words[count++] = word;
    }
    parsed->taken = sl_options_parse(&parsed->options, command, parsed->words, &parsed->error);
}

static void assert_refused(enum sl_command_set command, const char *line, const char *sentence)
{
    struct parsed parsed;
    parse(&parsed, command, line);
    assert_false(parsed.taken);
    assert_int_equal(parsed.error.kind, SL_ERROR_USAGE);
    if (strstr(parsed.error.sentence, sentence) == NULL) {
        fail_msg("'%s' gave: %s", line, parsed.error.sentence);
    }
    sl_options_destroy(&parsed.options);
}

static void assert_program(const char *line, enum sl_program_kind kind, const char *program, const char *first_argument)
{
    struct parsed parsed;
    parse(&parsed, SL_FOR_RUN, line);
    if (!parsed.taken) {
        fail_msg("'%s' gave: %s", line, parsed.error.sentence);
    }
    assert_int_equal(parsed.options.program_kind, kind);
    assert_string_equal(parsed.options.program, program);
    if (first_argument == NULL) {
        assert_null(parsed.options.arguments[0]);
    } else {
        assert_string_equal(parsed.options.arguments[0], first_argument);
    }
    sl_options_destroy(&parsed.options);
}

static void test_what_stands_behind_the_program_is_the_programs(void **state)
{
    (void)state;
    assert_program("app.py", SL_PROGRAM_SCRIPT, "app.py", NULL);
    assert_program("app.py -i 5x --help", SL_PROGRAM_SCRIPT, "app.py", "-i");
    assert_program("-i 1ms app.py --", SL_PROGRAM_SCRIPT, "app.py", "--");
    assert_program("- -q", SL_PROGRAM_SCRIPT, "-", "-q");
    assert_program("-m json.tool --help", SL_PROGRAM_MODULE, "json.tool", "--help");
    assert_program("-mjson.tool", SL_PROGRAM_MODULE, "json.tool", NULL);
    assert_program("-qm json.tool -v", SL_PROGRAM_MODULE, "json.tool", "-v");
    assert_program("-c pass -c", SL_PROGRAM_CODE, "pass", "-c");
    assert_program("-cpass", SL_PROGRAM_CODE, "pass", NULL);
    assert_program("-q -- pytest -x", SL_PROGRAM_COMMAND, "pytest", "-x");
    assert_program("-m --", SL_PROGRAM_MODULE, "--", NULL);
}

static void test_defaults_are_those_of_the_help(void **state)
{
    (void)state;
    struct parsed parsed;
    parse(&parsed, SL_FOR_RUN, "app.py");
    assert_true(parsed.taken);
    assert_int_equal(parsed.options.interval_ns, 1000000);
    assert_false(parsed.options.main_thread_only);
    assert_int_equal(parsed.options.mode, SL_MODE_WALL);
    assert_int_equal(parsed.options.color, SL_COLOR_AUTO);
    assert_null(parsed.options.renderer);
    assert_null(parsed.options.output);
    assert_true(parsed.options.threshold < 0);
    sl_options_destroy(&parsed.options);
}

static void test_every_option_reaches_its_place(void **state)
{
    (void)state;
    struct parsed parsed;
    parse(&parsed, SL_FOR_RUN,
          "--rate 500 --threads main --python 3.12 -o r.json -r json --color never --mode gil --flat "
          "--hide a.* --hide=b --show c --show-all --threshold 2% -q -v x.py");
    assert_true(parsed.taken);
    const struct sl_options *options = &parsed.options;
    assert_int_equal(options->interval_ns, 2000000);
    assert_true(options->main_thread_only);
    assert_string_equal(options->python, "3.12");
    assert_string_equal(options->output, "r.json");
    assert_string_equal(options->renderer, "json");
    assert_int_equal(options->color, SL_COLOR_NEVER);
    assert_int_equal(options->mode, SL_MODE_GIL);
    assert_true(!options->timeline && options->flat && options->show_all && options->quiet && options->verbose);
    assert_int_equal(options->hide.count, 2);
    assert_string_equal(options->hide.globs[0], "a.*");
    assert_string_equal(options->hide.globs[1], "b");
    assert_int_equal(options->show.count, 1);
    assert_true(options->threshold > 0.0199 && options->threshold < 0.0201);
    sl_options_destroy(&parsed.options);
}

static void test_the_last_of_two_counts(void **state)
{
    (void)state;
    struct parsed parsed;
    parse(&parsed, SL_FOR_RUN, "-i 5ms --rate 100 -i 2ms x.py");
    assert_true(parsed.taken);
    assert_int_equal(parsed.options.interval_ns, 2000000);
    sl_options_destroy(&parsed.options);
}

static void test_operands_and_options_of_view_come_in_any_order(void **state)
{
    (void)state;
    struct parsed parsed;
    parse(&parsed, SL_FOR_VIEW, "--flat last -r json -- -x.lapse");
    assert_true(parsed.taken);
    assert_int_equal(parsed.options.operand_count, 2);
    assert_string_equal(parsed.options.operands[0], "last");
    assert_string_equal(parsed.options.operands[1], "-x.lapse");
    assert_string_equal(parsed.options.renderer, "json");
    sl_options_destroy(&parsed.options);
}

static void test_an_option_of_another_sub_command_is_refused(void **state)
{
    (void)state;
    assert_refused(SL_FOR_VIEW, "-i 1ms", "-i is not an option of this sub-command");
    assert_refused(SL_FOR_INFO, "--flat",
                   "--flat is not an option of this sub-command, but of stacklapse script.py, "
                   "attach, view, diff and requests");
    assert_refused(SL_FOR_RUN, "-d 10s x.py",
                   "-d is not an option of a program that is started, but of stacklapse attach");
    assert_refused(SL_FOR_VIEW, "-m json", "there is no option -m");
    assert_refused(SL_FOR_VIEW, "--interval", "needs a value");
}

static void test_what_excludes_each_other_is_refused(void **state)
{
    (void)state;
    assert_refused(SL_FOR_RUN, "--flat --timeline x.py", "--flat and --timeline cannot be had together");
    assert_refused(SL_FOR_RUN, "--flat --timeline -- pytest", "--flat and --timeline cannot be had together");
}

static void test_what_was_likely_meant_is_named(void **state)
{
    (void)state;
    assert_refused(SL_FOR_RUN, "-V", "did you mean --version or -v?");
    assert_refused(SL_FOR_INFO, "-V", "did you mean --version?");
    assert_refused(SL_FOR_RUN, "-Q", "did you mean -q?");
    assert_refused(SL_FOR_RUN, "-t", "--help lists what there is");
    assert_refused(SL_FOR_RUN, "--no-color", "did you mean --color never?");
    assert_refused(SL_FOR_RUN, "--no-source", "did you mean --source none?");
    assert_refused(SL_FOR_RUN, "--no-opne", "did you mean --no-open?");
}

static void test_the_table_is_in_order(void **state)
{
    (void)state;
    for (const struct sl_option *option = sl_option_table; option->name != NULL; option++) {
        assert_non_null(option->set);
        assert_true(option->commands != 0);
        assert_true(option->help[0] >= 'a' && option->help[0] <= 'z');
        assert_true(option->help[strlen(option->help) - 1] != '.');
        assert_true(option->letter != 'm' && option->letter != 'c');
        for (const struct sl_option *other = option + 1; other->name != NULL; other++) {
            assert_string_not_equal(option->name, other->name);
            assert_true(option->letter == 0 || option->letter != other->letter);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_stands_behind_the_program_is_the_programs),
        cmocka_unit_test(test_defaults_are_those_of_the_help),
        cmocka_unit_test(test_every_option_reaches_its_place),
        cmocka_unit_test(test_the_last_of_two_counts),
        cmocka_unit_test(test_operands_and_options_of_view_come_in_any_order),
        cmocka_unit_test(test_an_option_of_another_sub_command_is_refused),
        cmocka_unit_test(test_what_excludes_each_other_is_refused),
        cmocka_unit_test(test_what_was_likely_meant_is_named),
        cmocka_unit_test(test_the_table_is_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
