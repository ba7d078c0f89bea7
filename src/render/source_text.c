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

/* Where a path is, or belongs: then there is none yet. */
static struct file *slot_of(struct sl_source_text *source, const char *path)
{
    uint32_t slot = hash_of(path) % slot_count;
    while (source->files[slot].path != NULL && strcmp(source->files[slot].path, path) != 0) {
        slot = (slot + 1) % slot_count;
    }
    return &source->files[slot];
}

/* Takes an empty slot. False when there are too many, or memory is exhausted. */
static bool take(struct sl_source_text *source, struct file *file, const char *path)
{
    file->path = source->file_count < SL_SOURCE_FILES_MAX ? strdup(path) : NULL;
    source->file_count += file->path != NULL;
    return file->path != NULL;
}

/* How many bytes a file may have yet. */
static size_t room(const struct sl_source_text *source)
{
    size_t left = SL_SOURCE_BYTES_MAX > source->bytes ? SL_SOURCE_BYTES_MAX - source->bytes : 0;
    return left < SL_SOURCE_FILE_MAX ? left : SL_SOURCE_FILE_MAX;
}

static struct file *file_at(struct sl_source_text *source, const struct sl_source_file *wanted)
{
    if (source == NULL) {
        return NULL;
    }
    struct file *file = slot_of(source, wanted->path);
    if (file->path != NULL) {
        return file;
    }
    if (wanted->path[0] != '/' || !take(source, file, wanted->path)) {
        return NULL;
    }
    struct sl_source_file bounded = *wanted;
    bounded.size_max = room(source);
    sl_source_read(&bounded, &file->lines);
    source->bytes += file->lines.size;
    return file;
}

void sl_source_text_give(struct sl_source_text *source, const char *path, const char *text)
{
    struct file *file = source != NULL ? slot_of(source, path) : NULL;
    if (file != NULL && file->path == NULL && strlen(text) <= room(source) && take(source, file, path)) {
        sl_source_copy(text, &file->lines);
        source->bytes += file->lines.size;
    }
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
