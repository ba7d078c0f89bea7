/* situations.h - every distinct pair of stack and state that a thread was seen in, once.
 *
 * What a thread does follows mostly from where it is: the stack that ends in `recv` waits in recvfrom(2). So one number
 * says both, at hardly more than the cost of one. Numbers are given from 0 in order of first sight and never change.
 * What was forgotten gets a second one when it is seen again (stacks.h says what that is for). Not thread-safe. */
#ifndef SL_PROFILE_SITUATIONS_H
#define SL_PROFILE_SITUATIONS_H

#include "base/hash_index.h"
#include "profile/profile.h"
#include "profile/remembered.h"

struct sl_situation {
    sl_stack stack;
    sl_state state;
};

struct sl_situations {
    struct sl_situation *records; /* of what is held, by place; owned */
    uint32_t capacity;
    struct sl_remembered numbers;
    struct sl_hash_index index; /* of places */
    uint64_t seed;
};

void sl_situations_init(struct sl_situations *situations);
void sl_situations_destroy(struct sl_situations *situations);

/* O(1). SL_NONE when memory is exhausted. */
uint32_t sl_situations_intern(struct sl_situations *situations, struct sl_situation situation);

/* Adds a situation under the next number without looking whether it is there: for a table that is read back. */
uint32_t sl_situations_append(struct sl_situations *situations, struct sl_situation situation);

/* Forgets what was not met again since the last time, and keeps the memory for the next ones. */
void sl_situations_forget(struct sl_situations *situations);

#endif
