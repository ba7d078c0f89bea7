#include "analysis/sort.h"

#include <string.h>

/* Pieces this long are sorted by insertion before they are merged. */
enum { piece_size = 12 };

static void sort_piece(uint32_t *items, size_t count, sl_before *before, const void *context)
{
    for (size_t i = 1; i < count; i++) {
        uint32_t item = items[i];
        size_t place = i;
        while (place > 0 && before(context, item, items[place - 1])) {
            items[place] = items[place - 1];
            place--;
        }
        items[place] = item;
    }
}

static void merge(const uint32_t *from, size_t begin, size_t middle, size_t end, uint32_t *to, sl_before *before,
                  const void *context)
{
    size_t left = begin;
    size_t right = middle;
    for (size_t i = begin; i < end; i++) {
        if (left < middle && (right >= end || !before(context, from[right], from[left]))) {
            to[i] = from[left++];
        } else {
            to[i] = from[right++];
        }
    }
}

/* `other` has room for `count`. The result lies in `items`. */
static void merge_sort(uint32_t *items, uint32_t *other, size_t count, sl_before *before, const void *context)
{
    for (size_t begin = 0; begin < count; begin += piece_size) {
        sort_piece(items + begin, count - begin < piece_size ? count - begin : piece_size, before, context);
    }
    uint32_t *from = items;
    uint32_t *to = other;
    for (size_t width = piece_size; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count;
            size_t end = begin + 2 * width < count ? begin + 2 * width : count;
            merge(from, begin, middle, end, to, before, context);
        }
        uint32_t *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != items) {
        memcpy(items, from, count * sizeof *items);
    }
}

bool sl_sort(struct sl_arena *scratch, uint32_t *items, size_t count, sl_before *before, const void *context)
{
    if (count <= piece_size) {
        sort_piece(items, count, before, context);
        return true;
    }
    uint32_t *other = SL_ARENA_NEW(scratch, uint32_t, count);
    if (other == NULL) {
        return false;
    }
    merge_sort(items, other, count, before, context);
    return true;
}

bool sl_group(struct sl_arena *arena, const uint32_t *group_of, uint32_t count, uint32_t group_count,
              struct sl_groups *groups)
{
    groups->items = SL_ARENA_NEW(arena, uint32_t, count);
    groups->starts = SL_ARENA_NEW(arena, uint32_t, (size_t)group_count + 2);
    if (groups->items == NULL || groups->starts == NULL) {
        return false;
    }
    /* Counted one place too far, so that filling in moves each start to where it belongs. */
    uint32_t *starts = groups->starts + 1;
    for (uint32_t i = 0; i < count; i++) {
        if (group_of[i] != UINT32_MAX) {
            starts[group_of[i] + 1]++;
        }
    }
    for (uint32_t group = 0; group < group_count; group++) {
        starts[group + 1] += starts[group];
    }
    for (uint32_t i = 0; i < count; i++) {
        if (group_of[i] != UINT32_MAX) {
            groups->items[starts[group_of[i]]++] = i;
        }
    }
    return true;
}

bool sl_sort_groups(struct sl_arena *scratch, struct sl_groups *groups, uint32_t group_count, sl_before *before,
                    const void *context)
{
    size_t largest = 0;
    for (uint32_t group = 0; group < group_count; group++) {
        size_t size = groups->starts[group + 1] - groups->starts[group];
        largest = size > largest ? size : largest;
    }
    uint32_t *other = SL_ARENA_NEW(scratch, uint32_t, largest);
    if (other == NULL) {
        return false;
    }
    for (uint32_t group = 0; group < group_count; group++) {
        uint32_t begin = groups->starts[group];
        uint32_t size = groups->starts[group + 1] - begin;
        /* Most have one item or none. */
        if (size > 1) {
            merge_sort(groups->items + begin, other, size, before, context);
        }
    }
    return true;
}
