/* profile.h - what a recording says, in memory: plain columns, read by src/analysis and src/render.
 *
 * Built by trace_reader.h from a trace, or by the report page from the columns embedded in it. Immutable once built.
 * Needs no libc, because the page compiles it to WebAssembly.
 *
 * Strings, functions and stacks are interned: each distinct one exists once and is named by a number; a stack may be there
 * more than once where a long recording came back to it. Number 0 is the empty one in each table. Numbers are given in
 * order of first sight, so a stack's caller always has a smaller number than the stack itself: one pass backwards over the
 * stacks adds up totals, one pass forwards builds a tree, and no traversal recurses. */
#ifndef SL_PROFILE_PROFILE_H
#define SL_PROFILE_PROFILE_H

#include "profile/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t sl_string;
typedef uint32_t sl_function;
typedef uint32_t sl_stack;

#define SL_NONE UINT32_MAX /* no such string, function, stack, thread, node; also "memory exhausted" when interning */

enum sl_function_kind {
    SL_FUNCTION_PYTHON = 0,
    SL_FUNCTION_NATIVE = 1, /* a function written in C, named after the callable that the frame below it calls */
    SL_FUNCTION_MARK = 2,   /* not a function: [starting], [no Python frame], [broken], [missed], [await], ... */
};

struct sl_function_record {
    sl_string name; /* qualified: `Kitchen.cook`, `main.<locals>.inner`, `<module>`; marks with their brackets */
    sl_string
        file; /* as the interpreter has it: `/srv/app/kitchen.py`, `<frozen importlib._bootstrap>`, "" for marks; without
               * `.` and `..` where that names the same file */
    uint32_t first_line; /* of the definition, 0 when unknown */
    uint32_t kind;       /* enum sl_function_kind */
};

/* A stack is a node of a trie: `function`, at `line`, running on top of the stack `caller`. */
struct sl_stack_record {
    sl_stack caller;
    sl_function function;
    uint32_t line; /* the line that runs, or that calls what is above it; 0 when unknown */
};

struct sl_process_record {
    uint32_t pid;
    uint32_t parent_pid;  /* 0 when unknown */
    sl_string command;    /* for a person: `app.py --port 0` */
    sl_string python;     /* "3.12.1" */
    sl_string executable; /* path of the interpreter */
    sl_string
        prefixes;   /* sys.prefix, base_prefix, exec_prefix, base_exec_prefix, stdlib: distinct ones, joined by \n */
    sl_string path; /* sys.path, its entries joined by \n */
    uint64_t begin_ns, end_ns; /* on the recording's clock */
    uint64_t cpu_ns;           /* used by the process while recorded, from the kernel's counters */
    int32_t exit_status;       /* as of waitpid(2); -1 when unknown */
    uint64_t root; /* 0: at a path it finds the file that whoever recorded it finds there; else a number that tells its
                    * mounts and root directory from others */
};

enum sl_thread_kind {
    SL_THREAD_OS = 0,    /* a thread of the process */
    SL_THREAD_SCOPE = 1, /* what one Profiler saw, in whatever threads it ran */
};

struct sl_thread_record {
    uint32_t process; /* index */
    uint32_t kind;    /* enum sl_thread_kind */
    uint64_t id;      /* the kernel's thread id as the profiler sees it */
    sl_string name;   /* the kernel's name for it, "" when it has none of its own; of a scope, the task's */
    bool main;        /* the first thread of its process */
    uint64_t begin_ns, end_ns;
    uint64_t cpu_ns;    /* used while recorded, from the kernel's counters */
    uint32_t first_run; /* its runs lie together in sl_profile.runs, in order of time, without overlap */
    uint32_t run_count;
};

/* A task of a thread: what `sl_state_task` of its runs tells. */
struct sl_task_record {
    uint32_t thread;       /* index */
    uint32_t number;       /* of the thread's tasks, 1 to SL_STATE_TASK_MAX */
    sl_function coroutine; /* its outermost one; 0: several tasks are counted as this one, or it is not known */
};

/* Consecutive samples of one thread that saw the same stack and state. A sample stands for its slot of time (or for the
 * part of it that lies in the recording), so a run stands for the time from `begin_ns` to `end_ns`: its weight. */
struct sl_run {
    uint64_t begin_ns, end_ns; /* since the recording's start */
    sl_stack stack;
    sl_state state;
    uint32_t samples;
    uint32_t thread; /* index */
};

/* Shorter than any that is recorded with, and a length that can be divided by. */
#define SL_INTERVAL_UNKNOWN ((uint64_t)1)

/* Facts about the whole recording. */
struct sl_facts {
    uint64_t start_time_ns; /* wall-clock time of the start, since 1970 */
    uint64_t interval_ns;   /* the length of a slot; SL_INTERVAL_UNKNOWN when the recording does not tell */
    uint64_t duration_ns;
    uint64_t looks;           /* slots in which a look was taken */
    uint64_t samples;         /* stacks recorded, those told as broken included */
    uint64_t broken;          /* stacks that stayed inconsistent, recorded as [broken], or were too deep: [too deep] */
    uint64_t missed;          /* looks at a thread that could not be read at all; recorded as [missed] */
    uint64_t late;            /* slots that a late wake-up skipped; their time is added to the next sample */
    uint64_t retried;         /* walks that were repeated */
    uint64_t sampler_cpu_ns;  /* what the sampling itself cost */
    uint64_t cpu_ns;          /* of all recorded processes, from the kernel's counters */
    uint64_t children_cpu_ns; /* of child processes that were not recorded but waited for */
    sl_string description;    /* of a Profiler's recording; "" for the command's */
    sl_string version;        /* of the stacklapse that recorded it */
    uint64_t trace_bytes;     /* size of the trace this was read from, 0 when there is none */
    bool complete;            /* the recording was closed in order, and all of it could be read */
    sl_string command;        /* that was started and ended up in Python; "" for a script, module or code */
    uint64_t lost_bytes;      /* of the trace that could not be read */
    uint64_t looks_read;      /* looks that the trace holds one by one: no more than its size allows */
    uint64_t even_looks;      /* looks of equal weight that tell as much as those do; 0 when that is not known */
};

struct sl_profile {
    struct sl_facts facts;

    /* String n is the text_offsets[n+1] - text_offsets[n] - 1 bytes at text + text_offsets[n], UTF-8 (what is no valid
     * UTF-8 in the program is escaped as \udcXX), followed by a NUL that is not counted. A name may itself hold
     * a NUL. */
    const char *text;
    const uint32_t *text_offsets;
    uint32_t string_count;

    const struct sl_function_record *functions;
    uint32_t function_count;
    const struct sl_stack_record *stacks;
    uint32_t stack_count;
    const struct sl_process_record *processes;
    uint32_t process_count;
    const struct sl_thread_record *threads;
    uint32_t thread_count;
    const struct sl_run *runs;
    uint32_t run_count;
    const struct sl_task_record *tasks; /* in order of threads and of their numbers */
    uint32_t task_count;
};

/* Whether it was read from folded stacks, which tell of nothing but stacks and times: not of processes, of looks, or of when
 * it was. */
static inline bool sl_profile_is_folded(const struct sl_profile *profile)
{
    return profile->facts.complete && profile->facts.interval_ns == SL_INTERVAL_UNKNOWN;
}

static inline const char *sl_profile_text(const struct sl_profile *profile, sl_string string)
{
    return string < profile->string_count ? profile->text + profile->text_offsets[string] : "";
}

static inline uint32_t sl_profile_text_size(const struct sl_profile *profile, sl_string string)
{
    return string < profile->string_count ? profile->text_offsets[string + 1] - profile->text_offsets[string] - 1 : 0;
}

#endif
