#include "profile/combine_tasks.h"

#include "base/array.h"
#include "profile/combine_match.h"

#include <stdlib.h>

static bool thread_has_room(struct sl_joined_tasks *tasks, uint32_t thread)
{
    while (tasks->thread_count <= thread) {
        if (!sl_array_room(&tasks->highest, &tasks->thread_capacity, tasks->thread_count, sizeof *tasks->highest)) {
            return false;
        }
        tasks->highest[tasks->thread_count++] = 0;
    }
    return true;
}

/* The number of a task that goes on from none before, which is told; 0 when memory is exhausted. */
static uint32_t new_task(struct sl_joined_tasks *tasks, struct sl_recorder *recorder, uint32_t thread,
                         sl_function coroutine)
{
    if (!thread_has_room(tasks, thread)) {
        return 0;
    }
    if (tasks->highest[thread] == SL_STATE_TASK_MAX) {
        return SL_STATE_TASK_MAX;
    }
    if (!sl_array_room(&tasks->all, &tasks->capacity, tasks->count, sizeof *tasks->all)) {
        return 0;
    }
    uint32_t number = ++tasks->highest[thread];
    sl_function told = number < SL_STATE_TASK_MAX ? coroutine : 0;
    tasks->all[tasks->count++] = (struct sl_joined_task){.thread = thread, .number = number, .coroutine = told};
    sl_recorder_task(recorder, thread, number, told);
    return number;
}

/* Finds the numbers of those tasks that go on from one before; 0 for all others. `added` says whose they are. */
static bool find_earlier(struct sl_joined_tasks *tasks, struct sl_match *added, uint32_t added_count)
{
    struct sl_match *known = malloc(((size_t)tasks->count + 1) * sizeof *known);
    if (known == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < tasks->count; i++) {
        const struct sl_joined_task *task = &tasks->all[i];
        known[i] = (struct sl_match){.kind = {task->thread, task->coroutine}, .number = task->number};
    }
    sl_match(known, tasks->count, added, added_count);
    for (uint32_t i = 0; i < added_count; i++) {
        tasks->numbers[added[i].number] = added[i].earlier != SL_NONE ? added[i].earlier : 0;
    }
    free(known);
    return true;
}

bool sl_joined_tasks_add(struct sl_joined_tasks *tasks, struct sl_recorder *recorder, const struct sl_profile *profile,
                         uint32_t (*thread_of)(const void *context, uint32_t thread), const void *context,
                         const sl_function *functions)
{
    free(tasks->numbers);
    tasks->numbers = malloc(((size_t)profile->task_count + 1) * sizeof *tasks->numbers);
    struct sl_match *added = malloc(((size_t)profile->task_count + 1) * sizeof *added);
    bool done = tasks->numbers != NULL && added != NULL;
    for (uint32_t i = 0; done && i < profile->task_count; i++) {
        const struct sl_task_record *record = &profile->tasks[i];
        uint32_t thread = thread_of(context, record->thread);
        added[i] = (struct sl_match){.kind = {thread, functions[record->coroutine]}, .number = i};
    }
    done = done && find_earlier(tasks, added, profile->task_count);
    free(added);
    for (uint32_t i = 0; done && i < profile->task_count; i++) {
        const struct sl_task_record *record = &profile->tasks[i];
        if (tasks->numbers[i] == 0) {
            tasks->numbers[i] =
                new_task(tasks, recorder, thread_of(context, record->thread), functions[record->coroutine]);
        }
        done = tasks->numbers[i] != 0;
    }
    return done;
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
    free(tasks->highest);
    free(tasks->numbers);
    *tasks = (struct sl_joined_tasks){0};
}
