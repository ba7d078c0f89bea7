/* plain_path.h - paths as one would write them: without `.`, `..` and empty names.
 *
 * Of `python ../app/main.py` Python makes /srv/tests/../app/main.py, but puts /srv/app on sys.path: only /srv/app/main.py is
 * seen to lie there, and is the same for all who run it. Where a folder in front of `..` is a symbolic link, the path
 * without both is another one: so it is taken only if the process finds the same folder there. */
#ifndef SL_TARGET_PLAIN_PATH_H
#define SL_TARGET_PLAIN_PATH_H

#include "target/process.h"

/* The plain path of a file or folder of the process; the caller's to free. NULL where the path is the best there is: it is
 * plain already, is relative, or leads elsewhere without what would be left out; also when memory is exhausted. */
char *sl_plain_path(const struct sl_process *process, const char *path);

#endif
