#include "analysis/paths.h"

#include <string.h>

void sl_folders_begin(struct sl_folders *folders, const struct sl_profile *profile)
{
    *folders = (struct sl_folders){.profile = profile};
}

/* Whether the process's list is another one than that of the process before. */
static bool tells_more(const struct sl_profile *profile, uint32_t process, enum sl_folder_kind kind)
{
    if (process == 0) {
        return true;
    }
    const struct sl_process_record *this = &profile->processes[process];
    return kind == SL_FOLDER_PATH ? this->path != this[-1].path : this->prefixes != this[-1].prefixes;
}

static bool begin_list(struct sl_folders *folders)
{
    const struct sl_profile *profile = folders->profile;
    while (folders->process < profile->process_count) {
        const struct sl_process_record *process = &profile->processes[folders->process];
        if (tells_more(profile, folders->process, folders->kind)) {
            folders->rest =
                sl_profile_text(profile, folders->kind == SL_FOLDER_PATH ? process->path : process->prefixes);
            return true;
        }
        folders->process += folders->kind == SL_FOLDER_PREFIX;
        folders->kind = folders->kind == SL_FOLDER_PATH ? SL_FOLDER_PREFIX : SL_FOLDER_PATH;
    }
    return false;
}

bool sl_folders_next(struct sl_folders *folders)
{
    while (folders->count < SL_FOLDERS_MAX) {
        if (folders->rest == NULL && !begin_list(folders)) {
            return false;
        }
        const char *end = folders->rest;
        while (*end != '\n' && *end != '\0') {
            end++;
        }
        size_t size = (size_t)(end - folders->rest);
        bool empty = size == 0;
        folders->folder.text = folders->rest;
        while (size > 0 && folders->rest[size - 1] == '/') {
            size--;
        }
        folders->folder.size = size;
        enum sl_folder_kind kind = folders->kind;
        if (*end == '\n') {
            folders->rest = end + 1;
        } else {
            folders->rest = NULL;
            folders->process += kind == SL_FOLDER_PREFIX;
            folders->kind = kind == SL_FOLDER_PATH ? SL_FOLDER_PREFIX : SL_FOLDER_PATH;
        }
        folders->count++;
        if (!empty) {
            folders->found = kind;
            return true;
        }
    }
    return false;
}

const char *sl_below(const char *file, struct sl_span folder)
{
    for (size_t i = 0; i < folder.size; i++) {
        if (file[i] != folder.text[i] || file[i] == '\0') {
            return NULL;
        }
    }
    return file[folder.size] == '/' ? file + folder.size + 1 : NULL;
}

/* What follows in `text` after `start`, NULL when it does not begin with it. */
static const char *after(const char *text, const char *start)
{
    size_t size = strlen(start);
    for (size_t i = 0; i < size; i++) {
        if (text[i] != start[i]) {
            return NULL;
        }
    }
    return text + size;
}

const char *sl_below_packages(const char *file)
{
    const char *found = NULL;
    for (const char *at = file; *at != '\0'; at++) {
        if (*at == '/') {
            const char *below = after(at, "/site-packages/");
            below = below == NULL ? after(at, "/dist-packages/") : below;
            found = below == NULL ? found : below;
        }
    }
    return found;
}

static const char *digits(const char *text)
{
    while (*text >= '0' && *text <= '9') {
        text++;
    }
    return text;
}

/* What follows after `python3.12`, with the letters of a build (`python3.13t`), or `python312.zip`. */
static const char *after_version(const char *text)
{
    const char *major = after(text, "python");
    if (major == NULL) {
        return NULL;
    }
    const char *end = digits(major);
    if (end == major || *end != '.') {
        return NULL;
    }
    const char *minor = end + 1;
    end = digits(minor);
    if (end == minor) {
        return after(minor, "zip");
    }
    while (*end >= 'a' && *end <= 'z') {
        end++;
    }
    return end;
}

const char *sl_below_library(const char *below_prefix)
{
    const char *library = after(below_prefix, "lib/");
    library = library == NULL ? after(below_prefix, "lib64/") : library;
    const char *end = library == NULL ? NULL : after_version(library);
    return end != NULL && *end == '/' ? end + 1 : NULL;
}

bool sl_is_library_folder(struct sl_span folder)
{
    size_t start = folder.size;
    while (start > 0 && folder.text[start - 1] != '/') {
        start--;
    }
    const char *name = folder.text + start;
    const char *end = after(name, "Lib");
    end = end == NULL ? after_version(name) : end;
    return end == folder.text + folder.size;
}
