/* runtime.h - what src/cpython knows of one attached interpreter; the inside of python.h. */
#ifndef SL_CPYTHON_RUNTIME_H
#define SL_CPYTHON_RUNTIME_H

#include "cpython/code_cache.h"
#include "cpython/layout.h"
#include "cpython/python.h"
#include "cpython/snapshot.h"
#include "cpython/thread_memory.h"
#include "cpython/types.h"

/* More interpreters are not followed. */
#define SL_INTERPRETERS_MAX 4096u

struct sl_python {
    struct sl_process *process; /* borrowed */
    struct sl_layout layout;
    uint64_t runtime; /* address of _PyRuntime */
    char version[16];

    struct sl_code_cache codes;
    struct sl_thread_memories memories;
    struct sl_snapshot snapshot;
    struct sl_types types;
    bool follows_contexts;        /* a walk must be of one context from its first copy to its last */
    uint64_t walk;                /* number of the walk under way */
    uint64_t version_interpreter; /* the interpreter, among whose code objects the highest co_version met */
    uint32_t code_version;        /* is this */

    struct sl_python_thread *threads; /* of the last sl_python_threads; owned */
    size_t thread_count, thread_capacity;

    /* What that list was made of: as long as all these words are as they were, so is the list. As long as `list_heads` are,
     * which are a few of them, no thread has begun, unless there are too many. */
    struct sl_list_words {
        struct sl_list_word {
            uint64_t address, value;
        } * all; /* owned; those of one object next to each other */
        size_t count, capacity;
    } list_words, list_heads;
#define SL_LIST_WORDS_FOLLOWED 40 /* a list of more than these (eight threads) is not looked at along with a stack */
    bool list_known;              /* it was read to its end, and all its words are there */
    bool list_fresh;              /* memories of threads that are not in it any more may be there still */
    bool list_followed;           /* the next stack that is copied is to tell whether they are as they were, */
    enum sl_list list_seen;       /* and this is what the last one told */
};

/* Address of the GIL that this interpreter uses, 0 when it is not known. One read, none on 3.11. */
uint64_t sl_gil_address(struct sl_python *python, uint64_t interpreter);

#endif
