/* suggest.h - the right word for a wrong one. */
#ifndef SL_CLI_SUGGEST_H
#define SL_CLI_SUGGEST_H

/* Of `candidates` (NULL at the end) the one that `word` was most likely meant to be: the fewest letters changed, left
 * out, added or swapped, in any case, and at most a third of the word; or the only one that begins with it. NULL when
 * none is near. */
const char *sl_nearest(const char *word, const char *const *candidates);

#endif
