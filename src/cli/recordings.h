/* recordings.h - the user's last recordings: where they lie, what they are called, and which of them stay.
 *
 * They lie in $XDG_STATE_HOME/stacklapse, else ~/.local/state/stacklapse, for the user alone (0700, files 0600). A
 * recording is written there from its first moment under its final name, so that it can be read when we are killed. A
 * file that is being recorded is locked (flock(2)): so any number of commands may run at once, and none takes another's
 * unfinished recording for an old one. */
#ifndef SL_CLI_RECORDINGS_H
#define SL_CLI_RECORDINGS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { SL_RECORDINGS_KEPT = 10 };

/* Where a new recording may be put, best first. */
enum sl_recording_place {
    SL_RECORDING_STATE = 0, /* the state folder, or one that somebody has named */
    SL_RECORDING_TEMPORARY, /* a file without a name in $TMPDIR: gone when we end */
    SL_RECORDING_MEMORY,
    SL_RECORDING_NOWHERE,
};

struct sl_recording {
    int descriptor;                /* open for reading and writing, -1: none */
    enum sl_recording_place place; /* where it is */
    char *path;                    /* by which it can be read while it is open; owned */
};

/* Opens a new recording at `first`, or if that cannot be, at the next best place. `why` (may be NULL) is then told why
 * it is not kept. */
bool sl_recording_create(struct sl_recording *recording, enum sl_recording_place first, struct sl_error *why,
                         struct sl_error *error);

/* The same in a folder that somebody has named, which is there; its place then is SL_RECORDING_STATE. */
bool sl_recording_create_in(struct sl_recording *recording, const char *folder, struct sl_error *error);

/* Makes the folder and what is missing above it, for its user alone; `folder` is changed meanwhile. */
bool sl_recordings_make_folder(char *folder, struct sl_error *error);

/* Closes it. What lies in the state folder is from now on one of the user's last recordings. */
void sl_recording_close(struct sl_recording *recording);

/* Closes and removes it. */
void sl_recording_discard(struct sl_recording *recording);

/* Removes all finished recordings but the newest SL_RECORDINGS_KEPT. */
void sl_recordings_prune(void);

/* Removes the oldest of those that sl_recording_create_in has made in the folder at `path`, so that `kept` stay. */
void sl_recordings_prune_in(const char *path, size_t kept);

/* The path of what a person named: NULL or "last", a number (1 is the last), or a file. Finished recordings are counted
 * from the one that ended last. The caller frees it; NULL with a sentence when there is none such. */
char *sl_recordings_find(const char *name, struct sl_error *error);

#endif
