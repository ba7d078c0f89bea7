/* reason.h - why a server did not take a message, in words that may be shown on a terminal. */
#ifndef SL_PUSH_REASON_H
#define SL_PUSH_REASON_H

#include "push/secrets.h"

#include <stddef.h>

/* Writes "HTTP 413 Content Too Large", and what the server said beside it: the beginning of its answer, of which
 * only ASCII that can be printed is left. What looks like HTML is left out, and so is an answer with a secret in it. Cut to
 * `room` bytes with the NUL. */
void sl_reason_of_status(char *text, size_t room, int status, const char *answer, size_t size,
                         const struct sl_secrets *secrets);

/* Writes what can be printed of `bytes`: ASCII, with one blank for each run of blanks and control characters, and one ?
 * for each run of anything else. Cut to `room` bytes with the NUL. */
void sl_reason_clean(char *text, size_t room, const char *bytes, size_t size);

#endif
