/* top_screen.h - the whole terminal as a place to show rows and to read keys: ncurses, and nothing of what is shown.
 *
 * Whatever ends us, the terminal is as it was: sl_top_screen_end is for every way out that we choose; a handler of the
 * signals that are our own failure (SIGSEGV, SIGABRT, ...) does the same with what is allowed there. SIGTSTP and
 * SIGCONT, SIGWINCH are ncurses' own. */
#ifndef SL_CLI_TOP_SCREEN_H
#define SL_CLI_TOP_SCREEN_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Keys that are no characters. */
enum sl_top_key {
    SL_KEY_NONE = 0x1000, /* nothing was pressed */
    SL_KEY_UP,
    SL_KEY_DOWN,
    SL_KEY_PAGE_UP,
    SL_KEY_PAGE_DOWN,
    SL_KEY_HOME,
    SL_KEY_END,
    SL_KEY_ENTER,
    SL_KEY_ESCAPE,
    SL_KEY_BACKSPACE,
    SL_KEY_TAB,
    SL_KEY_RESIZED, /* the terminal has another size, or is to be drawn anew, over what others wrote */
    SL_KEY_OTHER,   /* one that means nothing here */
};

/* Whether standard input and output are a terminal that can show this. SL_ERROR_UNSUPPORTED when not: the sentence says
 * what to use instead. */
bool sl_top_screen_possible(struct sl_error *error);

/* Takes it over. The same errors. */
bool sl_top_screen_begin(bool color, bool unicode, struct sl_error *error);
void sl_top_screen_end(void);

/* Its size, to be asked anew before each time that something is shown. */
void sl_top_screen_measure(void);
uint32_t sl_top_screen_rows(void);
uint32_t sl_top_screen_columns(void);

/* Shows `text`: rows with colours as text_style.h makes them, cleaned, each with a newline behind it; what is too wide
 * is cut. Row `marked` (UINT32_MAX: none) is shown in reverse. `text` is NUL-terminated. */
void sl_top_screen_show(const char *text, uint32_t marked);

/* What was pressed: a character (a byte of UTF-8), or one of the keys above; SL_KEY_NONE when there is no further one. */
int sl_top_screen_key(void);

#endif
