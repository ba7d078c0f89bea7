/* numbers.h - every number of every view, computed natively: what the page's WebAssembly build is held against. */
#ifndef SL_TESTS_REPORT_NUMBERS_H
#define SL_TESTS_REPORT_NUMBERS_H

#include "base/output.h"
#include "profile/profile.h"

/* Writes a JSON array: one object for each of some dozen selections, with the selection and what the views show of it.
 * Amounts are [ns, samples]. Running out of memory ends the program. */
void numbers_write(const struct sl_profile *profile, struct sl_output *output);

#endif
