/* interpreter.h - which Python runs the program. */
#ifndef SL_CLI_INTERPRETER_H
#define SL_CLI_INTERPRETER_H

#include "base/error.h"

#include <stdbool.h>

struct sl_interpreter {
    char *path;      /* of the file to execute; owned */
    char *called;    /* its argv[0], which decides what sys.executable is: `python` when PATH finds it by that name,
                      * else the path; owned */
    const char *why; /* for -v: "$VIRTUAL_ENV" */
};

/* `asked` (--python) if it is not NULL: a path, the folder of a virtual environment, a name on PATH, or a version such
 * as 3.12. Else that of $VIRTUAL_ENV; else the one beside this command, unless that belongs to an environment that a
 * tool (pipx, uv) made for the command alone; else `python`, then `python3` on PATH. To be destroyed in any case. */
bool sl_interpreter_find(struct sl_interpreter *interpreter, const char *asked, struct sl_error *error);

/* Any other command, as a shell would find it. */
bool sl_interpreter_command(struct sl_interpreter *interpreter, const char *name, struct sl_error *error);

void sl_interpreter_destroy(struct sl_interpreter *interpreter);

/* Whether the environment in `folder` (with bin/ in it) is one that pipx or uv made for a single tool. */
bool sl_interpreter_is_tools_own(const char *folder);

/* The path of the executable file `name` in a folder of `path` (as $PATH; NULL: the system's default) other than
 * `skipped` (may be NULL). The caller frees it; NULL when there is none. */
char *sl_interpreter_on_path(const char *path, const char *name, const char *skipped);

#endif
