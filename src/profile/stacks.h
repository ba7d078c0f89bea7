/* stacks.h - every distinct call stack of a recording, once.
 *
 * A stack is a node of a trie: `function`, at `line`, running on top of the stack `caller`. Node 0 is the empty stack.
 * Numbers are given in order of first sight and never change, so that a trace can be written while the trie grows, and
 * a stack's caller always has a smaller number than the stack. Not thread-safe: one sampler owns one trie.
 *
 * A trie that is written as it grows may forget what it holds, so that its memory is bounded whatever a program does. What
 * was forgotten keeps its number, also as a caller, and gets a second one when it is seen again (remembered.h). */
#ifndef SL_PROFILE_STACKS_H
#define SL_PROFILE_STACKS_H

#include "base/hash_index.h"
#include "profile/profile.h"
#include "profile/remembered.h"

struct sl_stacks {
    struct sl_stack_record *records; /* of what is held, by place; owned */
    uint32_t capacity;
    struct sl_remembered numbers;
    struct sl_hash_index index; /* of places */
    uint64_t seed;
};

/* Holds the empty stack. False when memory is exhausted. */
bool sl_stacks_init(struct sl_stacks *stacks);
void sl_stacks_destroy(struct sl_stacks *stacks);

/* The stack that has `record.function` running on top of `record.caller`; added when it is new. O(1). SL_NONE when
 * memory is exhausted. The caller must be a stack of this trie. */
sl_stack sl_stacks_push(struct sl_stacks *stacks, struct sl_stack_record record);

/* Adds a stack under the next number without looking whether it is there: for a trie that is read back. */
sl_stack sl_stacks_append(struct sl_stacks *stacks, struct sl_stack_record record);

/* Forgets what was not met again since the last time, and keeps the memory for the next ones. */
void sl_stacks_forget(struct sl_stacks *stacks);

#endif
