#include "cpython/stem.h"

#include "cpython/runtime.h"
#include "cpython/types.h"

#include <stdlib.h>

void sl_stem_init(struct sl_stem *stem)
{
    *stem = (struct sl_stem){0};
}

void sl_stem_destroy(struct sl_stem *stem)
{
    free(stem->frames);
    free(stem->outside);
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

/* The root among the frames of the last walk, counted from the outermost; their number when it is not there. */
static size_t find_root(const struct sl_stem *stem, const struct sl_thread_memory *memory)
{
    size_t index = 0;
    while (index < memory->last_count && (stem->root == 0 || from_outermost(memory, index)->address != stem->root)) {
        index++;
    }
    return index;
}

/* Frames of the last walk from `from` on, counted from the outermost, and one more that is zero. NULL when memory is
 * exhausted. */
static struct sl_stem_frame *copy(const struct sl_thread_memory *memory, size_t from, size_t count)
{
    struct sl_stem_frame *frames = calloc(count + 1, sizeof *frames);
    for (size_t i = 0; i < count && frames != NULL; i++) {
        const struct sl_raw_frame *raw = from_outermost(memory, from + i);
        frames[i] = (struct sl_stem_frame){raw->address, raw->code, raw->instruction};
    }
    return frames;
}

/* Takes all but the `inner` innermost frames of the last walk, in which the root is frame `root`; without it the stem has
 * none. False when memory is exhausted. */
static bool take(struct sl_stem *stem, const struct sl_thread_memory *memory, size_t inner, size_t root)
{
    stem->root = root < memory->last_count ? stem->root : 0;
    size_t begin = stem->root != 0 ? root : 0;
    size_t end = memory->last_count - inner;
    size_t count = end > begin ? end - begin : 0;
    size_t called = begin + count < memory->last_count ? 1 : 0;
    struct sl_stem_frame *frames = copy(memory, begin, count + called);
    if (frames == NULL) {
        return false;
    }
    free(stem->frames);
    stem->frames = frames;
    stem->count = count;
    stem->caller = stem->outer = 0;
    return true;
}

/* Notes what the root runs in. */
static void see_outside(struct sl_stem *stem, const struct sl_thread_memory *memory, size_t root)
{
    if (stem->root != 0 && stem->outside == NULL && root < memory->last_count) {
        stem->outside = copy(memory, 0, root);
        stem->outside_count = stem->outside != NULL ? root : 0;
    }
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
    stem->root = root_of(python, coroutine);
    size_t root = find_root(stem, memory);
    see_outside(stem, memory, root);
    return take(stem, memory, inner, root);
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
static void take_expected(struct sl_stem *stem, const struct sl_thread_memory *memory, size_t root)
{
    for (size_t i = 0; i < memory->last_count; i++) {
        uint64_t address = memory->last[i].address;
        if (address != 0 && (address == stem->caller || address == stem->outer)) {
            take(stem, memory, address == stem->caller ? i + 1 : i, root);
            return;
        }
    }
}

/* The same for a chain from the root on. */
static void take_expected_from_root(struct sl_stem *stem, const struct sl_stem_frame *frames, size_t count)
{
    size_t outer = 0;
    while (outer < count && frames[count - 1 - outer].address != stem->caller) {
        outer++;
    }
    struct sl_stem_frame *taken = outer < count ? calloc(outer + 2, sizeof *taken) : NULL;
    if (taken == NULL) {
        return;
    }
    for (size_t i = 0; i <= outer; i++) {
        taken[i] = frames[count - 1 - i];
    }
    stem->frames = taken;
    stem->count = outer;
    stem->caller = stem->outer = 0;
}

static bool is_same(const struct sl_raw_frame *raw, const struct sl_stem_frame *frame)
{
    return raw->address == frame->address && raw->code == frame->code;
}

/* Whether a frame is that of a coroutine that has begun and not ended. `code`: its code object, 0 when it is not known. */
static bool coroutine_lives(struct sl_python *python, uint64_t frame, uint64_t code)
{
    const struct sl_layout *layout = &python->layout;
    uint64_t object = frame - layout->generator_frame;
    uint64_t type_address = 0;
    uint64_t found = 0;
    enum sl_type type = SL_TYPE_OTHER;
    int8_t state = 0;
    bool read =
        frame != 0 &&
        sl_process_read(python->process, object + layout->object_type, &type_address, sizeof type_address) ==
            SL_READ_OK &&
        sl_process_read(python->process, object + layout->generator_state, &state, sizeof state) == SL_READ_OK &&
        sl_process_read(python->process, frame + layout->frame_code, &found, sizeof found) == SL_READ_OK &&
        sl_type_of(python, type_address, &type) == SL_LOOK_OK;
    bool suspended = state >= layout->generator_suspended_first && state <= layout->generator_suspended_last;
    bool same = code == 0 || (found & layout->pointer_mask) == code;
    return read && same && type == SL_TYPE_COROUTINE && (suspended || state == layout->generator_runs);
}

/* How many frames of the last walk from `from` on, counted from the outermost, are the first of these `count`, behind which
 * is one more, and where they were; at most `most`, which are not all. */
static size_t count_same(const struct sl_stem_frame *frames, size_t count, struct sl_python *python,
                         const struct sl_thread_memory *memory, size_t from, size_t most)
{
    size_t same = 0;
    while (same < most && same < count) {
        const struct sl_raw_frame *raw = from_outermost(memory, from + same);
        const struct sl_stem_frame *frame = &frames[same];
        if (!is_same(raw, frame)) {
            break;
        }
        bool stayed = frame->instruction == 0 || frame->instruction == raw->instruction;
        /* It may have been copied on its way back into what it awaits, and that a moment later. */
        bool awaits = !stayed && is_same(from_outermost(memory, from + same + 1), frame + 1);
        if (!stayed && !(awaits && coroutine_lives(python, frame[1].address, frame[1].code))) {
            break;
        }
        same++;
    }
    return same;
}

static size_t count_shown(const struct sl_thread_memory *memory, size_t from, size_t count)
{
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        shown += from_outermost(memory, from + i)->shown;
    }
    return shown;
}

/* Whether the innermost frame that is shown is on its way back into what it awaits: `same` frames of the stem lie outside
 * of it. */
static bool resumes(const struct sl_stem *stem, struct sl_python *python, const struct sl_raw_frame *innermost,
                    size_t same)
{
    if (!innermost->generator) {
        return false;
    }
    if (stem->frames == NULL) {
        return coroutine_lives(python, stem->caller, 0);
    }
    const struct sl_stem_frame *awaited = stem->frames + same + 1;
    return same < stem->count && is_same(innermost, &stem->frames[same]) &&
           coroutine_lives(python, awaited->address, awaited->code);
}

/* Where what runs for a coroutine begins in a stack without its root, as long as it is not known what that runs in: at
 * another coroutine or generator, else at the innermost frame, be it the event loop's or that of a callback. Counted from
 * the outermost. */
static size_t find_inside(const struct sl_thread_memory *memory, size_t innermost)
{
    size_t index = 0;
    while (index < innermost && !from_outermost(memory, index)->generator) {
        index++;
    }
    return index;
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
    size_t left = 0; /* the innermost frame that is shown, and what is above it */
    while (left < memory->last_count && !memory->last[left].shown) {
        left++;
    }
    if (left == memory->last_count) {
        return none;
    }
    size_t innermost = memory->last_count - left - 1;
    size_t root = find_root(stem, memory);
    see_outside(stem, memory, root);
    if (expects(stem)) {
        take_expected(stem, memory, root);
    }
    if (stem->root != 0 && root == memory->last_count) {
        /* Without its root, it is not the coroutine that has moved. */
        size_t outside = stem->outside != NULL
                             ? count_same(stem->outside, stem->outside_count, python, memory, 0, innermost)
                             : find_inside(memory, innermost);
        return (struct sl_stem_share){.outside = count_shown(memory, 0, outside)};
    }
    size_t begin = stem->root == 0 ? 0 : root < innermost ? root : innermost;
    size_t same = count_same(stem->frames, stem->count, python, memory, begin, innermost - begin);
    struct sl_stem_share share = {
        .outside = count_shown(memory, 0, begin),
        .whole = stem->frames != NULL,
    };
    if (stem->root != 0 && (stem->frames == NULL || begin + same == innermost)) {
        share.resuming = resumes(stem, python, from_outermost(memory, innermost), same);
    }
    if (share.resuming) {
        share.whole = true;
        same = innermost - begin + 1;
    } else {
        stem->count = same;
    }
    share.shared = count_shown(memory, begin, same);
    return share;
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
    while (same + 1 < count && same < stem->count) {
        const struct sl_stem_frame *frame = &frames[count - 1 - same];
        const struct sl_stem_frame *known = &stem->frames[same];
        if (frame->address != known->address || frame->code != known->code) {
            break;
        }
        same++;
    }
    stem->count = same;
    return (struct sl_stem_share){.shared = same, .whole = stem->frames != NULL};
}

bool sl_stem_root_runs(const struct sl_stem *stem, struct sl_python *python, const struct sl_python_thread *thread)
{
    const struct sl_thread_memory *memory = sl_thread_memory(&python->memories, thread);
    return memory != NULL && find_root(stem, memory) < memory->last_count;
}
