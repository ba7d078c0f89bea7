/* unknown_option.h - what was meant by an option that there is not, or not here. */
#ifndef SL_CLI_UNKNOWN_OPTION_H
#define SL_CLI_UNKNOWN_OPTION_H

#include "base/error.h"
#include "cli/options.h"

#include <stdbool.h>
#include <stddef.h>

/* Fills in `error` for the first `size` bytes of `given`, which begin with one dash or two, and names the option that was
 * likely meant. False always. */
bool sl_unknown_option(enum sl_command_set command, const char *given, size_t size, struct sl_error *error);

/* Fills in `error` for an option that other sub-commands take, and names these. False always. */
bool sl_misplaced_option(enum sl_command_set command, const struct sl_option *option, const char *given,
                         struct sl_error *error);

#endif
