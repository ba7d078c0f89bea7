#include "render/source_text.h"

#include "render/source_places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
    char *path; /* owned */
    char *text; /* owned; NULL when it is not to be had */
    size_t size;
    uint32_t *line_starts; /* owned; NULL until a line is asked for */
    uint32_t line_count;
};

/* Slots are twice the files, so that a search always finds an empty one. */
enum { slot_count = 2 * SL_SOURCE_FILES_MAX };

struct sl_source_text {
    size_t bytes;
    uint32_t file_count;
    struct file files[slot_count]; /* open addressing by the path's hash */
};

struct sl_source_text *sl_source_text_create(void)
{
    return calloc(1, sizeof(struct sl_source_text));
}

void sl_source_text_destroy(struct sl_source_text *source)
{
    if (source == NULL) {
        return;
    }
    for (size_t i = 0; i < slot_count; i++) {
        free(source->files[i].path);
        free(source->files[i].text);
        free(source->files[i].line_starts);
    }
    free(source);
}

static bool may_be_read(const struct stat *facts, const struct sl_source_text *source, uint64_t newest_ns)
{
    uint64_t modified_ns = (uint64_t)facts->st_mtim.tv_sec * 1000000000 + (uint64_t)facts->st_mtim.tv_nsec;
    return S_ISREG(facts->st_mode) && facts->st_size > 0 && (uint64_t)facts->st_size <= SL_SOURCE_FILE_MAX &&
           (uint64_t)facts->st_size <= SL_SOURCE_BYTES_MAX - source->bytes &&
           (newest_ns == 0 || modified_ns <= newest_ns);
}

/* Opened for looking at only, because opening a device can already do something. */
static bool is_readable(const struct sl_source_text *source, const struct sl_source_file *wanted)
{
    int descriptor = sl_source_open(wanted->place, wanted->path, O_PATH);
    if (descriptor < 0) {
        return false;
    }
    struct stat facts;
    bool readable = fstat(descriptor, &facts) == 0 && may_be_read(&facts, source, wanted->newest_ns);
    close(descriptor);
    return readable;
}

static void read_file(struct sl_source_text *source, const struct sl_source_file *wanted, struct file *file)
{
    if (!is_readable(source, wanted)) {
        return;
    }
    int descriptor = sl_source_open(wanted->place, wanted->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0) {
        return;
    }
    struct stat facts;
    char *text = NULL;
    if (fstat(descriptor, &facts) == 0 && may_be_read(&facts, source, wanted->newest_ns)) {
        text = malloc((size_t)facts.st_size);
    }
    size_t size = 0;
    while (text != NULL && size < (size_t)facts.st_size) {
        ssize_t got = read(descriptor, text + size, (size_t)facts.st_size - size);
        if (got == 0) {
            break;
        }
        if (got > 0) {
            size += (size_t)got;
        } else if (errno != EINTR) {
            free(text);
            text = NULL;
        }
    }
    close(descriptor);
    file->text = text;
    file->size = text != NULL ? size : 0;
    source->bytes += file->size;
}

static uint32_t hash_of(const char *path)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (; *path != '\0'; path++) {
        hash = (hash ^ (unsigned char)*path) * 16777619U;
    }
    return hash;
}

static struct file *file_at(struct sl_source_text *source, const struct sl_source_file *wanted)
{
    const char *path = wanted->path;
    if (source == NULL || path[0] != '/') {
        return NULL;
    }
    uint32_t slot = hash_of(path) % slot_count;
    while (source->files[slot].path != NULL) {
        if (strcmp(source->files[slot].path, path) == 0) {
            return &source->files[slot];
        }
        slot = (slot + 1) % slot_count;
    }
    if (source->file_count == SL_SOURCE_FILES_MAX) {
        return NULL;
    }
    struct file *file = &source->files[slot];
    file->path = strdup(path);
    if (file->path == NULL) {
        return NULL;
    }
    source->file_count++;
    read_file(source, wanted, file);
    return file;
}

/* The size of the line end at `at`, 0 when there is none. */
static size_t line_end_at(const struct file *file, size_t at)
{
    if (file->text[at] == '\n') {
        return 1;
    }
    if (file->text[at] != '\r') {
        return 0;
    }
    return at + 1 < file->size && file->text[at + 1] == '\n' ? 2 : 1;
}

static bool find_lines(struct file *file)
{
    if (file->line_starts != NULL) {
        return true;
    }
    uint32_t count = 1;
    for (size_t at = 0; at < file->size;) {
        size_t end = line_end_at(file, at);
        count += end > 0;
        at += end > 0 ? end : 1;
    }
    file->line_starts = malloc((size_t)count * sizeof *file->line_starts);
    if (file->line_starts == NULL) {
        return false;
    }
    file->line_starts[file->line_count++] = 0;
    for (size_t at = 0; at < file->size;) {
        size_t end = line_end_at(file, at);
        at += end > 0 ? end : 1;
        if (end > 0) {
            file->line_starts[file->line_count++] = (uint32_t)at;
        }
    }
    return true;
}

static bool is_white(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\f' || byte == '\n' || byte == '\r';
}

bool sl_source_text_line(struct sl_source_text *source, const struct sl_source_file *wanted, uint32_t line,
                         const char **text, size_t *size)
{
    struct file *file = file_at(source, wanted);
    if (file == NULL || file->text == NULL || !find_lines(file) || line == 0 || line > file->line_count) {
        return false;
    }
    size_t begin = file->line_starts[line - 1];
    size_t end = line < file->line_count ? file->line_starts[line] : file->size;
    while (begin < end && is_white(file->text[begin])) {
        begin++;
    }
    while (end > begin && is_white(file->text[end - 1])) {
        end--;
    }
    *text = file->text + begin;
    *size = end - begin;
    return end > begin;
}
