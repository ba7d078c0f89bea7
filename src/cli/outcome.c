#include "cli/outcome.h"

#include "base/buffer.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/source_roots.h"

#include <inttypes.h>

static bool is_kept(const struct sl_sampling *sampling)
{
    return sampling->recording.place == SL_RECORDING_STATE;
}

void sl_outcome_unreadable(const struct sl_sampling *sampling, const struct sl_error *error)
{
    sl_say_error(error);
    if (is_kept(sampling)) {
        sl_say("the recording is kept: stacklapse view last");
    }
}

/* How to view the recording again: nothing where it is not kept. A file that is written is read when another one is the
 * last. */
static void append_name(struct sl_buffer *name, const struct sl_sampling *sampling, const struct sl_report *report)
{
    if (is_kept(sampling) && report->path != NULL) {
        sl_command_line_word(name, sampling->recording.path);
    } else if (is_kept(sampling)) {
        sl_buffer_text(name, "last");
    }
}

bool sl_outcome_write(const struct sl_sampling *sampling, const struct sl_report *report,
                      const struct sl_options *options, const struct sl_profile *profile)
{
    const char *path = sampling->recording.path;
    if (sampling->end == SL_SESSION_FAILED) {
        sl_say("the recording is not complete: %s", sampling->error.sentence);
    }
    if (options->verbose && is_kept(sampling)) {
        sl_say("recording: %s", path);
    } else if (options->verbose) {
        sl_say("the recording is not kept: %s", sampling->not_kept.sentence);
    }
    struct sl_source_roots roots;
    sl_source_roots_open(&roots, profile);
    struct sl_report with_roots = *report;
    with_roots.source_roots = roots.items;
    with_roots.source_root_count = roots.count;
    struct sl_error error = {0};
    struct sl_buffer name;
    sl_buffer_init(&name);
    append_name(&name, sampling, report);
    bool written = sl_report_write(&with_roots, options, path, name.bytes, profile, &error);
    sl_buffer_destroy(&name);
    sl_source_roots_close(&roots);
    if (!written) {
        sl_outcome_unreadable(sampling, &error);
        return false;
    }
    if (report->path != NULL && !options->quiet) {
        sl_say("wrote %s: %" PRIu64 " samples in %.3f s", report->path, profile->facts.samples,
               (double)profile->facts.duration_ns / 1e9);
    }
    return true;
}
