/* series_message.h - a recording as a server takes it that profiles are sent to.
 *
 *   pyroscope  push.v1.PushRequest (grafana/pyroscope api/push/v1/push.proto), over Connect's unary protocol
 *              (connectrpc.com/docs/protocol): one series of wall time and one of CPU time, each a profile of pprof
 *   otlp       ExportProfilesServiceRequest (opentelemetry-proto v1.11.0, OTLP/HTTP), compressed by gzip
 *   pprof      the profile with both times, compressed as Go's tools write it
 *
 * All are summed over threads and processes. */
#ifndef SL_CLI_SERIES_MESSAGE_H
#define SL_CLI_SERIES_MESSAGE_H

#include "base/buffer.h"
#include "base/error.h"
#include "cli/series_options.h"
#include "profile/profile.h"

#include <stdbool.h>
#include <stddef.h>

/* The address that messages of this kind go to: the server's, with the kind's own path behind it where it is not yet. The
 * caller frees it; NULL when memory is exhausted. */
char *sl_series_address(const struct sl_series_options *options);

/* The header lines of a request, each "Name: value" and owned. */
struct sl_series_headers {
    char **lines;
    size_t count;
};

/* Those that tell a server what messages of this kind are, and those that are `given` (NULL: none): "Name=value,Name=value". To
 * be destroyed in either case. False with SL_ERROR_USAGE where it is something else. */
bool sl_series_headers_make(struct sl_series_headers *headers, enum sl_push_kind kind, const char *given,
                            struct sl_error *error);
void sl_series_headers_destroy(struct sl_series_headers *headers);

/* What the program is called, from what was recorded of it: `app` for `app.py --port 0` and for `python3 -u app.py`, `gunicorn`
 * for `-m gunicorn shop`. Cut to `size` bytes with the NUL; without control characters. False when no Python has been seen in
 * it yet, and another one may be called otherwise. */
bool sl_series_service(const struct sl_profile *profile, char *name, size_t size);

/* Appends the message. False when memory is exhausted. */
bool sl_series_message(const struct sl_profile *profile, const struct sl_series_options *options, const char *service,
                       struct sl_buffer *message, struct sl_error *error);

#endif
