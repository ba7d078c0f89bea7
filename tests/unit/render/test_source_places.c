#include "render/source_places.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/profile_builder.h"

/* A process with this root in which these files were seen, one function on top of the other. */
static void add_process(struct builder *builder, uint64_t root, const char *outer, const char *inner)
{
    uint32_t process = builder_process(builder, (struct sl_process_record){.pid = 7, .root = root});
    uint32_t thread = builder_thread(builder, process, "");
    sl_stack caller = builder_stack(builder, 0, builder_function(builder, outer, outer), 1);
    sl_stack stack = builder_stack(builder, caller, builder_function(builder, inner, inner), 2);
    builder_run(builder, thread, stack, 0, 0, 1000000, 1);
}

static int place_of(struct builder *builder, const struct sl_source_root *roots, size_t count, const char *file)
{
    sl_string name = builder_string(builder, file);
    struct sl_arena arena;
    sl_arena_init(&arena);
    const struct sl_render_options options = {.source_roots = roots, .source_root_count = count};
    const int *places = sl_source_places(&arena, builder_profile(builder), &options);
    assert_non_null(places);
    int place = places[name];
    sl_arena_reset(&arena);
    return place;
}

static void test_files_of_processes_that_find_ours_are_ours(void **state)
{
    (void)state;
    struct builder *builder = builder_create();
    add_process(builder, 0, "/app/main.py", "/app/work.py");
    assert_int_equal(place_of(builder, NULL, 0, "/app/main.py"), AT_FDCWD);
    assert_int_equal(place_of(builder, NULL, 0, "/app/work.py"), AT_FDCWD);
    builder_destroy(builder);
}

static void test_files_of_others_are_in_their_root_or_nowhere(void **state)
{
    (void)state;
    struct builder *builder = builder_create();
    add_process(builder, 0, "/app/main.py", "/app/ours.py");
    add_process(builder, 5, "/app/main.py", "/app/theirs.py");
    add_process(builder, 6, "/app/theirs.py", "/app/gone.py");
    const struct sl_source_root roots[] = {{.root = 5, .descriptor = 50}};
    assert_int_equal(place_of(builder, roots, 1, "/app/ours.py"), AT_FDCWD);
    assert_int_equal(place_of(builder, roots, 1, "/app/gone.py"), SL_SOURCE_NOWHERE);
    /* Which of two it is of cannot be told. */
    assert_int_equal(place_of(builder, roots, 1, "/app/main.py"), SL_SOURCE_NOWHERE);
    assert_int_equal(place_of(builder, roots, 1, "/app/theirs.py"), SL_SOURCE_NOWHERE);
    builder_destroy(builder);
}

static void test_processes_with_the_same_root_share_its_files(void **state)
{
    (void)state;
    struct builder *builder = builder_create();
    add_process(builder, 5, "/app/main.py", "/app/one.py");
    add_process(builder, 5, "/app/main.py", "/app/two.py");
    const struct sl_source_root roots[] = {{.root = 5, .descriptor = 50}};
    assert_int_equal(place_of(builder, roots, 1, "/app/main.py"), 50);
    assert_int_equal(place_of(builder, roots, 1, "/app/one.py"), 50);
    assert_int_equal(place_of(builder, NULL, 0, "/app/two.py"), SL_SOURCE_NOWHERE);
    builder_destroy(builder);
}

/* The first byte of what is opened, -1 when it cannot be. */
static int first_byte(int place, const char *path)
{
    int descriptor = sl_source_open(place, path, O_RDONLY);
    if (descriptor < 0) {
        return -1;
    }
    char byte = '\0';
    assert_int_equal(read(descriptor, &byte, 1), 1);
    close(descriptor);
    return byte;
}

static void write_byte(const char *path, char byte)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputc(byte, file);
    fclose(file);
}

static void test_nothing_leads_out_of_a_root(void **state)
{
    (void)state;
    char folder[] = "/tmp/source_places.XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("root", 0700), 0);
    write_byte("root/file.py", 'i');
    write_byte("file.py", 'o');
    char outside[64];
    snprintf(outside, sizeof outside, "%s/file.py", folder);
    assert_int_equal(symlink(outside, "root/absolute.py"), 0);
    assert_int_equal(symlink("../file.py", "root/relative.py"), 0);
    int root = open("root", O_PATH | O_DIRECTORY);
    assert_true(root >= 0);
    assert_int_equal(first_byte(root, "/file.py"), 'i');
    assert_int_equal(first_byte(root, "/../file.py"), 'i');
    assert_int_equal(first_byte(root, "/relative.py"), 'i');
    assert_int_equal(first_byte(root, "/absolute.py"), -1);
    assert_int_equal(first_byte(AT_FDCWD, outside), 'o');
    assert_int_equal(first_byte(SL_SOURCE_NOWHERE, outside), -1);
    close(root);
    const char *files[] = {"root/file.py", "root/absolute.py", "root/relative.py", "file.py"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        unlink(files[i]);
    }
    rmdir("root");
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_processes_that_find_ours_are_ours),
        cmocka_unit_test(test_files_of_others_are_in_their_root_or_nowhere),
        cmocka_unit_test(test_processes_with_the_same_root_share_its_files),
        cmocka_unit_test(test_nothing_leads_out_of_a_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
