#include "render/page_source.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "support/profile_builder.h"

struct fixture {
    char folder[64];
    char path[128];
    struct builder *builder;
    char pieces[4096]; /* what the page holds, inflated */
    size_t size;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    strcpy(fixture->folder, "/tmp/page_source.XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->path, sizeof fixture->path, "%s/file.py", fixture->folder);
    fixture->builder = builder_create();
    builder_facts(fixture->builder)->start_time_ns = UINT64_C(10000000000000000000);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    builder_destroy(fixture->builder);
    unlink(fixture->path);
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static int value_of(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = strchr(digits, digit);
    return digit != '\0' && found != NULL ? (int)(found - digits) : 0;
}

static void unpack(struct fixture *fixture, const struct sl_buffer *base64)
{
    unsigned char bytes[4096];
    size_t size = 0;
    for (size_t i = 0; i + 4 <= base64->size && size + 3 <= sizeof bytes; i += 4) {
        unsigned group = 0;
        for (size_t digit = 0; digit < 4; digit++) {
            group = group << 6 | (unsigned)value_of(((const char *)base64->bytes)[i + digit]);
        }
        bytes[size++] = (unsigned char)(group >> 16);
        bytes[size++] = (unsigned char)(group >> 8);
        bytes[size++] = (unsigned char)group;
    }
    z_stream stream = {.next_in = bytes,
                       .avail_in = (unsigned)size,
                       .next_out = (unsigned char *)fixture->pieces,
                       .avail_out = sizeof fixture->pieces};
    assert_int_equal(inflateInit2(&stream, -MAX_WBITS), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    fixture->size = stream.total_out;
    inflateEnd(&stream);
}

/* Writes the file, and the source of a page of which `f`, which begins in its first line, was seen in line `line`. */
static void write_page(struct fixture *fixture, const char *text, uint32_t line)
{
    FILE *file = fopen(fixture->path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    struct builder *builder = fixture->builder;
    sl_stack stack = builder_stack(builder, 0, builder_function(builder, "f", fixture->path), line);
    builder_run(builder, builder_thread(builder, 0, ""), stack, 0, 0, 1000000, 1);
    const struct sl_profile *profile = builder_profile(builder);
    const struct sl_render_options options = sl_render_defaults(profile);
    struct sl_arena arena;
    sl_arena_init(&arena);
    uint32_t count = 0;
    const struct sl_function_total *totals = sl_function_totals(&arena, NULL, profile, &options.selection, &count);
    struct sl_output output;
    sl_output_memory(&output);
    struct sl_error error = {0};
    assert_true(sl_page_source_write(profile, &options, totals, count, &output, &error));
    fixture->size = 0;
    if (output.pending.size > 0) {
        unpack(fixture, &output.pending);
    }
    sl_output_close(&output, NULL);
    sl_arena_reset(&arena);
}

/* The page holds one piece, from this line on. */
static void check_piece(const struct fixture *fixture, uint32_t first, const char *text)
{
    size_t size = strlen(text);
    assert_true(size < 128);
    assert_int_equal(fixture->size, 3 + size);
    assert_int_equal(fixture->pieces[1], first);
    assert_int_equal(fixture->pieces[2], size);
    assert_memory_equal(fixture->pieces + 3, text, size);
}

static void a_function_is_there_with_lines_around_it(void **state)
{
    struct fixture *fixture = *state;
    write_page(fixture, "def f():\n  1\n  2\n\n  4\ndef g():\n  6\n  7\n", 2);
    check_piece(fixture, 1, "def f():\n  1\n  2\n\n  4\ndef g():\n  6\n");
}

static void a_decorator_is_not_all_of_its_function(void **state)
{
    struct fixture *fixture = *state;
    write_page(fixture, "\t@cached\n\tdef f():\n\t\t2\n\t\t3\n\t\t4\n\t\t5\n\t\t6\n", 3);
    check_piece(fixture, 1, "\t@cached\n\tdef f():\n\t\t2\n\t\t3\n\t\t4\n\t\t5\n\t\t6\n");
}

/* A tab counts as eight columns, and there are fewer bytes. */
static void a_line_may_be_shorter_than_it_is_indented(void **state)
{
    struct fixture *fixture = *state;
    write_page(fixture, "\t\t\t\t\tf", 1);
    check_piece(fixture, 1, "\t\t\t\t\tf");
}

static void all_line_ends_are_alike_and_text_is_utf8(void **state)
{
    struct fixture *fixture = *state;
    write_page(fixture, "# coding: latin1\rdef f():\r\n  '\xe4'\r", 3);
    check_piece(fixture, 1, "# coding: latin1\ndef f():\n  '\xc3\xa4'\n");
}

static void what_is_not_to_be_had_is_left_out(void **state)
{
    struct fixture *fixture = *state;
    write_page(fixture, "", 1);
    assert_int_equal(fixture->size, 0);
    write_page(fixture, "x\n", 0);
    check_piece(fixture, 1, "x\n");
    builder_facts(fixture->builder)->start_time_ns = 1;
    write_page(fixture, "x\n", 1);
    assert_int_equal(fixture->size, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_function_is_there_with_lines_around_it),  TEST(a_decorator_is_not_all_of_its_function),
        TEST(a_line_may_be_shorter_than_it_is_indented), TEST(all_line_ends_are_alike_and_text_is_utf8),
        TEST(what_is_not_to_be_had_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
