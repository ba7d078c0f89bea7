/* terminal.h - what the place that a report goes to can show. */
#ifndef SL_CLI_TERMINAL_H
#define SL_CLI_TERMINAL_H

#include "cli/options.h"

#include <stdbool.h>
#include <stdint.h>

struct sl_terminal {
    bool is_terminal;
    bool color;
    bool unicode;   /* the user's locale is UTF-8 */
    uint32_t width; /* in columns, 0 when unknown */
};

/* Whether the environment has this variable, and not empty. */
bool sl_variable_is_set(const char *variable);

/* Colours with SL_COLOR_AUTO: none where NO_COLOR is set, else some where FORCE_COLOR or CLICOLOR_FORCE is set (and not
 * 0), else on a terminal that is not `dumb`. Reads the locale from the environment (setlocale). */
struct sl_terminal sl_terminal_look(int descriptor, enum sl_color color);

#endif
