/* text_number.h - times, shares and counts for people. */
#ifndef SL_RENDER_TEXT_NUMBER_H
#define SL_RENDER_TEXT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any text made here, its NUL included. */
#define SL_TEXT_NUMBER_SIZE 64

/* How the times and shares of one report are written: one unit, and no more digits than the samples allow. */
struct sl_text_scale {
    uint64_t whole_ns;  /* what 100 % is */
    double looks;       /* how often the whole was looked at */
    const char *unit;   /* "s", "ms", "µs" */
    double unit_ns;     /* nanoseconds in a unit */
    int decimals;       /* of most times; a small one, which is known more exactly, may have one more */
    int share_decimals; /* of shares: 0 or 1 */
};

struct sl_text_scale sl_text_scale(uint64_t whole_ns, uint64_t looks, bool unicode);

/* In place of a number of looks that nobody knows, as of folded stacks: enough that no digit is cut off that matters. */
#define SL_TEXT_LOOKS_UNKNOWN ((uint64_t)100000)

/* A part's time in the scale's unit. Its standard error is at most five of its last digit. */
void sl_text_time(const struct sl_text_scale *scale, uint64_t ns, char text[static SL_TEXT_NUMBER_SIZE]);

/* The same with always one number of decimals: for instants. */
void sl_text_instant(const struct sl_text_scale *scale, uint64_t ns, char text[static SL_TEXT_NUMBER_SIZE]);

/* A part's share in percent, without the sign; below 1 % always with one decimal. */
void sl_text_share(const struct sl_text_scale *scale, uint64_t ns, char text[static SL_TEXT_NUMBER_SIZE]);

/* 2.31 s, 3 min 12 s, 2 h 5 min, 12.3 ms, 350 µs: three digits of something measured, not sampled. */
void sl_text_duration(uint64_t ns, bool unicode, char text[static SL_TEXT_NUMBER_SIZE]);

/* 1 ms, 500 µs, 2.5 ms, 10 s: exactly. */
void sl_text_interval(uint64_t ns, bool unicode, char text[static SL_TEXT_NUMBER_SIZE]);

/* 2,310 */
void sl_text_count(uint64_t count, char text[static SL_TEXT_NUMBER_SIZE]);

#endif
