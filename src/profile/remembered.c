#include "profile/remembered.h"

#include "profile/profile.h"

#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64u

void sl_remembered_destroy(struct sl_remembered *remembered)
{
    free(remembered->kept);
    free(remembered->met);
    *remembered = (struct sl_remembered){0};
}

uint32_t sl_remembered_place(const struct sl_remembered *remembered, uint32_t number)
{
    if (number >= remembered->first) {
        return remembered->kept_count + (number - remembered->first);
    }
    uint32_t low = 0;
    uint32_t high = remembered->kept_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (remembered->kept[middle] < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < remembered->kept_count && remembered->kept[low] == number ? low : SL_NONE;
}

void sl_remembered_meet(struct sl_remembered *remembered, uint32_t place)
{
    uint32_t word = place / WORD_BITS;
    if (word >= remembered->met_words) {
        uint32_t words = remembered->met_words * 2 > word ? remembered->met_words * 2 : word + 1;
        uint64_t *met = realloc(remembered->met, words * sizeof *met);
        if (met == NULL) {
            return;
        }
        memset(met + remembered->met_words, 0, (words - remembered->met_words) * sizeof *met);
        remembered->met = met;
        remembered->met_words = words;
    }
    remembered->met[word] |= UINT64_C(1) << place % WORD_BITS;
}

bool sl_remembered_was_met(const struct sl_remembered *remembered, uint32_t place)
{
    uint32_t word = place / WORD_BITS;
    return word < remembered->met_words && (remembered->met[word] >> place % WORD_BITS & 1) != 0;
}

static uint32_t count_met(const struct sl_remembered *remembered)
{
    uint32_t count = 0;
    for (uint32_t word = 0; word < remembered->met_words; word++) {
        count += (uint32_t)__builtin_popcountll(remembered->met[word]);
    }
    return count;
}

uint32_t sl_remembered_forget(struct sl_remembered *remembered, void *records, size_t size)
{
    uint32_t held = sl_remembered_held(remembered);
    uint32_t met = count_met(remembered);
    uint32_t *kept = NULL;
    uint32_t kept_count = 0;
    if (met > 0 && met <= held / 4 * 3) {
        kept = malloc(met * sizeof *kept);
    }
    for (uint32_t place = 0; place < held && kept != NULL; place++) {
        if (sl_remembered_was_met(remembered, place)) {
            memmove((char *)records + kept_count * size, (char *)records + place * size, size);
            kept[kept_count++] = sl_remembered_number(remembered, place);
        }
    }
    free(remembered->kept);
    remembered->kept = kept;
    remembered->kept_count = kept_count;
    remembered->first = remembered->count;
    if (remembered->met_words > 0) {
        memset(remembered->met, 0, remembered->met_words * sizeof *remembered->met);
    }
    return kept_count;
}
