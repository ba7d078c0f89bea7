#include "target/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What tells them apart: the numbers of the mount namespace and of the root directory's file. */
struct root {
    uint64_t namespace_number;
    uint64_t device, file;
};

/* The names are relative to `folder`. */
static bool read_root(int folder, const char *space, const char *top, struct root *root)
{
    struct stat of_space;
    struct stat of_top;
    if (fstatat(folder, space, &of_space, 0) != 0 || fstatat(folder, top, &of_top, 0) != 0) {
        return false;
    }
    *root = (struct root){.namespace_number = of_space.st_ino, .device = of_top.st_dev, .file = of_top.st_ino};
    return true;
}

static uint64_t mixed(uint64_t hash, uint64_t number)
{
    return (hash ^ number) * UINT64_C(0x9e3779b97f4a7c15);
}

bool sl_root_number(const struct sl_process *process, uint64_t *number)
{
    struct root root;
    struct root own;
    if (!read_root(process->folder, "ns/mnt", "root", &root) || !read_root(AT_FDCWD, "/proc/self/ns/mnt", "/", &own)) {
        return false;
    }
    if (root.namespace_number == own.namespace_number && root.device == own.device && root.file == own.file) {
        *number = 0;
        return true;
    }
    uint64_t hash = mixed(mixed(mixed(0, root.namespace_number), root.device), root.file) >> 1;
    *number = hash + 1;
    return true;
}

int sl_root_open(const struct sl_process *process)
{
    return openat(process->folder, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Which file lies at a path within a root. It is asked for what the kernel knows by heart first: who looks holds locks that the
 * program may wait for, and a server of files that is gone is waited for without end; the program has just been there, so
 * that is nearly always known. Any file that is renamed anywhere meanwhile, and any mount, may make the kernel give up. */
static bool look_within(int root, const char *path, struct statx *facts)
{
    enum { attempts = 16, by_heart = 8 };
    struct open_how how = {.flags = O_PATH | O_CLOEXEC};
    int descriptor = -1;
    errno = EAGAIN;
    for (int i = 0; i < attempts && descriptor < 0 && errno == EAGAIN; i++) {
        how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (i < by_heart ? RESOLVE_CACHED : 0);
        descriptor = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    }
    bool found = descriptor >= 0 && statx(descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, facts) == 0;
    if (descriptor >= 0) {
        close(descriptor);
    }
    return found;
}

bool sl_root_same_file(const struct sl_process *process, const char *path, const char *other)
{
    struct statx facts;
    struct statx others;
    int root = sl_root_open(process);
    bool found = root >= 0 && look_within(root, path, &facts) && look_within(root, other, &others);
    if (root >= 0) {
        close(root);
    }
    return found && facts.stx_dev_major == others.stx_dev_major && facts.stx_dev_minor == others.stx_dev_minor &&
           facts.stx_ino == others.stx_ino;
}
