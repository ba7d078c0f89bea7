/* view.h - a recording that is there, shown as the options ask for it. Shared by the sub-commands that open one. */
#ifndef SL_CLI_VIEW_H
#define SL_CLI_VIEW_H

#include "cli/options.h"
#include "cli/report.h"

/* Writes the report that was planned for the recording `name` ("last", a number, a path). Says what is wrong. Returns
 * an exit code. */
int sl_view(const struct sl_report *report, const struct sl_options *options, const char *name);

#endif
