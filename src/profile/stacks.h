/* stacks.h - every distinct call stack of a recording, once.
 *
 * A stack is a node of a trie: `function`, at `line`, running on top of the stack `caller`. Node 0 is the empty stack.
 * Numbers are given in order of first sight and never change, so that a trace can be written while the trie grows, and
 * a stack's caller always has a smaller number than the stack. Not thread-safe: one sampler owns one trie. */
#ifndef SL_PROFILE_STACKS_H
#define SL_PROFILE_STACKS_H

#include "base/hash_index.h"
#include "profile/profile.h"

struct sl_stacks {
    struct sl_stack_record *records;
    uint32_t count;
    uint32_t capacity;
    struct sl_hash_index index;
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

#endif
