#include "cpython/calls.h"

#include <stdlib.h>

/* Instructions that enter a Python function without leaving the interpreter's loop, specialised or not, since what is
 * specialised later was learnt before: CALL, CALL_KW, CALL_FUNCTION_EX, BINARY_SUBSCR and LOAD_ATTR with theirs. Numbers
 * from Include/opcode.h of 3.11.2 and 3.12.1, opcode_ids.h of 3.13.0.
 *
 * While it waits, a frame is at the last cache entry of the instruction (3.11, 3.12) or at the instruction (3.13). */
struct opcodes {
    uint8_t first, last;
    uint8_t caches; /* units behind the instruction that count as it */
};

static const struct opcodes of_3_11[] = {
    {17, 17, 4}, /* BINARY_SUBSCR_ADAPTIVE */
    {19, 19, 4}, /* BINARY_SUBSCR_GETITEM */
    {22, 24, 4}, /* CALL_ADAPTIVE to CALL_PY_WITH_DEFAULTS */
    {25, 25, 4}, /* BINARY_SUBSCR */
    {142, 142, 0}, {171, 171, 4},
};

static const struct opcodes of_3_12[] = {
    {20, 20, 1},                                 /* BINARY_SUBSCR_GETITEM */
    {23, 24, 3},                                 /* CALL_PY_EXACT_ARGS, CALL_PY_WITH_DEFAULTS */
    {25, 25, 1},                                 /* BINARY_SUBSCR */
    {28, 29, 3},                                 /* CALL_BOUND_METHOD_EXACT_ARGS, CALL_BUILTIN_CLASS */
    {34, 34, 3},   {38, 48, 3},   {56, 56, 3},   /* others of CALL, which may become something else again */
    {72, 72, 9},                                 /* LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN */
    {77, 77, 9},                                 /* LOAD_ATTR_PROPERTY */
    {106, 106, 9}, {142, 142, 0}, {171, 171, 3}, /* LOAD_ATTR, CALL_FUNCTION_EX, CALL */
    {241, 241, 3}, {244, 244, 0},                /* INSTRUMENTED_CALL, INSTRUMENTED_CALL_FUNCTION_EX */
};

static const struct opcodes of_3_13[] = {
    {5, 5, 0},                    /* BINARY_SUBSCR */
    {53, 54, 0},   {57, 57, 0},   /* CALL, CALL_FUNCTION_EX, CALL_KW */
    {82, 82, 0},                  /* LOAD_ATTR */
    {158, 158, 0},                /* BINARY_SUBSCR_GETITEM */
    {162, 181, 0},                /* all of CALL */
    {192, 192, 0}, {200, 200, 0}, /* LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN, LOAD_ATTR_PROPERTY */
    {244, 246, 0},                /* INSTRUMENTED_CALL, _KW, _FUNCTION_EX */
};

static const struct opcodes *opcodes_of(const struct sl_layout *layout, size_t *count)
{
    switch (layout->minor) {
    case 11:
        *count = sizeof of_3_11 / sizeof *of_3_11;
        return of_3_11;
    case 12:
        *count = sizeof of_3_12 / sizeof *of_3_12;
        return of_3_12;
    case 13:
        *count = sizeof of_3_13 / sizeof *of_3_13;
        return of_3_13;
    default:
        *count = 0;
        return NULL;
    }
}

size_t sl_calls_bytes(const struct sl_layout *layout, uint64_t units)
{
    if (layout->wipes_code) {
        return 0;
    }
    return units < SL_CALLS_BYTES_MAX / 2 ? (size_t)units * 2 : SL_CALLS_BYTES_MAX;
}

bool sl_calls_find(struct sl_calls *calls, const struct sl_layout *layout, const uint8_t *instructions, size_t size)
{
    *calls = (struct sl_calls){0};
    size_t count;
    const struct opcodes *opcodes = opcodes_of(layout, &count);
    uint32_t units = (uint32_t)(size / 2);
    if (opcodes == NULL || units == 0) {
        return true;
    }
    calls->bits = calloc(1, (units + 7) / 8);
    if (calls->bits == NULL) {
        return false;
    }
    calls->units = units;
    /* How many units from the instruction on count as it, by opcode: code objects are read while their frames run. */
    uint8_t reach[256] = {0};
    for (size_t i = 0; i < count; i++) {
        for (unsigned opcode = opcodes[i].first; opcode <= opcodes[i].last; opcode++) {
            reach[opcode] = opcodes[i].caches + 1;
        }
    }
    for (uint32_t unit = 0; unit < units; unit++) {
        for (uint32_t at = unit; at < unit + reach[instructions[(size_t)unit * 2]] && at < units; at++) {
            calls->bits[at / 8] |= (uint8_t)(1u << at % 8);
        }
    }
    return true;
}

void sl_calls_destroy(struct sl_calls *calls)
{
    free(calls->bits);
    *calls = (struct sl_calls){0};
}

bool sl_calls_may(const struct sl_calls *calls, uint32_t unit)
{
    return unit >= calls->units || (calls->bits[unit / 8] >> unit % 8 & 1) != 0;
}
