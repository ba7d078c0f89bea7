#include "cli/web_options.h"

#include "cli/values.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const uint64_t second_ns = 1000000000;

const char *const sl_sort_words[] = {"time", "duration", "cpu", "wait", NULL};

bool sl_set_sort(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    unsigned position;
    if (!sl_value_choice(given, value, sl_sort_words, &position, error)) {
        return false;
    }
    static const enum sl_request_order orders[] = {SL_REQUESTS_NEWEST, SL_REQUESTS_SLOWEST, SL_REQUESTS_BY_CPU,
                                                   SL_REQUESTS_BY_WAIT};
    options->requests.order = orders[position];
    return true;
}

bool sl_set_route(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    if (*value == '\0') {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes a route, or a glob such as '/users/*'", given);
    }
    options->requests.route = value;
    return true;
}

/* 404, or 5xx for all that begin with a 5. */
bool sl_set_status(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    bool digits = strlen(value) == 3 && value[0] >= '1' && value[0] <= '5';
    bool whole_class = digits && strcasecmp(value + 1, "xx") == 0;
    if (!digits || (!whole_class && strspn(value, "0123456789") != 3)) {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes a status such as 404, or 5xx, not '%s'", given, value);
    }
    uint32_t first = whole_class ? (uint32_t)(value[0] - '0') * 100 : (uint32_t)strtoul(value, NULL, 10);
    options->requests.status_first = first;
    options->requests.status_last = first + (whole_class ? 99 : 0);
    return true;
}

bool sl_set_slower(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    return sl_value_time(given, value, 1, 24 * 3600 * second_ns, &options->requests.slower_ns, error);
}

bool sl_set_limit(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    size_t size = strlen(value);
    if (size == 0 || size > 9 || strspn(value, "0123456789") != size) {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes how many requests to list, 0 for all, not '%s'", given,
                            value);
    }
    options->requests.limit = strtoul(value, NULL, 10);
    return true;
}

bool sl_set_ttl(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    return sl_value_time(given, value, second_ns, 7 * 24 * 3600 * second_ns, &options->ttl_ns, error);
}

bool sl_set_secret_file(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    if (*value == '\0') {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes the name of the file that the secret is in", given);
    }
    options->secret_file = value;
    return true;
}
