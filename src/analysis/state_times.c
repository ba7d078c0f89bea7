#include "analysis/state_times.h"

#include <string.h>

void sl_state_times_init(struct sl_state_times *times, struct sl_arena *arena)
{
    *times = (struct sl_state_times){.arena = arena};
}

void sl_state_times_clear(struct sl_state_times *times)
{
    times->count = 0;
}

static bool make_room(struct sl_state_times *times)
{
    if (times->count < times->capacity) {
        return true;
    }
    uint32_t capacity = times->capacity < 256 ? 256 : times->capacity * 2;
    struct sl_state_time *grown =
        capacity > times->capacity ? SL_ARENA_NEW(times->arena, struct sl_state_time, capacity) : NULL;
    if (grown == NULL) {
        times->arena->exhausted = true;
        return false;
    }
    if (times->count > 0) {
        memcpy(grown, times->times, times->count * sizeof *grown);
    }
    times->times = grown;
    times->capacity = capacity;
    return true;
}

void sl_state_times_add(struct sl_state_times *times, uint32_t *first, sl_state state, uint64_t ns)
{
    int length = 0;
    for (uint32_t place = *first; place != 0; place = times->times[place - 1].next) {
        struct sl_state_time *time = &times->times[place - 1];
        if (time->state == state) {
            time->ns += ns;
            return;
        }
        length++;
    }
    if (length < SL_STATE_TIMES_MAX && make_room(times)) {
        times->times[times->count++] = (struct sl_state_time){.ns = ns, .state = state, .next = *first};
        *first = times->count;
    }
}

sl_state sl_state_times_main(const struct sl_state_times *times, uint32_t first)
{
    sl_state found = 0;
    uint64_t longest = 0;
    for (uint32_t place = first; place != 0; place = times->times[place - 1].next) {
        if (times->times[place - 1].ns >= longest) {
            longest = times->times[place - 1].ns;
            found = times->times[place - 1].state;
        }
    }
    return found;
}
