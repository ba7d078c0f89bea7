#include "render/source_file.h"

#include "render/source_coding.h"
#include "render/source_places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool may_be_read(const struct sl_source_file *file, const struct stat *facts)
{
    uint64_t modified_ns = (uint64_t)facts->st_mtim.tv_sec * 1000000000 + (uint64_t)facts->st_mtim.tv_nsec;
    return S_ISREG(facts->st_mode) && facts->st_size > 0 && (uint64_t)facts->st_size <= file->size_max &&
           (uint64_t)facts->st_size < UINT32_MAX && (file->newest_ns == 0 || modified_ns <= file->newest_ns) &&
           (!file->harmless || facts->st_uid == geteuid() || (facts->st_mode & S_IROTH) != 0);
}

/* A descriptor if the file may be read, and its size; -1 else. */
static int open_if_readable(const struct sl_source_file *file, int flags, size_t *size)
{
    int descriptor = sl_source_open(file->place, file->path, flags);
    struct stat facts;
    if (descriptor >= 0 && (fstat(descriptor, &facts) != 0 || !may_be_read(file, &facts))) {
        close(descriptor);
        descriptor = -1;
    }
    *size = descriptor >= 0 ? (size_t)facts.st_size : 0;
    return descriptor;
}

/* What can be read of it; NULL when reading fails. `*size` is how much is wanted, and then how much it is. */
static char *read_text(int descriptor, size_t *size)
{
    char *text = malloc(*size);
    size_t done = 0;
    while (text != NULL && done < *size) {
        ssize_t got = read(descriptor, text + done, *size - done);
        if (got == 0) {
            break;
        }
        if (got > 0) {
            done += (size_t)got;
        } else if (errno != EINTR) {
            free(text);
            text = NULL;
        }
    }
    *size = done;
    return text;
}

/* Makes every line end in \n. */
static void end_lines_alike(struct sl_source_lines *lines)
{
    size_t kept = 0;
    for (size_t i = 0; i < lines->size; i++) {
        bool return_only = lines->text[i] == '\r' && (i + 1 == lines->size || lines->text[i + 1] != '\n');
        if (lines->text[i] != '\r' || return_only) {
            lines->text[kept++] = return_only ? '\n' : lines->text[i];
        }
    }
    lines->size = kept;
}

static bool find_lines(struct sl_source_lines *lines)
{
    size_t ends = 0;
    for (size_t i = 0; i < lines->size; i++) {
        ends += lines->text[i] == '\n';
    }
    lines->starts = malloc((ends + 2) * sizeof *lines->starts);
    if (lines->starts == NULL) {
        return false;
    }
    lines->starts[0] = 0;
    for (size_t i = 0; i < lines->size; i++) {
        if (lines->text[i] == '\n') {
            lines->starts[++lines->count] = (uint32_t)(i + 1);
        }
    }
    lines->count += lines->starts[lines->count] < lines->size;
    lines->starts[lines->count] = (uint32_t)lines->size;
    return true;
}

/* The file's text as it is in the file. */
static void read_file(const struct sl_source_file *file, struct sl_source_lines *lines)
{
    /* Opened for looking at only at first, because opening a device can already do something. */
    int descriptor = open_if_readable(file, O_PATH, &lines->size);
    if (descriptor < 0) {
        return;
    }
    close(descriptor);
    descriptor = open_if_readable(file, O_RDONLY | O_NONBLOCK | O_NOCTTY, &lines->size);
    if (descriptor >= 0) {
        lines->text = read_text(descriptor, &lines->size);
        close(descriptor);
    }
}

bool sl_source_read(const struct sl_source_file *file, struct sl_source_lines *lines)
{
    *lines = (struct sl_source_lines){0};
    if (file->text != NULL) {
        lines->size = strlen(file->text);
        lines->text = lines->size <= file->size_max ? strdup(file->text) : NULL;
    } else if (file->path[0] == '/') {
        read_file(file, lines);
        if (lines->text != NULL) {
            sl_source_decode(&lines->text, &lines->size);
        }
    }
    if (lines->text != NULL) {
        end_lines_alike(lines);
    }
    if (lines->text == NULL || lines->size == 0 || !find_lines(lines)) {
        sl_source_forget(lines);
        return false;
    }
    return true;
}

void sl_source_forget(struct sl_source_lines *lines)
{
    free(lines->text);
    free(lines->starts);
    *lines = (struct sl_source_lines){0};
}
