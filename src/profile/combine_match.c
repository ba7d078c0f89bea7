#include "profile/combine_match.h"

#include "profile/profile.h"

#include <stdlib.h>

static int compare_kinds(const struct sl_match *left, const struct sl_match *right)
{
    if (left->kind[0] != right->kind[0]) {
        return left->kind[0] < right->kind[0] ? -1 : 1;
    }
    return (left->kind[1] > right->kind[1]) - (left->kind[1] < right->kind[1]);
}

static int by_kind(const void *a, const void *b)
{
    const struct sl_match *left = a;
    const struct sl_match *right = b;
    int order = compare_kinds(left, right);
    return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

void sl_match(struct sl_match *known, size_t known_count, struct sl_match *added, size_t added_count)
{
    qsort(known, known_count, sizeof *known, by_kind);
    qsort(added, added_count, sizeof *added, by_kind);
    size_t next = 0;
    for (size_t i = 0; i < added_count; i++) {
        while (next < known_count && compare_kinds(&known[next], &added[i]) < 0) {
            next++;
        }
        bool goes_on = next < known_count && compare_kinds(&known[next], &added[i]) == 0;
        added[i].earlier = goes_on ? known[next++].number : SL_NONE;
    }
}
