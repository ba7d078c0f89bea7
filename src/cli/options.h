/* options.h - the options of the command: one table (options.c) from which the parser, --help, the suggestions for
 * wrong ones and the check of the man page are derived. */
#ifndef SL_CLI_OPTIONS_H
#define SL_CLI_OPTIONS_H

#include "analysis/selection.h"
#include "base/error.h"
#include "cli/request_index.h"
#include "cli/series_options.h"
#include "render/render.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which sub-commands take an option. */
enum sl_command_set {
    SL_FOR_RUN = 1 << 0,
    SL_FOR_VIEW = 1 << 1,
    SL_FOR_INFO = 1 << 2,
    SL_FOR_ATTACH = 1 << 3,
    SL_FOR_DUMP = 1 << 4,
    SL_FOR_TOP = 1 << 5,
    SL_FOR_DIFF = 1 << 6,
    SL_FOR_REQUESTS = 1 << 8,
    SL_FOR_TOKEN = 1 << 9,
};

enum sl_program_kind {
    SL_PROGRAM_NONE = 0,
    SL_PROGRAM_SCRIPT,  /* a file, a folder or archive with __main__.py, or "-": standard input */
    SL_PROGRAM_MODULE,  /* -m */
    SL_PROGRAM_CODE,    /* -c */
    SL_PROGRAM_COMMAND, /* after --: any command that ends up in Python */
};

enum sl_color { SL_COLOR_AUTO = 0, SL_COLOR_ALWAYS = 1, SL_COLOR_NEVER = 2 };

struct sl_globs {
    const char **globs;
    size_t count;
};

/* What a person asked for. Texts are those of argv; the arrays belong to the struct. */
struct sl_options {
    bool help;
    bool version;

    enum sl_program_kind program_kind;
    const char *program;    /* script, module, code or command */
    char *const *arguments; /* behind it, NULL at the end */

    const char **operands; /* of sub-commands other than run: what is no option */
    size_t operand_count;

    const char *python; /* --python, NULL: found */
    uint64_t interval_ns;
    uint64_t duration_ns; /* --duration, 0: no limit */
    bool main_thread_only;
    bool children;
    struct sl_series_options series;

    const char *renderer; /* -r, NULL: by the file's extension, else text */
    const char *output;   /* -o, NULL: where the renderer goes by itself */
    bool show_all;
    bool timeline;
    bool flat;
    bool flat_by_total; /* and then `flat`, too */
    bool merge;
    bool shares;      /* diff: shares of the time, not seconds */
    double threshold; /* below 0: the renderer's own */
    enum sl_mode mode;
    enum sl_source_policy source;
    const char *page_state; /* --at, NULL: none */
    bool no_open;
    struct sl_globs hide;
    struct sl_globs show;
    enum sl_color color;

    bool all;  /* dump: the descendants too */
    bool json; /* dump, requests: for a program to read */

    struct sl_request_query requests; /* requests: which ones, in which order */

    uint64_t ttl_ns;         /* token: how long it is good for */
    const char *secret_file; /* --secret-file, NULL: the environment has it */

    bool quiet;
    bool verbose;
};

enum sl_option_group {
    SL_GROUP_RECORDING = 0,
    SL_GROUP_SERIES,
    SL_GROUP_REQUESTS,
    SL_GROUP_TOKEN,
    SL_GROUP_OUTPUT,
    SL_GROUP_CONTENT,
    SL_GROUP_OTHER,
    SL_GROUP_COUNT,
};

struct sl_option {
    char letter;              /* 0: none */
    const char *name;         /* without the two dashes */
    const char *value;        /* what its value is called, NULL: it takes none */
    const char *const *words; /* the values that it takes, NULL at the end; NULL: others */
    unsigned commands;        /* of enum sl_command_set */
    enum sl_option_group group;
    /* `given` is the option as it was typed, for the sentence. */
    bool (*set)(struct sl_options *options, const char *given, const char *value, struct sl_error *error);
    const char *help; /* for --help: a phrase without a capital letter and without a full stop */
};

extern const struct sl_option sl_option_table[]; /* the last one has a NULL name */

#define SL_INTERVAL_DEFAULT_NS ((uint64_t)1000000)
#define SL_REQUESTS_LISTED ((uint64_t)50)
#define SL_TTL_DEFAULT_NS ((uint64_t)600 * 1000000000)

/* Reads what stands behind the command's or sub-command's name. For run, everything behind the program belongs to the
 * program. False with SL_ERROR_USAGE; to be destroyed in either case. */
bool sl_options_parse(struct sl_options *options, enum sl_command_set command, char *const *arguments,
                      struct sl_error *error);
void sl_options_destroy(struct sl_options *options);

#endif
