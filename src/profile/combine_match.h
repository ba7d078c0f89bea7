/* combine_match.h - which processes, threads or tasks of a recording go on from one of the recordings before. */
#ifndef SL_PROFILE_COMBINE_MATCH_H
#define SL_PROFILE_COMBINE_MATCH_H

#include <stddef.h>
#include <stdint.h>

struct sl_match {
    uint64_t kind[2]; /* what it shares with the one that it goes on from */
    uint32_t number;  /* its own */
    uint32_t
        earlier; /* out, of what is added: the number of the one that it goes on from; SL_NONE when there is none */
};

/* Of each kind the first one added goes on from the first one known, the second from the second, in order of their numbers,
 * as far as there are enough. Sorts both. O(n log n). */
void sl_match(struct sl_match *known, size_t known_count, struct sl_match *added, size_t added_count);

#endif
