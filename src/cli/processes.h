/* processes.h - the running processes that a person names, and what to say of one that is no Python. */
#ifndef SL_CLI_PROCESSES_H
#define SL_CLI_PROCESSES_H

#include "base/error.h"
#include "cli/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The operands as process ids, each once, in their order; the caller frees `*pids`. `command` is the sub-command, for
 * the sentence. SL_ERROR_USAGE when there is none, or one is no number. */
bool sl_processes_named(const struct sl_options *options, const char *command, pid_t **pids, size_t *count,
                        struct sl_error *error);

/* Says why `pid` could not be looked at. Of one that is not Python also what it runs, and which of its descendants are: a shell, a
 * supervisor or a container's init is easily taken for the program that it runs. */
void sl_processes_say_refused(pid_t pid, const struct sl_error *error);

#endif
