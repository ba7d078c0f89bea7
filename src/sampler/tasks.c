#include "sampler/tasks.h"

#include "profile/state.h"

#include <stdlib.h>

#define SLOTS_AT_FIRST 8u

void sl_tasks_destroy(struct sl_tasks *tasks)
{
    free(tasks->slots);
    *tasks = (struct sl_tasks){0};
}

void sl_tasks_forget(struct sl_tasks *tasks)
{
    for (uint32_t i = 0; i < tasks->slot_count; i++) {
        tasks->slots[i].number = 0;
    }
}

/* The slot that holds the task, or the free one where it belongs. */
static struct sl_known_task *slot_of(const struct sl_tasks *tasks, uint64_t address, uint32_t code)
{
    uint32_t mask = tasks->slot_count - 1;
    uint32_t slot = (uint32_t)(((address >> 4 ^ (uint64_t)code << 40) * 0x9e3779b97f4a7c15u) >> 32) & mask;
    while (tasks->slots[slot].number != 0 &&
           (tasks->slots[slot].address != address || tasks->slots[slot].code != code)) {
        slot = (slot + 1) & mask;
    }
    return &tasks->slots[slot];
}

/* At most half of the slots are in use. */
static bool make_room(struct sl_tasks *tasks)
{
    if (tasks->count * 2 < tasks->slot_count) {
        return true;
    }
    struct sl_tasks grown = {.slot_count = tasks->slot_count > 0 ? tasks->slot_count * 2 : SLOTS_AT_FIRST};
    grown.count = tasks->count;
    grown.slots = calloc(grown.slot_count, sizeof *grown.slots);
    if (grown.slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < tasks->slot_count; i++) {
        const struct sl_known_task *known = &tasks->slots[i];
        if (known->number != 0) {
            *slot_of(&grown, known->address, known->code) = *known;
        }
    }
    free(tasks->slots);
    *tasks = grown;
    return true;
}

uint32_t sl_tasks_number(struct sl_tasks *tasks, uint64_t address, uint32_t code, bool *is_new)
{
    *is_new = false;
    if (!make_room(tasks)) {
        return 0;
    }
    struct sl_known_task *slot = slot_of(tasks, address, code);
    if (slot->number != 0) {
        return slot->number;
    }
    if (tasks->count == SL_STATE_TASK_MAX) {
        return SL_STATE_TASK_MAX;
    }
    *is_new = true;
    uint32_t number = ++tasks->count;
    if (number < SL_STATE_TASK_MAX) {
        *slot = (struct sl_known_task){.address = address, .code = code, .number = number};
    }
    return number;
}
