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

/* A link that points to nothing yet is followed, too: as many as the kernel would. */
static char *end_of_links(const char *path)
{
    char *end = strdup(path);
    for (int i = 0; end != NULL && i < 40; i++) {
        char target[PATH_MAX];
        ssize_t size = readlink(end, target, sizeof target);
        if (size <= 0 || size == (ssize_t)sizeof target) {
            break;
        }
        const char *slash = strrchr(end, '/');
        int folder = target[0] == '/' || slash == NULL ? 0 : (int)(slash + 1 - end);
        char *next = NULL;
        if (asprintf(&next, "%.*s%.*s", folder, end, (int)size, target) < 0) {
            next = NULL;
        }
        free(end);
        end = next;
    }
    return end;
}

char *sl_output_place(const char *path)
{
    struct stat present;
    /* What is there is no name to be followed where it is a pipe: /dev/stdout. */
    char *resolved = realpath(path, NULL);
    return resolved != NULL ? resolved : stat(path, &present) == 0 ? strdup(path) : end_of_links(path);
}

bool sl_output_file(struct sl_output *output, const char *path, struct sl_error *error)
{
    *output = (struct sl_output){.descriptor = -1};

    output->path = sl_output_place(path);
    if (output->path == NULL) {
        return sl_error_memory(error);
    }
    struct stat present;
    bool exists = stat(output->path, &present) == 0;
    if (exists && S_ISDIR(present.st_mode)) {
        sl_error_system(error, EISDIR, "cannot write %s", path);
        forget(output);
        return false;
    }
    if (exists && !S_ISREG(present.st_mode)) {
        free(output->path);
        output->path = NULL;
        output->descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        if (output->descriptor < 0) {
            sl_error_system(error, errno, "cannot write %s", path);
            forget(output);
            return false;
        }
        /* Owned by us, unlike sl_output_descriptor's: told apart by the empty temporary path. */
        output->temporary_path = strdup("");
        return true;
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

bool sl_output_close(struct sl_output *output, struct sl_error *error)
{
    sl_output_flush(output);
    bool owned = output->temporary_path != NULL;
    bool file = owned && output->path != NULL;
    if (owned && output->descriptor >= 0 && close(output->descriptor) != 0 && output->error_number == 0) {
        output->error_number = errno;
    }
    if (file && output->error_number == 0 && rename(output->temporary_path, output->path) != 0) {
        output->error_number = errno;
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
