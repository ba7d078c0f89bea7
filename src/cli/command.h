/* command.h - what the sub-commands share: their table, their exit codes, and how they speak to a person.
 *
 * A sub-command is one file with one function and one line in the table of main.c. Which options it takes stands with
 * each option (options.c). */
#ifndef SL_CLI_COMMAND_H
#define SL_CLI_COMMAND_H

#include "base/error.h"
#include "cli/options.h"

enum {
    SL_EXIT_DONE = 0,
    SL_EXIT_FAILED = 1,        /* a sub-command other than run: it could not do what it was asked */
    SL_EXIT_USAGE = 2,         /* the same: a wrong option or argument */
    SL_EXIT_NOT_STARTED = 125, /* run: whatever failed before the program was started, a wrong option included; after
                                * that the exit code is the program's own, or 128 + the signal that killed it */
};

struct sl_command {
    const char *name;
    unsigned set;              /* its bit, of enum sl_command_set */
    const char *const *usages; /* what may stand behind "stacklapse ", NULL at the end */
    const char *summary;
    int (*run)(const struct sl_options *options);
};

extern const struct sl_command sl_commands[]; /* the last one has a NULL name */
enum { SL_COMMANDS_MAX = 15 };

int sl_command_run(const struct sl_options *options);
int sl_command_attach(const struct sl_options *options);
int sl_command_dump(const struct sl_options *options);
int sl_command_top(const struct sl_options *options);
int sl_command_view(const struct sl_options *options);
int sl_command_info(const struct sl_options *options);
int sl_command_diff(const struct sl_options *options);
int sl_command_requests(const struct sl_options *options);
int sl_command_token(const struct sl_options *options);

/* One line on stderr that begins with "stacklapse: ". */
void sl_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sl_say_error(const struct sl_error *error);

#endif
