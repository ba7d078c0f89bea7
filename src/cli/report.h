/* report.h - from a recording and what was asked for to an output at its place. Shared by all sub-commands that show
 * one. */
#ifndef SL_CLI_REPORT_H
#define SL_CLI_REPORT_H

#include "base/buffer.h"
#include "base/error.h"
#include "cli/options.h"
#include "profile/profile.h"
#include "render/render.h"

#include <stdbool.h>

struct sl_report {
    const struct sl_renderer *renderer;        /* NULL: the recording itself is saved at `path` */
    int descriptor;                            /* -1: a file */
    const char *title;                         /* in place of the recording's own; NULL: that */
    const struct sl_source_root *source_roots; /* as of sl_render_options; none by the plan */
    size_t source_root_count;
    const struct sl_buffer *trace;   /* the recording's bytes; NULL, as by the plan: those of its file */
    const struct sl_profile *before; /* NULL, or: what differs between this and the recording is written */
    const char *path;                /* NULL: a page that a person at a terminal asked for, in a temporary file */
};

/* Settles what will be written and where, and finds out what would fail, before anything is done. `text_descriptor` is
 * where the text report goes by itself. SL_ERROR_USAGE, or SL_ERROR_SYSTEM for a place that cannot be written to. */
bool sl_report_plan(struct sl_report *report, const struct sl_options *options, int text_descriptor,
                    struct sl_error *error);

/* Writes it. `recording` is the trace file, `name` how `stacklapse view` names it, as one types it in a shell (NULL: it
 * is not kept). A reader who closed the pipe has seen enough: that is no failure. */
bool sl_report_write(const struct sl_report *report, const struct sl_options *options, const char *recording,
                     const char *name, const struct sl_profile *profile, struct sl_error *error);

#endif
