/* otlp.h - the profiles signal of OpenTelemetry as a collector wants it that takes one after the other: summed over threads
 * and processes, under a service's name. The bytes are those of an ExportProfilesServiceRequest, too, whose fields are
 * numbered like those of ProfilesData. */
#ifndef SL_RENDER_OTLP_H
#define SL_RENDER_OTLP_H

#include "analysis/selection.h"
#include "base/error.h"
#include "base/output.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>

struct sl_otlp_form {
    const char *service;           /* service.name; NULL: it is not known */
    const char *const *attributes; /* of the resource: name, text, name, text, ... */
    size_t attribute_count;        /* of names */
    /* Over all threads and processes, and nothing is told of each: else one resource for each process, and what is told of a
     * thread stands with its samples. */
    bool summed;
};

/* Writes it, not compressed. Failures to write are the output's. False when memory is exhausted. */
bool sl_otlp_write(const struct sl_profile *profile, const struct sl_selection *selection,
                   const struct sl_otlp_form *form, struct sl_output *output, struct sl_error *error);

#endif
