#include "cli/recordings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char extension[] = ".lapse";

/* The folder's path, whether it exists or not. */
static bool folder_path(char *folder, size_t size, struct sl_error *error)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int length = -1;
    if (state != NULL && *state == '/') { /* relative ones are to be ignored, says the XDG specification */
        length = snprintf(folder, size, "%s/stacklapse", state);
    } else if (home != NULL && *home == '/') {
        length = snprintf(folder, size, "%s/.local/state/stacklapse", home);
    } else {
        return sl_error_set(error, SL_ERROR_SYSTEM, "HOME is not set");
    }
    return (length > 0 && (size_t)length < size) ||
           sl_error_set(error, SL_ERROR_SYSTEM, "the path of the state folder is too long");
}

/* As root with another user's HOME (sudo -E) we would leave files there that this user cannot remove. */
static bool is_ours(const char *path)
{
    struct stat file;
    return geteuid() != 0 || (stat(path, &file) == 0 && file.st_uid == 0);
}

bool sl_recordings_make_folder(char *folder, struct sl_error *error)
{
    for (char *slash = folder;;) {
        slash = strchr(slash + 1, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        bool made = mkdir(folder, 0700) == 0;
        int error_number = errno;
        if (!made && error_number != EEXIST && access(folder, X_OK) != 0) {
            return sl_error_system(error, error_number, "cannot make %s", folder);
        }
        if (slash == NULL) {
            break;
        }
        *slash = '/';
    }
    return true;
}

/* The nearest folder above that exists must be ours too, before anything is made in it. */
static bool may_make_folder(const char *folder)
{
    char above[PATH_MAX];
    snprintf(above, sizeof above, "%s", folder);
    while (access(above, F_OK) != 0) {
        char *slash = strrchr(above, '/');
        if (slash == NULL || slash == above) {
            return true;
        }
        *slash = '\0';
    }
    return is_ours(above);
}

bool sl_recording_create_in(struct sl_recording *recording, const char *folder, struct sl_error *error)
{
    *recording = (struct sl_recording){.descriptor = -1, .place = SL_RECORDING_NOWHERE};
    struct timespec now;
    struct tm date = {0};
    char second[64];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &date);
    /* Not by strftime: it reads the time zone's file, and the program is waiting to be started. */
    snprintf(second, sizeof second, "%04d-%02d-%02dT%02d%02d%02d", date.tm_year + 1900, date.tm_mon + 1, date.tm_mday,
             date.tm_hour, date.tm_min, date.tm_sec);
    /* Time and process together are unique; should the clock have been set back, the next nanosecond is. */
    for (long nanosecond = now.tv_nsec;; nanosecond++) {
        if (asprintf(&recording->path, "%s/%s.%09ldZ-%d%s", folder, second, nanosecond, (int)getpid(), extension) < 0) {
            recording->path = NULL;
            return sl_error_memory(error);
        }
        recording->descriptor = open(recording->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (recording->descriptor >= 0) {
            break;
        }
        int error_number = errno;
        sl_error_system(error, error_number, "cannot make %s", recording->path);
        free(recording->path);
        recording->path = NULL;
        if (error_number != EEXIST) {
            return false;
        }
    }
    /* Where the file system knows no locks there is no protection, and no harm in most cases. */
    (void)flock(recording->descriptor, LOCK_EX | LOCK_NB);
    recording->place = SL_RECORDING_STATE;
    return true;
}

static bool create_in_state_folder(struct sl_recording *recording, struct sl_error *error)
{
    char folder[PATH_MAX];
    if (!folder_path(folder, sizeof folder, error)) {
        return false;
    }
    if (!may_make_folder(folder)) {
        return sl_error_set(error, SL_ERROR_PERMISSION, "%s is in another user's home", folder);
    }
    if (!sl_recordings_make_folder(folder, error)) {
        return false;
    }
    if (!is_ours(folder)) {
        return sl_error_set(error, SL_ERROR_PERMISSION, "%s belongs to another user", folder);
    }
    return sl_recording_create_in(recording, folder, error);
}

static bool create_without_name(struct sl_recording *recording, enum sl_recording_place place, struct sl_error *error)
{
    if (place == SL_RECORDING_TEMPORARY) {
        const char *folder = getenv("TMPDIR");
        recording->descriptor =
            open(folder != NULL && *folder == '/' ? folder : "/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    } else {
        recording->descriptor = memfd_create("stacklapse recording", MFD_CLOEXEC);
    }
    if (recording->descriptor < 0) {
        return sl_error_system(error, errno, "cannot make a place for the recording");
    }
    if (asprintf(&recording->path, "/proc/self/fd/%d", recording->descriptor) < 0) {
        recording->path = NULL;
        sl_recording_close(recording);
        return sl_error_memory(error);
    }
    recording->place = place;
    return true;
}

bool sl_recording_create(struct sl_recording *recording, enum sl_recording_place first, struct sl_error *why,
                         struct sl_error *error)
{
    *recording = (struct sl_recording){.descriptor = -1, .place = SL_RECORDING_NOWHERE};
    if (first == SL_RECORDING_STATE && create_in_state_folder(recording, why)) {
        return true;
    }
    for (enum sl_recording_place place = SL_RECORDING_TEMPORARY; place < SL_RECORDING_NOWHERE; place++) {
        if (place >= first && create_without_name(recording, place, error)) {
            return true;
        }
    }
    return false;
}

void sl_recording_close(struct sl_recording *recording)
{
    if (recording->descriptor >= 0) {
        close(recording->descriptor);
    }
    free(recording->path);
    *recording = (struct sl_recording){.descriptor = -1, .place = SL_RECORDING_NOWHERE};
}

void sl_recording_discard(struct sl_recording *recording)
{
    if (recording->place == SL_RECORDING_STATE) {
        unlink(recording->path);
    }
    sl_recording_close(recording);
}

struct entry {
    char *name;
    uint64_t ended_ns; /* when it was last written to */
};

static int newest_first(const void *a, const void *b)
{
    const struct entry *one = a;
    const struct entry *other = b;
    if (one->ended_ns != other->ended_ns) {
        return one->ended_ns > other->ended_ns ? -1 : 1;
    }
    return strcmp(other->name, one->name);
}

static bool is_finished(int folder, const char *name)
{
    int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) {
        return false;
    }
    bool finished = flock(descriptor, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK;
    close(descriptor);
    return finished;
}

struct listing {
    struct entry *entries;
    size_t count;
};

static void listing_destroy(struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        free(listing->entries[i].name);
    }
    free(listing->entries);
}

/* The finished recordings in the folder, the one that ended last first. What cannot be listed is left out. */
static struct listing list_recordings(DIR *folder)
{
    struct listing listing = {0};
    for (const struct dirent *found; (found = readdir(folder)) != NULL;) {
        size_t size = strlen(found->d_name);
        struct stat file;
        if (size < sizeof extension || strcmp(found->d_name + size - (sizeof extension - 1), extension) != 0 ||
            fstatat(dirfd(folder), found->d_name, &file, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(file.st_mode) ||
            !is_finished(dirfd(folder), found->d_name)) {
            continue;
        }
        struct entry *grown = realloc(listing.entries, (listing.count + 1) * sizeof *grown);
        if (grown == NULL) {
            break;
        }
        listing.entries = grown;
        char *name = strdup(found->d_name);
        if (name == NULL) {
            break;
        }
        listing.entries[listing.count++] = (struct entry){
            .name = name,
            .ended_ns = (uint64_t)file.st_mtim.tv_sec * 1000000000 + (uint64_t)file.st_mtim.tv_nsec,
        };
    }
    if (listing.count > 0) {
        qsort(listing.entries, listing.count, sizeof *listing.entries, newest_first);
    }
    return listing;
}

void sl_recordings_prune(void)
{
    char path[PATH_MAX];
    DIR *folder = folder_path(path, sizeof path, NULL) && is_ours(path) ? opendir(path) : NULL;
    if (folder == NULL) {
        return;
    }
    struct listing listing = list_recordings(folder);
    for (size_t i = SL_RECORDINGS_KEPT; i < listing.count; i++) {
        unlinkat(dirfd(folder), listing.entries[i].name, 0);
    }
    listing_destroy(&listing);
    closedir(folder);
}

/* Whether a file was made by sl_recording_create_in: somebody may have put others beside them. */
static int is_dated(const struct dirent *file)
{
    static const char form[] = "dddd-dd-ddTdddddd.dddddddddZ-";
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd' ? file->d_name[i] < '0' || file->d_name[i] > '9' : file->d_name[i] != form[i]) {
            return 0;
        }
    }
    const char *number = file->d_name + sizeof form - 1;
    size_t digits = strspn(number, "0123456789");
    return digits > 0 && strcmp(number + digits, extension) == 0;
}

void sl_recordings_prune_in(const char *path, size_t kept)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent **files = NULL;
    int count = folder >= 0 ? scandirat(folder, ".", &files, is_dated, alphasort) : -1;
    for (int i = 0; i < count; i++) {
        /* By their names the oldest come first. */
        if ((size_t)(count - i) > kept && is_finished(folder, files[i]->d_name)) {
            unlinkat(folder, files[i]->d_name, 0);
        }
        free(files[i]);
    }
    free(files);
    if (folder >= 0) {
        close(folder);
    }
}

static char *find_number(unsigned long number, struct sl_error *error)
{
    char path[PATH_MAX];
    if (!folder_path(path, sizeof path, error)) {
        return NULL;
    }
    char *found = NULL;
    DIR *folder = opendir(path);
    struct listing listing = {0};
    if (folder != NULL) {
        listing = list_recordings(folder);
        closedir(folder);
    }
    if (listing.count == 0) {
        sl_error_set(error, SL_ERROR_SYSTEM, "there is no recording yet in %s", path);
    } else if (number == 0 || number > listing.count) {
        sl_error_set(error, SL_ERROR_SYSTEM, "there is no recording %lu: they go from 1 (the last) to %zu", number,
                     listing.count);
    } else if (asprintf(&found, "%s/%s", path, listing.entries[number - 1].name) < 0) {
        found = NULL;
        sl_error_memory(error);
    }
    listing_destroy(&listing);
    return found;
}

char *sl_recordings_find(const char *name, struct sl_error *error)
{
    if (name == NULL || strcmp(name, "last") == 0) {
        return find_number(1, error);
    }
    size_t digits = strspn(name, "0123456789");
    if (digits > 0 && digits <= 9 && name[digits] == '\0') {
        return find_number(strtoul(name, NULL, 10), error);
    }
    if (access(name, F_OK) != 0) {
        sl_error_set(error, SL_ERROR_SYSTEM, "no such recording: %s (a file, last, or a number from 1)", name);
        return NULL;
    }
    char *path = strdup(name);
    if (path == NULL) {
        sl_error_memory(error);
    }
    return path;
}
