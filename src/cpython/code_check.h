/* code_check.h - whether the memory at a known code object's address still holds that code object: pieces of a snapshot
 * that are copied for it, and what they say. */
#ifndef SL_CPYTHON_CODE_CHECK_H
#define SL_CPYTHON_CODE_CHECK_H

#include "cpython/code_cache.h"
#include "cpython/snapshot.h"

/* How many pieces a check takes: the header; on 3.11, where no number tells code objects apart, the texts of the
 * qualified name and of the file, too. */
size_t sl_code_check_pieces(const struct sl_layout *layout);

/* Adds them behind the pieces that there are. False when memory is exhausted. */
bool sl_code_check_add(struct sl_snapshot *snapshot, const struct sl_layout *layout, const struct sl_known_code *known);

/* Whether the copies, from piece `first` on, are of the code object that is known, and it was in use when they were
 * made. */
bool sl_code_check_passes(const struct sl_snapshot *snapshot, size_t first, const struct sl_layout *layout,
                          const struct sl_code_cache *cache, const struct sl_known_code *known);

/* It did at `now_ns`, and the program had gone on since it last did. */
void sl_code_check_passed(struct sl_known_code *known, uint64_t now_ns);

/* Whether the code object is believed to stay, so that it need not be compared each time: it was found to be there a
 * thousand times, or a few times over a second or longer (in a large program most are seldom met), and neither it nor
 * another one in its place is known to have been made anew: without a number that tells code objects apart, what is made
 * again and again in the same place matches all the time, until something else is made there. */
bool sl_code_trusted(const struct sl_code_cache *cache, const struct sl_known_code *known);

#endif
