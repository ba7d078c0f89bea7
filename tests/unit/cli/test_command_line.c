#include "cli/command_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void assert_quoted(const char *word, const char *expected)
{
    struct sl_buffer line;
    sl_buffer_init(&line);
    sl_command_line_word(&line, word);
    assert_string_equal(line.bytes, expected);
    sl_buffer_destroy(&line);
}

static void test_what_needs_no_quotes_has_none(void **state)
{
    (void)state;
    assert_quoted("app.py", "app.py");
    assert_quoted("--port=80", "--port=80");
    assert_quoted("/srv/\303\274/a_b-c,d:e@f%g+h", "/srv/\303\274/a_b-c,d:e@f%g+h");
}

static void test_what_a_shell_would_read_otherwise_is_quoted(void **state)
{
    (void)state;
    assert_quoted("", "''");
    assert_quoted("two words", "'two words'");
    assert_quoted("it's", "'it'\\''s'");
    assert_quoted("$HOME `id` \"x\"", "'$HOME `id` \"x\"'");
    assert_quoted("~/a", "'~/a'");
    assert_quoted("a*", "'a*'");
}

static void test_control_characters_do_not_reach_the_terminal(void **state)
{
    (void)state;
    assert_quoted("a\nb", "$'a\\nb'");
    assert_quoted("\033[2J'\\", "$'\\x1b[2J\\'\\\\'");
}

static void test_a_shell_reads_back_every_word(void **state)
{
    (void)state;
    char every[256];
    for (int i = 1; i < 256; i++) {
        every[i - 1] = (char)i;
    }
    every[255] = '\0';
    const char *words[] = {"plain", "two words", "it's \"it\"", "\\", "!x", every, "\001f"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char path[] = "/tmp/stacklapse-test-XXXXXX";
        int descriptor = mkstemp(path);
        assert_true(descriptor >= 0);
        struct sl_buffer script;
        sl_buffer_init(&script);
        sl_buffer_text(&script, "printf %s ");
        sl_command_line_word(&script, words[i]);
        assert_int_equal(write(descriptor, script.bytes, script.size), script.size);
        close(descriptor);

        /* bash, because not every sh knows $''. */
        sl_buffer_clear(&script);
        sl_buffer_format(&script, "bash %s", path);
        FILE *shell = popen(script.bytes, "r");
        assert_non_null(shell);
        char read_back[1024];
        size_t size = fread(read_back, 1, sizeof read_back - 1, shell);
        read_back[size] = '\0';
        assert_int_equal(pclose(shell), 0);
        assert_string_equal(read_back, words[i]);
        sl_buffer_destroy(&script);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_needs_no_quotes_has_none),
        cmocka_unit_test(test_what_a_shell_would_read_otherwise_is_quoted),
        cmocka_unit_test(test_control_characters_do_not_reach_the_terminal),
        cmocka_unit_test(test_a_shell_reads_back_every_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
