/* threads.h - the kernel's side of a process's threads: which there are, what they are called, what each is doing now,
 * and how much CPU time it has used.
 *
 * Everything comes from files of /proc/PID/task/TID, read through descriptors that are kept: 0.2 us to learn whether a
 * thread has run since the last time, 0.8 us for what it is doing. Nothing here touches the thread. */
#ifndef SL_TARGET_THREADS_H
#define SL_TARGET_THREADS_H

#include "target/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What holds for all threads of a process. */
struct sl_threads {
    int folder; /* descriptor of /proc/PID/task */
    pid_t pid;
    bool inner_namespace; /* the process numbers its threads otherwise than we do */
    struct sl_thread_ids {
        uint64_t inner;
        pid_t id;
    } * ids; /* of a process in an inner namespace, as of the last scan; owned */
    size_t id_count;
    bool scanned;             /* since sl_threads_listed */
    size_t *descriptors_left; /* how many more files may be kept open; borrowed. Threads for which nothing is left open
                               * theirs each time */
};

/* `descriptors_left` may be shared by several processes. False when the process is gone. */
bool sl_threads_open(struct sl_threads *threads, const struct sl_process *process, size_t *descriptors_left);
void sl_threads_close(struct sl_threads *threads);

/* The ids that are asked for from now on were read only now. What of them is not known is scanned for once, however
 * many there are of threads that have ended: in a process that was forked off the interpreter may list its parent's. */
void sl_threads_listed(struct sl_threads *threads);

/* The id by which we know the thread that calls itself `inner` (gettid(2) in its own PID namespace). 0 when there is no
 * such thread in this process, or it has begun after sl_threads_listed (at first: after the first call of this). */
pid_t sl_threads_id(struct sl_threads *threads, uint64_t inner);

/* One thread. */
struct sl_thread {
    pid_t id;
    int schedule; /* descriptors of its files schedstat and syscall; -1 when not kept */
    int call;
};

/* False when the process has no thread of this id. */
bool sl_thread_open(struct sl_thread *thread, struct sl_threads *threads, pid_t id);
void sl_thread_close(struct sl_thread *thread, struct sl_threads *threads);

enum sl_thread_read {
    SL_THREAD_OK = 0,
    SL_THREAD_GONE,    /* the thread has ended */
    SL_THREAD_UNKNOWN, /* the kernel does not tell, or not to us */
};

/* How often the thread was put on a CPU: two equal numbers mean that it ran without a break, or not at all, between
 * the two calls. A thread that was woken counts only once it runs. `cpu_ns` is what it has used, exact to a scheduler
 * tick while it runs. */
struct sl_thread_runs {
    uint64_t runs;
    uint64_t cpu_ns;
};
enum sl_thread_read sl_thread_runs(const struct sl_thread *thread, const struct sl_threads *threads,
                                   struct sl_thread_runs *runs);

/* Whether it was there before `time_ns` (CLOCK_MONOTONIC), by more than the hundredth of a second that the kernel tells it to.
 * False also when it does not. */
bool sl_thread_older(const struct sl_thread *thread, const struct sl_threads *threads, uint64_t time_ns);

/* What it is doing at this instant. */
struct sl_thread_activity {
    bool on_cpu;       /* running or runnable */
    int32_t call;      /* else the number of the system call it waits in; -1 when unknown or none (a page fault) */
    uint64_t argument; /* first and second argument of the call */
    uint64_t second;
};
enum sl_thread_read sl_thread_activity(const struct sl_thread *thread, const struct sl_threads *threads,
                                       struct sl_thread_activity *activity);

/* Whether it was made to stop, wherever it was. */
enum sl_thread_stop {
    SL_THREAD_GOES_ON = 0, /* also when the kernel does not tell */
    SL_THREAD_STOPPED,     /* by a signal (SIGSTOP, Ctrl-Z) */
    SL_THREAD_TRACED,      /* by a tracer, such as a debugger */
};
enum sl_thread_stop sl_thread_stop(const struct sl_thread *thread, const struct sl_threads *threads);

/* The thread's name (/proc/PID/task/TID/comm), without the process's own: "" for the main thread, and for one that is
 * called what the main thread is called. */
#define SL_THREAD_NAME_MAX 16
void sl_thread_name(const struct sl_threads *threads, pid_t id, char name[SL_THREAD_NAME_MAX]);

/* What /proc/PID/task/TID/syscall says: "running", "-1 SP PC" (waits, but in no call), or "NUMBER ARGUMENT*6 SP PC".
 * False when it is none of them. */
bool sl_thread_parse_call(const char *text, struct sl_thread_activity *activity);

#endif
