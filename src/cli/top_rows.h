/* top_rows.h - from the numbers to the rows of the live view's screen, as bytes. What the program chose (names, paths) is
 * made harmless here (text_unicode.h); nothing behind this has to know of it. */
#ifndef SL_CLI_TOP_ROWS_H
#define SL_CLI_TOP_ROWS_H

#include "analysis/roles.h"
#include "base/output.h"
#include "cli/top_numbers.h"
#include "cli/top_view.h"

#include <stdbool.h>
#include <stdint.h>

struct sl_top_rows {
    uint32_t rows, columns; /* of the terminal */
    bool color;
    bool unicode;
    double
        cpu_share; /* CPUs in use in the last seconds, from the kernel's counters: 1 is one CPU; below 0: not known */
    const struct sl_roles_options *roles;
};

struct sl_top_screenful {
    struct sl_output text; /* its `pending` are the rows */
    uint32_t marked;       /* the row with the cursor, UINT32_MAX when there is none */
};

/* Makes the rows, and has the view follow what it is on. `*choice` is what the next key chooses from; it is valid until
 * the numbers are computed anew. False when memory is exhausted; to be
 * freed by sl_output_abandon(&screenful->text) in any case. */
bool sl_top_rows_make(const struct sl_top_rows *rows, struct sl_top_numbers *numbers, struct sl_top_view *view,
                      struct sl_top_choice *choice, struct sl_top_screenful *screenful);

#endif
