#include "cpython/runtime.h"

#include "cpython/words.h"
#include "target/elf.h"
#include "target/modules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is looked for in a file that may hold an interpreter. */
enum { RUNTIME_SECTION, RUNTIME_SYMBOL, VERSION_SYMBOL, DEBUG_SYMBOL, OLD_SYMBOL, NAME_COUNT };

struct found {
    uint64_t runtime;
    uint64_t version_symbol; /* address of Py_Version, an unsigned long; 0: there is none */
    bool debug;              /* built with Py_DEBUG (Py_REF_DEBUG) */
    bool old_python;         /* a Python, but one without _PyRuntime: before 3.7 */
    bool not_64_bit, other_machine;
    bool unreadable; /* a file that may hold it could not be opened */
};

static bool holds_python(struct found *found, const struct sl_process *process, const struct sl_module *module)
{
    struct sl_elf_name names[NAME_COUNT] = {
        [RUNTIME_SECTION] = {.name = ".PyRuntime", .section = true},
        [RUNTIME_SYMBOL] = {.name = "_PyRuntime"},
        [VERSION_SYMBOL] = {.name = "Py_Version"},
        [DEBUG_SYMBOL] = {.name = "_Py_NegativeRefcount"},
        [OLD_SYMBOL] = {.name = "Py_GetVersion"},
    };
    switch (sl_elf_find(process, module, names, NAME_COUNT)) {
    case SL_ELF_OK:
        break;
    case SL_ELF_UNREADABLE:
        found->unreadable = true;
        return false;
    case SL_ELF_NOT_64_BIT:
        found->not_64_bit = true;
        return false;
    case SL_ELF_OTHER_MACHINE:
        found->other_machine = true;
        return false;
    }
    found->runtime = names[RUNTIME_SECTION].address;
    if (found->runtime == 0) {
        found->runtime = names[RUNTIME_SYMBOL].address;
    }
    if (found->runtime == 0) {
        found->old_python = found->old_python || names[OLD_SYMBOL].address != 0;
        return false;
    }
    found->version_symbol = names[VERSION_SYMBOL].address;
    found->debug = names[DEBUG_SYMBOL].address != 0;
    return true;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Whether a module that is neither the program nor libpython is named like something that may hold an interpreter: an
 * application's own copy of the library, or a Python that was started through the dynamic loader, which then is the
 * program. */
static bool named_after_python(const char *name)
{
    return strncmp(name, "python", 6) == 0 || (strstr(name, ".so") != NULL && strcasestr(name, "python") != NULL);
}

/* The executable first, then libpython, then whatever else is named after Python. */
static bool find_runtime(struct found *found, const struct sl_process *process, const struct sl_modules *modules)
{
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < modules->count; i++) {
            const struct sl_module *module = &modules->items[i];
            const char *name = base_name(module->path);
            bool library = strncmp(name, "libpython", 9) == 0;
            bool wanted = round == 0   ? module->executable_file
                          : round == 1 ? !module->executable_file && library
                                       : !module->executable_file && !library && named_after_python(name);
            if (wanted && holds_python(found, process, module)) {
                return true;
            }
            if (found->not_64_bit && round == 0) {
                return false;
            }
        }
    }
    return false;
}

static bool not_python(const struct sl_process *process, const struct found *found, bool *not_yet,
                       struct sl_error *error)
{
    int pid = (int)process->pid;
    if (found->not_64_bit) {
        return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                            "process %d is a 32-bit program; stacklapse reads 64-bit Pythons only", pid);
    }
    if (found->other_machine) {
        return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                            "process %d is a program for another processor, run by an emulator", pid);
    }
    if (found->old_python) {
        return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                            "process %d runs a Python older than 3.7; stacklapse reads CPython 3.11 to 3.15", pid);
    }
    *not_yet = true;
    if (found->unreadable) {
        return sl_error_set(error, SL_ERROR_NOT_PYTHON,
                            "cannot open the program file of process %d to look for Python in it", pid);
    }
    return sl_error_set(error, SL_ERROR_NOT_PYTHON, "process %d is not Python: there is no CPython in it", pid);
}

static bool read_failed(const struct sl_process *process, enum sl_read read, struct sl_error *error)
{
    switch (read) {
    case SL_READ_DENIED:
        return sl_process_denied(process, error);
    case SL_READ_GONE:
        return sl_error_set(error, SL_ERROR_GONE, "process %d has ended", (int)process->pid);
    default:
        return sl_error_set(error, SL_ERROR_NOT_PYTHON, "cannot read the interpreter of process %d in its memory",
                            (int)process->pid);
    }
}

/* The version by what the interpreter says; 3.11 to 3.12 say it in Py_Version only. */
static bool choose_layout(struct sl_python *python, const struct found *found, struct sl_error *error)
{
    uint8_t description[SL_DESCRIPTION_BYTES];
    enum sl_read read = sl_process_read(python->process, found->runtime, description, sizeof description);
    if (read != SL_READ_OK) {
        return read_failed(python->process, read, error);
    }
    uint64_t hex = 0;
    if (!sl_layout_described(description, &hex)) {
        if (found->version_symbol == 0) {
            return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                                "process %d runs a Python older than 3.11, or one whose symbols were removed; "
                                "stacklapse reads CPython 3.11 to 3.15",
                                (int)python->process->pid);
        }
        read = sl_process_read(python->process, found->version_symbol, &hex, sizeof hex);
        if (read != SL_READ_OK) {
            return read_failed(python->process, read, error);
        }
    }
    if (!sl_layout_choose(&python->layout, hex, description, error)) {
        return false;
    }
    struct sl_version version = sl_version_split(hex);
    snprintf(python->version, sizeof python->version, "%u.%u.%u", version.major, version.minor, version.patch);
    if (found->debug) {
        return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                            "process %d runs a debug build of Python %s; stacklapse reads release builds only",
                            (int)python->process->pid, python->version);
    }
    return true;
}

/* The first interpreter that has a thread, and that, which is 0 when none has. From 3.13 on one that was made for later has
 * none while nothing runs in it, and is the first of the list. */
static enum sl_read find_thread(const struct sl_python *python, uint64_t *interpreter, uint64_t *thread)
{
    const struct sl_layout *layout = &python->layout;
    uint64_t next = 0;
    *interpreter = 0;
    *thread = 0;
    enum sl_read read = sl_process_read(python->process, python->runtime + layout->runtime_interpreters, &next, 8);
    for (size_t seen = 0; read == SL_READ_OK && next != 0 && *thread == 0 && seen < SL_INTERPRETERS_MAX; seen++) {
        *interpreter = next;
        struct sl_read_piece pieces[] = {{*interpreter + layout->interpreter_next, &next, 8},
                                         {*interpreter + layout->interpreter_threads, thread, 8}};
        read = sl_process_read_pieces(python->process, pieces, 2);
    }
    return read;
}

/* How often what does not fit together is read again at once. */
#define RETRIES_MAX 8

/* What must hold between the first interpreter that has a thread and that thread if the layout is the right one.
 * Between the two reads another thread may have been put before it, or it may have been freed: then it holds when they
 * are read again. */
static bool check_layout(struct sl_python *python, bool *not_yet, struct sl_error *error)
{
    const struct sl_layout *layout = &python->layout;
    int pid = (int)python->process->pid;
    for (int attempt = 0; attempt <= RETRIES_MAX; attempt++) {
        uint64_t interpreter = 0;
        uint64_t thread = 0;
        uint8_t state[SL_THREAD_BYTES_MAX];
        enum sl_read read = find_thread(python, &interpreter, &thread);
        if (read == SL_READ_OK && thread == 0) {
            *not_yet = true;
            return sl_error_set(error, SL_ERROR_NOT_PYTHON,
                                "the interpreter of process %d has not started yet, or has shut down", pid);
        }
        if (read == SL_READ_OK) {
            read = sl_process_read(python->process, thread, state, layout->thread_chunk + 8);
        }
        if (read != SL_READ_OK && read != SL_READ_FAULT) {
            return read_failed(python->process, read, error);
        }
        if (read == SL_READ_OK && sl_word(state + layout->thread_interpreter) == interpreter &&
            sl_word(state + layout->thread_previous) == 0 &&
            sl_word(state + layout->thread_native_id) <= (uint64_t)INT32_MAX) {
            return true;
        }
    }
    /* One that is loaded only now looks the same; the caller asks again while the process is young. */
    *not_yet = true;
    return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                        "the memory of Python %s in process %d is not laid out as in a release of it (a modified "
                        "build?)",
                        python->version, pid);
}

static struct sl_python *create(struct sl_process *process, struct sl_error *error)
{
    struct sl_python *python = calloc(1, sizeof *python);
    if (python == NULL) {
        sl_error_memory(error);
        return NULL;
    }
    python->process = process;
    sl_code_cache_init(&python->codes);
    sl_thread_memories_init(&python->memories);
    sl_snapshot_init(&python->snapshot);
    return python;
}

struct sl_python *sl_python_attach_own(struct sl_process *process, uint64_t runtime, uint64_t version, bool debug,
                                       struct sl_error *error)
{
    struct sl_python *python = create(process, error);
    if (python == NULL) {
        return NULL;
    }
    struct found found = {.runtime = runtime, .version_symbol = version, .debug = debug};
    bool not_yet;
    python->runtime = runtime;
    if (!choose_layout(python, &found, error) || !check_layout(python, &not_yet, error)) {
        sl_python_detach(python);
        return NULL;
    }
    return python;
}

struct sl_python *sl_python_attach(struct sl_process *process, bool *not_yet, struct sl_error *error)
{
    bool ignored;
    not_yet = not_yet != NULL ? not_yet : &ignored;
    *not_yet = false;
    struct sl_python *python = create(process, error);
    struct sl_modules modules = {0};
    struct found found = {0};
    if (python == NULL) {
        return NULL;
    }
    bool attached = sl_modules_read(&modules, process, error);
    if (attached && modules.count == 0) {
        attached = sl_error_set(error, SL_ERROR_GONE, "process %d has ended", (int)process->pid);
    }
    if (attached && !find_runtime(&found, process, &modules)) {
        attached = not_python(process, &found, not_yet, error);
    }
    python->runtime = found.runtime;
    attached = attached && choose_layout(python, &found, error) && check_layout(python, not_yet, error);
    sl_modules_destroy(&modules);
    if (!attached) {
        sl_python_detach(python);
        return NULL;
    }
    return python;
}

void sl_python_detach(struct sl_python *python)
{
    if (python != NULL) {
        sl_snapshot_destroy(&python->snapshot);
        sl_thread_memories_destroy(&python->memories);
        sl_code_cache_destroy(&python->codes);
        free(python->threads);
        free(python->list_words.all);
        free(python->list_heads.all);
        free(python);
    }
}

struct sl_process *sl_python_process(const struct sl_python *python)
{
    return python->process;
}

const char *sl_python_version(const struct sl_python *python)
{
    return python->version;
}

const struct sl_code *sl_python_code(const struct sl_python *python, uint32_t number)
{
    return sl_code_cache_code(&python->codes, number);
}
