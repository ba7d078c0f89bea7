/* browser.h - the report page in the user's browser. */
#ifndef SL_CLI_BROWSER_H
#define SL_CLI_BROWSER_H

#include "base/error.h"

#include <stdbool.h>

/* Whether a browser can be expected to show itself to whoever sits at the terminal: a display is there, and this is
 * neither a CI job nor a session over the network. */
bool sl_browser_expected(void);

/* Opens the file with xdg-open, and forgets about it: the browser neither keeps the terminal nor writes to it. False
 * when no process could be made; that there is no xdg-open goes unnoticed, the file's path was printed anyway. */
bool sl_browser_open(const char *path);

/* Makes an empty file for a page in the folder for temporary files, readable by the user alone, and gives its path, to
 * be freed. NULL with an error when that cannot be. Nobody deletes it: the browser reads it when it likes. */
char *sl_browser_file(struct sl_error *error);

#endif
