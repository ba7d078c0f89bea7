#include "target/modules.h"

#include "base/array.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char deleted_mark[] = " (deleted)";

static bool append(struct sl_modules *modules, uint32_t *capacity, const struct sl_module *module)
{
    if (!sl_array_room(&modules->items, capacity, (uint32_t)modules->count, sizeof *modules->items)) {
        return false;
    }
    modules->items[modules->count++] = *module;
    return true;
}

/* The linker maps the pieces of a file side by side, so only the modules added last can be met again; a file that is
 * listed twice does no harm. */
#define RECENT 4

static bool known(const struct sl_modules *modules, uint64_t inode, const char *path)
{
    for (size_t i = modules->count; i > 0 && modules->count - i < RECENT; i--) {
        if (modules->items[i - 1].inode == inode && strcmp(modules->items[i - 1].path, path) == 0) {
            return true;
        }
    }
    return false;
}

static uint64_t executable_inode(const struct sl_process *process)
{
    struct stat file;
    return fstatat(process->folder, "exe", &file, 0) == 0 ? (uint64_t)file.st_ino : 0;
}

static bool cannot_read(const struct sl_process *process, int error_number, struct sl_error *error)
{
    switch (error_number) {
    case EACCES:
    case EPERM:
        return sl_process_denied(process, error);
    case ENOENT:
    case ESRCH:
        return sl_error_set(error, SL_ERROR_GONE, "process %d has ended", (int)process->pid);
    default:
        return sl_error_system(error, error_number, "cannot read which files process %d has mapped", (int)process->pid);
    }
}

bool sl_modules_read(struct sl_modules *modules, const struct sl_process *process, struct sl_error *error)
{
    *modules = (struct sl_modules){0};
    int descriptor = openat(process->folder, "maps", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return cannot_read(process, errno, error);
    }
    FILE *maps = fdopen(descriptor, "r");
    if (maps == NULL) {
        close(descriptor);
        return sl_error_memory(error);
    }
    uint64_t executable = executable_inode(process);
    uint32_t capacity = 0;
    bool memory = true;
    char *line = NULL;
    size_t line_capacity = 0;
    ssize_t size;
    errno = 0;
    while (memory && modules->count < SL_MODULES_MAX && (size = getline(&line, &line_capacity, maps)) > 0) {
        if (line[size - 1] == '\n') {
            line[--size] = '\0';
        }
        struct sl_module module = {0};
        char rights[5];
        int path_at = 0;
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*x:%*x %" SCNu64 " %n", &module.begin, &module.end,
                   rights, &module.file_offset, &module.inode, &path_at) != 5 ||
            path_at == 0 || line[path_at] != '/' || module.inode == 0) {
            continue;
        }
        char *path = line + path_at;
        size_t path_size = strlen(path);
        size_t mark_size = sizeof deleted_mark - 1;
        if (path_size > mark_size && strcmp(path + path_size - mark_size, deleted_mark) == 0) {
            path[path_size - mark_size] = '\0';
        }
        if (known(modules, module.inode, path)) {
            continue;
        }
        module.executable_file = module.inode == executable;
        module.path = strdup(path);
        memory = module.path != NULL && append(modules, &capacity, &module);
        if (!memory) {
            free(module.path);
        }
    }
    bool denied = ferror(maps) != 0 && (errno == EACCES || errno == EPERM);
    free(line);
    fclose(maps);
    if (!memory || denied) {
        sl_modules_destroy(modules);
        return memory ? sl_process_denied(process, error) : sl_error_memory(error);
    }
    return true;
}

void sl_modules_destroy(struct sl_modules *modules)
{
    for (size_t i = 0; i < modules->count; i++) {
        free(modules->items[i].path);
    }
    free(modules->items);
    *modules = (struct sl_modules){0};
}

/* The descriptor if it is the file that was mapped, else -1. Device numbers are not compared: on overlay and btrfs file
 * systems maps and stat give different ones for the same file. */
static int same_file(int descriptor, const struct sl_module *module)
{
    struct stat file;
    if (descriptor >= 0 && (fstat(descriptor, &file) != 0 || (uint64_t)file.st_ino != module->inode)) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

int sl_module_open(const struct sl_module *module, const struct sl_process *process)
{
    if (module->executable_file) {
        int descriptor = same_file(openat(process->folder, "exe", O_RDONLY | O_CLOEXEC), module);
        if (descriptor >= 0) {
            return descriptor;
        }
    }
    char name[PATH_MAX + 8];
    snprintf(name, sizeof name, "map_files/%" PRIx64 "-%" PRIx64, module->begin, module->end);
    int descriptor = same_file(openat(process->folder, name, O_RDONLY | O_CLOEXEC), module);
    if (descriptor >= 0) {
        return descriptor;
    }
    int size = snprintf(name, sizeof name, "root%s", module->path);
    if (size < 0 || (size_t)size >= sizeof name) {
        return -1;
    }
    return same_file(openat(process->folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK), module);
}
