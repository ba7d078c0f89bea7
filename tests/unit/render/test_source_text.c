#include "render/source_text.h"

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
    struct sl_source_text *source;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    strcpy(fixture->folder, "/tmp/source_text.XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof fixture->path, "%s/file.py", fixture->folder);
    fixture->source = sl_source_text_create();
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    sl_source_text_destroy(fixture->source);
    unlink(fixture->path);
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static void write_file(const struct fixture *fixture, const char *text, size_t size)
{
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    fclose(file);
}

static bool line_of(struct sl_source_text *source, const char *path, uint32_t line, const char **text, size_t *size)
{
    return sl_source_text_line(source, &(struct sl_source_file){.path = path, .place = AT_FDCWD}, line, text, size);
}

static void check_line(struct fixture *fixture, uint32_t line, const char *expected)
{
    const char *text = NULL;
    size_t size = 0;
    bool found = line_of(fixture->source, fixture->path, line, &text, &size);
    assert_int_equal(found, expected != NULL);
    if (found && expected != NULL) {
        assert_int_equal(size, strlen(expected));
        assert_memory_equal(text, expected, size);
    }
}

static void a_line_comes_without_white_space_at_its_ends(void **state)
{
    struct fixture *fixture = *state;
    const char text[] = "one\n  two \t\r\nthree\rfour\n\nsix\0x\nseven";
    write_file(fixture, text, sizeof text - 1);
    check_line(fixture, 0, NULL);
    check_line(fixture, 1, "one");
    check_line(fixture, 2, "two");
    check_line(fixture, 3, "three");
    check_line(fixture, 4, "four");
    check_line(fixture, 5, NULL);
    check_line(fixture, 7, "seven");
    check_line(fixture, 8, NULL);
    check_line(fixture, UINT32_MAX, NULL);
}

static void a_file_is_read_once(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "before", 6);
    check_line(fixture, 1, "before");
    write_file(fixture, "after", 5);
    check_line(fixture, 1, "before");
}

static void a_path_that_is_not_absolute_or_not_there_gives_nothing(void **state)
{
    struct fixture *fixture = *state;
    const char *text = NULL;
    size_t size = 0;
    assert_false(line_of(fixture->source, "meson.build", 1, &text, &size));
    assert_false(line_of(fixture->source, "<string>", 1, &text, &size));
    assert_false(line_of(fixture->source, "", 1, &text, &size));
    assert_false(line_of(fixture->source, fixture->path, 1, &text, &size));
    assert_false(line_of(NULL, fixture->path, 1, &text, &size));
}

static void a_huge_file_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "x\n", 2);
    assert_int_equal(truncate(fixture->path, SL_SOURCE_FILE_MAX + 1), 0);
    check_line(fixture, 1, NULL);
}

static void no_more_than_so_many_files_are_read(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "text", 4);
    char path[256];
    for (int i = 0; i < SL_SOURCE_FILES_MAX; i++) {
        const char *text = NULL;
        size_t size = 0;
        snprintf(path, sizeof path, "%s/missing%d.py", fixture->folder, i);
        assert_false(line_of(fixture->source, path, 1, &text, &size));
    }
    check_line(fixture, 1, NULL);
}

static void a_text_that_is_at_hand_goes_before_a_file(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "read", 4);
    const struct sl_source_file cells[] = {{.path = fixture->path, .text = "given\r  more\n", .place = AT_FDCWD},
                                           {.path = "<input>", .text = "nowhere", .place = AT_FDCWD}};
    const char *text = NULL;
    size_t size = 0;
    assert_true(sl_source_text_line(fixture->source, &cells[0], 2, &text, &size));
    assert_int_equal(size, 4);
    assert_memory_equal(text, "more", size);
    check_line(fixture, 1, "given");
    assert_true(sl_source_text_line(fixture->source, &cells[1], 1, &text, &size));
    assert_memory_equal(text, "nowhere", size);
    assert_false(line_of(fixture->source, "<output>", 1, &text, &size));
    assert_false(sl_source_text_line(NULL, &cells[1], 1, &text, &size));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_comes_without_white_space_at_its_ends),
        TEST(a_file_is_read_once),
        TEST(a_path_that_is_not_absolute_or_not_there_gives_nothing),
        TEST(a_huge_file_is_left_out),
        TEST(no_more_than_so_many_files_are_read),
        TEST(a_text_that_is_at_hand_goes_before_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
