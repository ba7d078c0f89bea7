/* combine_tasks.h - tasks of threads that go on from one recording into the next.
 *
 * Whether a task goes on is not told, and does not matter to who looks at what ran when: those of the same coroutine
 * follow each other in the same places, so that a thread has as many as it had at a time, not as it had in all. */
#ifndef SL_PROFILE_COMBINE_TASKS_H
#define SL_PROFILE_COMBINE_TASKS_H

#include "profile/recorder.h"

struct sl_joined_tasks {
    struct sl_joined_task {
        uint32_t thread; /* in the result, as all here */
        uint32_t number;
        sl_function coroutine;
    } * all;
    uint32_t count, capacity;
    uint32_t *highest; /* number of a task, of each thread */
    uint32_t thread_count, thread_capacity;
    uint32_t *numbers; /* of each task of the recording that is being added */
};

/* Takes over the tasks of another recording: `thread_of` and `functions` tell what its own are in the result. False when memory is
 * exhausted. */
bool sl_joined_tasks_add(struct sl_joined_tasks *tasks, struct sl_recorder *recorder, const struct sl_profile *profile,
                         uint32_t (*thread_of)(const void *context, uint32_t thread), const void *context,
                         const sl_function *functions);

/* A state of a thread of that recording, in the result. */
sl_state sl_joined_tasks_state(const struct sl_joined_tasks *tasks, const struct sl_profile *profile, uint32_t thread,
                               sl_state state);

void sl_joined_tasks_destroy(struct sl_joined_tasks *tasks);

#endif
