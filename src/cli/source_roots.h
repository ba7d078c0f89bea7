/* source_roots.h - the root directories of processes that were just recorded and find other files than we do: their source text
 * is to be had as long as they live. */
#ifndef SL_CLI_SOURCE_ROOTS_H
#define SL_CLI_SOURCE_ROOTS_H

#include "profile/profile.h"
#include "render/render.h"

struct sl_source_roots {
    struct sl_source_root *items; /* owned, with their descriptors */
    size_t count;
};

/* Opens those of the processes that lived to the end of the recording. What cannot be opened is left out. */
void sl_source_roots_open(struct sl_source_roots *roots, const struct sl_profile *profile);
void sl_source_roots_close(struct sl_source_roots *roots);

#endif
