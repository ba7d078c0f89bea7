#include "cpython/stack.h"

#include "cpython/code_check.h"
#include "cpython/words.h"
#include "target/clock.h"

/* How far below the innermost frame the newest chunk is read twice: some fifteen frames. More than that are not left
 * and entered again within the microsecond in between. */
#define TOP_BYTES 2048u

/* How far above it: the frames that may have been called since the last walk. */
#define AHEAD_BYTES 1024u

/* Foreign frames nearer to each other than this are read as one piece: a piece costs as much as copying some 3 KiB. */
#define MERGE_BYTES 2048u
#define MERGED_BYTES_MAX 65536u

/* Code objects whose identity is asked for at once: the rest have their turn in the next walks. */
#define COMPARED_MAX 48u

/* How many code objects that are believed to stay are compared in each walk all the same. */
#define TRUSTED_COMPARED 1u

/* What a copy takes where nothing is slow, and with a part for what differs. One that took half as long again was
 * interrupted: the pieces of it lie too far apart in time to be held against each other. More than that it may not be,
 * since a stack can be mixed from several if its innermost functions are done in less time: 10 us for an ordinary stack.
 * What interrupts the copying has nothing to do with what the program does, so that taking another one is no bias. */
#define COPY_NS 2000u
#define COPY_NS_PER_PIECE 300u
#define COPY_BYTES_PER_NS 4u

/* On a machine where every copy is slow, a slow one must do: from this one on, one that took up to twice as long as usual,
 * and at last any. */
#define COPY_MAY_BE_SLOW 3
#define COPIES_MAX 8

/* The first version whose frames tell whether they have been left. */
#define FRAMES_TELL_MINOR 14

static bool add(struct sl_stack *stack, size_t *piece, uint64_t address, size_t size)
{
    *piece = sl_snapshot_add(&stack->python->snapshot, address, size);
    return *piece != SIZE_MAX;
}

static bool add_older_chunks(struct sl_stack *stack)
{
    const struct sl_thread_memory *memory = stack->memory;
    if (memory->chunk_count < 2) {
        return true;
    }
    size_t guard_bytes = SL_CHUNK_DATA + 8 + stack->python->layout.frame_header;
    if (!add(stack, &stack->guard, memory->chunks[0].address, guard_bytes)) {
        return false;
    }
    for (uint32_t i = 1; i < memory->chunk_count; i++) {
        size_t piece;
        if (!add(stack, &piece, memory->chunks[i].address, memory->chunks[i].used)) {
            return false;
        }
        if (i == 1) {
            stack->older = piece;
        }
        stack->older_count++;
    }
    return true;
}

/* All foreign frames, or the inner ones; neighbours as one piece. */
static bool add_foreign(struct sl_stack *stack, bool inner_only, size_t *first, size_t *count)
{
    const struct sl_thread_memory *memory = stack->memory;
    uint32_t header = stack->python->layout.frame_header;
    uint64_t begin = 0;
    uint64_t end = 0;
    for (uint32_t i = 0; i <= memory->foreign_count; i++) {
        const struct sl_foreign *foreign = i < memory->foreign_count ? &memory->foreign[i] : NULL;
        if (foreign != NULL && inner_only && !foreign->inner) {
            continue;
        }
        if (foreign != NULL && begin != 0 && foreign->address <= end + MERGE_BYTES &&
            foreign->address - begin < MERGED_BYTES_MAX) {
            end = foreign->address + header;
            continue;
        }
        size_t piece;
        if (begin != 0) {
            if (!add(stack, &piece, begin, (size_t)(end - begin))) {
                return false;
            }
            *first = (*count)++ == 0 ? piece : *first;
        }
        if (foreign != NULL) {
            begin = foreign->address;
            end = begin + header;
        }
    }
    return true;
}

/* The newest chunk as far as its innermost frame has been in the last walks: from its begin, or from TOP_BYTES below that.
 * Where it was seen once is asked for from then on, since to ask again would be to look at a later moment. */
static bool add_chunk(struct sl_stack *stack, size_t *piece, bool top_only)
{
    const struct sl_thread_memory *memory = stack->memory;
    if (memory->chunk_count == 0) {
        return true;
    }
    const struct sl_chunk *chunk = &memory->chunks[0];
    uint64_t begin = chunk->address;
    uint64_t end = chunk->address + chunk->size;
    if (memory->reach.low >= begin && memory->reach.high < end && memory->roams == 0) {
        uint64_t ahead = memory->reach.high + stack->python->layout.frame_header + AHEAD_BYTES;
        end = ahead < end ? ahead : end;
        if (top_only && memory->reach.low > begin + TOP_BYTES) {
            begin = memory->reach.low - TOP_BYTES;
        }
    }
    return add(stack, piece, begin, (size_t)(end - begin));
}

static bool add_c_frames(struct sl_stack *stack)
{
    if (!stack->python->layout.c_frames) {
        return true;
    }
    /* They lie on one C stack, near each other; one that does not is left out. */
    const uint64_t *c_frames = stack->memory->c_frames;
    uint64_t newest = c_frames[0];
    uint64_t low = newest;
    uint64_t high = newest;
    for (uint32_t i = 0; i < SL_C_FRAMES; i++) {
        uint64_t least = c_frames[i] < low ? c_frames[i] : low;
        uint64_t most = c_frames[i] > high ? c_frames[i] : high;
        if (c_frames[i] != 0 && most - least < MERGE_BYTES * 2) {
            low = least;
            high = most;
        }
    }
    return add(stack, &stack->c_frames, low, (size_t)(high - low) + SL_C_FRAME_BYTES);
}

static bool add_code(struct sl_stack *stack, const struct sl_known_code *known)
{
    if (stack->code_count++ == 0) {
        stack->codes = stack->python->snapshot.count;
    }
    return sl_code_check_add(&stack->python->snapshot, &stack->python->layout, known);
}

/* The code objects of the last stack, as far as they may have become others since. */
static bool add_codes(struct sl_stack *stack)
{
    struct sl_python *python = stack->python;
    struct sl_thread_memory *memory = stack->memory;
    bool told = python->layout.interpreter_code_generation != 0;
    if (told && !memory->generation_moves) {
        return true;
    }
    uint32_t trusted = 0;
    uint32_t turn = memory->turn;
    for (uint32_t i = 0; i < memory->last_count; i++) {
        uint64_t address = memory->last[i].code;
        struct sl_known_code *known = memory->last[i].hidden ? NULL : sl_code_cache_find(&python->codes, address);
        if (known == NULL || known->compared_walk == python->walk) {
            continue;
        }
        bool believed = !told && sl_code_trusted(&python->codes, known);
        if (believed) {
            if (turn > 0) {
                turn--;
                continue;
            }
            if (trusted++ >= TRUSTED_COMPARED) {
                continue;
            }
        }
        if (stack->code_count == COMPARED_MAX) {
            stack->doubtful = true;
            break;
        }
        known->compared_walk = python->walk;
        stack->hurries = stack->hurries || !believed;
        if (!add_code(stack, known)) {
            return false;
        }
    }
    memory->turn = turn > 0 || trusted == 0 ? 0 : memory->turn + 1;
    return true;
}

/* How many code objects had been freed before all else was copied. */
static bool add_generation(struct sl_stack *stack)
{
    uint32_t offset = stack->python->layout.interpreter_code_generation;
    return offset == 0 || add(stack, &stack->generation_before, stack->memory->interpreter + offset, 8);
}

/* Which context is entered, where that matters. */
static bool add_context(struct sl_stack *stack, size_t *piece)
{
    return !stack->python->follows_contexts ||
           add(stack, piece, stack->memory->address + stack->python->layout.thread_context, 8);
}

/* What the copy says beside the stack itself. */
static void see(struct sl_stack *stack)
{
    stack->copied = true;
    if (stack->generation_before != SL_NO_PIECE) {
        stack->freed_before = sl_word(sl_snapshot_copy(&stack->python->snapshot, stack->generation_before));
    }
    sl_stack_words_see(stack);
}

/* Copies all that was added, again if that was interrupted. */
static enum sl_follow take(struct sl_stack *stack)
{
    struct sl_python *python = stack->python;
    uint64_t usual_ns =
        COPY_NS + COPY_NS_PER_PIECE * python->snapshot.count + python->snapshot.size / COPY_BYTES_PER_NS;
    /* Where code is made in the place of other code, the next may be there as soon as a line is compiled. And before 3.14 a
     * frame that has been left looks like one that waits: only two copies that are close together tell them apart. */
    bool strict = stack->hurries || python->layout.minor < FRAMES_TELL_MINOR;
    uint64_t most_ns = strict ? usual_ns : usual_ns + usual_ns / 2;
    for (int copies = 1;; copies++) {
        stack->copied_ns = sl_clock_now_ns();
        enum sl_read read = sl_snapshot_take(&python->snapshot, python->process);
        uint64_t took_ns = sl_clock_now_ns() - stack->copied_ns;
        if (read != SL_READ_OK) {
            sl_stack_words_lose_list(stack);
            return sl_follow_from_read(read);
        }
        if (took_ns <= (copies < COPY_MAY_BE_SLOW ? most_ns : 2 * usual_ns) || copies == COPIES_MAX) {
            see(stack);
            return SL_FOLLOW_OK;
        }
        python->snapshot.taken = 0;
    }
}

enum sl_follow sl_stack_copy(struct sl_stack *stack, struct sl_python *python, struct sl_thread_memory *memory)
{
    *stack = (struct sl_stack){
        .python = python,
        .memory = memory,
        .guard = SL_NO_PIECE,
        .chunk = SL_NO_PIECE,
        .c_frames = SL_NO_PIECE,
        .chunk_top = SL_NO_PIECE,
        .generation_before = SL_NO_PIECE,
        .context_before = SL_NO_PIECE,
        .context_behind = SL_NO_PIECE,
        .version = python->code_version,
    };
    python->walk++;
    sl_code_cache_bound(&python->codes);
    sl_snapshot_clear(&python->snapshot);
    bool added = add_generation(stack) && add_context(stack, &stack->context_before) && add_older_chunks(stack) &&
                 add_foreign(stack, false, &stack->foreign, &stack->foreign_count) &&
                 add_chunk(stack, &stack->chunk, false) &&
                 add(stack, &stack->thread, memory->address, python->layout.thread_chunk + 8) && add_c_frames(stack) &&
                 add_chunk(stack, &stack->chunk_top, true) &&
                 add_foreign(stack, true, &stack->foreign_inner, &stack->foreign_inner_count) &&
                 add_context(stack, &stack->context_behind) && sl_stack_words_add(stack) && add_codes(stack);
    if (!added) {
        return sl_follow_from_refusal(&python->snapshot);
    }
    stack->extra = python->snapshot.count;
    return take(stack);
}
