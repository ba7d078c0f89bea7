#include "cli/suggest.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* A longer word is no misspelt option or name. */
enum { WORD_MAX = 40 };

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int lower(char letter)
{
    return tolower((unsigned char)letter);
}

/* Letters changed, left out, added, or swapped with their neighbour (each pair at most once). */
static int distance(const char *a, const char *b)
{
    int rows[WORD_MAX + 1][WORD_MAX + 1];
    int a_size = (int)strlen(a);
    int b_size = (int)strlen(b);
    for (int i = 0; i <= a_size; i++) {
        rows[i][0] = i;
    }
    for (int j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (int i = 1; i <= a_size; i++) {
        for (int j = 1; j <= b_size; j++) {
            int changed = rows[i - 1][j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
            int best = smaller(changed, smaller(rows[i - 1][j], rows[i][j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
                best = smaller(best, rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    return rows[a_size][b_size];
}

const char *sl_nearest(const char *word, const char *const *candidates)
{
    size_t size = strlen(word);
    if (size == 0 || size > WORD_MAX) {
        return NULL;
    }
    const char *best = NULL;
    const char *begun = NULL;
    int begun_count = 0;
    int best_distance = size < 3 ? 1 : (int)size / 3;
    for (const char *const *candidate = candidates; *candidate != NULL; candidate++) {
        size_t candidate_size = strlen(*candidate);
        if (candidate_size > WORD_MAX) {
            continue;
        }
        if (strncasecmp(word, *candidate, size) == 0) {
            begun = *candidate;
            begun_count++;
        }
        /* With every letter changed it is another word. */
        int changes = distance(word, *candidate);
        if (changes < (int)candidate_size && (changes < best_distance || (changes == best_distance && best == NULL))) {
            best = *candidate;
            best_distance = changes;
        }
    }
    return begun_count == 1 ? begun : best;
}
