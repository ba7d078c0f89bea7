/* The list of threads: interpreters hang on _PyRuntime, threads on their interpreter, newest first.
 *
 * It is followed link by link, one read each, and the links are remembered. From then on all of them are read at once:
 * as long as none has changed, the list is the same, at a quarter of the cost. Whether a thread has begun is told by those
 * of the first few states. */
#include "cpython/look.h"
#include "cpython/runtime.h"
#include "cpython/words.h"

#include <stdlib.h>
#include <string.h>

/* Words this close together are read in one piece. */
#define PIECE_BYTES_MAX 256

/* A new state is put in front of its interpreter's others. It may be there before its thread has begun, and has that
 * thread's id later: until then 0, or on 3.11 the id of the thread that made it. So these many tell. */
#define HEAD_STATES 8

/* Of more interpreters than fit, whether a thread has begun is not told without reading the list. */
#define HEAD_WORDS_MAX 128

static bool add(struct sl_list_words *words, uint64_t address, uint64_t value)
{
    if (words->count == words->capacity) {
        size_t capacity = words->capacity == 0 ? 64 : words->capacity * 2;
        struct sl_list_word *all = realloc(words->all, capacity * sizeof *all);
        if (all == NULL) {
            return false;
        }
        words->all = all;
        words->capacity = capacity;
    }
    words->all[words->count++] = (struct sl_list_word){.address = address, .value = value};
    return true;
}

/* Remembers a word that the list hangs on. `head`: it may change when a thread begins. False when memory is exhausted. */
static bool remember(struct sl_python *python, bool head, uint64_t address, uint64_t value)
{
    head = head && python->list_heads.count <= HEAD_WORDS_MAX;
    return add(&python->list_words, address, value) && (!head || add(&python->list_heads, address, value));
}

/* Reads the words from number `*next` on, as many as one system call takes. Whether they are as they were. */
static bool some_unchanged(struct sl_process *process, const struct sl_list_words *words, size_t *next)
{
    uint8_t bytes[SL_READ_PIECES_MAX][PIECE_BYTES_MAX];
    struct sl_read_piece pieces[SL_READ_PIECES_MAX] = {0};
    size_t piece_count = 0;
    size_t first = *next;
    size_t end = first;
    for (; end < words->count; end++) {
        uint64_t address = words->all[end].address;
        struct sl_read_piece *last = piece_count > 0 ? &pieces[piece_count - 1] : NULL;
        if (last != NULL && address >= last->address && address - last->address <= PIECE_BYTES_MAX - 8) {
            size_t size = (size_t)(address - last->address) + 8;
            last->size = last->size > size ? last->size : size;
        } else if (piece_count < SL_READ_PIECES_MAX) {
            pieces[piece_count] = (struct sl_read_piece){.address = address, .buffer = bytes[piece_count], .size = 8};
            piece_count++;
        } else {
            break;
        }
    }
    *next = end;
    if (sl_process_read_pieces(process, pieces, piece_count) != SL_READ_OK) {
        return false;
    }
    size_t piece = 0;
    for (size_t i = first; i < end; i++) {
        uint64_t address = words->all[i].address;
        if (address < pieces[piece].address || address + 8 > pieces[piece].address + pieces[piece].size) {
            piece++;
        }
        if (sl_word((const uint8_t *)pieces[piece].buffer + (address - pieces[piece].address)) != words->all[i].value) {
            return false;
        }
    }
    return true;
}

static bool unchanged(struct sl_process *process, const struct sl_list_words *words)
{
    for (size_t next = 0; next < words->count;) {
        if (!some_unchanged(process, words, &next)) {
            return false;
        }
    }
    return true;
}

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
 * that is relinked while it is read is noticed by that, and a circle cannot satisfy it. `*states` counts those of all
 * interpreters, also of threads that have not begun; when there are more than may be, `*cut` is set: the list goes on. */
static enum sl_look follow(struct sl_python *python, uint64_t interpreter, int64_t interpreter_id, uint64_t address,
                           size_t *states, bool *cut)
{
    const struct sl_layout *layout = &python->layout;
    uint64_t previous = 0;
    for (size_t seen = 0; address != 0; seen++) {
        if (*states == SL_PYTHON_THREADS_MAX) {
            *cut = true;
            return SL_LOOK_OK;
        }
        (*states)++;
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
        const uint32_t offsets[] = {layout->thread_previous, layout->thread_next, layout->thread_interpreter,
                                    layout->thread_native_id};
        for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
            if (!remember(python, seen < HEAD_STATES, address + offsets[i], sl_word(state + offsets[i]))) {
                return SL_LOOK_MEMORY;
            }
        }
        struct sl_python_thread thread = {
            .address = address,
            .native_id = sl_word(state + layout->thread_native_id),
            .interpreter = interpreter,
            .interpreter_id = interpreter_id,
        };
        /* Of a thread that has not begun there is nothing to see. */
        if (thread.native_id != 0 && thread.native_id <= (uint64_t)INT32_MAX && !append(python, &thread)) {
            return SL_LOOK_MEMORY;
        }
        previous = address;
        address = sl_word(state + layout->thread_next);
    }
    return SL_LOOK_OK;
}

enum sl_look sl_python_threads(struct sl_python *python, const struct sl_python_thread **threads, size_t *count)
{
    *threads = python->threads;
    *count = python->thread_count;
    if (python->list_known && unchanged(python->process, &python->list_words)) {
        return SL_LOOK_OK;
    }
    const struct sl_layout *layout = &python->layout;
    python->thread_count = 0;
    python->list_words.count = 0;
    python->list_heads.count = 0;
    python->list_known = false;
    python->list_fresh = false;
    python->list_followed = false;
    bool cut = false;
    size_t states = 0;
    uint64_t milestone = 0; /* a circle of interpreters leads back to the last whose number is a power of two */
    uint64_t interpreter = 0;
    enum sl_look look = sl_look_from_read(
        sl_process_read(python->process, python->runtime + layout->runtime_interpreters, &interpreter, 8));
    if (look == SL_LOOK_OK && !remember(python, true, python->runtime + layout->runtime_interpreters, interpreter)) {
        look = SL_LOOK_MEMORY;
    }
    for (size_t seen = 0; look == SL_LOOK_OK && interpreter != 0 && seen < SL_INTERPRETERS_MAX; seen++) {
        if (interpreter == milestone) {
            look = SL_LOOK_TORN;
            break;
        }
        milestone = (seen & (seen - 1)) == 0 ? interpreter : milestone;
        uint64_t next = 0;
        uint64_t first = 0;
        int64_t id = 0;
        struct sl_read_piece pieces[] = {
            {interpreter + layout->interpreter_next, &next, 8},
            {interpreter + layout->interpreter_id, &id, 8},
            {interpreter + layout->interpreter_threads, &first, 8},
        };
        look = sl_look_from_read(sl_process_read_pieces(python->process, pieces, 3));
        for (size_t i = 0; i < 3 && look == SL_LOOK_OK; i++) {
            bool remembered = remember(python, true, pieces[i].address, sl_word(pieces[i].buffer));
            look = remembered ? SL_LOOK_OK : SL_LOOK_MEMORY;
        }
        if (look == SL_LOOK_OK) {
            look = follow(python, interpreter, id, first, &states, &cut);
        }
        interpreter = next;
    }
    if (look == SL_LOOK_OK) {
        python->list_fresh = true;
        /* Where a bound was reached, the list goes on unseen. */
        python->list_known = interpreter == 0 && !cut;
    }
    *threads = python->threads;
    *count = python->thread_count;
    return look;
}

void sl_python_threads_forget(struct sl_python *python)
{
    if (python->list_fresh) {
        sl_thread_memories_keep(&python->memories, python->threads, python->thread_count);
        python->list_fresh = false;
    }
}

bool sl_python_threads_long(const struct sl_python *python)
{
    return python->list_known && python->list_words.count > SL_LIST_WORDS_FOLLOWED &&
           python->list_heads.count <= HEAD_WORDS_MAX;
}

bool sl_python_threads_begun(const struct sl_python *python)
{
    return python->list_known && !unchanged(python->process, &python->list_heads);
}

bool sl_python_threads_follow(struct sl_python *python)
{
    python->list_followed = python->list_known && python->list_words.count <= SL_LIST_WORDS_FOLLOWED;
    python->list_seen = SL_LIST_UNSEEN;
    return python->list_followed;
}

enum sl_list sl_python_threads_seen(const struct sl_python *python)
{
    return python->list_seen;
}
