/* render.h - every output of stacklapse is one file in this folder and one line in the table of render.c.
 *
 * `-r NAME`, `-o file.ext`, the Python renderers, --help and the documentation's list all follow from that table. */
#ifndef SL_RENDER_RENDER_H
#define SL_RENDER_RENDER_H

#include "analysis/roles.h"
#include "analysis/selection.h"
#include "base/error.h"
#include "base/output.h"
#include "profile/profile.h"

#include <stdbool.h>

/* What is said of the thing that was recorded, beside what is in the recording: all of it by the report page. */
struct sl_render_about {
    const char *title;        /* in place of the recording's own, also in the text report; NULL: that */
    const char *link;         /* to what the page stands in for, beginning with "./"; NULL: nothing */
    const char *const *facts; /* name, text, name, text, ... */
    size_t fact_count;        /* of names */
};

/* The root directory of a process that finds other files than we do, while it still is there. */
struct sl_source_root {
    uint64_t root; /* sl_process_record.root */
    int descriptor;
};

/* The text of code that lies in no file, such as a notebook's cell, by the name that stands for one. */
struct sl_source_given {
    const char *path;
    const char *text;
};

/* Text of source files in the output. */
enum sl_source_policy {
    SL_SOURCE_APP = 0, /* of own code, and of the heaviest of the libraries' functions */
    SL_SOURCE_ALL = 1,
    SL_SOURCE_NONE = 2,
};

/* What a person calls each, and NULL. */
extern const char *const sl_source_policy_words[];

/* What a person asked for. Each renderer takes what means something to it and ignores the rest. */
struct sl_render_options {
    struct sl_selection selection;
    struct sl_roles_options roles;
    bool timeline;
    bool flat;
    bool flat_by_total;     /* what a function called counts as its own */
    bool merge_processes;   /* one tree for all processes */
    bool children_recorded; /* child processes were asked for, too; false also where that is not known */
    bool color;             /* ANSI colours */
    bool unicode;           /* box drawing characters, else ASCII */
    uint32_t width;         /* of the terminal in columns; 0: 100 */
    double threshold;       /* share of the whole below which a node is only counted; 0 shows everything */
    bool threshold_given;   /* somebody asked for it, else an output may take its own */
    bool percent;           /* shares instead of seconds first; of a comparison, in place of seconds */
    bool short_form;        /* no header and no hints: for a block profiled in passing */
    const char *page_state; /* what the report page opens with: what its address has after the #; NULL: the call tree */
    const char *recording;  /* how `stacklapse view` names this recording ("last", "3", a path), as one types it in a
                             * shell; of a comparison, both; NULL: not saved */
    struct sl_render_about about;
    enum sl_source_policy source;
    const struct sl_source_root *source_roots;
    size_t source_root_count;
    const struct sl_source_given *given_sources; /* looked at before any file */
    size_t given_source_count;
};

/* Text options as the command's defaults have them: whole selection, threshold 0.005, unicode. */
struct sl_render_options sl_render_defaults(const struct sl_profile *profile);

/* Two recordings, and what is looked at in each: the one before, and the one after. */
struct sl_comparison {
    const struct sl_profile *profiles[2];
    struct sl_selection selections[2];
};

struct sl_renderer {
    const char *name;              /* "text" */
    const char *const *extensions; /* ".txt", NULL at the end; the first one is used where a name must be made up */
    const char *reader;            /* who reads it, for --help and docs: "a person in a terminal" */
    bool binary;                   /* not to be written to a terminal */
    /* Writes to `output`; failures to write are the output's. False for anything else that went wrong. Linear in the
     * profile, no recursion. */
    bool (*render)(const struct sl_profile *profile, const struct sl_render_options *options, struct sl_output *output,
                   struct sl_error *error);
    /* The same of what differs between two recordings, by the comparison's selections; NULL where there is no such output. */
    bool (*compare)(const struct sl_comparison *comparison, const struct sl_render_options *options,
                    struct sl_output *output, struct sl_error *error);
};

extern const struct sl_renderer sl_renderers[]; /* the first is the report for people, the last one has a NULL name */

/* By name, NULL if there is none such. */
const struct sl_renderer *sl_renderer_named(const char *name);

/* By the longest extension that `path` ends in, in any case; NULL if none fits. */
const struct sl_renderer *sl_renderer_for_path(const char *path);

#endif
