/* python_double.h - stands in for src/cpython: says of a process what a test wants to be said. The kernel's side of the
 * process (its threads, what they wait in, that it ends) is real. */
#ifndef SL_TESTS_PYTHON_DOUBLE_H
#define SL_TESTS_PYTHON_DOUBLE_H

#include "cpython/python.h"

#include <sys/types.h>

#define DOUBLE_THREADS_MAX 16
#define DOUBLE_FRAMES_MAX 8

struct double_thread {
    pid_t id;
    int64_t interpreter_id;
    size_t depth;
    struct sl_frame frames[DOUBLE_FRAMES_MAX]; /* outermost first */
    unsigned torn;                             /* that many walks fail before one succeeds, each time */
    bool too_deep;                             /* and each walk says this */
    unsigned nameless;                         /* in that many walks no frame has a name, */
    bool nameless_innermost;                   /* and in those after them the innermost has none */
    bool holds_gil;
    uint64_t task; /* that it runs, by its coroutine's frame, which runs code number: */
    uint32_t task_code;
    unsigned walks; /* attempts so far */
    unsigned torn_left;
    size_t seen; /* the last walk */
    struct sl_frame seen_frames[DOUBLE_FRAMES_MAX];
};

struct python_double {
    unsigned attach_failures; /* that many attempts fail with: */
    enum sl_error_kind attach_error;
    bool not_yet;
    unsigned attached; /* times so far */
    bool kills;        /* the process ends, and is gone, right after */
    struct double_thread threads[DOUBLE_THREADS_MAX];
    size_t thread_count;
    uint64_t gil_begin, gil_end;
    unsigned gil_late; /* so often it is asked for before there is one */
    uint64_t gil_holder;
    bool follows_list;  /* a walk tells whether the list of threads is another one */
    bool long_list;     /* it is too long for that, and takes a millisecond to read */
    unsigned lists;     /* times that it was told so far */
    unsigned forgotten; /* and that what is not in it any more was to be freed */
    const char *path;   /* entries of sys.path; NULL: some */
};
extern struct python_double python_double;

/* Called before each list of threads is told, or asked to be seen along with a walk, or for what has begun; may change
 * what is said. NULL: nothing. */
extern void (*python_double_step)(void);

/* Function n is called "fN" and lies in "/app/fN.py". */
#endif
