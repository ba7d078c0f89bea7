/* series_options.h - the options of recordings that follow each other (series.h); part of the table in options.c. */
#ifndef SL_CLI_SERIES_OPTIONS_H
#define SL_CLI_SERIES_OPTIONS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_options;

/* What a server is sent, and how. */
enum sl_push_kind {
    SL_PUSH_PYROSCOPE = 0, /* push.v1 of Grafana's Pyroscope, Alloy and Grafana Cloud */
    SL_PUSH_OTLP,          /* OTLP/HTTP, the profiles signal, of OpenTelemetry's collector */
    SL_PUSH_PPROF,         /* the profile alone, to exactly this address */
};

struct sl_series_options {
    const char *push_url; /* --push, NULL: nothing is sent */
    const char *folder;   /* --folder, NULL: nothing is kept */
    enum sl_push_kind push_as;
    bool push_as_given;
    uint64_t every_ns;   /* the length of a recording; 0: not given */
    uint64_t kept;       /* how many stay in the folder; 0: not given */
    const char *service; /* NULL: found */
    char **tags;         /* name, text, name, text, ...; owned, and each of them */
    size_t tag_count;    /* of names */
};

#define SL_SERIES_EVERY_DEFAULT_NS ((uint64_t)15000000000)
#define SL_SERIES_INTERVAL_DEFAULT_NS ((uint64_t)10000000)
#define SL_SERIES_KEPT_DEFAULT 1000

extern const char *const sl_push_words[];

bool sl_set_push(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_push_as(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_folder(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_every(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_keep(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_service(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
bool sl_set_tag(struct sl_options *options, const char *given, const char *value, struct sl_error *error);

/* Whether a service may be called so; `given` names the option or variable that says it. */
#define SL_SERVICE_MAX 256 /* bytes */
bool sl_check_service(const char *given, const char *value, struct sl_error *error);

/* Whether recordings are to follow each other. */
static inline bool sl_is_series(const struct sl_series_options *series)
{
    return series->push_url != NULL || series->folder != NULL;
}

/* What does not go together; and fills in what was not given. */
bool sl_series_options_settle(struct sl_options *options, struct sl_error *error);

void sl_series_options_destroy(struct sl_series_options *series);

#endif
