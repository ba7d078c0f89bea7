#include "target/process.h"

#include "target/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Enough for the first lines of /proc/PID/status. */
#define STATUS_BYTES 2048

/* What is wanted of /proc/PID/stat. */
struct stat_line {
    char state;
    bool kernel_thread; /* the flag PF_KTHREAD of include/linux/sched.h */
    uint64_t threads;
    uint64_t start_ticks;
};
#define PF_KTHREAD 0x00200000

static bool read_stat(int folder, struct stat_line *stat)
{
    char line[SL_STAT_BYTES];
    if (!sl_stat_read(folder, "stat", line) || sl_stat_field(line, SL_STAT_START_TICKS) == NULL) {
        return false;
    }
    stat->state = *sl_stat_field(line, SL_STAT_STATE);
    stat->kernel_thread = (sl_stat_number(line, SL_STAT_FLAGS) & PF_KTHREAD) != 0;
    stat->threads = sl_stat_number(line, SL_STAT_THREADS);
    stat->start_ticks = sl_stat_number(line, SL_STAT_START_TICKS);
    return true;
}

/* The process that a thread belongs to: the number of a thread leads to a folder of its own in /proc, which is not
 * listed. 0 when it is not known. */
static pid_t process_of_thread(int folder)
{
    int descriptor = openat(folder, "status", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return 0;
    }
    char text[STATUS_BYTES];
    ssize_t size = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    text[size > 0 ? size : 0] = '\0';
    const char *line = strstr(text, "\nTgid:");
    return line != NULL ? (pid_t)strtol(line + strlen("\nTgid:"), NULL, 10) : 0;
}

/* Why /proc has no folder for it. */
static bool not_found(pid_t pid, struct sl_error *error)
{
    if (access("/proc/self/stat", R_OK) != 0) {
        return sl_error_set(error, SL_ERROR_SYSTEM, "/proc is not mounted, processes cannot be read");
    }
    /* Signal 0 is none: it only asks. */
    if (kill(pid, 0) != 0 && errno == EPERM) {
        return sl_error_set(
            error, SL_ERROR_PERMISSION,
            "process %d is hidden from this user (/proc is mounted with hidepid); run stacklapse as the "
            "user it belongs to or with sudo",
            (int)pid);
    }
    return sl_error_set(error, SL_ERROR_GONE, "there is no process %d", (int)pid);
}

/* What may be in the folder that is no process to look at. */
static bool check_kind(struct sl_process *process, struct sl_error *error)
{
    int pid = (int)process->pid;
    struct stat_line stat = {0};
    errno = 0;
    if (!read_stat(process->folder, &stat)) {
        bool refused = errno == EMFILE || errno == ENFILE;
        return refused ? sl_error_system(error, errno, "cannot open /proc/%d/stat", pid)
                       : sl_error_set(error, SL_ERROR_GONE, "process %d has ended", pid);
    }
    process->start_ticks = stat.start_ticks;
    if (stat.kernel_thread) {
        return sl_error_set(error, SL_ERROR_NOT_PYTHON, "process %d is a kernel thread", pid);
    }
    pid_t owner = process_of_thread(process->folder);
    if (owner != 0 && owner != process->pid) {
        return sl_error_set(error, SL_ERROR_USAGE, "%d is a thread of process %d, not a process", pid, (int)owner);
    }
    if (stat.state == 'Z' && stat.threads > 1) {
        /* The kernel finds the memory of a process by its main thread, which has given it up. */
        return sl_error_set(error, SL_ERROR_NOT_PYTHON,
                            "the main thread of process %d has ended before its others, its memory cannot be read",
                            pid);
    }
    if (stat.state == 'Z' || stat.state == 'X') {
        return sl_error_set(error, SL_ERROR_NOT_PYTHON,
                            "process %d has ended already and only waits for its parent to notice (a zombie)", pid);
    }
    return true;
}

bool sl_process_open(struct sl_process *process, pid_t pid, struct sl_error *error)
{
    *process = (struct sl_process){.pid = pid, .folder = -1, .memory = -1};
    if (pid <= 0) {
        return sl_error_set(error, SL_ERROR_GONE, "there is no process %d", (int)pid);
    }
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    process->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (process->folder < 0) {
        return errno == ENOENT ? not_found(pid, error) : sl_error_system(error, errno, "cannot open %s", path);
    }
    if (!check_kind(process, error)) {
        sl_process_close(process);
        return false;
    }
    return true;
}

void sl_process_close(struct sl_process *process)
{
    if (process->memory >= 0) {
        close(process->memory);
    }
    if (process->folder >= 0) {
        close(process->folder);
    }
    process->memory = -1;
    process->folder = -1;
}

bool sl_process_alive(const struct sl_process *process)
{
    struct stat_line stat = {0};
    return read_stat(process->folder, &stat) && stat.start_ticks == process->start_ticks && stat.state != 'Z' &&
           stat.state != 'X';
}

/* /proc/PID/mem, the way in where process_vm_readv(2) is filtered (seccomp) or missing (emulators). */
static enum sl_read open_memory(struct sl_process *process)
{
    process->memory = openat(process->folder, "mem", O_RDONLY | O_CLOEXEC);
    if (process->memory >= 0) {
        return SL_READ_OK;
    }
    switch (errno) {
    case ESRCH:
    case ENOENT:
        return SL_READ_GONE;
    case EMFILE:
    case ENFILE:
    case ENOMEM: /* ours is the want, and it may pass: nobody has forbidden anything */
        return SL_READ_FAULT;
    default:
        return SL_READ_DENIED;
    }
}

/* The file is of the memory that the process had when it was opened: another program has another one. */
static enum sl_read reopen_memory(struct sl_process *process)
{
    close(process->memory);
    return open_memory(process);
}

static enum sl_read read_memory_file(struct sl_process *process, uint64_t address, void *buffer, size_t size)
{
    if (address > (uint64_t)INT64_MAX) {
        return SL_READ_FAULT; /* an offset must be positive, and no process has memory there */
    }
    uint8_t *to = buffer;
    bool reopened = false;
    while (size > 0) {
        ssize_t got = pread(process->memory, to, size, (off_t)address);
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EPERM || errno == EACCES ? SL_READ_DENIED : SL_READ_FAULT;
        }
        if (got == 0 && !reopened) {
            enum sl_read opened = reopen_memory(process);
            if (opened != SL_READ_OK) {
                return opened;
            }
            reopened = true;
            continue;
        }
        if (got == 0) {
            return SL_READ_GONE; /* the memory was given up: the process has ended */
        }
        to += got;
        address += (uint64_t)got;
        size -= (size_t)got;
    }
    return SL_READ_OK;
}

static enum sl_read read_pieces_from_file(struct sl_process *process, const struct sl_read_piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum sl_read read = read_memory_file(process, pieces[i].address, pieces[i].buffer, pieces[i].size);
        if (read != SL_READ_OK) {
            return read;
        }
    }
    return SL_READ_OK;
}

enum sl_read sl_process_read_pieces(struct sl_process *process, const struct sl_read_piece *pieces, size_t count)
{
    if (process->memory >= 0) {
        return read_pieces_from_file(process, pieces, count);
    }
    if (count > SL_READ_PIECES_MAX) {
        return SL_READ_FAULT;
    }
    /* Buffers that follow each other count as one on our side, which saves the kernel work. */
    struct iovec ours[SL_READ_PIECES_MAX];
    struct iovec theirs[SL_READ_PIECES_MAX];
    size_t our_count = 0;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        theirs[i] = (struct iovec){(void *)(uintptr_t)pieces[i].address, pieces[i].size};
        struct iovec *last = our_count > 0 ? &ours[our_count - 1] : NULL;
        if (last != NULL && (char *)last->iov_base + last->iov_len == pieces[i].buffer) {
            last->iov_len += pieces[i].size;
        } else {
            ours[our_count++] = (struct iovec){pieces[i].buffer, pieces[i].size};
        }
        total += pieces[i].size;
    }
    ssize_t got = process_vm_readv(process->pid, ours, our_count, theirs, count, 0);
    if (got >= 0) {
        return (size_t)got == total ? SL_READ_OK : SL_READ_FAULT;
    }
    switch (errno) {
    case EFAULT:
    case EINVAL: /* a piece that reaches beyond the end of all addresses */
        return SL_READ_FAULT;
    case ESRCH:
        return SL_READ_GONE;
    case EPERM:
    case EACCES:
    case ENOSYS: {
        enum sl_read opened = open_memory(process);
        return opened == SL_READ_OK ? read_pieces_from_file(process, pieces, count) : opened;
    }
    default:
        return SL_READ_FAULT;
    }
}

enum sl_read sl_process_read(struct sl_process *process, uint64_t address, void *buffer, size_t size)
{
    struct sl_read_piece piece = {address, buffer, size};
    return sl_process_read_pieces(process, &piece, 1);
}

/* Yama's switch, or -1 where there is none. */
static int yama_scope(void)
{
    int descriptor = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return -1;
    }
    char text[8] = "";
    ssize_t size = read(descriptor, text, sizeof text - 1);
    close(descriptor);
    return size > 0 ? atoi(text) : -1;
}

bool sl_process_denied(const struct sl_process *process, struct sl_error *error)
{
    int pid = (int)process->pid;
    struct stat folder;
    bool others = fstat(process->folder, &folder) == 0 && folder.st_uid != geteuid();
    int yama = yama_scope();
    if (geteuid() == 0) {
        return sl_error_set(error, SL_ERROR_PERMISSION,
                            "not permitted to read the memory of process %d: root lacks CAP_SYS_PTRACE here; in a "
                            "container, start it with --cap-add=SYS_PTRACE",
                            pid);
    }
    if (yama == 3) {
        return sl_error_set(error, SL_ERROR_PERMISSION,
                            "not permitted to read the memory of process %d: kernel.yama.ptrace_scope is 3, which "
                            "forbids it to everyone until the next boot",
                            pid);
    }
    if (others) {
        return sl_error_set(error, SL_ERROR_PERMISSION,
                            "not permitted to read the memory of process %d: it belongs to another user (%u) or runs "
                            "with privileges; run stacklapse as that user or with sudo (CAP_SYS_PTRACE)",
                            pid, (unsigned)folder.st_uid);
    }
    if (yama == 1) {
        return sl_error_set(error, SL_ERROR_PERMISSION,
                            "not permitted to read the memory of process %d: kernel.yama.ptrace_scope is 1, which "
                            "allows it for own children only; start the program with stacklapse, use sudo, or set it "
                            "to 0 (sudo sysctl kernel.yama.ptrace_scope=0)",
                            pid);
    }
    return sl_error_set(error, SL_ERROR_PERMISSION,
                        "not permitted to read the memory of process %d: use sudo (CAP_SYS_PTRACE); in a container, "
                        "start it with --cap-add=SYS_PTRACE",
                        pid);
}
