/* tasks.h - the tasks that one thread ran, numbered as a recording tells them (profile/state.h).
 *
 * A task is known by where its outermost coroutine's frame lies, and which code that runs. So one that is made, after
 * another has ended, in its place in memory and of the same coroutine, has its number: who looks at what ran when then
 * sees them in one row. */
#ifndef SL_SAMPLER_TASKS_H
#define SL_SAMPLER_TASKS_H

#include <stdbool.h>
#include <stdint.h>

struct sl_tasks {
    struct sl_known_task {
        uint64_t address;
        uint32_t code;
        uint32_t number; /* 0: the slot is free */
    } * slots;           /* hash table, a power of two; owned; NULL until there is a task */
    uint32_t slot_count;
    uint32_t count;
};

void sl_tasks_destroy(struct sl_tasks *tasks);

/* Addresses and codes mean something else from now on. */
void sl_tasks_forget(struct sl_tasks *tasks);

/* The number of the task, 1 to SL_STATE_TASK_MAX; `*is_new` when it was given for the first time. 0 when memory is
 * exhausted. */
uint32_t sl_tasks_number(struct sl_tasks *tasks, uint64_t address, uint32_t code, bool *is_new);

#endif
