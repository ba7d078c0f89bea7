/* The list of threads: interpreters hang on _PyRuntime, threads on their interpreter, newest first. */
#include "cpython/runtime.h"
#include "cpython/words.h"

#include <stdlib.h>

/* Subinterpreters; a process with more is not read to the end. */
#define INTERPRETERS_MAX 4096

static bool append(struct sl_python *python, const struct sl_python_thread *thread)
{
    if (python->thread_count == python->thread_capacity) {
        size_t capacity = python->thread_capacity == 0 ? 16 : python->thread_capacity * 2;
        struct sl_python_thread *threads = realloc(python->threads, capacity * sizeof *threads);
        if (threads == NULL) {
            return false;
        }
        python->threads = threads;
        python->thread_capacity = capacity;
    }
    python->threads[python->thread_count++] = *thread;
    return true;
}

/* Follows one interpreter's list from `address`. Every state must point back to the one it was reached from: a list
 * that is relinked while it is read is noticed by that, and a circle cannot satisfy it. */
static enum sl_look follow(struct sl_python *python, uint64_t interpreter, int64_t interpreter_id, uint64_t address)
{
    const struct sl_layout *layout = &python->layout;
    uint64_t previous = 0;
    for (size_t seen = 0; address != 0; seen++) {
        uint8_t state[SL_THREAD_BYTES_MAX];
        enum sl_look look =
            sl_look_from_read(sl_process_read(python->process, address, state, layout->thread_native_id + 8));
        if (look != SL_LOOK_OK) {
            return look;
        }
        if (sl_word(state + layout->thread_interpreter) != interpreter ||
            sl_word(state + layout->thread_previous) != previous) {
            return SL_LOOK_TORN;
        }
        struct sl_python_thread thread = {
            .address = address,
            .native_id = sl_word(state + layout->thread_native_id),
            .interpreter = interpreter,
            .interpreter_id = interpreter_id,
        };
        /* A state without a thread was made for one that has not begun. */
        if (thread.native_id != 0 && thread.native_id <= (uint64_t)INT32_MAX) {
            if (python->thread_count == SL_PYTHON_THREADS_MAX || seen == SL_PYTHON_THREADS_MAX) {
                return SL_LOOK_OK;
            }
            if (!append(python, &thread)) {
                return SL_LOOK_MEMORY;
            }
        }
        previous = address;
        address = sl_word(state + layout->thread_next);
    }
    return SL_LOOK_OK;
}

enum sl_look sl_python_threads(struct sl_python *python, const struct sl_python_thread **threads, size_t *count)
{
    const struct sl_layout *layout = &python->layout;
    python->thread_count = 0;
    uint64_t interpreter = 0;
    enum sl_look look = sl_look_from_read(
        sl_process_read(python->process, python->runtime + layout->runtime_interpreters, &interpreter, 8));
    for (size_t seen = 0; look == SL_LOOK_OK && interpreter != 0 && seen < INTERPRETERS_MAX; seen++) {
        uint64_t next = 0;
        uint64_t first = 0;
        int64_t id = 0;
        struct sl_read_piece pieces[] = {
            {interpreter + layout->interpreter_next, &next, 8},
            {interpreter + layout->interpreter_id, &id, 8},
            {interpreter + layout->interpreter_threads, &first, 8},
        };
        look = sl_look_from_read(sl_process_read_pieces(python->process, pieces, 3));
        if (look == SL_LOOK_OK) {
            look = follow(python, interpreter, id, first);
        }
        interpreter = next;
    }
    if (look == SL_LOOK_OK) {
        sl_thread_memories_keep(&python->memories, python->threads, python->thread_count);
    }
    *threads = python->threads;
    *count = python->thread_count;
    return look;
}
