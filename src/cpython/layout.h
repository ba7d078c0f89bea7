/* layout.h - where the fields of CPython's structures lie, for one version.
 *
 * From 3.13 on the interpreter tells most of it itself (struct _Py_DebugOffsets at the start of _PyRuntime,
 * Include/internal/pycore_runtime.h in 3.13, pycore_debug_offsets.h from 3.14). What it does not tell, and everything
 * on 3.11 and 3.12, comes from tables that were taken from the headers of 3.11.2, 3.11.7, 3.12.1, 3.13.0, 3.13.15,
 * 3.14.8 and 3.15.0; they hold for the release builds of these minor versions on 64-bit Linux. A layout is checked
 * against the running interpreter before it is used (runtime.c). Offsets are in bytes. */
#ifndef SL_CPYTHON_LAYOUT_H
#define SL_CPYTHON_LAYOUT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A structure that was taken from the interpreter's own description may not be larger than this, and no field may lie
 * outside of it: the largest, PyInterpreterState, has 384 kB on 3.12. */
#define SL_STRUCTURE_BYTES_MAX ((uint32_t)4 * 1024 * 1024)

struct sl_layout {
    uint32_t minor; /* 11 for 3.11 */

    /* _PyRuntimeState */
    uint32_t runtime_interpreters; /* interpreters.head */

    /* PyInterpreterState */
    uint32_t interpreter_next;
    uint32_t interpreter_id; /* int64_t */
    uint32_t interpreter_threads;
    uint32_t interpreter_sys_dict;
    uint32_t interpreter_collecting;      /* gc.collecting, int */
    uint32_t interpreter_gil;             /* ceval.gil, pointer to the lock; 0 on 3.11, where _PyRuntime holds it */
    uint32_t interpreter_code_generation; /* uint64_t, counts code objects that were freed; 0 before 3.14 */

    /* struct _gil_runtime_state */
    uint32_t runtime_gil; /* ceval.gil in _PyRuntimeState, 3.11 only */
    uint32_t gil_holder;  /* last_holder: stays set when the lock is released */
    uint32_t gil_locked;  /* int */
    uint32_t gil_size;

    /* PyThreadState */
    uint32_t thread_previous;
    uint32_t thread_next;
    uint32_t thread_interpreter;
    uint32_t thread_native_id;
    uint32_t thread_frame;     /* current_frame; before 3.13 cframe, a pointer to a _PyCFrame on the C stack */
    uint32_t thread_base;      /* base_frame, from 3.15; else 0 */
    uint32_t thread_chunk;     /* datastack_chunk */
    uint32_t thread_context;   /* context; lies before the chunk */
    uint32_t c_frame_frame;    /* current_frame in the _PyCFrame */
    uint32_t c_frame_previous; /* the _PyCFrame of the C-level evaluation before it */

    /* _PyInterpreterFrame */
    uint32_t frame_code; /* f_code, from 3.13 f_executable */
    uint32_t frame_previous;
    uint32_t frame_instruction; /* prev_instr, from 3.13 instr_ptr */
    uint32_t frame_owner;       /* char */
    uint32_t frame_stack_top; /* stacktop, int: -1 while the frame itself runs, else it waits for a callee; 0 from 3.14
                                 * on, where nothing in a frame tells this */
    uint32_t frame_entry;     /* is_entry, char: it was called from C; 0 but on 3.11 */
    uint32_t frame_header;    /* bytes of it that are read: up to localsplus, rounded up to a word */

    /* Where a suspended generator's value stack ends: frame_stack_top counts from frame_locals, or from 3.14 on the pointer
     * at frame_stack_end does it; what it awaits lies so many bytes below. */
    uint32_t frame_locals;    /* localsplus */
    uint32_t frame_stack_end; /* stackpointer, from 3.14 on; else 0 */
    uint32_t frame_awaited;

    /* PyGenObject, PyCoroObject, PyAsyncGenObject: begin alike */
    uint32_t generator_state;                                   /* gi_frame_state, int8_t */
    uint32_t generator_frame;                                   /* gi_iframe */
    int8_t generator_suspended_first, generator_suspended_last; /* its values while it is suspended, */
    int8_t generator_awaits; /* the first of those in which it awaits; before 3.13 the next instruction tells that */
    int8_t generator_runs;   /* and while it runs */

    /* TaskObj of Modules/_asynciomodule.c */
    uint32_t task_coroutine;

    /* _PyStackChunk: previous, size, top at 0, 8 and 16; frames from 24 */

    /* PyCodeObject */
    uint32_t code_size; /* instructions, in code units of two bytes: ob_size */
    uint32_t code_file;
    uint32_t code_qualified_name;
    uint32_t code_line_table;
    uint32_t code_first_line;
    uint32_t code_flags;   /* co_flags, int */
    uint32_t code_version; /* co_version; 0 on 3.11 */
    uint32_t
        code_frame_size;  /* co_framesize, in words; on 3.11 0: it is the sum of the next two and the frame header */
    uint32_t code_locals; /* co_nlocalsplus, int */
    uint32_t code_stack;  /* co_stacksize, int */
    uint32_t code_first_traceable;
    uint32_t code_instructions; /* co_code_adaptive: where the structure ends and the instructions begin */

    /* objects */
    uint32_t object_type;
    uint32_t type_name;
    uint32_t type_flags;
    uint32_t bytes_size;
    uint32_t bytes_data;
    uint32_t text_length;
    uint32_t text_state;
    uint32_t text_ascii;   /* size of PyASCIIObject: where the characters of compact ASCII text begin */
    uint32_t text_compact; /* size of PyCompactUnicodeObject: the same for other compact text; text that is not compact
                            * has a pointer to its characters there */
    uint32_t list_size;
    uint32_t list_items;
    uint32_t dict_keys;

    uint64_t pointer_mask;    /* what of frame_code is the address: its low bits are tags from 3.14 on */
    uint8_t owner_hidden;     /* frames of this owner or above are the interpreter's own */
    uint8_t owner_max;        /* there is no owner above this */
    bool c_frames;            /* the thread's frame is reached through a _PyCFrame */
    bool bottom_is_hidden;    /* every stack ends in a frame of the interpreter's own */
    bool wipes_code;          /* frame_code is cleared when a frame is left */
    bool instruction_is_past; /* frame_instruction is the unit before the next one, not the one that runs */
};

/* From this version on an interpreter describes itself. */
#define SL_SELF_DESCRIBED_MINOR 13

/* The bytes at the start of _PyRuntime that hold the description, at most. */
#define SL_DESCRIPTION_BYTES 1024

/* PY_VERSION_HEX, taken apart. */
struct sl_version {
    uint32_t major, minor, patch;
    uint32_t level; /* 0xA alpha, 0xB beta, 0xC candidate, 0xF final */
};
struct sl_version sl_version_split(uint64_t hex);

/* The layout for a version. `description` holds the first SL_DESCRIPTION_BYTES of _PyRuntime. SL_ERROR_UNSUPPORTED,
 * with a sentence, when it is older than 3.11 or newer than 3.15, a pre-release, free-threaded, or describes something
 * that cannot be. */
bool sl_layout_choose(struct sl_layout *layout, uint64_t version_hex, const uint8_t *description,
                      struct sl_error *error);

/* Whether _PyRuntime begins with a description; it then holds the version, too. */
bool sl_layout_described(const uint8_t *description, uint64_t *version_hex);

#endif
