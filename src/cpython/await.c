#include "cpython/await.h"

#include "cpython/code_object.h"
#include "cpython/runtime.h"
#include "cpython/types.h"
#include "cpython/words.h"

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
    sl_trail_init(&await->trail);
}

void sl_await_destroy(struct sl_await *await)
{
    sl_trail_destroy(&await->trail);
    free(await->frames);
    free(await->addresses);
}

struct following {
    struct sl_await *await;
    struct sl_python *python;
};

static enum sl_look read_bytes(const struct following *following, uint64_t address, size_t size, const uint8_t **copy)
{
    return sl_trail_read(&following->await->trail, following->python->process, address, size, copy);
}

static enum sl_look read_word(const struct following *following, uint64_t address, uint64_t *word)
{
    const uint8_t *copy;
    enum sl_look look = read_bytes(following, address, 8, &copy);
    if (look == SL_LOOK_OK) {
        *word = sl_word(copy);
    }
    return look;
}

static bool grow(struct sl_await *await)
{
    if (await->walk.count < await->capacity) {
        return true;
    }
    size_t capacity = await->capacity == 0 ? 16 : await->capacity * 2;
    struct sl_frame *frames = realloc(await->frames, capacity * sizeof *frames);
    if (frames == NULL) {
        return false;
    }
    await->frames = frames;
    struct sl_stem_frame *addresses = realloc(await->addresses, capacity * sizeof *addresses);
    if (addresses == NULL) {
        return false;
    }
    await->addresses = addresses;
    await->capacity = capacity;
    return true;
}

/* The code object at `address`, which the frame that has it keeps alive. NULL when it cannot be read. */
static const struct sl_known_code *code_at(const struct following *following, uint64_t address)
{
    struct sl_python *python = following->python;
    const struct sl_layout *layout = &python->layout;
    struct sl_known_code *known = sl_code_cache_find(&python->codes, address);
    if (known != NULL) {
        uint8_t header[SL_CODE_HEADER_MAX];
        uint8_t name[SL_IDENTITY_NAME_BYTES] = {0};
        bool with_name = layout->code_version == 0;
        struct sl_read_piece pieces[] = {
            {address, header, layout->code_instructions},
            {known->identity.qualified_name, name, with_name ? sl_code_identity_name_bytes(layout, known) : 0},
        };
        bool read = sl_process_read_pieces(python->process, pieces, with_name ? 2 : 1) == SL_READ_OK;
        if (read && sl_code_identity_matches(known, &python->codes, layout, header, with_name ? name : NULL)) {
            return known;
        }
    }
    enum sl_look look = sl_code_cache_learn(&python->codes, python->process, layout, &address, 1);
    return look == SL_LOOK_OK ? sl_code_cache_find(&python->codes, address) : NULL;
}

/* What the frame that begins at `frame` awaits: what lies on top of its value stack. */
static enum sl_look read_awaited(const struct following *following, uint64_t frame, uint64_t *awaited)
{
    const struct sl_layout *layout = &following->python->layout;
    uint64_t end = 0;
    enum sl_look look;
    if (layout->frame_stack_end != 0) {
        look = read_word(following, frame + layout->frame_stack_end, &end);
    } else {
        const uint8_t *copy;
        look = read_bytes(following, frame + layout->frame_stack_top, 4, &copy);
        int32_t top = look == SL_LOOK_OK ? sl_int(copy) : 0;
        if (top <= 0) {
            return look == SL_LOOK_OK ? SL_LOOK_TORN : look;
        }
        end = frame + layout->frame_locals + (uint64_t)top * 8;
    }
    if (look == SL_LOOK_OK) {
        look = read_word(following, end - layout->frame_awaited, awaited);
        *awaited &= layout->pointer_mask;
    }
    return look;
}

/* Before 3.13 the state does not tell whether a suspended generator awaits or has yielded. */
static enum sl_look resumes_from_await(const struct following *following, uint64_t instruction, bool *awaits)
{
    const uint8_t *copy;
    enum sl_look look = read_bytes(following, instruction + 2, 2, &copy);
    *awaits = look == SL_LOOK_OK && (copy[1] & RESUME_KIND) > RESUME_YIELD;
    return look;
}

static enum sl_look add_frame(const struct following *following, uint64_t frame, uint64_t code, uint64_t instruction)
{
    struct sl_await *await = following->await;
    const struct sl_known_code *known = code_at(following, code);
    if (known == NULL) {
        return SL_LOOK_TORN;
    }
    if (!grow(await)) {
        return SL_LOOK_MEMORY;
    }
    uint64_t begin = code + following->python->layout.code_instructions;
    uint64_t unit = (instruction - begin) / 2;
    uint32_t line =
        instruction < begin || unit >= known->identity.units ? 0 : sl_line_table_line(&known->lines, (uint32_t)unit);
    await->frames[await->walk.count] =
        (struct sl_frame){.code = known->number, .line = line != 0 ? line : known->identity.first_line};
    await->addresses[await->walk.count] = (struct sl_stem_frame){frame, code};
    await->walk.count++;
    return SL_LOOK_OK;
}

/* A coroutine or generator: its frame, and what it awaits, 0 when it does not. `*awaiting` is told of the first only. */
static enum sl_look follow_generator(const struct following *following, uint64_t object, enum sl_awaiting *awaiting,
                                     uint64_t *next)
{
    const struct sl_layout *layout = &following->python->layout;
    const uint8_t *copy;
    enum sl_look look = read_bytes(following, object + layout->generator_state, 1, &copy);
    if (look != SL_LOOK_OK) {
        return look;
    }
    int8_t state = (int8_t)*copy;
    if (state < layout->generator_suspended_first || state > layout->generator_suspended_last) {
        *awaiting = state == layout->generator_runs ? SL_AWAIT_RUNS : SL_AWAIT_ENDED;
        return SL_LOOK_OK;
    }
    *awaiting = SL_AWAITING;
    uint64_t frame = object + layout->generator_frame;
    uint64_t code = 0;
    uint64_t instruction = 0;
    bool awaits = state >= layout->generator_awaits;
    look = read_word(following, frame + layout->frame_code, &code);
    code &= layout->pointer_mask;
    if (look == SL_LOOK_OK) {
        look = read_word(following, frame + layout->frame_instruction, &instruction);
    }
    if (look == SL_LOOK_OK) {
        look = add_frame(following, frame, code, instruction);
    }
    if (look == SL_LOOK_OK && layout->minor < SL_SELF_DESCRIBED_MINOR) {
        look = resumes_from_await(following, instruction, &awaits);
    }
    return look == SL_LOOK_OK && awaits ? read_awaited(following, frame, next) : look;
}

static enum sl_look follow_object(const struct following *following, uint64_t object, enum sl_awaiting *awaiting,
                                  uint64_t *next)
{
    const struct sl_layout *layout = &following->python->layout;
    uint64_t type_address = 0;
    enum sl_type type = SL_TYPE_OTHER;
    enum sl_look look = read_word(following, object + layout->object_type, &type_address);
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
        return follow_generator(following, object, awaiting, next);
    case SL_TYPE_ASYNC_GENERATOR_SEND:
    case SL_TYPE_ASYNC_GENERATOR_THROW:
    case SL_TYPE_COROUTINE_WRAPPER:
    case SL_TYPE_ANEXT:
    case SL_TYPE_FUTURE_ITERATOR:
        return read_word(following, object + WAITS_FOR, next);
    case SL_TYPE_TASK:
        return read_word(following, object + layout->task_coroutine, next);
    default:
        return SL_LOOK_OK;
    }
}

/* The chain was found from the outermost frame on; a walk begins with the innermost. */
static void reverse(struct sl_await *await)
{
    for (size_t i = 0, j = await->walk.count; i + 1 < j; i++) {
        j--;
        struct sl_frame frame = await->frames[i];
        await->frames[i] = await->frames[j];
        await->frames[j] = frame;
        struct sl_stem_frame address = await->addresses[i];
        await->addresses[i] = await->addresses[j];
        await->addresses[j] = address;
    }
    await->walk.frames = await->frames;
}

enum sl_awaiting sl_await_read(struct sl_await *await, struct sl_python *python, uint64_t coroutine)
{
    if (await->coroutine == coroutine && await->walk.count > 0 && sl_trail_same(&await->trail, python->process)) {
        await->walk.unchanged = await->walk.count;
        return SL_AWAITING;
    }
    const struct following following = {.await = await, .python = python};
    enum sl_awaiting first = SL_AWAIT_ENDED;
    enum sl_look look = SL_LOOK_OK;
    sl_trail_clear(&await->trail);
    await->coroutine = coroutine;
    await->walk = (struct sl_walk){0};
    await->moves++;
    uint64_t object = coroutine;
    for (size_t step = 0; object != 0 && step < STEPS_MAX && await->walk.count < SL_AWAIT_FRAMES_MAX; step++) {
        uint64_t next = 0;
        enum sl_awaiting awaiting = SL_AWAITING;
        look = follow_object(&following, object, &awaiting, &next);
        if (look != SL_LOOK_OK) {
            break;
        }
        if (step == 0) {
            first = awaiting;
        }
        object = awaiting == SL_AWAITING ? next : 0;
    }
    reverse(await);
    bool consistent = look == SL_LOOK_OK && sl_trail_same(&await->trail, python->process);
    if (consistent && first == SL_AWAITING && await->walk.count > 0) {
        return SL_AWAITING;
    }
    await->walk.count = 0;
    return consistent ? (first == SL_AWAITING ? SL_AWAIT_ENDED : first) : SL_AWAIT_TORN;
}
