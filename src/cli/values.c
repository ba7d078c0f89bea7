#include "cli/values.h"

#include "base/buffer.h"
#include "cli/suggest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct unit {
    const char *name;
    double ns;
} units[] = {
    {"ns", 1},  {"us", 1e3}, {"\302\265s", 1e3}, {"\316\274s", 1e3}, {"ms", 1e6},
    {"s", 1e9}, {"m", 60e9}, {"h", 3600e9},      {"", 1e9},
};

/* The number that `text` begins with. Digits and a point only: strtod alone would take "inf", "nan" and "0x1p3". */
static bool number(const char *text, double *value, const char **rest)
{
    size_t size = strspn(text, "0123456789.");
    if (size == 0 || strspn(text, ".") == size) {
        return false;
    }
    /* 1e-3 is how Python prints a small number. */
    if (text[size] == 'e' || text[size] == 'E') {
        size_t sign = text[size + 1] == '-' || text[size + 1] == '+';
        size_t digits = strspn(text + size + 1 + sign, "0123456789");
        size += digits > 0 ? 1 + sign + digits : 0;
    }
    char *end;
    *value = strtod(text, &end);
    *rest = end;
    return end == text + size && isfinite(*value);
}

void sl_value_time_text(uint64_t time_ns, char *text, unsigned size)
{
    static const struct unit written[] = {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
    for (unsigned i = 0; i < sizeof written / sizeof written[0]; i++) {
        if ((double)time_ns >= written[i].ns) {
            snprintf(text, size, "%.6g%s", (double)time_ns / written[i].ns, written[i].name);
            return;
        }
    }
    snprintf(text, size, "0s");
}

static bool out_of_range(const char *option, const char *text, uint64_t minimum_ns, uint64_t maximum_ns,
                         struct sl_error *error)
{
    char minimum[32];
    char maximum[32];
    sl_value_time_text(minimum_ns, minimum, sizeof minimum);
    sl_value_time_text(maximum_ns, maximum, sizeof maximum);
    return sl_error_set(error, SL_ERROR_USAGE, "%s takes a time from %s to %s, not '%s'", option, minimum, maximum,
                        text);
}

bool sl_value_time(const char *option, const char *text, uint64_t minimum_ns, uint64_t maximum_ns, uint64_t *time_ns,
                   struct sl_error *error)
{
    double value = 0;
    const char *rest;
    if (!number(text, &value, &rest)) {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes a time such as 1ms, 500us or 0.001, not '%s'", option,
                            text);
    }
    rest += strspn(rest, " ");
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(rest, units[i].name) == 0) {
            double ns = value * units[i].ns;
            /* Half a nanosecond of play, for what decimal fractions lose. */
            if (ns < (double)minimum_ns - 0.5 || ns > (double)maximum_ns + 0.5) {
                return out_of_range(option, text, minimum_ns, maximum_ns, error);
            }
            *time_ns = (uint64_t)llround(ns);
            return true;
        }
    }
    return sl_error_set(error, SL_ERROR_USAGE, "%s does not know the unit '%s'; it takes ns, us, ms, s, m or h", option,
                        rest);
}

bool sl_value_rate(const char *option, const char *text, uint64_t minimum_ns, uint64_t maximum_ns, uint64_t *time_ns,
                   struct sl_error *error)
{
    double value = 0;
    const char *rest;
    bool read = number(text, &value, &rest);
    if (read && (strcmp(rest, "k") == 0 || strcmp(rest, "kHz") == 0)) {
        value *= 1e3;
    } else if (read && strcmp(rest, "") != 0 && strcmp(rest, "Hz") != 0) {
        read = false;
    }
    if (!read) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "%s takes how many samples a second to take, such as 1000 or 10k, not '%s'", option, text);
    }
    double minimum = 1e9 / (double)maximum_ns;
    double maximum = 1e9 / (double)minimum_ns;
    if (value < minimum || value > maximum) {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes %g to %.0f samples a second, not '%s'", option, minimum,
                            maximum, text);
    }
    *time_ns = (uint64_t)llround(1e9 / value);
    return true;
}

bool sl_value_share(const char *option, const char *text, double *share, struct sl_error *error)
{
    double value = 0;
    const char *rest;
    if (!number(text, &value, &rest) || (strcmp(rest, "") != 0 && strcmp(rest, "%") != 0) || value > 100) {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes a share from 0 to 100 percent, not '%s'", option, text);
    }
    *share = value / 100;
    return true;
}

/* "auto, always or never" */
static void list(struct sl_buffer *buffer, const char *const *choices)
{
    for (unsigned i = 0; choices[i] != NULL; i++) {
        const char *before = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";
        sl_buffer_format(buffer, "%s%s", before, choices[i]);
    }
}

bool sl_value_choice(const char *option, const char *text, const char *const *choices, unsigned *position,
                     struct sl_error *error)
{
    for (unsigned i = 0; choices[i] != NULL; i++) {
        if (strcmp(text, choices[i]) == 0) {
            *position = i;
            return true;
        }
    }
    struct sl_buffer allowed;
    sl_buffer_init(&allowed);
    list(&allowed, choices);
    const char *near = sl_nearest(text, choices);
    if (near != NULL) {
        sl_error_set(error, SL_ERROR_USAGE, "%s takes %s, not '%s': did you mean %s?", option,
                     allowed.failed ? "" : allowed.bytes, text, near);
    } else {
        sl_error_set(error, SL_ERROR_USAGE, "%s takes %s, not '%s'", option, allowed.failed ? "" : allowed.bytes, text);
    }
    sl_buffer_destroy(&allowed);
    return false;
}
