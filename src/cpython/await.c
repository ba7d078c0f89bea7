#include "cpython/await.h"

#include "base/array.h"
#include "cpython/code_check.h"
#include "cpython/runtime.h"
#include "cpython/types.h"
#include "cpython/words.h"
#include "target/clock.h"

#include <stdlib.h>
#include <string.h>

/* What these objects wait for is the first field behind their header: ags_gen and agt_gen (PyAsyncGenASend,
 * PyAsyncGenAThrow, Objects/genobject.c), cw_coroutine (PyCoroWrapper), wrapped (anextawaitableobject,
 * Objects/iterobject.c), future (futureiterobject, Modules/_asynciomodule.c). */
#define WAITS_FOR 16

/* Objects on the way, those that are no frames included. */
#define STEPS_MAX (4 * SL_AWAIT_FRAMES_MAX)

/* RESUME says in the low bits of its argument where it resumes: after a yield (1), yield from (2) or await (3). */
#define RESUME_KIND 3
#define RESUME_YIELD 1

void sl_await_init(struct sl_await *await)
{
    *await = (struct sl_await){0};
    sl_trail_init(&await->chain.trail);
    sl_trail_init(&await->next.trail);
}

static void destroy_chain(struct sl_await_chain *chain)
{
    sl_trail_destroy(&chain->trail);
    free(chain->frames);
    free(chain->addresses);
    free(chain->instructions);
}

void sl_await_destroy(struct sl_await *await)
{
    destroy_chain(&await->chain);
    destroy_chain(&await->next);
}

/* What is there of any of these objects. */
#define OBJECT_BYTES_NEEDED 24

struct following {
    struct sl_await_chain *chain;
    struct sl_python *python;
    bool in_task; /* a task was met: it goes on by itself */
};

static enum sl_look look_at(struct following *following, uint64_t address, size_t size, const uint8_t **copy)
{
    return sl_trail_read(&following->chain->trail, following->python->process, address, size, copy);
}

static enum sl_look look_at_word(struct following *following, uint64_t address, uint64_t *word)
{
    return sl_trail_word(&following->chain->trail, following->python->process, address, word);
}

/* Room for one frame more. */
static bool grow(struct sl_await_chain *chain)
{
    uint32_t count = (uint32_t)chain->walk.count;
    return sl_array_room(&chain->frames, &chain->frame_capacity, count, sizeof *chain->frames) &&
           sl_array_room(&chain->addresses, &chain->address_capacity, count, sizeof *chain->addresses) &&
           sl_array_room(&chain->instructions, &chain->instruction_capacity, count, sizeof *chain->instructions);
}

/* What the frame that begins at `frame` awaits: what lies on top of its value stack. */
static enum sl_look read_awaited(struct following *following, uint64_t frame, uint64_t *awaited)
{
    const struct sl_layout *layout = &following->python->layout;
    uint64_t end = 0;
    enum sl_look look;
    if (layout->frame_stack_end != 0) {
        look = look_at_word(following, frame + layout->frame_stack_end, &end);
    } else {
        const uint8_t *copy;
        look = look_at(following, frame + layout->frame_stack_top, 4, &copy);
        int32_t top = look == SL_LOOK_OK ? sl_int(copy) : 0;
        if (top <= 0) {
            return look == SL_LOOK_OK ? SL_LOOK_TORN : look;
        }
        end = frame + layout->frame_locals + (uint64_t)top * 8;
    }
    if (look == SL_LOOK_OK) {
        look = look_at_word(following, end - layout->frame_awaited, awaited);
        *awaited &= layout->pointer_mask;
    }
    return look;
}

/* Before 3.13 the state does not tell whether a suspended generator awaits or has yielded. */
static enum sl_look resumes_from_await(struct following *following, uint64_t instruction, bool *awaits)
{
    const uint8_t *copy;
    enum sl_look look = look_at(following, instruction + 2, 2, &copy);
    *awaits = look == SL_LOOK_OK && (copy[1] & RESUME_KIND) > RESUME_YIELD;
    return look;
}

/* A coroutine or generator: its frame, and what it awaits, 0 when it does not. A coroutine that is suspended always does:
 * there is no `yield` in it. */
static enum sl_look follow_generator(struct following *following, uint64_t object, bool coroutine,
                                     enum sl_awaiting *awaiting, uint64_t *next)
{
    const struct sl_layout *layout = &following->python->layout;
    struct sl_await_chain *chain = following->chain;
    const uint8_t *copy;
    enum sl_look look = look_at(following, object + layout->generator_state, 1, &copy);
    if (look != SL_LOOK_OK) {
        return look;
    }
    int8_t state = (int8_t)*copy;
    if (state < layout->generator_suspended_first || state > layout->generator_suspended_last) {
        *awaiting = state == layout->generator_runs ? SL_AWAIT_RUNS : SL_AWAIT_ENDED;
        return SL_LOOK_OK;
    }
    if (!grow(chain)) {
        return SL_LOOK_MEMORY;
    }
    uint64_t frame = object + layout->generator_frame;
    struct sl_stem_frame *raw = &chain->addresses[chain->walk.count];
    uint64_t instruction = 0;
    bool awaits = state >= layout->generator_awaits;
    raw->instruction = 0; /* while it waits it is at another one than while it runs what it waits for */
    look = look_at_word(following, frame + layout->frame_code, &raw->code);
    if (look == SL_LOOK_OK) {
        look = look_at_word(following, frame + layout->frame_instruction, &instruction);
    }
    if (look == SL_LOOK_OK && !coroutine && layout->minor < SL_SELF_DESCRIBED_MINOR) {
        look = resumes_from_await(following, instruction, &awaits);
    }
    raw->code &= layout->pointer_mask;
    raw->address = frame;
    chain->instructions[chain->walk.count] = instruction;
    chain->walk.count++;
    return look == SL_LOOK_OK && awaits ? read_awaited(following, frame, next) : look;
}

static enum sl_look follow_object(struct following *following, uint64_t object, enum sl_awaiting *awaiting,
                                  uint64_t *next)
{
    const struct sl_layout *layout = &following->python->layout;
    uint64_t type_address = 0;
    enum sl_type type = SL_TYPE_OTHER;
    enum sl_look look =
        sl_trail_open(&following->chain->trail, following->python->process, object, OBJECT_BYTES_NEEDED);
    if (look == SL_LOOK_OK) {
        look = look_at_word(following, object + layout->object_type, &type_address);
    }
    if (look == SL_LOOK_OK) {
        look = sl_type_of(following->python, type_address, &type);
    }
    if (look != SL_LOOK_OK) {
        return look;
    }
    switch (type) {
    case SL_TYPE_COROUTINE:
    case SL_TYPE_GENERATOR:
    case SL_TYPE_ASYNC_GENERATOR:
        return follow_generator(following, object, type == SL_TYPE_COROUTINE, awaiting, next);
    case SL_TYPE_ASYNC_GENERATOR_SEND:
    case SL_TYPE_ASYNC_GENERATOR_THROW:
    case SL_TYPE_COROUTINE_WRAPPER:
    case SL_TYPE_ANEXT:
    case SL_TYPE_FUTURE_ITERATOR:
        return look_at_word(following, object + WAITS_FOR, next);
    case SL_TYPE_TASK:
        following->in_task = true;
        return look_at_word(following, object + layout->task_coroutine, next);
    default:
        return SL_LOOK_OK;
    }
}

/* The chain was found from the outermost frame on; a walk begins with the innermost. */
static void reverse(struct sl_await_chain *chain)
{
    for (size_t i = 0, j = chain->walk.count; i + 1 < j; i++) {
        j--;
        struct sl_stem_frame address = chain->addresses[i];
        chain->addresses[i] = chain->addresses[j];
        chain->addresses[j] = address;
        uint64_t instruction = chain->instructions[i];
        chain->instructions[i] = chain->instructions[j];
        chain->instructions[j] = instruction;
    }
    chain->walk.frames = chain->frames;
}

/* Code objects that are read together. */
#define CODES_AT_ONCE 16

/* Of those that are believed to stay, the one that was compared longest ago; NULL when there is none. */
static const struct sl_known_code *whose_turn(const struct sl_python *python, const struct sl_stem_frame *frames,
                                              size_t count)
{
    const struct sl_known_code *turn = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct sl_known_code *known = sl_code_cache_find(&python->codes, frames[i].code);
        if (known != NULL && sl_code_trusted(&python->codes, known) &&
            (turn == NULL || known->compared_walk < turn->compared_walk)) {
            turn = known;
        }
    }
    return turn;
}

/* Compares the code objects of `count` frames, at most CODES_AT_ONCE, with what is known of them: those that may have
 * become others, and one of those that are believed to stay. Those that are not known, each once, go into `unknown`. */
static enum sl_look compare_codes(struct sl_python *python, const struct sl_stem_frame *frames, size_t count,
                                  uint64_t *unknown, size_t *unknown_count)
{
    const struct sl_layout *layout = &python->layout;
    const struct sl_known_code *turn = whose_turn(python, frames, count);
    bool compared[CODES_AT_ONCE];
    *unknown_count = 0;
    sl_snapshot_clear(&python->snapshot);
    for (size_t i = 0; i < count; i++) {
        const struct sl_known_code *known = sl_code_cache_find(&python->codes, frames[i].code);
        compared[i] = known != NULL && (known == turn || !sl_code_trusted(&python->codes, known));
        if (compared[i] && !sl_code_check_add(&python->snapshot, layout, known)) {
            return SL_LOOK_MEMORY;
        }
    }
    bool read = sl_snapshot_take(&python->snapshot, python->process) == SL_READ_OK;
    uint64_t now_ns = sl_clock_now_ns();
    size_t piece = 0;
    for (size_t i = 0; i < count; i++) {
        struct sl_known_code *known = sl_code_cache_find(&python->codes, frames[i].code);
        bool same = known != NULL;
        if (known != NULL && compared[i]) {
            known->compared_walk = python->walk;
            same = read && sl_code_check_passes(&python->snapshot, piece, layout, &python->codes, known);
            piece += sl_code_check_pieces(layout);
            if (same) {
                sl_code_check_passed(known, now_ns);
            }
        }
        bool listed = same;
        for (size_t u = 0; u < *unknown_count && !listed; u++) {
            listed = unknown[u] == frames[i].code;
        }
        if (!listed) {
            unknown[(*unknown_count)++] = frames[i].code;
        }
    }
    return SL_LOOK_OK;
}

/* Sees to it that the code objects of `count` frames are in the cache: frames that are alive keep them alive. */
static enum sl_look know_codes(struct sl_python *python, const struct sl_stem_frame *frames, size_t count)
{
    uint64_t unknown[CODES_AT_ONCE];
    size_t unknown_count = 0;
    enum sl_look look = compare_codes(python, frames, count, unknown, &unknown_count);
    return look != SL_LOOK_OK || unknown_count == 0
               ? look
               : sl_code_cache_learn(&python->codes, python->process, &python->layout, unknown, NULL, unknown_count);
}

/* Whether the code objects of all frames are still those that they were named after. */
static bool codes_stay(struct sl_python *python, const struct sl_stem_frame *frames, size_t count)
{
    bool stay = true;
    for (size_t i = 0; i < count && stay; i += CODES_AT_ONCE) {
        uint64_t unknown[CODES_AT_ONCE];
        size_t unknown_count = 0;
        size_t some = count - i < CODES_AT_ONCE ? count - i : CODES_AT_ONCE;
        stay = compare_codes(python, frames + i, some, unknown, &unknown_count) == SL_LOOK_OK && unknown_count == 0;
    }
    return stay;
}

/* The functions and lines of all frames. */
static enum sl_look name_frames(struct sl_await_chain *chain, struct sl_python *python)
{
    const struct sl_layout *layout = &python->layout;
    for (size_t i = 0; i < chain->walk.count; i++) {
        if (i % CODES_AT_ONCE == 0) {
            size_t left = chain->walk.count - i;
            enum sl_look look = know_codes(python, chain->addresses + i, left < CODES_AT_ONCE ? left : CODES_AT_ONCE);
            if (look != SL_LOOK_OK) {
                return look;
            }
        }
        const struct sl_known_code *known = sl_code_cache_find(&python->codes, chain->addresses[i].code);
        if (known == NULL) {
            return SL_LOOK_TORN;
        }
        uint64_t begin = chain->addresses[i].code + layout->code_instructions;
        uint64_t unit = (chain->instructions[i] - begin) / 2;
        bool inside = chain->instructions[i] >= begin && unit < known->identity.units;
        uint32_t line = inside ? sl_line_table_line(&known->lines, (uint32_t)unit) : 0;
        chain->frames[i] =
            (struct sl_frame){.code = known->number, .line = line != 0 ? line : known->identity.first_line};
    }
    return SL_LOOK_OK;
}

/* Whether the coroutine waits for what the chain says. While it ran, code objects may have gone, and others have come in
 * their places. */
static bool waits_for(struct sl_await_chain *chain, bool ran, struct sl_python *python, uint64_t coroutine)
{
    if (chain->coroutine != coroutine || chain->walk.count == 0 || !sl_trail_same(&chain->trail, python->process)) {
        return false;
    }
    chain->walk.unchanged = ran ? 0 : chain->walk.count;
    return !ran || codes_stay(python, chain->addresses, chain->walk.count);
}

/* Follows what the coroutine waits for. `first` says what the coroutine itself does. */
static enum sl_look follow(struct sl_await_chain *chain, struct sl_python *python, uint64_t coroutine,
                           enum sl_awaiting *first)
{
    struct following following = {.chain = chain, .python = python};
    uint64_t object = coroutine;
    for (size_t step = 0; object != 0 && step < STEPS_MAX && chain->walk.count < SL_AWAIT_FRAMES_MAX; step++) {
        uint64_t next = 0;
        enum sl_awaiting awaiting = SL_AWAITING;
        enum sl_look look = follow_object(&following, object, &awaiting, &next);
        if (look != SL_LOOK_OK) {
            return look;
        }
        if (step == 0) {
            *first = awaiting;
        } else if (awaiting != SL_AWAITING && !following.in_task) {
            return SL_LOOK_TORN; /* what is awaited is suspended, too, and has not ended */
        }
        object = awaiting == SL_AWAITING ? next : 0;
    }
    return SL_LOOK_OK;
}

/* What was read becomes the last that was. */
static void keep(struct sl_await *await)
{
    struct sl_await_chain before = await->chain;
    await->chain = await->next;
    await->next = before;
    await->interrupted = false;
}

bool sl_await_still(struct sl_await *await, struct sl_python *python, uint64_t coroutine)
{
    python->walk++;
    sl_code_cache_bound(&python->codes);
    bool still = waits_for(&await->chain, await->interrupted, python, coroutine);
    await->interrupted = !still;
    return still;
}

enum sl_awaiting sl_await_read(struct sl_await *await, struct sl_python *python, uint64_t coroutine)
{
    if (sl_await_still(await, python, coroutine)) {
        return SL_AWAITING;
    }
    struct sl_await_chain *next = &await->next;
    /* A chain that was followed while the coroutine ran in between may be what it waits for all the same. */
    if (waits_for(next, true, python, coroutine)) {
        keep(await);
        return SL_AWAITING;
    }
    sl_trail_clear(&next->trail);
    next->coroutine = coroutine;
    next->walk = (struct sl_walk){0};
    enum sl_awaiting first = SL_AWAIT_ENDED;
    enum sl_look look = follow(next, python, coroutine, &first);
    reverse(next);
    if (look == SL_LOOK_OK) {
        look = name_frames(next, python);
    }
    bool awaits = look == SL_LOOK_OK && first == SL_AWAITING && next->walk.count > 0;
    bool same = look == SL_LOOK_OK && sl_trail_same(&next->trail, python->process);
    if (awaits && same) {
        keep(await);
        return SL_AWAITING;
    }
    if (!awaits) {
        next->walk.count = 0;
    }
    return !same ? SL_AWAIT_TORN : first == SL_AWAITING ? SL_AWAIT_ENDED : first;
}
