/* python.h - the CPython inside a process: its threads, and the stack of each at this instant.
 *
 * With context.h, await.h and stem.h this is the only door to src/cpython: nothing outside knows that a CPython version
 * exists. Everything is read from the process's memory while it runs; nothing holds still. What a function here returns was either seen whole and
 * consistent, or is told as torn, so that the caller can look again at once. Everything read is untrusted: every
 * pointer is checked, every chain has a named bound. One struct sl_python is used by one thread. */
#ifndef SL_CPYTHON_PYTHON_H
#define SL_CPYTHON_PYTHON_H

#include "base/error.h"
#include "target/process.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_python;

/* Finds the interpreter in the process and learns its layouts. The process is borrowed for the interpreter's life.
 * NULL with SL_ERROR_NOT_PYTHON (no _PyRuntime in it), SL_ERROR_UNSUPPORTED (older than 3.11, newer than 3.15, a
 * pre-release, free-threaded, debug build, not 64 bit; the sentence says which), SL_ERROR_PERMISSION, SL_ERROR_GONE.
 * `*not_yet` (may be NULL) is set true when a process that has just started may become readable soon: the interpreter
 * is not mapped or not initialised yet. */
struct sl_python *sl_python_attach(struct sl_process *process, bool *not_yet, struct sl_error *error);

/* The same for our own process, where the dynamic linker has told the addresses of _PyRuntime and Py_Version (0: there is
 * none), and whether there is a _Py_NegativeRefcount (a debug build). */
struct sl_python *sl_python_attach_own(struct sl_process *process, uint64_t runtime, uint64_t version, bool debug,
                                       struct sl_error *error);
void sl_python_detach(struct sl_python *python);

/* Whether a process runs a file that is called python, python3.12 or so: then it is a Python, or will be in a moment. */
bool sl_python_named(const struct sl_process *process);

/* The process that was attached to. */
struct sl_process *sl_python_process(const struct sl_python *python);

/* "3.12.1" */
const char *sl_python_version(const struct sl_python *python);

enum sl_look {
    SL_LOOK_OK = 0,
    SL_LOOK_TORN,  /* what was read does not fit together: the program changed it meanwhile. Look again at once */
    SL_LOOK_FAULT, /* memory that could not be read; mostly as TORN */
    SL_LOOK_GONE,  /* the process has ended */
    SL_LOOK_DENIED,
    SL_LOOK_TOO_DEEP, /* a stack of more than SL_FRAMES_MAX frames, the interpreter's own included, or SL_STACK_BYTES_MAX:
                         to look again does not help */
    SL_LOOK_MEMORY,   /* ours is exhausted */
};

/* Whether to look again at once may help. */
static inline bool sl_look_again(enum sl_look look)
{
    return look == SL_LOOK_TORN || look == SL_LOOK_FAULT;
}

/* A thread that can run Python code: one PyThreadState. */
struct sl_python_thread {
    uint64_t address;     /* of its PyThreadState */
    uint64_t native_id;   /* the kernel's id of the thread that runs it, as that thread's PID namespace has it */
    uint64_t interpreter; /* address of its PyInterpreterState */
    int64_t interpreter_id;
};

/* The threads of all interpreters, in the order of the runtime's lists (newest first within an interpreter). The array
 * is the python's own and valid until the next call. A list that changed while it was read gives SL_LOOK_TORN and what
 * was read of it until then. At most SL_PYTHON_THREADS_MAX, counting states whose thread has not begun. */
enum sl_look sl_python_threads(struct sl_python *python, const struct sl_python_thread **threads, size_t *count);
#define SL_PYTHON_THREADS_MAX 65536

/* Frees what is remembered of threads that are not in that list any more, and with it what was walked of them. */
void sl_python_threads_forget(struct sl_python *python);

/* Whether the list still is the one that was last given can be seen along with the next stack that is walked, which
 * costs less than to read it. After `sl_python_threads_follow` that is SL_LIST_UNSEEN until a stack was walked. False,
 * and nothing is done, when the list is unknown or so long that it would make the walk slow: then read it. */
enum sl_list {
    SL_LIST_UNSEEN = 0,
    SL_LIST_SAME,
    SL_LIST_CHANGED,
};
bool sl_python_threads_follow(struct sl_python *python);
enum sl_list sl_python_threads_seen(const struct sl_python *python);

/* Whether the list is known, and too long for that. Then sl_python_threads_begun tells what is new in it for one read of a
 * few words. */
bool sl_python_threads_long(const struct sl_python *python);

/* Whether a thread may have begun since the list was given. True also when one of the newest has ended, and when that cannot
 * be read; false when the list is unknown. */
bool sl_python_threads_begun(const struct sl_python *python);

/* One frame of a walked stack. */
struct sl_frame {
    uint32_t code; /* number of its code object in this python's code cache: see sl_python_code; or SL_CODE_NAMELESS */
    uint32_t line; /* the line that runs or calls; the function's first line when the table has none */
};

struct sl_walk {
    struct sl_frame *frames; /* innermost first; the python's own, valid until the thread is walked again, or
                              * sl_python_threads_forget */
    size_t count;            /* at most SL_FRAMES_MAX */
    uint64_t unchanged;      /* how many of the outermost frames are as in this thread's last successful walk */
    uint32_t retried;        /* attempts that did not fit together, and were repeated at once */
    bool holds_gil;          /* the thread held the GIL; false when it is not known */
    bool collecting;         /* its interpreter was collecting garbage, and it held the GIL */
    uint64_t context;        /* address of the context that it had entered; 0: none */
    uint64_t task; /* address of the outermost coroutine's frame, by which its event loop's tasks differ; 0: none */
    uint32_t task_code; /* number of that coroutine's code object */
};
#define SL_FRAMES_MAX 65536

/* Of a larger data stack nothing is told either: SL_FRAMES_MAX frames of a normal size have 8 MB. */
#define SL_STACK_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* In place of a code object that ran for a moment and was freed before its name could be read. */
#define SL_CODE_NAMELESS UINT32_MAX

/* The stack of one thread, read in one piece as far as it lies in one data-stack chunk, and checked: the walk must
 * reach the bottom of the stack, and every frame must be one. Code objects that were not seen before are read now.
 * Tries a few times; the caller retries. What a retry sees belongs to the moment of the first attempt only if it lies
 * above those frames that were certain then; if it does not, the stack is these frames: the program had left them
 * before the retry, and to take what came after instead would take time away from what ends, for what begins.
 * SL_LOOK_OK with count 0: the thread runs no Python code. Marks of the interpreter itself (shims, _Py_InitCleanup,
 * incomplete frames) are left out. */
enum sl_look sl_python_walk(struct sl_python *python, const struct sl_python_thread *thread, struct sl_walk *walk);

/* A code object, named when it was first seen. Two code objects of the same name, file and first line (a module that
 * was loaded twice) share a number. */
struct sl_code {
    const char *name; /* co_qualname, UTF-8 with what is not valid escaped as \udcXX; NUL-terminated */
    size_t name_size;
    const char *file; /* co_filename, the same */
    size_t file_size;
    uint32_t first_line;
};

/* Code object `number` of the cache. Numbers are given from 0 in order of first sight and never reused for another
 * code object; valid until detach. */
const struct sl_code *sl_python_code(const struct sl_python *python, uint32_t number);

/* What the interpreter says of itself (sys.prefix and friends, sys.path, sys.executable), for the report: as plain paths
 * (target/plain_path.h). Reads sys.__dict__ from memory; what is not there yet is "". The strings are the caller's to free with
 * `sl_python_facts_destroy`. False when nothing could be read. */
struct sl_python_facts {
    char *prefixes; /* distinct ones of sys.prefix, base_prefix, exec_prefix, base_exec_prefix and the directory of the
                       * standard library, joined by \n */
    char *path;     /* entries of sys.path, joined by \n */
    char *executable; /* sys.executable */
};
bool sl_python_facts(struct sl_python *python, struct sl_python_facts *facts);
void sl_python_facts_destroy(struct sl_python_facts *facts);

/* Where the GIL of the thread's interpreter lies in memory: a futex(2) on an address in this range is waiting for the
 * GIL. Both 0 when it is not known. */
void sl_python_gil_range(struct sl_python *python, const struct sl_python_thread *thread, uint64_t *begin,
                         uint64_t *end);

/* Address of the thread state that holds the GIL that lies at `begin`; 0 when none does, or it is not known. */
uint64_t sl_python_gil_holder(struct sl_python *python, uint64_t begin);

#endif
