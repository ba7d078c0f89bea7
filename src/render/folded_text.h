/* folded_text.h - names within folded stacks. */
#ifndef SL_RENDER_FOLDED_TEXT_H
#define SL_RENDER_FOLDED_TEXT_H

#include "base/buffer.h"

/* Appends a name, which may hold what separates frames and lines: that is replaced. */
void sl_folded_text(struct sl_buffer *buffer, const char *text, size_t size);

#endif
