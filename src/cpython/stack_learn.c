/* Code objects that are met for the first time, or where another one lay before.
 *
 * What is read of them is read later than the stack, when the frame may have been left, its code object freed, and
 * another one made in its place. Looking at the stack again instead would never see what runs once and shortly, and give
 * its time to whatever comes after it. So the stack stays as it was seen, and the question is only whether its frames
 * may be called what now lies at the addresses of their code objects. */
#include "cpython/code_check.h"
#include "cpython/code_object.h"
#include "cpython/frame.h"
#include "cpython/look.h"
#include "cpython/stack.h"
#include "cpython/words.h"
#include "target/clock.h"

#include <string.h>

/* In so short a time no code object is freed, and another made and run in its place; not even where that is what goes on,
 * since compiling alone takes the program longer. */
#define WITHIN_NS 100000u
#define WITHIN_NS_IN_CHURN 20000u

/* Then the same holds for reading all that belongs to a code object, if no number tells code objects apart: the header
 * that was copied may be that of one before the one that was read, since their pointers are the same when memory is
 * given out in the same order. The next one may be there as soon as a line is compiled. */
#define READ_WITHIN_NS_IN_CHURN 10000u

struct learning {
    struct sl_stack *stack;
    const uint64_t *addresses;
    size_t count;
    uint32_t chain;    /* so many of the innermost frames reach down to the last generator that has one of them */
    size_t headers;    /* pieces of the snapshot: one for each address, */
    size_t frames;     /* one for each frame of the chain, and for each further one that has one of them, in order, */
    size_t current;    /* the pointer to the innermost frame, if there is a chain, */
    size_t thread;     /* the chunk in use and its top, which lie next to each other in PyThreadState, */
    size_t generation; /* and the count of freed code objects; SL_NO_PIECE where there is none */
    uint64_t age_ns;   /* from the stack to the headers */
    bool fresh;        /* too short a time for what lies there to have become something else, if the frame is there */
};

static bool has(const struct learning *learning, uint64_t address, size_t *index)
{
    for (size_t i = 0; i < learning->count; i++) {
        if (learning->addresses[i] == address) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* Whether the frame has one of them. */
static bool asked_for(const struct learning *learning, const struct sl_raw_frame *raw, size_t *index)
{
    return !raw->hidden && has(learning, raw->code, index);
}

static uint32_t chain_to_generators(const struct learning *learning)
{
    const struct sl_thread_memory *memory = learning->stack->memory;
    size_t index;
    for (uint32_t i = memory->next_count; i > 0; i--) {
        if (memory->next[i - 1].generator && asked_for(learning, &memory->next[i - 1], &index)) {
            return i;
        }
    }
    return 0;
}

/* Copies the headers of the code objects, and after them what tells which of the frames were still there. */
static enum sl_look copy(struct learning *learning)
{
    struct sl_stack *stack = learning->stack;
    const struct sl_layout *layout = &stack->python->layout;
    struct sl_snapshot *snapshot = &stack->python->snapshot;
    const struct sl_thread_memory *memory = stack->memory;
    bool added = true;
    size_t index;
    learning->headers = snapshot->count;
    for (size_t i = 0; i < learning->count && added; i++) {
        added = sl_snapshot_add(snapshot, learning->addresses[i], layout->code_instructions) != SIZE_MAX;
    }
    learning->chain = chain_to_generators(learning);
    learning->frames = snapshot->count;
    for (uint32_t i = 0; i < memory->next_count && added; i++) {
        if (i < learning->chain || asked_for(learning, &memory->next[i], &index)) {
            added = sl_snapshot_add(snapshot, memory->next[i].address, layout->frame_header) != SIZE_MAX;
        }
    }
    learning->current = snapshot->count;
    if (learning->chain > 0) {
        added = added && sl_snapshot_add(snapshot, stack->current_at, 8) != SIZE_MAX;
    }
    learning->thread = snapshot->count;
    added = added && sl_snapshot_add(snapshot, memory->address + layout->thread_chunk, 16) != SIZE_MAX;
    learning->generation = SL_NO_PIECE;
    if (layout->interpreter_code_generation != 0) {
        learning->generation = snapshot->count;
        added = added &&
                sl_snapshot_add(snapshot, memory->interpreter + layout->interpreter_code_generation, 8) != SIZE_MAX;
    }
    if (!added) {
        return sl_look_from_refusal(snapshot);
    }
    enum sl_read read = sl_snapshot_take(snapshot, stack->python->process);
    learning->age_ns = sl_clock_now_ns() - stack->copied_ns;
    return sl_look_from_read(read);
}

/* Whether the frames of the chain still lead from one to the next, so that none of them was left. */
static bool chain_holds(const struct learning *learning)
{
    const struct sl_stack *stack = learning->stack;
    const struct sl_snapshot *snapshot = &stack->python->snapshot;
    const struct sl_raw_frame *next = stack->memory->next;
    if (learning->chain == 0 || sl_word(sl_snapshot_copy(snapshot, learning->current)) != next[0].address) {
        return false;
    }
    for (uint32_t i = 0; i < learning->chain; i++) {
        const uint8_t *frame = sl_snapshot_copy(snapshot, learning->frames + i);
        struct sl_header now = sl_header_parse(&stack->python->layout, frame, !next[i].generator);
        uint64_t caller = i + 1 < stack->memory->next_count ? next[i + 1].address : 0;
        if (now.previous != caller || (!next[i].hidden && now.code != next[i].code)) {
            return false;
        }
    }
    return true;
}

/* Whether the frame was not left before the header of its code object was copied: it still has that code object, and
 * lies below the top of the chunk that is in use. A generator's frame lies elsewhere: chain_holds. */
static bool still_there(const struct learning *learning, const struct sl_raw_frame *raw, size_t piece)
{
    const struct sl_stack *stack = learning->stack;
    const struct sl_snapshot *snapshot = &stack->python->snapshot;
    const uint8_t *thread = sl_snapshot_copy(snapshot, learning->thread);
    uint64_t chunk = sl_word(thread);
    uint64_t top = sl_word(thread + 8);
    if (raw->generator || stack->memory->chunk_count == 0 || chunk != stack->memory->chunks[0].address) {
        return false;
    }
    struct sl_header now = sl_header_parse(&stack->python->layout, sl_snapshot_copy(snapshot, piece), true);
    bool below = raw->address < top || !sl_chunk_has(&stack->memory->chunks[0], raw->address);
    return below && now.possible && now.code == raw->code;
}

static bool none_was_freed(const struct learning *learning)
{
    return learning->generation != SL_NO_PIECE &&
           sl_word(sl_snapshot_copy(&learning->stack->python->snapshot, learning->generation)) ==
               learning->stack->freed_before;
}

/* Whether the code object was made before the stack was seen, and so has been itself all the time: co_version counts up
 * (3.12 and later), and a higher one was known by then. */
static bool was_made_before(const struct learning *learning, const struct sl_known_code *known)
{
    const struct sl_python *python = learning->stack->python;
    return known != NULL && known->identity.version != 0 &&
           python->version_interpreter == learning->stack->memory->interpreter &&
           known->identity.version < learning->stack->version;
}

/* Whether the code object was compared in the same copy that the stack was found in, and has turned out to be what is known
 * by now. */
static bool was_seen(const struct learning *learning, const struct sl_known_code *known)
{
    const struct sl_stack *stack = learning->stack;
    const struct sl_python *python = stack->python;
    size_t pieces = sl_code_check_pieces(&python->layout);
    for (size_t i = 0; i < stack->code_count && !stack->retold; i++) {
        size_t first = stack->codes + i * pieces;
        if (python->snapshot.pieces[first].address == known->address) {
            return sl_code_check_passes(&python->snapshot, first, &python->layout, &python->codes, known);
        }
    }
    return false;
}

/* Reads what the copied headers belong to, all at once, and one by one if one of them does not hold still. */
static enum sl_look read_codes(const struct learning *learning, bool *learned)
{
    struct sl_python *python = learning->stack->python;
    const uint8_t *headers[SL_LEARN_MAX];
    for (size_t i = 0; i < learning->count; i++) {
        headers[i] = sl_snapshot_copy(&python->snapshot, learning->headers + i);
    }
    enum sl_look look = sl_code_cache_learn(&python->codes, python->process, &python->layout, learning->addresses,
                                            headers, learning->count);
    bool all = look == SL_LOOK_OK;
    for (size_t i = 0; i < learning->count; i++) {
        learned[i] = all;
    }
    if (look != SL_LOOK_TORN && look != SL_LOOK_FAULT) {
        return look;
    }
    for (size_t i = 0; i < learning->count; i++) {
        look = sl_code_cache_learn(&python->codes, python->process, &python->layout, &learning->addresses[i],
                                   &headers[i], 1);
        learned[i] = look == SL_LOOK_OK;
        /* What never was a code object belongs to no frame: the stack is torn. */
        uint64_t type = python->codes.code_type;
        bool was_code = type != 0 && sl_word(headers[i] + python->layout.object_type) == type;
        if (look != SL_LOOK_OK && ((look != SL_LOOK_TORN && look != SL_LOOK_FAULT) || !was_code)) {
            return look;
        }
    }
    return SL_LOOK_OK;
}

/* Keeps the highest version of those of the first interpreter that is met: others have counts of their own. */
static void note_versions(const struct learning *learning, const bool *learned)
{
    struct sl_python *python = learning->stack->python;
    uint64_t interpreter = learning->stack->memory->interpreter;
    if (python->version_interpreter == 0) {
        python->version_interpreter = interpreter;
    }
    for (size_t i = 0; i < learning->count && python->version_interpreter == interpreter; i++) {
        const struct sl_known_code *known =
            learned[i] ? sl_code_cache_find(&python->codes, learning->addresses[i]) : NULL;
        if (known != NULL && known->identity.version > python->code_version) {
            python->code_version = known->identity.version;
        }
    }
}

/* Whether the frame may be called what was read. That it was what lay there before, too, does not tell: another one may
 * have lain there in between. */
static bool may_be_called(const struct learning *learning, const struct sl_known_code *known, bool was_there)
{
    return (was_there && learning->fresh) || was_made_before(learning, known) || was_seen(learning, known);
}

enum sl_look sl_stack_learn(struct sl_stack *stack, const uint64_t *addresses, size_t count, bool reused)
{
    struct learning learning = {.stack = stack, .addresses = addresses, .count = count};
    bool learned[SL_LEARN_MAX];
    enum sl_look look = copy(&learning);
    if (look == SL_LOOK_OK) {
        look = read_codes(&learning, learned);
    }
    if (look != SL_LOOK_OK) {
        return look;
    }
    const struct sl_python *python = stack->python;
    bool churn = reused || sl_code_cache_churns(&python->codes);
    bool read_late =
        churn && python->layout.code_version == 0 && sl_clock_now_ns() - stack->copied_ns > READ_WITHIN_NS_IN_CHURN;
    learning.fresh = learning.age_ns <= (churn ? WITHIN_NS_IN_CHURN : WITHIN_NS) && !read_late;
    bool believed = (!reused && learning.fresh) || none_was_freed(&learning);
    bool chained = chain_holds(&learning);
    note_versions(&learning, learned);
    size_t piece = learning.frames;
    for (uint32_t i = 0; i < stack->memory->next_count; i++) {
        struct sl_raw_frame *raw = &stack->memory->next[i];
        size_t index;
        if (asked_for(&learning, raw, &index)) {
            struct sl_known_code *known = sl_code_cache_find(&stack->python->codes, raw->code);
            bool was_there = (i < learning.chain && chained) || still_there(&learning, raw, piece);
            bool was_it = learned[index] && (believed || may_be_called(&learning, known, was_there));
            raw->nameless = !was_it;
            stack->late = stack->late || (learned[index] && !was_it && !learning.fresh);
            if (was_it) {
                sl_stack_confirm(stack, known);
            }
            piece++;
        } else if (i < learning.chain) {
            piece++;
        }
    }
    return SL_LOOK_OK;
}
