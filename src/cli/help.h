/* help.h - what --help prints, made from the tables of sub-commands, options and renderers. */
#ifndef SL_CLI_HELP_H
#define SL_CLI_HELP_H

#include "cli/command.h"

/* On standard output. For `run`, which is the bare command too, everything; for another what it takes. Returns the exit
 * code. */
int sl_help_print(const struct sl_command *command);

#endif
