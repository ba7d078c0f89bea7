#include "analysis/focus.h"

struct sl_focus sl_focus_on(struct sl_arena *arena, const struct sl_profile *profile, const sl_function *trail,
                            uint32_t trail_count, const uint8_t *wanted)
{
    if (trail_count == 0) {
        return (struct sl_focus){.profile = profile, .functions = wanted};
    }
    uint32_t *reached = SL_ARENA_NEW(arena, uint32_t, profile->stack_count);
    struct sl_stack_record *stacks = SL_ARENA_NEW(arena, struct sl_stack_record, profile->stack_count);
    uint8_t *functions = SL_ARENA_NEW(arena, uint8_t, profile->function_count);
    struct sl_profile *focused = SL_ARENA_NEW(arena, struct sl_profile, 1);
    if (reached == NULL || stacks == NULL || functions == NULL || focused == NULL) {
        return (struct sl_focus){0};
    }
    for (sl_stack stack = 1; stack < profile->stack_count; stack++) {
        struct sl_stack_record record = profile->stacks[stack];
        uint32_t before = reached[record.caller];
        reached[stack] = before;
        if (before < trail_count && record.function == trail[before]) {
            reached[stack] = before + 1;
            record.caller = 0;
        }
        if (reached[stack] == trail_count) {
            stacks[stack] = record;
        }
    }
    for (sl_function function = 1; function < profile->function_count; function++) {
        functions[function] = wanted == NULL || wanted[function] != 0;
    }
    *focused = *profile;
    focused->stacks = stacks;
    return (struct sl_focus){.profile = focused, .functions = functions};
}
