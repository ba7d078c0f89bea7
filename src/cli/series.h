/* series.h - recordings that follow each other while the program goes on: each is kept in a folder, or sent to a server, or
 * both. The session makes them, from one attachment (sampler/session.h), and hands each over as it ends.
 *
 *   series.c          one after the other, and what became of them
 *   series_message.c  what a server is sent
 *
 * In a folder a recording is written while it is made, so that what was seen is there when we are killed. What is only sent
 * is kept in memory until it is. */
#ifndef SL_CLI_SERIES_H
#define SL_CLI_SERIES_H

#include "base/error.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "profile/recorder.h"
#include "sampler/session.h"

#include <stdbool.h>

struct sl_series;

/* Begins one, as `options` say, which are borrowed. Nothing is sent before a recording has ended. NULL when the folder
 * cannot be written to, or nothing can be sent from here. */
struct sl_series *sl_series_open(const struct sl_options *options, struct sl_error *error);

/* The recorder of the first recording; the series'. */
struct sl_recorder *sl_series_recorder(const struct sl_series *series);

/* As sl_session_options.turn, with the series as its context. Takes over the recording that has ended. */
struct sl_recorder *sl_series_turn(void *context, const struct sl_session_turn *turn);

/* Says what went wrong, once of each kind, in the place of the progress line. While the session runs. */
void sl_series_tell(struct sl_series *series, struct sl_progress *progress);

/* The session has ended: takes over the last recording, gives what waits to be sent some seconds, and says what became of all.
 * `sink`: why the last one could not be written to its end, or NULL. False when something was lost. */
bool sl_series_finish(struct sl_series *series, const struct sl_error *sink);

/* Also of one that has not come to its end: what it was recording is removed then. NULL is allowed. */
void sl_series_close(struct sl_series *series);

#endif
