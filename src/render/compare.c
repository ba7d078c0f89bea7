#include "render/compare.h"

#include "analysis/roles.h"
#include "analysis/sort.h"
#include "render/text_number.h"

#include <math.h>
#include <stdio.h>

bool sl_compare_open(struct sl_compare *compare, const struct sl_comparison *comparison,
                     const struct sl_render_options *options, struct sl_compare_needs needs, struct sl_error *error)
{
    *compare = (struct sl_compare){.options = options};
    sl_arena_init(&compare->arena);
    for (int which = 0; which < SL_SIDES; which++) {
        struct sl_side *side = &compare->sides[which];
        side->profile = comparison->profiles[which];
        side->selection = comparison->selections[which];
        side->roles = needs.for_people ? sl_roles(&compare->arena, side->profile, &options->roles) : NULL;
    }
    const struct sl_differences_options wanted = {
        .shares = options->percent,
        .without_idle = needs.for_people,
        .functions = needs.functions,
        .trees = needs.trees,
    };
    if (!compare->arena.exhausted) {
        compare->differences = sl_differences(&compare->arena, compare->sides, &wanted);
    }
    if (compare->differences == NULL) {
        return sl_error_memory(error);
    }
    const struct sl_amount *wholes = compare->differences->measure.wholes;
    uint64_t larger_ns = wholes[SL_BEFORE].ns > wholes[SL_AFTER].ns ? wholes[SL_BEFORE].ns : wholes[SL_AFTER].ns;
    compare->threshold = options->threshold * (options->percent ? 1 : (double)larger_ns);
    return true;
}

void sl_compare_close(struct sl_compare *compare)
{
    sl_arena_reset(&compare->arena);
}

struct sl_change sl_compare_change(const struct sl_compare *compare, const struct sl_amount amounts[SL_SIDES])
{
    return sl_change(&compare->differences->measure, amounts);
}

bool sl_compare_matters(const struct sl_compare *compare, struct sl_change change)
{
    return sl_change_is_certain(&compare->differences->measure, change) && fabs(change.amount) >= compare->threshold;
}

const struct sl_amount *sl_compare_time(const struct sl_compare *compare, const struct sl_function_difference *function)
{
    return compare->options->flat_by_total ? function->total : function->self;
}

static double size_of(const struct sl_compare *compare, uint32_t place)
{
    const struct sl_function_difference *function = &compare->differences->functions[place];
    return fabs(sl_compare_change(compare, sl_compare_time(compare, function)).amount);
}

static bool changed_more(const void *context, uint32_t a, uint32_t b)
{
    return size_of(context, a) > size_of(context, b);
}

const uint32_t *sl_compare_functions(struct sl_compare *compare, uint32_t *count)
{
    const struct sl_differences *differences = compare->differences;
    uint32_t *places = SL_ARENA_NEW(&compare->arena, uint32_t, differences->function_count);
    *count = 0;
    for (uint32_t i = 0; places != NULL && i < differences->function_count; i++) {
        struct sl_change change = sl_compare_change(compare, sl_compare_time(compare, &differences->functions[i]));
        if (sl_compare_matters(compare, change)) {
            places[(*count)++] = i;
        }
    }
    bool sorted = places != NULL && sl_sort(&compare->arena, places, *count, changed_more, compare);
    return sorted ? places : NULL;
}

int sl_compare_named(const sl_function functions[SL_SIDES])
{
    return functions[SL_AFTER] != SL_NONE ? SL_AFTER : SL_BEFORE;
}

uint64_t sl_compare_whole_ns(double ns)
{
    return ns < 1e19 ? (uint64_t)(ns + 0.5) : UINT64_MAX;
}

void sl_compare_change_text(const struct sl_compare *compare, double amount, char text[static SL_COMPARE_TEXT_SIZE])
{
    if (compare->options->percent) {
        snprintf(text, SL_COMPARE_TEXT_SIZE, "%+.1f points", 100 * amount);
        return;
    }
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_duration(sl_compare_whole_ns(fabs(amount)), compare->options->unicode, number);
    snprintf(text, SL_COMPARE_TEXT_SIZE, "%c%s", amount < 0 ? '-' : '+', number);
}

void sl_compare_ratio_text(const struct sl_compare *compare, const struct sl_amount amounts[SL_SIDES],
                           char text[static SL_COMPARE_TEXT_SIZE])
{
    const struct sl_amount *wholes = compare->differences->measure.wholes;
    double values[SL_SIDES];
    for (int which = 0; which < SL_SIDES; which++) {
        bool part = compare->options->percent && wholes[which].ns > 0;
        values[which] = (double)amounts[which].ns / (part ? (double)wholes[which].ns : 1);
    }
    if (values[SL_BEFORE] <= 0 || values[SL_AFTER] <= 0) {
        snprintf(text, SL_COMPARE_TEXT_SIZE, "%s", values[SL_AFTER] > 0 ? "new" : values[SL_BEFORE] > 0 ? "gone" : "");
        return;
    }
    double ratio = values[SL_AFTER] / values[SL_BEFORE];
    if (ratio >= 10) {
        snprintf(text, SL_COMPARE_TEXT_SIZE, "x%.0f", ratio);
    } else {
        snprintf(text, SL_COMPARE_TEXT_SIZE, "%+.0f %%", 100 * (ratio - 1));
    }
}
