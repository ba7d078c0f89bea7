/* dump_view.h - a process as `stacklapse dump` shows it, and the two ways of showing it. */
#ifndef SL_CLI_DUMP_VIEW_H
#define SL_CLI_DUMP_VIEW_H

#include "base/output.h"
#include "cli/options.h"
#include "sampler/dump.h"
#include "target/description.h"
#include "target/process.h"

#include <stdbool.h>

/* One process that was asked for, or a descendant of it. */
struct sl_dump_view {
    pid_t pid;
    pid_t parent;
    bool opened; /* `process` is open */
    bool taken;  /* `dump` is what was seen of it; else `error` says why there is nothing */
    struct sl_process process;
    struct sl_dump dump;
    struct sl_error error;
    char command[SL_DESCRIPTION_MAX];
    char executable[SL_DESCRIPTION_MAX];
};

/* For a person. Recursions are folded unless `show_all`; other characters than ASCII are escaped unless `unicode`. */
void sl_dump_text(struct sl_output *output, struct sl_dump_view *view, bool show_all, bool color, bool unicode);

/* docs/dump.md: the beginning of the document, one process of it, its end. */
void sl_dump_json(struct sl_output *output, struct sl_dump_view *const *views, size_t count);

#endif
