#include "render/state_word.h"

#include <stddef.h>
#include <stdint.h>

/* System calls of x86-64 (Linux, arch/x86/entry/syscalls/syscall_64.tbl) that a program is found waiting in. */
static const struct {
    uint16_t number;
    const char *word;
} calls[] = {
    {0, "read"},     /* read */
    {1, "write"},    /* write */
    {2, "open"},     /* open */
    {3, "close"},    /* close */
    {4, "stat"},     /* stat */
    {5, "stat"},     /* fstat */
    {6, "stat"},     /* lstat */
    {7, "poll"},     /* poll */
    {16, "ioctl"},   /* ioctl */
    {17, "read"},    /* pread64 */
    {18, "write"},   /* pwrite64 */
    {19, "read"},    /* readv */
    {20, "write"},   /* writev */
    {21, "stat"},    /* access */
    {23, "select"},  /* select */
    {26, "sync"},    /* msync */
    {34, "signal"},  /* pause */
    {35, "sleep"},   /* nanosleep */
    {40, "send"},    /* sendfile */
    {42, "connect"}, /* connect */
    {43, "accept"},  /* accept */
    {44, "send"},    /* sendto */
    {45, "recv"},    /* recvfrom */
    {46, "send"},    /* sendmsg */
    {47, "recv"},    /* recvmsg */
    {56, "fork"},    /* clone */
    {57, "fork"},    /* fork */
    {58, "fork"},    /* vfork */
    {59, "exec"},    /* execve */
    {61, "child"},   /* wait4 */
    {65, "lock"},    /* semop */
    {70, "recv"},    /* msgrcv */
    {72, "lock"},    /* fcntl, which waits only for a record lock */
    {73, "lock"},    /* flock */
    {74, "sync"},    /* fsync */
    {75, "sync"},    /* fdatasync */
    {76, "write"},   /* truncate */
    {77, "write"},   /* ftruncate */
    {78, "list"},    /* getdents */
    {82, "rename"},  /* rename */
    {87, "unlink"},  /* unlink */
    {128, "signal"}, /* rt_sigtimedwait */
    {130, "signal"}, /* rt_sigsuspend */
    {162, "sync"},   /* sync */
    {202, "lock"},   /* futex */
    {208, "read"},   /* io_getevents */
    {217, "list"},   /* getdents64 */
    {220, "lock"},   /* semtimedop */
    {230, "sleep"},  /* clock_nanosleep */
    {232, "epoll"},  /* epoll_wait */
    {243, "recv"},   /* mq_timedreceive */
    {247, "child"},  /* waitid */
    {257, "open"},   /* openat */
    {262, "stat"},   /* newfstatat */
    {263, "unlink"}, /* unlinkat */
    {270, "select"}, /* pselect6 */
    {271, "poll"},   /* ppoll */
    {275, "splice"}, /* splice */
    {281, "epoll"},  /* epoll_pwait */
    {285, "write"},  /* fallocate */
    {288, "accept"}, /* accept4 */
    {295, "read"},   /* preadv */
    {296, "write"},  /* pwritev */
    {299, "recv"},   /* recvmmsg */
    {306, "sync"},   /* syncfs */
    {307, "send"},   /* sendmmsg */
    {318, "random"}, /* getrandom */
    {326, "copy"},   /* copy_file_range */
    {332, "stat"},   /* statx */
    {426, "uring"},  /* io_uring_enter */
    {435, "fork"},   /* clone3 */
    {441, "epoll"},  /* epoll_pwait2 */
    {449, "lock"},   /* futex_waitv */
    {455, "lock"},   /* futex_wait */
};

const char *sl_state_word(sl_state state)
{
    if ((state & SL_STATE_KNOWN) == 0) {
        return NULL;
    }
    if ((state & SL_STATE_WAITS_GIL) != 0) {
        return "GIL";
    }
    if ((state & SL_STATE_GC) != 0) {
        return "GC";
    }
    if ((state & SL_STATE_LOCK) != 0) {
        return "lock";
    }
    if (!sl_state_waits(state)) {
        return NULL;
    }
    int32_t call = sl_state_call(state);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (calls[i].number == call) {
            return calls[i].word;
        }
    }
    return "wait";
}

const char *sl_state_name(sl_state state)
{
    if ((state & SL_STATE_KNOWN) == 0) {
        return "unknown";
    }
    if ((state & SL_STATE_GC) != 0) {
        return "collecting";
    }
    if ((state & SL_STATE_ON_CPU) != 0) {
        return "running";
    }
    if ((state & SL_STATE_WAITS_GIL) != 0) {
        return "waiting for GIL";
    }
    return (state & SL_STATE_LOCK) != 0 ? "waiting for lock" : "waiting";
}
