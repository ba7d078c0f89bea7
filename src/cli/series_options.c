#include "cli/series_options.h"

#include "cli/options.h"
#include "cli/report_options.h"
#include "cli/values.h"
#include "profile/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t second_ns = 1000000000;

enum { TAG_NAME_MAX = 64, TAG_TEXT_MAX = 256, TAGS_MAX = 20, KEPT_MAX = 1000000 };

const char *const sl_push_words[] = {"pyroscope", "otlp", "pprof", NULL};

bool sl_set_push(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    size_t scheme = strncasecmp(value, "http://", 7) == 0 ? 7 : strncasecmp(value, "https://", 8) == 0 ? 8 : 0;
    if (scheme == 0 || value[scheme] == '\0' || value[scheme] == '/') {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes the address of a server: http://localhost:4040", given);
    }
    for (const char *byte = value; *byte != '\0'; byte++) {
        if ((unsigned char)*byte <= ' ' || *byte == 127) {
            return sl_error_set(error, SL_ERROR_USAGE, "the address behind %s has a space or control character in it",
                                given);
        }
    }
    options->series.push_url = value;
    return true;
}

bool sl_set_push_as(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    unsigned position;
    if (!sl_value_choice(given, value, sl_push_words, &position, error)) {
        return false;
    }
    static const enum sl_push_kind kinds[] = {SL_PUSH_PYROSCOPE, SL_PUSH_OTLP, SL_PUSH_PPROF};
    options->series.push_as = kinds[position];
    options->series.push_as_given = true;
    return true;
}

bool sl_set_folder(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    if (*value == '\0') {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes the name of a folder", given);
    }
    options->series.folder = value;
    return true;
}

bool sl_set_every(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    return sl_value_time(given, value, second_ns, 3600 * second_ns, &options->series.every_ns, error);
}

bool sl_set_keep(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    size_t size = strlen(value);
    unsigned long number = size > 0 && size <= 9 && strspn(value, "0123456789") == size ? strtoul(value, NULL, 10) : 0;
    if (number == 0 || number > KEPT_MAX) {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes how many recordings stay, from 1 to %d, not '%s'", given,
                            KEPT_MAX, value);
    }
    options->series.kept = number;
    return true;
}

/* Servers refuse everything that comes with a text that is none. */
static bool is_plain(const char *text)
{
    if (!sl_utf8_is_clean(text, strlen(text))) {
        return false;
    }
    for (const char *byte = text; *byte != '\0'; byte++) {
        if ((unsigned char)*byte < ' ' || *byte == 127) {
            return false;
        }
    }
    return true;
}

bool sl_check_service(const char *given, const char *value, struct sl_error *error)
{
    if (*value == '\0' || strlen(value) > SL_SERVICE_MAX || !is_plain(value)) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "%s takes a name of 1 to %d bytes of UTF-8 without control characters: shop", given,
                            SL_SERVICE_MAX);
    }
    return true;
}

bool sl_set_service(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    options->series.service = value;
    return sl_check_service(given, value, error);
}

/* What Pyroscope takes for a label's name; it and OpenTelemetry have names of their own for some. */
static bool is_tag_name(const char *name, size_t size)
{
    bool whole = size > 0 && size <= TAG_NAME_MAX && (isalpha((unsigned char)name[0]) || name[0] == '_');
    for (size_t i = 1; i < size && whole; i++) {
        whole = isalnum((unsigned char)name[i]) || name[i] == '_' || name[i] == '.';
    }
    bool taken = size >= 2 && strncmp(name, "__", 2) == 0;
    taken = taken || (size == 12 && memcmp(name, "service_name", 12) == 0);
    return whole && !taken && !(size == 12 && memcmp(name, "service.name", 12) == 0);
}

bool sl_set_tag(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    struct sl_series_options *series = &options->series;
    size_t size = strcspn(value, "=");
    const char *text = value[size] == '=' ? value + size + 1 : "";
    if (!is_tag_name(value, size) || *text == '\0' || strlen(text) > TAG_TEXT_MAX || !is_plain(text)) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "%s takes NAME=TEXT with a name of letters, digits, _ and . (the service's is --service): "
                            "--tag region=eu",
                            given);
    }
    for (size_t i = 0; i < series->tag_count; i++) {
        if (strlen(series->tags[2 * i]) == size && memcmp(series->tags[2 * i], value, size) == 0) {
            return sl_error_set(error, SL_ERROR_USAGE, "%s names %s twice", given, series->tags[2 * i]);
        }
    }
    if (series->tag_count == TAGS_MAX) {
        return sl_error_set(error, SL_ERROR_USAGE, "%s may be given %d times, as servers take no more", given,
                            TAGS_MAX);
    }
    char **grown = realloc(series->tags, 2 * (series->tag_count + 1) * sizeof *grown);
    if (grown == NULL) {
        return sl_error_memory(error);
    }
    series->tags = grown;
    char *name = strndup(value, size);
    char *copy = strdup(text);
    if (name == NULL || copy == NULL) {
        free(name);
        free(copy);
        return sl_error_memory(error);
    }
    series->tags[2 * series->tag_count] = name;
    series->tags[2 * series->tag_count + 1] = copy;
    series->tag_count++;
    return true;
}

/* An option that means nothing without another one. */
static bool needs(bool given, bool there, const char *option, const char *other, struct sl_error *error)
{
    return !given || there || sl_error_set(error, SL_ERROR_USAGE, "%s goes with %s", option, other);
}

bool sl_series_options_settle(struct sl_options *options, struct sl_error *error)
{
    struct sl_series_options *series = &options->series;
    bool pushes = series->push_url != NULL;
    bool follows = sl_is_series(series);
    if (!needs(series->every_ns != 0, follows, "--every", "--push or --folder", error) ||
        !needs(series->kept != 0, series->folder != NULL, "--keep", "--folder", error) ||
        !needs(series->push_as_given, pushes, "--push-as", "--push", error) ||
        !needs(series->service != NULL, pushes, "--service", "--push", error) ||
        !needs(series->tag_count > 0, pushes, "--tag", "--push", error)) {
        return false;
    }
    if (series->push_as == SL_PUSH_PPROF && (series->service != NULL || series->tag_count > 0)) {
        return sl_error_set(
            error, SL_ERROR_USAGE,
            "%s goes with --push-as pyroscope and otlp: a profile of pprof has no place for it, but the "
            "address behind --push may",
            series->service != NULL ? "--service" : "--tag");
    }
    if (pushes && series->push_as != SL_PUSH_PPROF && strpbrk(series->push_url, "?#") != NULL) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "--push takes an address without a query, below which %s has a path of its own",
                            sl_push_words[series->push_as]);
    }
    const char *of_report = sl_report_option_given(options);
    if (follows && of_report != NULL) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "with %s there is no report for %s: recordings are shown by stacklapse view",
                            pushes ? "--push" : "--folder", of_report);
    }
    series->every_ns = series->every_ns != 0 ? series->every_ns : SL_SERIES_EVERY_DEFAULT_NS;
    series->kept = series->kept != 0 ? series->kept : SL_SERIES_KEPT_DEFAULT;
    if (options->interval_ns == 0) {
        options->interval_ns = follows ? SL_SERIES_INTERVAL_DEFAULT_NS : SL_INTERVAL_DEFAULT_NS;
    }
    if (follows && series->every_ns < options->interval_ns) {
        return sl_error_set(error, SL_ERROR_USAGE, "--every must be longer than the time between two looks");
    }
    return true;
}

void sl_series_options_destroy(struct sl_series_options *series)
{
    for (size_t i = 0; i < 2 * series->tag_count; i++) {
        free(series->tags[i]);
    }
    free(series->tags);
}
