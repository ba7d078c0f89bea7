#include "target/plain_path.h"

#include "target/root.h"

#include <stdlib.h>
#include <string.h>

/* Nothing, `.` or `..`. */
static bool is_plain(const char *name, size_t size)
{
    return size > 2 || (size > 0 && name[0] != '.') || (size == 2 && name[1] != '.');
}

/* How much of an absolute path its last name that is not plain ends; 0: all are. */
static size_t size_of_odd_part(const char *path)
{
    size_t odd = 0;
    for (size_t at = 0; path[at] == '/';) {
        const char *name = path + at + 1;
        size_t size = strcspn(name, "/");
        at += 1 + size;
        odd = is_plain(name, size) ? odd : at;
    }
    return odd;
}

/* Writes the first `size` bytes of the path without names that are not plain, and without what `..` leads out of. Returns the
 * size; 0: it is the root. */
static size_t write_plain(const char *path, size_t size, char *plain)
{
    size_t written = 0;
    for (size_t at = 0; at < size;) {
        const char *name = path + at + 1;
        size_t name_size = strcspn(name, "/");
        at += 1 + name_size;
        if (is_plain(name, name_size)) {
            plain[written++] = '/';
            memcpy(plain + written, name, name_size);
            written += name_size;
        } else if (name_size == 2) {
            while (written > 0 && plain[--written] != '/') {
            }
        }
    }
    return written;
}

char *sl_plain_path(const struct sl_process *process, const char *path)
{
    size_t odd_size = size_of_odd_part(path);
    size_t size = strlen(path);
    if (odd_size == 0 || size == 1) {
        return NULL;
    }
    char *odd = strndup(path, odd_size);
    char *plain = malloc(size + 1);
    if (odd == NULL || plain == NULL) {
        free(odd);
        free(plain);
        return NULL;
    }
    size_t written = write_plain(path, odd_size, plain);
    plain[written] = '\0';
    bool same = sl_root_same_file(process, odd, written > 0 ? plain : "/");
    free(odd);
    if (!same) {
        free(plain);
        return NULL;
    }
    if (written == 0 && odd_size == size) {
        plain[written++] = '/';
    }
    memcpy(plain + written, path + odd_size, size - odd_size + 1);
    return plain;
}
