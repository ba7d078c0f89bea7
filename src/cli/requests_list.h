/* requests_list.h - a list of kept requests, for people and for programs. */
#ifndef SL_CLI_REQUESTS_LIST_H
#define SL_CLI_REQUESTS_LIST_H

#include "base/output.h"
#include "cli/request_index.h"
#include "cli/terminal.h"

/* One request a row: number, local time, status, duration, share of it on a CPU and waiting, why it was kept, method and
 * route. Below it what else is kept in `folder`, and how one is opened. Routes are made harmless and cut to the row. */
void sl_requests_write_table(const struct sl_requests *requests, const char *folder, const struct sl_terminal *terminal,
                             bool quiet, struct sl_output *output);

/* docs/requests.md has the keys. */
void sl_requests_write_json(const struct sl_requests *requests, struct sl_output *output);

#endif
