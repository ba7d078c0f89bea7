/* compare.h - what the outputs of a comparison share: compare_text.c, compare_json.c, compare_folded.c,
 * compare_markdown.c. */
#ifndef SL_RENDER_COMPARE_H
#define SL_RENDER_COMPARE_H

#include "analysis/differences.h"
#include "render/render.h"

struct sl_compare {
    const struct sl_render_options *options;
    struct sl_arena arena;
    struct sl_side sides[SL_SIDES];
    const struct sl_differences *differences;
    /* What changed by less is not worth a row: in nanoseconds, or in parts of one where shares are compared. */
    double threshold;
};

/* Finds the differences, without threads that only waited and with libraries folded if it is `for_people`; their `trees`,
 * `functions`, or both. False when memory is exhausted; to be closed in either case. */
struct sl_compare_needs {
    bool for_people;
    bool functions;
    bool trees;
};
bool sl_compare_open(struct sl_compare *compare, const struct sl_comparison *comparison,
                     const struct sl_render_options *options, struct sl_compare_needs needs, struct sl_error *error);
void sl_compare_close(struct sl_compare *compare);

struct sl_change sl_compare_change(const struct sl_compare *compare, const struct sl_amount amounts[SL_SIDES]);

/* Whether it is more than chance, and more than the threshold. */
bool sl_compare_matters(const struct sl_compare *compare, struct sl_change change);

/* The time of a function that the table is about: its own, or with what it called. */
const struct sl_amount *sl_compare_time(const struct sl_compare *compare,
                                        const struct sl_function_difference *function);

/* Places in `differences->functions` of those whose time changed by more than chance, the largest change first; NULL when
 * memory is exhausted. */
const uint32_t *sl_compare_functions(struct sl_compare *compare, uint32_t *count);

/* The side that a function is to be named after: the later one that has it. */
int sl_compare_named(const sl_function functions[SL_SIDES]);

/* A number of nanoseconds as a whole one; what does not fit is the largest that does. */
uint64_t sl_compare_whole_ns(double ns);

/* `+0.52 s`, `-12 ms`, or where shares are compared, `+3.1 points`: always with a sign. */
#define SL_COMPARE_TEXT_SIZE 80
void sl_compare_change_text(const struct sl_compare *compare, double amount, char text[static SL_COMPARE_TEXT_SIZE]);

/* `+25 %`, `x12` from ten times on, `new`, `gone`; "" when there is nothing on either side. */
void sl_compare_ratio_text(const struct sl_compare *compare, const struct sl_amount amounts[SL_SIDES],
                           char text[static SL_COMPARE_TEXT_SIZE]);

#endif
