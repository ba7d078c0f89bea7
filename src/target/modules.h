/* modules.h - the program files that a process has mapped: its executable and its shared libraries.
 *
 * Read from /proc/PID/maps. A file may be deleted or upgraded on disk, or lie in another mount namespace: it is opened
 * by ways that lead to the very file that is mapped (/proc/PID/exe, /proc/PID/map_files, /proc/PID/root), never by its
 * path in our own namespace. */
#ifndef SL_TARGET_MODULES_H
#define SL_TARGET_MODULES_H

#include "base/error.h"
#include "target/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_module {
    uint64_t begin, end;  /* of its first mapping, the one with the lowest address */
    uint64_t file_offset; /* that the first mapping begins at */
    uint64_t inode;
    bool executable_file; /* it is the process's executable, not a library */
    char *path;           /* as the process's mount namespace has it; " (deleted)" is cut off */
};

struct sl_modules {
    struct sl_module *items; /* in order of addresses */
    size_t count;
};

/* A process maps some hundreds of files; what goes beyond this is left out. */
#define SL_MODULES_MAX 65536

/* The files mapped now. SL_ERROR_PERMISSION when they may not be known, SL_ERROR_GONE, SL_ERROR_SYSTEM when we
 * have no descriptor or memory left to read them with. A process that has just ended may show none. */
bool sl_modules_read(struct sl_modules *modules, const struct sl_process *process, struct sl_error *error);
void sl_modules_destroy(struct sl_modules *modules);

/* A descriptor of the mapped file itself, for reading; -1 when it cannot be reached (any more). */
int sl_module_open(const struct sl_module *module, const struct sl_process *process);

#endif
