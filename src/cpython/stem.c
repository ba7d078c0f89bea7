#include "cpython/stem.h"

#include "cpython/runtime.h"

#include <stdlib.h>

void sl_stem_init(struct sl_stem *stem)
{
    *stem = (struct sl_stem){0};
}

void sl_stem_destroy(struct sl_stem *stem)
{
    free(stem->frames);
    sl_stem_init(stem);
}

/* Frame `index` of the last walk, counted from the outermost. */
static const struct sl_raw_frame *from_outermost(const struct sl_thread_memory *memory, size_t index)
{
    return &memory->last[memory->last_count - 1 - index];
}

static uint64_t root_of(const struct sl_python *python, uint64_t coroutine)
{
    return coroutine != 0 ? coroutine + python->layout.generator_frame : 0;
}

/* Takes all but the `inner` innermost frames of the last walk. */
static bool take(struct sl_stem *stem, const struct sl_thread_memory *memory, size_t inner, uint64_t root)
{
    sl_stem_init(stem);
    size_t count = memory->last_count - inner;
    stem->frames = calloc(count + 1, sizeof *stem->frames);
    if (stem->frames == NULL) {
        return false;
    }
    for (size_t i = 0; i < memory->last_count; i++) {
        const struct sl_raw_frame *raw = from_outermost(memory, i);
        if (i < count) {
            stem->frames[stem->count++] = (struct sl_stem_frame){raw->address, raw->code, raw->instruction};
        }
        if (root != 0 && raw->address == root) {
            stem->root = root;
            stem->root_index = i < count ? i : count;
        }
    }
    return true;
}

bool sl_stem_take(struct sl_stem *stem, struct sl_python *python, const struct sl_python_thread *thread, size_t skip,
                  uint64_t coroutine)
{
    sl_stem_init(stem);
    const struct sl_thread_memory *memory = sl_thread_memory(&python->memories, thread);
    if (memory == NULL) {
        return false;
    }
    size_t inner = 0; /* frames that are the caller's or called by it */
    for (size_t shown = 0; inner < memory->last_count && shown <= skip; inner++) {
        shown += memory->last[inner].shown;
    }
    return take(stem, memory, inner, root_of(python, coroutine));
}

/* Where a frame object has the address of its frame: struct _frame, f_frame (Include/internal/pycore_frame.h, the same
 * from 3.11 to 3.15). */
#define FRAME_OBJECT_FRAME 24

/* The address of a frame object's frame; 0 when there is none. Once a frame has returned, its object has a copy of it, which
 * is found in no stack. */
static uint64_t frame_of(const struct sl_python *python, uint64_t frame_object)
{
    uint64_t frame = 0;
    bool read = frame_object != 0 &&
                sl_process_read(python->process, frame_object + FRAME_OBJECT_FRAME, &frame, sizeof frame) == SL_READ_OK;
    return read ? frame : 0;
}

void sl_stem_expect(struct sl_stem *stem, struct sl_python *python, uint64_t caller, uint64_t outer, uint64_t coroutine)
{
    sl_stem_init(stem);
    stem->root = root_of(python, coroutine);
    stem->caller = frame_of(python, caller);
    stem->outer = frame_of(python, outer);
}

static bool expects(const struct sl_stem *stem)
{
    return stem->caller != 0 || stem->outer != 0;
}

/* Takes the stem if what it is expected from is in the last walk. */
static void take_expected(struct sl_stem *stem, const struct sl_thread_memory *memory)
{
    for (size_t i = 0; i < memory->last_count; i++) {
        uint64_t address = memory->last[i].address;
        if (address != 0 && (address == stem->caller || address == stem->outer)) {
            struct sl_stem found;
            if (take(&found, memory, address == stem->caller ? i + 1 : i, stem->root)) {
                *stem = found;
            }
            return;
        }
    }
}

/* The same for a chain from the root on, which is all that the stem then has: what lies outside of the root is never
 * compared where that is found. */
static void take_expected_from_root(struct sl_stem *stem, const struct sl_stem_frame *frames, size_t count)
{
    size_t outer = 0;
    while (outer < count && frames[count - 1 - outer].address != stem->caller) {
        outer++;
    }
    struct sl_stem_frame *taken = outer < count ? calloc(outer + 1, sizeof *taken) : NULL;
    if (taken == NULL) {
        return;
    }
    for (size_t i = 0; i < outer; i++) {
        taken[i] = frames[count - 1 - i];
    }
    *stem = (struct sl_stem){.frames = taken, .count = outer, .root = stem->root};
}

/* How many frames of the stack from `from` on, counted from the outermost, are those of the stem from `stem_from` to
 * `stem_end` on; at most `most`. */
static size_t count_same(const struct sl_stem *stem, size_t stem_from, size_t stem_end,
                         const struct sl_thread_memory *memory, size_t from, size_t most)
{
    size_t same = 0;
    while (same < most && stem_from + same < stem_end) {
        const struct sl_raw_frame *raw = from_outermost(memory, from + same);
        const struct sl_stem_frame *frame = &stem->frames[stem_from + same];
        bool stayed = frame->instruction == 0 || frame->instruction == raw->instruction;
        if (raw->address != frame->address || raw->code != frame->code || !stayed) {
            break;
        }
        same++;
    }
    return same;
}

/* The root among the frames of the last walk, counted from the outermost; their number when it is not there. */
static size_t find_root(const struct sl_stem *stem, const struct sl_thread_memory *memory)
{
    size_t index = 0;
    while (index < memory->last_count && (stem->root == 0 || from_outermost(memory, index)->address != stem->root)) {
        index++;
    }
    return index;
}

static size_t count_shown(const struct sl_thread_memory *memory, size_t from, size_t count)
{
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        shown += from_outermost(memory, from + i)->shown;
    }
    return shown;
}

struct sl_stem_share sl_stem_shared(struct sl_stem *stem, struct sl_python *python,
                                    const struct sl_python_thread *thread)
{
    const struct sl_stem_share none = {0};
    bool any = stem->frames != NULL || expects(stem);
    const struct sl_thread_memory *memory = any ? sl_thread_memory(&python->memories, thread) : NULL;
    if (memory == NULL) {
        return none;
    }
    if (expects(stem)) {
        take_expected(stem, memory);
    }
    if (stem->frames == NULL) {
        return none;
    }
    size_t left = 0; /* the innermost frame that is shown, and what is above it */
    while (left < memory->last_count && !memory->last[left].shown) {
        left++;
    }
    size_t most = memory->last_count - left;
    most = most > 0 ? most - 1 : 0;
    size_t root = find_root(stem, memory);
    if (stem->root != 0 && root == memory->last_count) {
        /* Without its root, it is not the coroutine that has moved. */
        size_t outer = count_same(stem, 0, stem->root_index, memory, 0, most);
        return (struct sl_stem_share){.outside = count_shown(memory, 0, outer)};
    }
    size_t begin = stem->root == 0 ? 0 : root < most ? root : most;
    size_t stem_begin = stem->root == 0 ? 0 : stem->root_index;
    size_t same = count_same(stem, stem_begin, stem->count, memory, begin, most - begin);
    stem->count = stem_begin + same;
    return (struct sl_stem_share){
        .outside = count_shown(memory, 0, begin),
        .shared = count_shown(memory, begin, same),
        .whole = true,
    };
}

struct sl_stem_share sl_stem_shared_from_root(struct sl_stem *stem, const struct sl_stem_frame *frames, size_t count)
{
    if (stem->root == 0 || count == 0) {
        return (struct sl_stem_share){0};
    }
    if (expects(stem)) {
        take_expected_from_root(stem, frames, count);
    }
    size_t same = 0;
    while (same + 1 < count && stem->root_index + same < stem->count) {
        const struct sl_stem_frame *frame = &frames[count - 1 - same];
        const struct sl_stem_frame *known = &stem->frames[stem->root_index + same];
        if (frame->address != known->address || frame->code != known->code) {
            break;
        }
        same++;
    }
    stem->count = stem->root_index + same;
    return (struct sl_stem_share){.shared = same, .whole = stem->frames != NULL};
}

bool sl_stem_root_runs(const struct sl_stem *stem, struct sl_python *python, const struct sl_python_thread *thread)
{
    const struct sl_thread_memory *memory = sl_thread_memory(&python->memories, thread);
    return memory != NULL && find_root(stem, memory) < memory->last_count;
}
