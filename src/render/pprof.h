/* pprof.h - a profile in Go's format as a server wants it that takes one after the other: one time, summed over threads. */
#ifndef SL_RENDER_PPROF_H
#define SL_RENDER_PPROF_H

#include "analysis/selection.h"
#include "base/error.h"
#include "base/output.h"
#include "profile/profile.h"

#include <stdbool.h>

struct sl_pprof_form {
    enum sl_pprof_values {
        SL_PPROF_ALL = 0, /* samples, wall and CPU time */
        SL_PPROF_WALL,    /* samples and wall time */
        SL_PPROF_CPU,     /* the same of what was on a CPU, or ready for one */
    } values;
    /* Over all threads and processes, and without labels: each pair of them would be a series of its own to a server, and
     * threads come and go. */
    bool summed;
};

/* Writes it, compressed. Failures to write are the output's. False when memory is exhausted. */
bool sl_pprof_write(const struct sl_profile *profile, const struct sl_selection *selection,
                    const struct sl_pprof_form *form, struct sl_output *output, struct sl_error *error);

#endif
