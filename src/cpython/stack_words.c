/* Words that are looked at beside the stack, in the same copy: who holds the GIL, whether garbage is collected, how many
 * code objects were freed; and, when it was asked for, what the list of threads hangs on.
 *
 * A piece of a copy costs as much as some 3 KiB in it, so what lies near each other is copied as one: on 3.11 all of
 * these are two or three pieces, from 3.12 on two. */
#include "cpython/stack.h"
#include "cpython/words.h"

#include <stdlib.h>

#define MERGE_BYTES 1024u

struct range {
    uint64_t begin, end;
};

#define RANGES_MAX (SL_LIST_WORDS_FOLLOWED + 3)

struct ranges {
    struct range all[RANGES_MAX];
    size_t count;
};

static void want(struct ranges *ranges, uint64_t address, uint64_t size)
{
    if (ranges->count < RANGES_MAX && address + size > address) {
        ranges->all[ranges->count++] = (struct range){address, address + size};
    }
}

static int by_address(const void *left, const void *right)
{
    uint64_t a = ((const struct range *)left)->begin;
    uint64_t b = ((const struct range *)right)->begin;
    return a < b ? -1 : a > b;
}

static void want_list(const struct sl_stack *stack, struct ranges *ranges)
{
    const struct sl_python *python = stack->python;
    for (size_t i = 0; i < python->list_words.count; i++) {
        uint64_t address = python->list_words.all[i].address;
        if (sl_snapshot_find(&python->snapshot, stack->thread, address, 8) == NULL) {
            want(ranges, address, 8);
        }
    }
}

bool sl_stack_words_add(struct sl_stack *stack)
{
    struct sl_python *python = stack->python;
    const struct sl_layout *layout = &python->layout;
    struct sl_thread_memory *memory = stack->memory;
    struct ranges ranges = {.count = 0};
    want(&ranges, memory->interpreter + layout->interpreter_collecting, 4);
    if (layout->interpreter_code_generation != 0) {
        want(&ranges, memory->interpreter + layout->interpreter_code_generation, 8);
    }
    if (memory->gil == 0) {
        /* An interpreter that starts has threads before it has a GIL. */
        memory->gil = sl_gil_address(python, memory->interpreter);
    }
    if (memory->gil != 0) {
        want(&ranges, memory->gil, layout->gil_locked + 4);
    }
    if (python->list_followed) {
        want_list(stack, &ranges);
    }
    qsort(ranges.all, ranges.count, sizeof *ranges.all, by_address);
    stack->words = python->snapshot.count;
    for (size_t i = 0; i < ranges.count;) {
        struct range range = ranges.all[i++];
        while (i < ranges.count && ranges.all[i].begin <= range.end + MERGE_BYTES) {
            range.end = ranges.all[i].end > range.end ? ranges.all[i].end : range.end;
            i++;
        }
        if (sl_snapshot_add(&python->snapshot, range.begin, (size_t)(range.end - range.begin)) == SIZE_MAX) {
            return false;
        }
        stack->word_count++;
    }
    return true;
}

/* The copy of `size` bytes at `address`; NULL if they were not asked for. */
static const uint8_t *find_word(const struct sl_stack *stack, uint64_t address, uint32_t size)
{
    const struct sl_snapshot *snapshot = &stack->python->snapshot;
    for (size_t i = 0; i < stack->word_count; i++) {
        const uint8_t *copy = sl_snapshot_find(snapshot, stack->words + i, address, size);
        if (copy != NULL) {
            return copy;
        }
    }
    return NULL;
}

static void see_gil(struct sl_stack *stack)
{
    const struct sl_layout *layout = &stack->python->layout;
    const struct sl_thread_memory *memory = stack->memory;
    if (memory->gil == 0) {
        return;
    }
    const uint8_t *gil = find_word(stack, memory->gil, layout->gil_locked + 4);
    const uint8_t *collecting = find_word(stack, memory->interpreter + layout->interpreter_collecting, 4);
    stack->holds_gil =
        gil != NULL && sl_word(gil + layout->gil_holder) == memory->address && sl_int(gil + layout->gil_locked) == 1;
    stack->collecting = stack->holds_gil && collecting != NULL && sl_int(collecting) != 0;
}

static void see_freed(struct sl_stack *stack)
{
    uint32_t offset = stack->python->layout.interpreter_code_generation;
    const uint8_t *freed = offset != 0 ? find_word(stack, stack->memory->interpreter + offset, 8) : NULL;
    stack->freed_behind = freed != NULL ? sl_word(freed) : 0;
}

static void see_list(const struct sl_stack *stack)
{
    struct sl_python *python = stack->python;
    if (!python->list_followed) {
        return;
    }
    python->list_followed = false;
    python->list_seen = SL_LIST_SAME;
    for (size_t i = 0; i < python->list_words.count; i++) {
        const struct sl_list_word *word = &python->list_words.all[i];
        const uint8_t *copy = sl_snapshot_find(&python->snapshot, stack->thread, word->address, 8);
        copy = copy != NULL ? copy : find_word(stack, word->address, 8);
        if (copy == NULL || sl_word(copy) != word->value) {
            python->list_seen = SL_LIST_CHANGED;
        }
    }
}

void sl_stack_words_see(struct sl_stack *stack)
{
    see_gil(stack);
    see_freed(stack);
    see_list(stack);
}

void sl_stack_words_lose_list(const struct sl_stack *stack)
{
    struct sl_python *python = stack->python;
    if (python->list_followed) {
        python->list_followed = false;
        python->list_seen = SL_LIST_CHANGED;
    }
}
