/* folded_text.h - names within folded stacks. */
#ifndef SL_RENDER_FOLDED_TEXT_H
#define SL_RENDER_FOLDED_TEXT_H

#include "base/buffer.h"
#include "profile/profile.h"

/* Appends a name, which may hold what separates frames and lines: that is replaced. */
void sl_folded_text(struct sl_buffer *buffer, const char *text, size_t size);

/* Where a frame's function is, as it stands behind its name; "" where it is in no file, as of folded stacks of other tools. */
const char *sl_folded_place(const struct sl_profile *profile, sl_function function);

#endif
