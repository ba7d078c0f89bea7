#include "profile/combine_tasks.h"

#include "base/array.h"

#include <stdlib.h>

/* The task's number in the result, told when it is new; 0 when memory is exhausted. */
static uint32_t joined_task(struct sl_joined_tasks *tasks, struct sl_recorder *recorder, uint32_t thread,
                            sl_function coroutine, uint32_t part)
{
    uint32_t highest = 0;
    for (uint32_t i = 0; i < tasks->count; i++) {
        struct sl_joined_task *task = &tasks->all[i];
        if (task->thread != thread) {
            continue;
        }
        if (task->coroutine == coroutine && task->part != part) {
            task->part = part;
            return task->number;
        }
        highest = task->number > highest ? task->number : highest;
    }
    if (highest == SL_STATE_TASK_MAX) {
        return highest;
    }
    if (!sl_array_room(&tasks->all, &tasks->capacity, tasks->count, sizeof *tasks->all)) {
        return 0;
    }
    uint32_t number = highest + 1;
    sl_function told = number < SL_STATE_TASK_MAX ? coroutine : 0;
    tasks->all[tasks->count++] =
        (struct sl_joined_task){.thread = thread, .number = number, .coroutine = told, .part = part};
    sl_recorder_task(recorder, thread, number, told);
    return number;
}

bool sl_joined_tasks_add(struct sl_joined_tasks *tasks, struct sl_recorder *recorder, const struct sl_profile *profile,
                         uint32_t part, uint32_t (*thread_of)(const void *context, uint32_t thread),
                         const void *context, const sl_function *functions)
{
    free(tasks->numbers);
    tasks->numbers = malloc(((size_t)profile->task_count + 1) * sizeof *tasks->numbers);
    if (tasks->numbers == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < profile->task_count; i++) {
        const struct sl_task_record *record = &profile->tasks[i];
        tasks->numbers[i] =
            joined_task(tasks, recorder, thread_of(context, record->thread), functions[record->coroutine], part);
        if (tasks->numbers[i] == 0) {
            return false;
        }
    }
    return true;
}

sl_state sl_joined_tasks_state(const struct sl_joined_tasks *tasks, const struct sl_profile *profile, uint32_t thread,
                               sl_state state)
{
    uint32_t number = sl_state_task(state);
    uint32_t low = 0;
    uint32_t high = number != 0 ? profile->task_count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct sl_task_record *record = &profile->tasks[middle];
        if (record->thread == thread && record->number == number) {
            return sl_state_in_task(sl_state_activity(state), tasks->numbers[middle]);
        }
        if (record->thread < thread || (record->thread == thread && record->number < number)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return sl_state_activity(state);
}

void sl_joined_tasks_destroy(struct sl_joined_tasks *tasks)
{
    free(tasks->all);
    free(tasks->numbers);
    *tasks = (struct sl_joined_tasks){0};
}
