#include "target/children.h"

#include "target/description.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A list of children as text: each a number and a blank. */
#define LIST_BYTES ((size_t)SL_DESCENDANTS_MAX * 11)

static bool is_known(const struct sl_descendants *descendants, pid_t root, pid_t pid)
{
    bool known = pid == root;
    for (size_t i = 0; i < descendants->count && !known; i++) {
        known = descendants->items[i].pid == pid;
    }
    return known;
}

/* False when memory is exhausted. */
static bool add(struct sl_descendants *descendants, pid_t root, pid_t pid, pid_t parent)
{
    if (descendants->count == SL_DESCENDANTS_MAX || is_known(descendants, root, pid)) {
        return true;
    }
    if ((descendants->count & (descendants->count - 1)) == 0) {
        size_t capacity = descendants->count > 0 ? descendants->count * 2 : 1;
        struct sl_descendant *items = realloc(descendants->items, capacity * sizeof *items);
        if (items == NULL) {
            return false;
        }
        descendants->items = items;
    }
    descendants->items[descendants->count++] = (struct sl_descendant){.pid = pid, .parent = parent};
    return true;
}

/* The id that a folder is named for, 0 when it is no number. */
static pid_t id_of(const char *name)
{
    char *end;
    long id = strtol(name, &end, 10);
    return *name >= '1' && *name <= '9' && *end == '\0' && id <= INT32_MAX ? (pid_t)id : 0;
}

enum reading { READ, NO_FILE, NO_MEMORY };

/* The children that one thread of `parent` has started. */
static enum reading read_thread(struct sl_descendants *descendants, pid_t root, pid_t parent, int folder,
                                const char *thread, char *text)
{
    char path[64];
    snprintf(path, sizeof path, "%.40s/children", thread);
    int descriptor = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return errno == ENOENT && faccessat(folder, thread, F_OK, 0) == 0 ? NO_FILE : READ;
    }
    size_t size = 0;
    ssize_t got;
    while (size < LIST_BYTES - 1 && (got = read(descriptor, text + size, LIST_BYTES - 1 - size)) > 0) {
        size += (size_t)got;
    }
    close(descriptor);
    text[size] = '\0';
    char *at = text;
    for (;;) {
        char *end;
        long pid = strtol(at, &end, 10);
        if (end == at) {
            return READ;
        }
        at = end;
        if (pid > 0 && pid <= INT32_MAX && !add(descendants, root, (pid_t)pid, parent)) {
            return NO_MEMORY;
        }
    }
}

static enum reading read_children(struct sl_descendants *descendants, pid_t root, pid_t parent, char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)parent);
    DIR *threads = opendir(path);
    if (threads == NULL) {
        return READ;
    }
    enum reading result = READ;
    for (struct dirent *entry = readdir(threads); entry != NULL && result == READ; entry = readdir(threads)) {
        if (id_of(entry->d_name) != 0) {
            result = read_thread(descendants, root, parent, dirfd(threads), entry->d_name, text);
        }
    }
    closedir(threads);
    return result;
}

/* Generation by generation from the lists of children. */
static enum reading follow_lists(struct sl_descendants *descendants, pid_t root)
{
    char *text = malloc(LIST_BYTES);
    if (text == NULL) {
        return NO_MEMORY;
    }
    enum reading result = read_children(descendants, root, root, text);
    for (size_t i = 0; i < descendants->count && result == READ; i++) {
        result = read_children(descendants, root, descendants->items[i].pid, text);
    }
    free(text);
    return result;
}

/* All processes of the system with their parents. */
static bool read_all(struct sl_descendant **all, size_t *count)
{
    *all = NULL;
    *count = 0;
    DIR *folder = opendir("/proc");
    if (folder == NULL) {
        return true;
    }
    bool memory = true;
    for (struct dirent *entry = readdir(folder); entry != NULL && memory; entry = readdir(folder)) {
        pid_t pid = id_of(entry->d_name);
        if (pid == 0) {
            continue;
        }
        if ((*count & (*count - 1)) == 0) {
            struct sl_descendant *grown = realloc(*all, (*count > 0 ? *count * 2 : 1) * sizeof *grown);
            memory = grown != NULL;
            *all = memory ? grown : *all;
        }
        if (memory) {
            (*all)[(*count)++] = (struct sl_descendant){.pid = pid, .parent = sl_parent_of(pid)};
        }
    }
    closedir(folder);
    return memory;
}

/* Generation by generation from what each process says of its parent. */
static bool follow_parents(struct sl_descendants *descendants, pid_t root)
{
    struct sl_descendant *all;
    size_t count;
    bool memory = read_all(&all, &count);
    for (size_t next = 0; memory && next <= descendants->count; next++) {
        pid_t parent = next == 0 ? root : descendants->items[next - 1].pid;
        for (size_t i = 0; i < count && memory; i++) {
            memory = all[i].parent != parent || add(descendants, root, all[i].pid, parent);
        }
    }
    free(all);
    return memory;
}

bool sl_descendants_read(struct sl_descendants *descendants, pid_t pid)
{
    sl_descendants_destroy(descendants);
    enum reading result = follow_lists(descendants, pid);
    if (result == NO_FILE) {
        return sl_descendants_by_parent(descendants, pid);
    }
    if (result == NO_MEMORY) {
        sl_descendants_destroy(descendants);
    }
    return result == READ;
}

bool sl_descendants_by_parent(struct sl_descendants *descendants, pid_t pid)
{
    sl_descendants_destroy(descendants);
    if (!follow_parents(descendants, pid)) {
        sl_descendants_destroy(descendants);
        return false;
    }
    return true;
}

void sl_descendants_destroy(struct sl_descendants *descendants)
{
    free(descendants->items);
    *descendants = (struct sl_descendants){0};
}
