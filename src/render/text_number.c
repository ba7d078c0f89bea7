#include "render/text_number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const uint64_t second_ns = 1000000000;

/* The standard error of a share that was seen in `looks` independent looks. A share of all or nothing is still not
 * known better than to one look. */
static double share_error(double share, double looks)
{
    double error = sqrt(share * (1 - share) / looks);
    return error > 1 / looks ? error : 1 / looks;
}

/* How many decimals a number may have so that its error is at most five of the last digit. */
static int decimals_for(double error)
{
    int decimals = (int)floor(-log10(error / 5));
    return decimals < 0 ? 0 : decimals > 6 ? 6 : decimals;
}

struct sl_text_scale sl_text_scale(uint64_t whole_ns, uint64_t looks, bool unicode)
{
    struct sl_text_scale scale = {
        .whole_ns = whole_ns > 0 ? whole_ns : 1,
        .looks = looks > 0 ? (double)looks : 1,
        .unit = "s",
        .unit_ns = 1e9,
    };
    if (scale.whole_ns < 1000000) {
        scale.unit = unicode ? "µs" : "us";
        scale.unit_ns = 1e3;
    } else if (scale.whole_ns < second_ns) {
        scale.unit = "ms";
        scale.unit_ns = 1e6;
    }
    double largest_error = share_error(0.5, scale.looks);
    scale.decimals = decimals_for(largest_error * (double)scale.whole_ns / scale.unit_ns);
    scale.share_decimals = decimals_for(largest_error * 100) > 0 ? 1 : 0;
    return scale;
}

/* `digits` with a comma before every third digit of its whole part. */
static void with_commas(const char *digits, char text[static SL_TEXT_NUMBER_SIZE])
{
    size_t whole = strspn(digits, "0123456789");
    size_t used = 0;
    for (size_t i = 0; digits[i] != '\0' && used + 2 < SL_TEXT_NUMBER_SIZE; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0) {
            text[used++] = ',';
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
}

static void write_time(const struct sl_text_scale *scale, uint64_t ns, int decimals,
                       char text[static SL_TEXT_NUMBER_SIZE])
{
    char digits[SL_TEXT_NUMBER_SIZE];
    snprintf(digits, sizeof digits, "%.*f", decimals, (double)ns / scale->unit_ns);
    with_commas(digits, text);
}

void sl_text_time(const struct sl_text_scale *scale, uint64_t ns, char text[static SL_TEXT_NUMBER_SIZE])
{
    double share = (double)ns / (double)scale->whole_ns;
    share = share > 1 ? 0.5 : share;
    double error = share_error(share, scale->looks) * (double)scale->whole_ns / scale->unit_ns;
    int decimals = decimals_for(error);
    write_time(scale, ns, decimals > scale->decimals ? scale->decimals + 1 : scale->decimals, text);
}

void sl_text_instant(const struct sl_text_scale *scale, uint64_t ns, char text[static SL_TEXT_NUMBER_SIZE])
{
    write_time(scale, ns, scale->decimals + 1, text);
}

void sl_text_share(const struct sl_text_scale *scale, uint64_t ns, char text[static SL_TEXT_NUMBER_SIZE])
{
    double percent = 100 * (double)ns / (double)scale->whole_ns;
    int decimals = percent > 0 && percent < 0.95 ? 1 : scale->share_decimals;
    if (percent > 99.95) {
        decimals = 0;
    }
    char digits[SL_TEXT_NUMBER_SIZE];
    snprintf(digits, sizeof digits, "%.*f", decimals, percent);
    with_commas(digits, text);
}

void sl_text_duration(uint64_t ns, bool unicode, char text[static SL_TEXT_NUMBER_SIZE])
{
    static const struct {
        uint64_t below_ns;
        uint64_t unit_ns;
        const char *unit, *ascii_unit;
    } units[] = {
        {1000, 1, "ns", "ns"},
        {1000000, 1000, "µs", "us"},
        {1000000000, 1000000, "ms", "ms"},
        {UINT64_MAX, 1000000000, "s", "s"},
    };
    if (ns >= 3600 * second_ns) {
        uint64_t minutes = (ns + 30 * second_ns) / (60 * second_ns);
        snprintf(text, SL_TEXT_NUMBER_SIZE, "%" PRIu64 " h %" PRIu64 " min", minutes / 60, minutes % 60);
        return;
    }
    if (ns >= 60 * second_ns) {
        uint64_t seconds = (ns + second_ns / 2) / second_ns;
        snprintf(text, SL_TEXT_NUMBER_SIZE, "%" PRIu64 " min %" PRIu64 " s", seconds / 60, seconds % 60);
        return;
    }
    size_t i = 0;
    while (ns >= units[i].below_ns) {
        i++;
    }
    double value = (double)ns / (double)units[i].unit_ns;
    int decimals = i == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    if (ns == 0) {
        i = 3;
    }
    snprintf(text, SL_TEXT_NUMBER_SIZE, "%.*f %s", decimals, value, unicode ? units[i].unit : units[i].ascii_unit);
}

void sl_text_interval(uint64_t ns, bool unicode, char text[static SL_TEXT_NUMBER_SIZE])
{
    if (ns >= second_ns) {
        snprintf(text, SL_TEXT_NUMBER_SIZE, "%.10g s", (double)ns / 1e9);
    } else if (ns >= 1000000) {
        snprintf(text, SL_TEXT_NUMBER_SIZE, "%.10g ms", (double)ns / 1e6);
    } else {
        snprintf(text, SL_TEXT_NUMBER_SIZE, "%.10g %s", (double)ns / 1e3, unicode ? "µs" : "us");
    }
}

void sl_text_count(uint64_t count, char text[static SL_TEXT_NUMBER_SIZE])
{
    char digits[SL_TEXT_NUMBER_SIZE];
    snprintf(digits, sizeof digits, "%" PRIu64, count);
    with_commas(digits, text);
}
