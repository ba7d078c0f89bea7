#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What collects before it is written: few system calls, and little memory. */
static const size_t write_size = (size_t)256 * 1024;

void sl_output_memory(struct sl_output *output)
{
    *output = (struct sl_output){.descriptor = -1};
}

void sl_output_descriptor(struct sl_output *output, int descriptor)
{
    *output = (struct sl_output){.descriptor = descriptor};
}

static void forget(struct sl_output *output)
{
    sl_buffer_destroy(&output->pending);
    free(output->path);
    free(output->temporary_path);
    *output = (struct sl_output){.descriptor = -1};
}

/* As many as the kernel would follow. */
enum { LINKS_MAX = 40 };

/* Makes of a name what its link says. False when it is no link; `*path` is NULL when memory is exhausted. */
static bool follow_link(char **path)
{
    char target[PATH_MAX];
    ssize_t size = readlink(*path, target, sizeof target);
    if (size <= 0 || size == (ssize_t)sizeof target) {
        return false;
    }
    const char *slash = strrchr(*path, '/');
    int folder = target[0] == '/' || slash == NULL ? 0 : (int)(slash + 1 - *path);
    char *next = NULL;
    if (asprintf(&next, "%.*s%.*s", folder, *path, (int)size, target) < 0) {
        next = NULL;
    }
    free(*path);
    *path = next;
    return true;
}

/* A link that points to nothing yet is followed, too. */
static char *end_of_links(const char *path)
{
    char *end = strdup(path);
    for (int i = 0; end != NULL && i < LINKS_MAX && follow_link(&end); i++) {
    }
    return end;
}

char *sl_output_place(const char *path)
{
    char *resolved = realpath(path, NULL);
    return resolved != NULL ? resolved : end_of_links(path);
}

/* Whether the name is that of an entry in a folder of descriptors; `*number` is then the descriptor if it is one of
 * ours, else SL_OUTPUT_DESCRIPTOR_FOREIGN. Symbolic links there say what is open, and are no names to be followed. */
static bool names_descriptor(const char *path, int *number)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    size_t digits = strspn(base, "0123456789");
    if (digits == 0 || digits > 9 || base[digits] != '\0') {
        return false;
    }
    char name[PATH_MAX];
    char folder[PATH_MAX];
    char ours[PATH_MAX];
    int size =
        snprintf(name, sizeof name, "%.*s", slash != NULL ? (int)(slash + 1 - path) : 1, slash != NULL ? path : ".");
    if (size >= (int)sizeof name || realpath(name, folder) == NULL || strncmp(folder, "/proc/", 6) != 0) {
        return false;
    }
    size_t length = strlen(folder);
    if (strcmp(folder + length - 3, "/fd") != 0) {
        return false;
    }
    bool own = (realpath("/proc/self/fd", ours) != NULL && strcmp(folder, ours) == 0) ||
               (realpath("/proc/thread-self/fd", ours) != NULL && strcmp(folder, ours) == 0);
    *number = own ? atoi(base) : SL_OUTPUT_DESCRIPTOR_FOREIGN;
    return true;
}

int sl_output_descriptor_named(const char *path)
{
    int number = SL_OUTPUT_DESCRIPTOR_NONE;
    char *end = strdup(path);
    for (int i = 0; end != NULL && i < LINKS_MAX && !names_descriptor(end, &number) && follow_link(&end); i++) {
    }
    free(end);
    return number;
}

/* What there is already, and is written to where it is. */
static bool open_standing(struct sl_output *output, const char *path, int named, struct sl_error *error)
{
    int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | (named == SL_OUTPUT_DESCRIPTOR_FOREIGN ? O_APPEND : 0);
    output->descriptor = named >= 0 ? fcntl(named, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) : open(path, flags);
    if (output->descriptor < 0) {
        sl_error_system(error, errno, "cannot write %s", path);
        forget(output);
        return false;
    }
    /* Owned by us, unlike sl_output_descriptor's: told apart by the empty temporary path. */
    output->temporary_path = strdup("");
    return true;
}

bool sl_output_file(struct sl_output *output, const char *path, struct sl_error *error)
{
    *output = (struct sl_output){.descriptor = -1};

    struct stat present;
    int named = sl_output_descriptor_named(path);
    bool exists = stat(path, &present) == 0;
    if (named != SL_OUTPUT_DESCRIPTOR_NONE || (exists && !S_ISREG(present.st_mode) && !S_ISDIR(present.st_mode))) {
        return open_standing(output, path, named, error);
    }
    output->path = sl_output_place(path);
    if (output->path == NULL) {
        return sl_error_memory(error);
    }
    exists = stat(output->path, &present) == 0;
    if (exists && S_ISDIR(present.st_mode)) {
        sl_error_system(error, EISDIR, "cannot write %s", path);
        forget(output);
        return false;
    }
    if (asprintf(&output->temporary_path, "%s.XXXXXX", output->path) < 0) {
        output->temporary_path = NULL;
        forget(output);
        return sl_error_memory(error);
    }
    output->descriptor = mkostemp(output->temporary_path, O_CLOEXEC);
    if (output->descriptor < 0) {
        sl_error_system(error, errno, "cannot write %s", path);
        forget(output);
        return false;
    }
    if (exists) {
        /* Best effort: a report whose mode could not be kept is still a report. */
        (void)!fchmod(output->descriptor, present.st_mode & 07777);
    }
    return true;
}

static void write_pending(struct sl_output *output)
{
    const char *bytes = output->pending.bytes;
    size_t left = output->pending.size;
    while (left > 0 && output->error_number == 0) {
        ssize_t written = write(output->descriptor, bytes, left);
        if (written >= 0) {
            bytes += written;
            left -= (size_t)written;
        } else if (errno != EINTR) {
            output->error_number = errno;
        }
    }
    sl_buffer_clear(&output->pending);
}

static void after_append(struct sl_output *output)
{
    if (output->descriptor >= 0 && output->pending.size >= write_size) {
        if (output->pending.failed && output->error_number == 0) {
            output->error_number = ENOMEM;
        }
        write_pending(output);
    }
}

void sl_output_write(struct sl_output *output, const void *bytes, size_t size)
{
    if (output->error_number != 0) {
        return;
    }
    sl_buffer_append(&output->pending, bytes, size);
    after_append(output);
}

void sl_output_text(struct sl_output *output, const char *text)
{
    sl_output_write(output, text, strlen(text));
}

void sl_output_format(struct sl_output *output, const char *format, ...)
{
    if (output->error_number != 0) {
        return;
    }
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size < sizeof line) {
        sl_output_write(output, line, (size_t)size);
    } else if (size >= 0) {
        char *text = malloc((size_t)size + 1);
        if (text == NULL) {
            output->error_number = ENOMEM;
        } else {
            vsnprintf(text, (size_t)size + 1, format, again);
            sl_output_write(output, text, (size_t)size);
            free(text);
        }
    }
    va_end(again);
}

void sl_output_flush(struct sl_output *output)
{
    if (output->pending.failed && output->error_number == 0) {
        output->error_number = ENOMEM;
    }
    if (output->descriptor >= 0 && output->error_number == 0) {
        write_pending(output);
    }
}

static int copy(int from, int to)
{
    char bytes[65536];
    for (;;) {
        ssize_t size = read(from, bytes, sizeof bytes);
        if (size == 0) {
            return 0;
        }
        for (ssize_t done = 0; done < size;) {
            ssize_t written = write(to, bytes + done, (size_t)(size - done));
            if (written < 0 && errno != EINTR) {
                return errno;
            }
            done += written > 0 ? written : 0;
        }
        if (size < 0 && errno != EINTR) {
            return errno;
        }
    }
}

/* What cannot be replaced, as a mount point cannot, gets the content in its place. The number of an error, or 0. */
static int overwrite(const char *temporary_path, const char *path)
{
    int from = open(temporary_path, O_RDONLY | O_CLOEXEC);
    int to = from >= 0 ? open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY) : -1;
    int error_number = to >= 0 ? copy(from, to) : errno;
    if (to >= 0 && close(to) != 0 && error_number == 0) {
        error_number = errno;
    }
    if (from >= 0) {
        close(from);
    }
    if (error_number == 0) {
        unlink(temporary_path);
    }
    return error_number;
}

/* The number of an error, or 0. */
static int put_in_place(const struct sl_output *output)
{
    if (rename(output->temporary_path, output->path) == 0) {
        return 0;
    }
    return errno == EBUSY || errno == EXDEV ? overwrite(output->temporary_path, output->path) : errno;
}

bool sl_output_close(struct sl_output *output, struct sl_error *error)
{
    sl_output_flush(output);
    bool owned = output->temporary_path != NULL;
    bool file = owned && output->path != NULL;
    if (owned && output->descriptor >= 0 && close(output->descriptor) != 0 && output->error_number == 0) {
        output->error_number = errno;
    }
    if (file && output->error_number == 0) {
        output->error_number = put_in_place(output);
    }
    bool done = output->error_number == 0;
    if (!done) {
        if (file) {
            unlink(output->temporary_path);
            sl_error_system(error, output->error_number, "cannot write %s", output->path);
        } else {
            sl_error_system(error, output->error_number, "cannot write the output");
        }
    }
    forget(output);
    return done;
}

void sl_output_abandon(struct sl_output *output)
{
    if (output->temporary_path != NULL && output->descriptor >= 0) {
        close(output->descriptor);
    }
    if (output->path != NULL && output->temporary_path != NULL) {
        unlink(output->temporary_path);
    }
    forget(output);
}
