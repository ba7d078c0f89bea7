/* outcome.h - what comes of a recording that was just made: said, and written to where it was asked for. Shared by the
 * sub-commands that record. */
#ifndef SL_CLI_OUTCOME_H
#define SL_CLI_OUTCOME_H

#include "cli/options.h"
#include "cli/report.h"
#include "cli/sampling.h"
#include "profile/profile.h"

#include <stdbool.h>

/* Writes the report of a finished recording, and says what there is to say of the recording itself. False when the
 * report could not be written: that is said too, with how to get at the recording. */
bool sl_outcome_write(const struct sl_sampling *sampling, const struct sl_report *report,
                      const struct sl_options *options, const struct sl_profile *profile);

/* The recording could not be read back. */
void sl_outcome_unreadable(const struct sl_sampling *sampling, const struct sl_error *error);

#endif
