/* process.h - a process whose memory is read: another one, or our own.
 *
 * Reading is by system calls only (process_vm_readv(2), else /proc/PID/mem), also of our own process, so a wild address
 * is an error code and never a signal. Nothing is written to the process, and it is neither stopped nor signalled. */
#ifndef SL_TARGET_PROCESS_H
#define SL_TARGET_PROCESS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sl_process {
    pid_t pid;
    uint64_t start_ticks; /* field 22 of /proc/PID/stat: with the pid it names this process and no later one */
    int folder;           /* descriptor of /proc/PID: it cannot come to mean another process */
    int memory;           /* descriptor of /proc/PID/mem, opened when process_vm_readv is forbidden; else -1 */
};

/* Fails with SL_ERROR_GONE when there is no such process, SL_ERROR_NOT_PYTHON for a zombie or kernel thread,
 * SL_ERROR_USAGE for the number of a thread, SL_ERROR_PERMISSION when /proc hides the process. Whether
 * its memory may be read is found out by the first read. */
bool sl_process_open(struct sl_process *process, pid_t pid, struct sl_error *error);
void sl_process_close(struct sl_process *process);

/* Whether it still is the process that was opened, and no zombie. */
bool sl_process_alive(const struct sl_process *process);

enum sl_read {
    SL_READ_OK = 0,
    SL_READ_FAULT,  /* an address that is not mapped, wholly or in part */
    SL_READ_GONE,   /* the process has ended */
    SL_READ_DENIED, /* not permitted */
};

/* Copies `size` bytes at `address`. All or nothing counts as read; on failure the buffer's content is undefined. */
enum sl_read sl_process_read(struct sl_process *process, uint64_t address, void *buffer, size_t size);

/* Several pieces in one system call; SL_READ_OK only if all were read. At most SL_READ_PIECES_MAX. */
struct sl_read_piece {
    uint64_t address;
    void *buffer;
    size_t size;
};
#define SL_READ_PIECES_MAX 64
enum sl_read sl_process_read_pieces(struct sl_process *process, const struct sl_read_piece *pieces, size_t count);

/* What to tell a person whose read was denied: one sentence that says what helps here (same user, CAP_SYS_PTRACE,
 * yama's ptrace_scope, container flags), as SL_ERROR_PERMISSION. Returns false. */
bool sl_process_denied(const struct sl_process *process, struct sl_error *error);

#endif
