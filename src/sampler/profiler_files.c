#include "sampler/profiler_files.h"

#include <stdatomic.h>
#include <string.h>

#define FILES_MAX 8

/* The sampler reads the first `count` of them, which never change. */
static struct {
    char *path;
    size_t size;
} files[FILES_MAX];
static atomic_size_t count;

void sl_profiler_files_add(const char *path)
{
    size_t known = atomic_load(&count);
    size_t size = strlen(path);
    if (known == FILES_MAX || sl_profiler_files_have(path, size)) {
        return;
    }
    files[known].path = strdup(path);
    files[known].size = size;
    if (files[known].path != NULL) {
        atomic_store(&count, known + 1);
    }
}

bool sl_profiler_files_have(const char *path, size_t size)
{
    size_t known = atomic_load(&count);
    for (size_t i = 0; i < known; i++) {
        if (files[i].size == size && memcmp(files[i].path, path, size) == 0) {
            return true;
        }
    }
    return false;
}
