/* functions.h - every distinct function of a recording, once.
 *
 * A function is its qualified name, its file, the first line of its definition and its kind. Number 0 is the function
 * of the empty stack, which has none of these. Numbers are given in order of first sight and never change. Not
 * thread-safe. */
#ifndef SL_PROFILE_FUNCTIONS_H
#define SL_PROFILE_FUNCTIONS_H

#include "base/hash_index.h"
#include "profile/profile.h"

struct sl_functions {
    struct sl_function_record *records;
    uint32_t count;
    uint32_t capacity;
    struct sl_hash_index index;
    uint64_t seed;
};

/* Holds function 0. False when memory is exhausted. */
bool sl_functions_init(struct sl_functions *functions);
void sl_functions_destroy(struct sl_functions *functions);

/* O(1). SL_NONE when memory is exhausted. */
sl_function sl_functions_intern(struct sl_functions *functions, struct sl_function_record record);

/* Adds a function under the next number without looking whether it is there: for a table that is read back. */
sl_function sl_functions_append(struct sl_functions *functions, struct sl_function_record record);

#endif
