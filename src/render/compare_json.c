/* What differs between two recordings, for programs: docs/diff.schema.json says what each member means. */
#include "analysis/roles.h"
#include "render/compare.h"
#include "render/json_writer.h"
#include "render/labels.h"
#include "render/renderers.h"

#include <math.h>
#include <string.h>

static const char *const side_names[SL_SIDES] = {"before", "after"};

static void write_string(struct sl_json *json, const char *key, const struct sl_profile *profile, sl_string string)
{
    sl_json_string(json, key, sl_profile_text(profile, string), sl_profile_text_size(profile, string));
}

static void write_recording(struct sl_json *json, const struct sl_compare *compare, int which)
{
    const struct sl_profile *profile = compare->sides[which].profile;
    const struct sl_facts *facts = &profile->facts;
    sl_string command = sl_profile_text_size(profile, facts->command) > 0 || profile->process_count == 0
                            ? facts->command
                            : profile->processes[0].command;
    sl_json_new_line(json);
    sl_json_open_object(json, side_names[which]);
    write_string(json, "command", profile, command);
    write_string(json, "description", profile, facts->description);
    sl_json_unsigned(json, "start_time_ns", facts->start_time_ns);
    sl_json_unsigned(json, "duration_ns", facts->duration_ns);
    sl_json_unsigned(json, "cpu_ns", facts->cpu_ns);
    sl_json_unsigned(json, "interval_ns", facts->interval_ns);
    sl_json_unsigned(json, "looks", facts->looks);
    sl_json_unsigned(json, "samples", facts->samples);
    sl_json_unsigned(json, "missed", facts->missed);
    sl_json_unsigned(json, "broken", facts->broken);
    sl_json_unsigned(json, "late", facts->late);
    sl_json_bool(json, "complete", facts->complete);
    sl_json_close_object(json);
}

/* To the nanosecond; what does not fit is the largest that does. */
static int64_t more_ns(const struct sl_amount amounts[SL_SIDES])
{
    bool less = amounts[SL_AFTER].ns < amounts[SL_BEFORE].ns;
    uint64_t size = less ? amounts[SL_BEFORE].ns - amounts[SL_AFTER].ns : amounts[SL_AFTER].ns - amounts[SL_BEFORE].ns;
    int64_t whole = size < INT64_MAX ? (int64_t)size : INT64_MAX;
    return less ? -whole : whole;
}

/* What one side has, and with that how much more the later one has. */
static void write_amounts(struct sl_json *json, const struct sl_compare *compare, const char *key,
                          const struct sl_amount amounts[SL_SIDES])
{
    struct sl_change change = sl_compare_change(compare, amounts);
    sl_json_open_object(json, key);
    sl_json_unsigned(json, "before_ns", amounts[SL_BEFORE].ns);
    sl_json_unsigned(json, "after_ns", amounts[SL_AFTER].ns);
    if (compare->options->percent) {
        double size = fabs(1e6 * change.amount);
        int64_t whole = size < 1e18 ? (int64_t)(size + 0.5) : (int64_t)1e18;
        sl_json_signed(json, "change_ppm", change.amount < 0 ? -whole : whole);
        sl_json_unsigned(json, "error_ppm", sl_compare_whole_ns(1e6 * change.error));
    } else {
        sl_json_signed(json, "change_ns", more_ns(amounts));
        sl_json_unsigned(json, "error_ns", sl_compare_whole_ns(change.error));
    }
    sl_json_bool(json, "certain", sl_change_is_certain(&compare->differences->measure, change));
    sl_json_close_object(json);
}

static void write_function(struct sl_json *json, const struct sl_compare *compare,
                           const struct sl_function_difference *function)
{
    int named = sl_compare_named(function->functions);
    const struct sl_profile *profile = compare->sides[named].profile;
    const struct sl_function_record *record = &profile->functions[function->functions[named]];
    sl_json_new_line(json);
    sl_json_open_object(json, NULL);
    write_string(json, "name", profile, record->name);
    sl_json_text(json, "kind", sl_function_kind_name(record->kind));
    sl_json_text(json, "path", sl_short_path(profile, function->functions[named]));
    for (int which = 0; which < SL_SIDES; which++) {
        static const char *const keys[SL_SIDES] = {"before_line", "after_line"};
        if (function->functions[which] != SL_NONE) {
            sl_json_unsigned(json, keys[which],
                             compare->sides[which].profile->functions[function->functions[which]].first_line);
        } else {
            sl_json_null(json, keys[which]);
        }
    }
    write_amounts(json, compare, "self", function->self);
    write_amounts(json, compare, "total", function->total);
    sl_json_close_object(json);
}

bool sl_compare_json(const struct sl_comparison *comparison, const struct sl_render_options *options,
                     struct sl_output *output, struct sl_error *error)
{
    struct sl_compare compare;
    bool done = sl_compare_open(&compare, comparison, options, (struct sl_compare_needs){.functions = true}, error);
    if (done) {
        struct sl_json json;
        sl_json_begin(&json, output);
        sl_json_open_object(&json, NULL);
        sl_json_text(&json, "format", "stacklapse diff");
        sl_json_unsigned(&json, "version", 1);
        sl_json_text(&json, "compared", options->percent ? "shares" : "times");
        write_recording(&json, &compare, SL_BEFORE);
        write_recording(&json, &compare, SL_AFTER);
        sl_json_new_line(&json);
        sl_json_open_array(&json, "functions");
        for (uint32_t i = 0; i < compare.differences->function_count; i++) {
            write_function(&json, &compare, &compare.differences->functions[i]);
        }
        sl_json_close_array(&json);
        sl_json_close_object(&json);
        sl_output_text(output, "\n");
    }
    sl_compare_close(&compare);
    return done;
}
