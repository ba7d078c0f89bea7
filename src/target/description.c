#include "target/description.h"

#include "target/stat.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static size_t read_file(const struct sl_process *process, const char *name, char *text, size_t size)
{
    text[0] = '\0';
    int descriptor = openat(process->folder, name, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return 0;
    }
    ssize_t length = read(descriptor, text, size - 1);
    close(descriptor);
    length = length > 0 ? length : 0;
    text[length] = '\0';
    return (size_t)length;
}

void sl_process_command(const struct sl_process *process, char command[SL_DESCRIPTION_MAX])
{
    /* Each argument ends in a NUL, and a process that writes its own title may leave many behind it. */
    size_t size = read_file(process, "cmdline", command, SL_DESCRIPTION_MAX);
    while (size > 0 && command[size - 1] == '\0') {
        size--;
    }
    for (size_t i = 0; i < size; i++) {
        if (command[i] == '\0') {
            command[i] = ' ';
        }
    }
}

void sl_process_executable(const struct sl_process *process, char path[SL_DESCRIPTION_MAX])
{
    ssize_t size = readlinkat(process->folder, "exe", path, SL_DESCRIPTION_MAX - 1);
    path[size > 0 ? size : 0] = '\0';
}

size_t sl_process_start_values(const struct sl_process *process, char values[SL_DESCRIPTION_MAX])
{
    return read_file(process, "auxv", values, SL_DESCRIPTION_MAX);
}

uint32_t sl_process_parent(const struct sl_process *process)
{
    char line[SL_STAT_BYTES];
    return sl_stat_read(process->folder, "stat", line) ? (uint32_t)sl_stat_number(line, SL_STAT_PARENT) : 0;
}

pid_t sl_parent_of(pid_t pid)
{
    char path[64];
    char line[SL_STAT_BYTES];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    return sl_stat_read(AT_FDCWD, path, line) ? (pid_t)sl_stat_number(line, SL_STAT_PARENT) : 0;
}
