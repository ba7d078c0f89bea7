/* deflated.h - bytes that go into a page: deflated (raw deflate, as DecompressionStream's "deflate-raw" takes it) and in
 * base64. */
#ifndef SL_RENDER_DEFLATED_H
#define SL_RENDER_DEFLATED_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/output.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes `size` bytes, deflated, in base64. False when memory is exhausted. */
bool sl_deflated_write(struct sl_output *output, const void *bytes, size_t size, struct sl_error *error);

/* Writes `size` bytes in base64, padded with `=`. */
void sl_base64_write(struct sl_output *output, const void *bytes, size_t size);

/* Deflated pieces up to a limit: what is added is kept or refused whole. */
struct sl_deflated;

/* NULL when memory is exhausted. */
struct sl_deflated *sl_deflated_create(size_t limit_bytes);
void sl_deflated_destroy(struct sl_deflated *deflated);

/* False when the deflated bytes would be more than the limit, or memory is exhausted: nothing can be added after that,
 * and what was added before stays. */
bool sl_deflated_add(struct sl_deflated *deflated, const void *bytes, size_t size);

/* Ends the stream. Valid until the destruction; NULL when memory was exhausted. */
const struct sl_buffer *sl_deflated_finish(struct sl_deflated *deflated);

#endif
