/* sound_profile.h - whether a profile keeps what profile.h promises, whatever trace it was read from. */
#ifndef SL_TESTS_SOUND_PROFILE_H
#define SL_TESTS_SOUND_PROFILE_H

#include "profile/profile.h"

/* NULL, or the promise that is broken. */
const char *broken_promise(const struct sl_profile *profile);

#endif
