/* The report for a person in a terminal: the tree of calls on one screen.
 *
 * What the program chose (names, paths, source lines) is written so that it cannot act on the terminal
 * (text_unicode.h); no row is wider than the terminal; time and memory are linear in the profile. */
#include "analysis/load_times.h"
#include "analysis/roles.h"
#include "analysis/whole.h"
#include "render/renderers.h"
#include "render/source_places.h"
#include "render/text_parts.h"

static void measure(struct sl_text *text)
{
    struct sl_amount whole = sl_whole(text->profile, &text->options->selection);
    uint64_t looks = sl_profile_is_folded(text->profile) ? SL_TEXT_LOOKS_UNKNOWN : whole.samples;
    text->scale = sl_text_scale(whole.ns, looks, text->style.unicode);
    double threshold_ns = text->options->threshold * (double)whole.ns;
    text->threshold_ns = threshold_ns > 0 && threshold_ns < 1e18 ? (uint64_t)(threshold_ns + 0.5) : 0;
    sl_text_make_room(text, whole.ns);
}

static bool write_report(struct sl_text *text)
{
    if (!text->options->short_form) {
        sl_text_blank_line(text);
    }
    sl_text_header(text);
    bool done = true;
    if (text->profile->run_count > 0) {
        sl_text_blank_line(text);
        done = text->options->flat ? sl_text_flat(text) : sl_text_trees(text);
    }
    if (!text->options->short_form) {
        sl_text_hints(text);
    }
    return done;
}

bool sl_render_text(const struct sl_profile *profile, const struct sl_render_options *options, struct sl_output *output,
                    struct sl_error *error)
{
    struct sl_render_options taken = *options;
    taken.timeline = options->timeline && !options->flat; /* totals have no order in time */
    struct sl_text text = {
        .profile = profile,
        .options = &taken,
        .output = output,
        .style = sl_text_style(options->color, options->unicode, options->width),
    };
    sl_arena_init(&text.arena);
    sl_text_row_init(&text.row, &text.style);
    if (options->source != SL_SOURCE_NONE) {
        text.source = sl_source_text_create();
        text.source_places = sl_source_places(&text.arena, profile, options);
        text.load_times = profile->facts.start_time_ns > 0 ? sl_load_times(&text.arena, profile) : NULL;
    }
    text.roles = sl_roles(&text.arena, profile, &options->roles);
    bool done = false;
    if (text.roles != NULL) {
        measure(&text);
        done = write_report(&text) && !text.arena.exhausted;
    }
    sl_source_text_destroy(text.source);
    sl_text_row_destroy(&text.row);
    sl_arena_reset(&text.arena);
    return done || sl_error_memory(error);
}
