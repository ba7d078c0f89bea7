#include "target/stat.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool sl_stat_read(int folder, const char *name, char line[SL_STAT_BYTES])
{
    int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return false;
    }
    ssize_t size = read(descriptor, line, SL_STAT_BYTES - 1);
    close(descriptor);
    line[size > 0 ? size : 0] = '\0';
    return size > 0;
}

/* The name in field 2 may hold anything, also spaces and brackets, so counting starts behind the last closing bracket. */
const char *sl_stat_field(const char *line, enum sl_stat_field field)
{
    const char *at = strrchr(line, ')');
    for (int number = 2; at != NULL && number < (int)field; number++) {
        at = strchr(at + 1, ' ');
    }
    return at != NULL ? at + 1 : NULL;
}

uint64_t sl_stat_number(const char *line, enum sl_stat_field field)
{
    const char *at = sl_stat_field(line, field);
    return at != NULL ? strtoull(at, NULL, 10) : 0;
}
