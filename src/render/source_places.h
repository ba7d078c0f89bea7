/* source_places.h - where the source files lie that a recording names.
 *
 * At the same path, a process in a container finds another file than we do. So of what was seen in such a process no file of
 * ours is shown: its own are read if its root is at hand (options.source_roots), else none. */
#ifndef SL_RENDER_SOURCE_PLACES_H
#define SL_RENDER_SOURCE_PLACES_H

#include "base/arena.h"
#include "profile/profile.h"
#include "render/render.h"

/* A place that is neither ours (AT_FDCWD) nor the descriptor of a root. */
#define SL_SOURCE_NOWHERE (-1)

/* The place of each file, by the number of its name: nowhere also where processes with different roots ran it. Lives as long as
 * the arena; NULL when it is exhausted. Linear in the profile. */
const int *sl_source_places(struct sl_arena *arena, const struct sl_profile *profile,
                            const struct sl_render_options *options);

/* The text that was given for a path; NULL: none was. */
const char *sl_source_given_text(const struct sl_render_options *options, const char *path);

/* As open(2), at a place. Nothing leads out of a root: neither `..` nor a symbolic link. */
int sl_source_open(int place, const char *path, int flags);

#endif
