#include "render/source_text.h"

#include <stdlib.h>
#include <string.h>

struct file {
    char *path; /* owned */
    struct sl_source_lines lines;
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
        sl_source_forget(&source->files[i].lines);
    }
    free(source);
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
    if (source == NULL || (path[0] != '/' && wanted->text == NULL)) {
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
    size_t left = SL_SOURCE_BYTES_MAX > source->bytes ? SL_SOURCE_BYTES_MAX - source->bytes : 0;
    struct sl_source_file bounded = *wanted;
    bounded.size_max = left < SL_SOURCE_FILE_MAX ? left : SL_SOURCE_FILE_MAX;
    sl_source_read(&bounded, &file->lines);
    source->bytes += file->lines.size;
    return file;
}

static bool is_white(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\f' || byte == '\n';
}

bool sl_source_text_line(struct sl_source_text *source, const struct sl_source_file *wanted, uint32_t line,
                         const char **text, size_t *size)
{
    const struct file *file = file_at(source, wanted);
    if (file == NULL || line == 0 || line > file->lines.count) {
        return false;
    }
    const char *bytes = file->lines.text;
    size_t begin = file->lines.starts[line - 1];
    size_t end = file->lines.starts[line];
    while (begin < end && is_white(bytes[begin])) {
        begin++;
    }
    while (end > begin && is_white(bytes[end - 1])) {
        end--;
    }
    *text = bytes + begin;
    *size = end - begin;
    return end > begin;
}
