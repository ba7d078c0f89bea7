#include "render/source_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
    char path[128];
    struct sl_source_file file;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    strcpy(fixture->folder, "/tmp/source_file.XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof fixture->path, "%s/file.py", fixture->folder);
    fixture->file = (struct sl_source_file){.path = fixture->path, .place = AT_FDCWD, .size_max = 10000};
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->path);
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static void write_bytes(const struct fixture *fixture, const char *text, size_t size)
{
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    fclose(file);
}

static bool is_had(const struct sl_source_file *file)
{
    struct sl_source_lines lines;
    bool had = sl_source_read(file, &lines);
    assert_int_equal(had, lines.text != NULL);
    assert_int_equal(had, lines.count > 0);
    sl_source_forget(&lines);
    return had;
}

static void check_text(const struct fixture *fixture, const char *expected, size_t size)
{
    struct sl_source_lines lines;
    assert_true(sl_source_read(&fixture->file, &lines));
    assert_int_equal(lines.size, size);
    assert_memory_equal(lines.text, expected, size);
    sl_source_forget(&lines);
    assert_null(lines.text);
}

static void becomes(const struct fixture *fixture, const char *text, const char *expected)
{
    write_bytes(fixture, text, strlen(text));
    check_text(fixture, expected, strlen(expected));
}

static void stays(const struct fixture *fixture, const char *text)
{
    becomes(fixture, text, text);
}

static void lines_are_counted_as_python_counts_them(void **state)
{
    struct fixture *fixture = *state;
    static const char text[] = "one\n\rtwo\r\n\r\nsix\0x\rseven";
    static const uint32_t starts[] = {0, 4, 5, 9, 10, 16, 21};
    write_bytes(fixture, text, sizeof text - 1);
    struct sl_source_lines lines;
    assert_true(sl_source_read(&fixture->file, &lines));
    assert_int_equal(lines.count, 6);
    assert_memory_equal(lines.starts, starts, sizeof starts);
    assert_memory_equal(lines.text, "one\n\ntwo\n\nsix\0x\nseven", 21);
    sl_source_forget(&lines);
    write_bytes(fixture, "x\r", 2);
    assert_true(sl_source_read(&fixture->file, &lines));
    assert_int_equal(lines.count, 1);
    assert_memory_equal(lines.text, "x\n", 2);
    sl_source_forget(&lines);
}

static void text_in_another_coding_becomes_utf8(void **state)
{
    const struct fixture *fixture = *state;
    becomes(fixture, "# coding: latin-1\nx = '\xe4'\n", "# coding: latin-1\nx = '\xc3\xa4'\n");
    becomes(fixture, "# -*- coding: ISO-8859-15 -*-\n'\xa4'", "# -*- coding: ISO-8859-15 -*-\n'\xe2\x82\xac'");
    becomes(fixture, "#!/usr/bin/python\r\n\f #vim: fileencoding=cp1252 :\n'\x80'",
            "#!/usr/bin/python\n\f #vim: fileencoding=cp1252 :\n'\xe2\x82\xac'");
    becomes(fixture, "\n#coding=\tKOI8_R\n'\xc1'", "\n#coding=\tKOI8_R\n'\xd0\xb0'");
    becomes(fixture, "# coding :x coding:shift_jis\n'\x83\x5c'", "# coding :x coding:shift_jis\n'\xe3\x82\xbd'");
    becomes(fixture, "# coding: cp1258\nabcdef", "# coding: cp1258\nabcdef");
    becomes(fixture, "# coding: cp1255\n'\xe0", "# coding: cp1255\n'\xd7\x90");
    becomes(fixture, "# coding: gb18030\n'\x81\x30\x81\x30'", "# coding: gb18030\n'\xc2\x80'");
}

static void text_whose_coding_is_unknown_or_wrong_stays(void **state)
{
    const struct fixture *fixture = *state;
    stays(fixture, "x = '\xe4'\n");
    stays(fixture, "# coding: utf-8\n'\xc3\xa4'\n");
    stays(fixture, "# coding: no-such-coding-that-anybody-has\n'\xe4'\n");
    stays(fixture, "# coding: utf-16\nab\n");
    stays(fixture, "# coding: ../../tmp/evil\n'\xe4'");
    stays(fixture, "# coding: latin1x//TRANSLIT\n'\xe4'");
    stays(fixture, "# coding:\n'\xe4'");
    stays(fixture, "# coding");
    stays(fixture, "#");
    stays(fixture, "# coding: shift_jis\n'\x83'"); /* half a character */
    stays(fixture, "# coding: shift_jis\n'\xfd'");
    stays(fixture, "coding = 'x' # coding: latin1 \xe4");
    stays(fixture, "x = 1\n# coding: latin1\n'\xe4'");
    stays(fixture, "\n\n# coding: latin1\n'\xe4'");
}

static void a_byte_order_mark_is_no_text(void **state)
{
    struct fixture *fixture = *state;
    becomes(fixture, "\xef\xbb\xbfx = '\xc3\xa4'", "x = '\xc3\xa4'");
    write_bytes(fixture, "\xef\xbb\xbf", 3);
    assert_false(is_had(&fixture->file));
}

static void what_is_no_regular_file_is_never_opened(void **state)
{
    struct fixture *fixture = *state;
    static const char *const paths[] = {"/dev/zero", "/dev/tty", "/proc/kmsg", "/tmp"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        fixture->file.path = paths[i];
        assert_false(is_had(&fixture->file));
    }
    /* A FIFO without a writer would keep an open waiting for ever. */
    fixture->file.path = fixture->path;
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_false(is_had(&fixture->file));
}

static void what_is_not_there_is_empty_or_too_large_is_not_to_be_had(void **state)
{
    struct fixture *fixture = *state;
    assert_false(is_had(&fixture->file));
    write_bytes(fixture, "", 0);
    assert_false(is_had(&fixture->file));
    write_bytes(fixture, "1234567", 7);
    fixture->file.size_max = 6;
    assert_false(is_had(&fixture->file));
    fixture->file.size_max = 7;
    assert_true(is_had(&fixture->file));
    fixture->file.path = "meson.build";
    assert_false(is_had(&fixture->file));
    fixture->file.path = "";
    assert_false(is_had(&fixture->file));
}

static void a_file_changed_later_is_not_to_be_had(void **state)
{
    struct fixture *fixture = *state;
    write_bytes(fixture, "text", 4);
    const struct timespec times[2] = {{.tv_sec = 1000, .tv_nsec = 500}, {.tv_sec = 1000, .tv_nsec = 500}};
    assert_int_equal(utimensat(AT_FDCWD, fixture->path, times, 0), 0);
    fixture->file.newest_ns = 1000000000499;
    assert_false(is_had(&fixture->file));
    fixture->file.newest_ns = 1000000000500;
    assert_true(is_had(&fixture->file));
}

static void a_secret_of_somebody_else_is_not_harmless(void **state)
{
    struct fixture *fixture = *state;
    if (geteuid() != 0) {
        skip();
    }
    write_bytes(fixture, "text", 4);
    fixture->file.harmless = true;
    assert_int_equal(chmod(fixture->path, 0600), 0);
    assert_true(is_had(&fixture->file));
    assert_int_equal(chown(fixture->path, 12345, 12345), 0);
    assert_false(is_had(&fixture->file));
    fixture->file.harmless = false;
    assert_true(is_had(&fixture->file));
    fixture->file.harmless = true;
    assert_int_equal(chmod(fixture->path, 0604), 0);
    assert_true(is_had(&fixture->file));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_are_counted_as_python_counts_them),
        TEST(text_in_another_coding_becomes_utf8),
        TEST(text_whose_coding_is_unknown_or_wrong_stays),
        TEST(a_byte_order_mark_is_no_text),
        TEST(what_is_no_regular_file_is_never_opened),
        TEST(what_is_not_there_is_empty_or_too_large_is_not_to_be_had),
        TEST(a_file_changed_later_is_not_to_be_had),
        TEST(a_secret_of_somebody_else_is_not_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
