/* forks.h - what is to be done around os.fork, so that recordings go on in the parent and none does in the child. */
#ifndef SL_EXTENSION_FORKS_H
#define SL_EXTENSION_FORKS_H

#include <stdbool.h>

/* Registers it with os.register_at_fork. False with an exception set when that fails. */
bool sl_forks_setup(void);

#endif
