/* report_options.h - whether options ask for a report, where there is none. */
#ifndef SL_CLI_REPORT_OPTIONS_H
#define SL_CLI_REPORT_OPTIONS_H

#include "cli/options.h"

/* The first option that was given and says what a report is like or where it goes, as it is written; NULL: there is
 * none. --threads is left out: it says what is recorded, too. */
const char *sl_report_option_given(const struct sl_options *options);

#endif
