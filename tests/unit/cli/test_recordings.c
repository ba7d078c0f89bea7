#include "cli/recordings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];
static char state_folder[PATH_MAX];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/stacklapse-recordings-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(state_folder, sizeof state_folder, "%s/above/stacklapse", folder);
    char above[PATH_MAX];
    snprintf(above, sizeof above, "%s/above", folder);
    setenv("XDG_STATE_HOME", above, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[PATH_MAX];
    snprintf(command, sizeof command, "/bin/rm -rf %s", folder);
    return system(command);
}

static unsigned count_files(void)
{
    unsigned count = 0;
    DIR *listed = opendir(state_folder);
    for (const struct dirent *entry; listed != NULL && (entry = readdir(listed)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    if (listed != NULL) {
        closedir(listed);
    }
    return count;
}

static struct sl_recording begin(void)
{
    struct sl_recording recording;
    struct sl_error error = {0};
    assert_true(sl_recording_create(&recording, SL_RECORDING_STATE, &error, &error));
    assert_int_equal(recording.place, SL_RECORDING_STATE);
    return recording;
}

/* Finishes the recording so that it ended `number` seconds after the epoch. */
static void finish(struct sl_recording *recording, long number, char path[PATH_MAX])
{
    const struct timespec times[2] = {{number, 0}, {number, 0}};
    assert_int_equal(write(recording->descriptor, "x", 1), 1);
    assert_int_equal(futimens(recording->descriptor, times), 0);
    if (path != NULL) {
        snprintf(path, PATH_MAX, "%s", recording->path);
    }
    sl_recording_close(recording);
}

static void assert_finds(const char *name, const char *path)
{
    struct sl_error error = {0};
    char *found = sl_recordings_find(name, &error);
    if (found == NULL) {
        fail_msg("%s", error.sentence);
    }
    assert_string_equal(found, path);
    free(found);
}

static void assert_finds_none(const char *name, const char *sentence)
{
    struct sl_error error = {0};
    assert_null(sl_recordings_find(name, &error));
    assert_non_null(strstr(error.sentence, sentence));
}

static void test_a_recording_is_the_users_alone(void **state)
{
    (void)state;
    mode_t before = umask(0);
    struct sl_recording recording = begin();
    umask(before);
    struct stat file;
    assert_int_equal(stat(recording.path, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    assert_int_equal(stat(state_folder, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0700);
    sl_recording_discard(&recording);
    assert_int_equal(count_files(), 0);
}

static void test_the_one_that_ended_last_is_the_first(void **state)
{
    (void)state;
    char paths[3][PATH_MAX];
    struct sl_recording long_one = begin();
    struct sl_recording short_one = begin();
    finish(&short_one, 1000, paths[0]);
    finish(&long_one, 2000, paths[1]);
    assert_finds(NULL, paths[1]);
    assert_finds("last", paths[1]);
    assert_finds("1", paths[1]);
    assert_finds("2", paths[0]);
    assert_finds_none("3", "1 (the last) to 2");
    assert_finds_none("0", "1 (the last) to 2");
    assert_finds(paths[0], paths[0]);
    assert_finds_none("nothing.lapse", "nothing.lapse");
}

static void test_no_recording_yet_is_told(void **state)
{
    (void)state;
    assert_finds_none("last", "no recording yet");
}

static void test_the_last_ten_stay_and_those_that_are_being_recorded(void **state)
{
    (void)state;
    struct sl_recording unfinished = begin();
    char unfinished_path[PATH_MAX];
    snprintf(unfinished_path, sizeof unfinished_path, "%s", unfinished.path);
    const struct timespec old[2] = {{1, 0}, {1, 0}};
    assert_int_equal(futimens(unfinished.descriptor, old), 0);
    char paths[15][PATH_MAX];
    for (long i = 0; i < 15; i++) {
        struct sl_recording recording = begin();
        finish(&recording, 1000 + i, paths[i]);
    }
    char other[PATH_MAX + 16];
    snprintf(other, sizeof other, "%s/notes.txt", state_folder);
    close(open(other, O_CREAT | O_WRONLY, 0600));

    sl_recordings_prune();
    assert_int_equal(count_files(), SL_RECORDINGS_KEPT + 2);
    assert_int_equal(access(unfinished_path, F_OK), 0);
    assert_int_equal(access(other, F_OK), 0);
    assert_int_equal(access(paths[4], F_OK), -1);
    assert_int_equal(access(paths[5], F_OK), 0);
    assert_finds("10", paths[5]);
    sl_recording_discard(&unfinished);
}

static void test_without_a_state_folder_there_is_still_a_place(void **state)
{
    (void)state;
    setenv("XDG_STATE_HOME", "/proc/nowhere", 1);
    struct sl_recording recording;
    struct sl_error why = {0};
    assert_true(sl_recording_create(&recording, SL_RECORDING_STATE, &why, NULL));
    assert_int_equal(recording.place, SL_RECORDING_TEMPORARY);
    assert_non_null(strstr(why.sentence, "/proc/nowhere"));
    assert_int_equal(write(recording.descriptor, "trace", 5), 5);

    /* It can be read by its path as long as it is open. */
    int descriptor = open(recording.path, O_RDONLY);
    char bytes[5];
    assert_int_equal(read(descriptor, bytes, 5), 5);
    assert_memory_equal(bytes, "trace", 5);
    close(descriptor);
    sl_recording_close(&recording);

    setenv("TMPDIR", "/proc/nowhere", 1);
    assert_true(sl_recording_create(&recording, SL_RECORDING_STATE, &why, NULL));
    assert_int_equal(recording.place, SL_RECORDING_MEMORY);
    sl_recording_close(&recording);
    unsetenv("TMPDIR");
}

static void test_a_relative_state_folder_is_ignored(void **state)
{
    (void)state;
    setenv("XDG_STATE_HOME", "relative", 1);
    setenv("HOME", folder, 1);
    struct sl_recording recording = begin();
    char expected[PATH_MAX];
    snprintf(expected, sizeof expected, "%s/.local/state/stacklapse/", folder);
    assert_memory_equal(recording.path, expected, strlen(expected));
    sl_recording_discard(&recording);
}

static void test_another_users_home_is_left_alone_by_root(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chown(folder, 12345, 12345), 0);
    struct sl_recording recording;
    struct sl_error why = {0};
    assert_true(sl_recording_create(&recording, SL_RECORDING_STATE, &why, NULL));
    assert_int_equal(recording.place, SL_RECORDING_TEMPORARY);
    assert_non_null(strstr(why.sentence, "another user"));
    assert_int_equal(access(state_folder, F_OK), -1);
    sl_recording_close(&recording);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(test_a_recording_is_the_users_alone),
        IN_A_FOLDER(test_the_one_that_ended_last_is_the_first),
        IN_A_FOLDER(test_no_recording_yet_is_told),
        IN_A_FOLDER(test_the_last_ten_stay_and_those_that_are_being_recorded),
        IN_A_FOLDER(test_without_a_state_folder_there_is_still_a_place),
        IN_A_FOLDER(test_a_relative_state_folder_is_ignored),
        IN_A_FOLDER(test_another_users_home_is_left_alone_by_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
