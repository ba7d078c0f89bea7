/* values.h - from what a person types after an option to a number, with a sentence that says what is allowed. */
#ifndef SL_CLI_VALUES_H
#define SL_CLI_VALUES_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* A time: a number with ns, us (or µs), ms, s, m or h; without a unit it is seconds. `option` is named in the sentence. */
bool sl_value_time(const char *option, const char *text, uint64_t minimum_ns, uint64_t maximum_ns, uint64_t *time_ns,
                   struct sl_error *error);

/* So many a second (`k` for thousands), as the time between two of them. */
bool sl_value_rate(const char *option, const char *text, uint64_t minimum_ns, uint64_t maximum_ns, uint64_t *time_ns,
                   struct sl_error *error);

/* A share in percent, with or without the sign, as a part of one. */
bool sl_value_share(const char *option, const char *text, double *share, struct sl_error *error);

/* The position of `text` in `choices` (NULL at the end). */
bool sl_value_choice(const char *option, const char *text, const char *const *choices, unsigned *position,
                     struct sl_error *error);

/* "1ms", "250us": the shortest way to write the time for the functions above. At most `size` bytes with the NUL. */
void sl_value_time_text(uint64_t time_ns, char *text, unsigned size);

#endif
