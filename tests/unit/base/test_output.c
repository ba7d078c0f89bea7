#include "base/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[64];
    char file[96];
};

static int make_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    strcpy(folder->path, "/tmp/stacklapse-output-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    snprintf(folder->file, sizeof folder->file, "%s/report.txt", folder->path);
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    unlink(folder->file);
    rmdir(folder->path);
    free(folder);
    return 0;
}

/* Everything in the folder, hidden files too. */
static size_t files_in(const char *path)
{
    size_t count = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(directory);
    return count;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_file_is(const char *path, const char *text)
{
    char content[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    (void)!fread(content, 1, sizeof content - 1, file);
    fclose(file);
    assert_string_equal(content, text);
}

static void test_a_file_appears_whole_and_only_at_the_end(void **state)
{
    struct folder *folder = *state;
    write_file(folder->file, "old");
    struct sl_output output;
    struct sl_error error;
    assert_true(sl_output_file(&output, folder->file, &error));
    for (int i = 0; i < 100000; i++) {
        sl_output_text(&output, "new ");
    }
    assert_file_is(folder->file, "old");
    assert_true(sl_output_close(&output, &error));
    struct stat now;
    assert_int_equal(stat(folder->file, &now), 0);
    assert_int_equal(now.st_size, 400000);
    assert_int_equal(files_in(folder->path), 1);
}

static void test_a_file_that_is_given_up_leaves_the_old_one_and_nothing_beside_it(void **state)
{
    struct folder *folder = *state;
    write_file(folder->file, "old");
    struct sl_output output;
    assert_true(sl_output_file(&output, folder->file, NULL));
    sl_output_text(&output, "new");
    sl_output_abandon(&output);
    assert_file_is(folder->file, "old");
    assert_int_equal(files_in(folder->path), 1);
}

static void test_a_new_file_is_for_its_owner_only_and_an_old_one_keeps_its_mode(void **state)
{
    struct folder *folder = *state;
    struct sl_output output;
    struct stat now;
    assert_true(sl_output_file(&output, folder->file, NULL));
    assert_true(sl_output_close(&output, NULL));
    assert_int_equal(stat(folder->file, &now), 0);
    assert_int_equal(now.st_mode & 0777, 0600);

    assert_int_equal(chmod(folder->file, 0644), 0);
    assert_true(sl_output_file(&output, folder->file, NULL));
    assert_true(sl_output_close(&output, NULL));
    assert_int_equal(stat(folder->file, &now), 0);
    assert_int_equal(now.st_mode & 0777, 0644);
}

static void test_a_folder_that_is_not_there_is_told_by_name(void **state)
{
    (void)state;
    struct sl_output output;
    struct sl_error error = {0};
    assert_false(sl_output_file(&output, "/nonexistent/report.txt", &error));
    assert_int_equal(error.kind, SL_ERROR_SYSTEM);
    assert_non_null(strstr(error.sentence, "/nonexistent/report.txt"));
}

/* What is behind the name of a descriptor is written to where the descriptor is, behind what is there. */
static void assert_written_behind(const char *name, const struct folder *folder, int descriptor)
{
    char path[64];
    snprintf(path, sizeof path, name, descriptor);
    assert_int_equal(sl_output_descriptor_named(path), descriptor);
    struct sl_output output;
    assert_true(sl_output_file(&output, path, NULL));
    sl_output_text(&output, "new ");
    assert_true(sl_output_close(&output, NULL));
    assert_int_equal(files_in(folder->path), 1);
}

static void test_a_name_of_a_descriptor_is_written_to_and_not_replaced(void **state)
{
    struct folder *folder = *state;
    write_file(folder->file, "old ");
    int descriptor = open(folder->file, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(descriptor >= 0);
    assert_written_behind("/dev/fd/%d", folder, descriptor);
    assert_written_behind("/proc/self/fd/%d", folder, descriptor);
    assert_written_behind("/proc/thread-self/fd/%d", folder, descriptor);
    assert_file_is(folder->file, "old new new new ");
    close(descriptor);

    assert_int_equal(sl_output_descriptor_named("/dev/stdout"), 1);
    assert_int_equal(sl_output_descriptor_named("/dev/stderr"), 2);
    assert_int_equal(sl_output_descriptor_named("/proc/1/fd/1"), SL_OUTPUT_DESCRIPTOR_FOREIGN);
    assert_int_equal(sl_output_descriptor_named(folder->file), SL_OUTPUT_DESCRIPTOR_NONE);
    assert_int_equal(sl_output_descriptor_named("1"), SL_OUTPUT_DESCRIPTOR_NONE);
}

static void test_a_full_disk_is_told_once_by_close(void **state)
{
    (void)state;
    struct sl_output output;
    struct sl_error error = {0};
    assert_true(sl_output_file(&output, "/dev/full", &error));
    for (int i = 0; i < 100000; i++) {
        sl_output_format(&output, "%d ", i);
    }
    assert_false(sl_output_close(&output, &error));
    assert_int_equal(error.kind, SL_ERROR_SYSTEM);
}

static void test_memory_holds_all_of_it_however_long_a_piece_is(void **state)
{
    (void)state;
    char *piece = malloc(5001);
    memset(piece, 'p', 5000);
    piece[5000] = '\0';
    struct sl_output output;
    sl_output_memory(&output);
    sl_output_format(&output, "<%s>", piece);
    sl_output_write(&output, "a\0b", 3);
    assert_int_equal(output.pending.size, 5005);
    assert_memory_equal(output.pending.bytes + 5000, "p>a\0b", 6);
    assert_true(sl_output_close(&output, NULL));
    free(piece);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_file_appears_whole_and_only_at_the_end, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_given_up_leaves_the_old_one_and_nothing_beside_it,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_a_new_file_is_for_its_owner_only_and_an_old_one_keeps_its_mode,
                                        make_folder, remove_folder),
        cmocka_unit_test(test_a_folder_that_is_not_there_is_told_by_name),
        cmocka_unit_test_setup_teardown(test_a_name_of_a_descriptor_is_written_to_and_not_replaced, make_folder,
                                        remove_folder),
        cmocka_unit_test(test_a_full_disk_is_told_once_by_close),
        cmocka_unit_test(test_memory_holds_all_of_it_however_long_a_piece_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
