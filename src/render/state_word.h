/* state_word.h - what a thread waited for, in one short word. */
#ifndef SL_RENDER_STATE_WORD_H
#define SL_RENDER_STATE_WORD_H

#include "profile/state.h"

/* "sleep", "lock", "GIL", "read", "epoll", ...; "GC" while it collects garbage. NULL when it simply ran, or when that is
 * not known. A wait in a system call that has no word of its own is "wait". The text is constant. */
const char *sl_state_word(sl_state state);

/* "running", "waiting", "waiting for GIL", "waiting for lock", "collecting" (garbage) or "unknown", for a program to read.
 * The text is constant. */
const char *sl_state_name(sl_state state);

#endif
