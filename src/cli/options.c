#include "cli/options.h"

#include "cli/unknown_option.h"
#include "cli/values.h"
#include "cli/web_options.h"
#include "render/render.h"
#include "sampler/session.h"

#include <stdlib.h>
#include <string.h>

static bool set_interval(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    return sl_value_time(given, value, SL_INTERVAL_MIN_NS, SL_INTERVAL_MAX_NS, &options->interval_ns, error);
}

static bool set_rate(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    return sl_value_rate(given, value, SL_INTERVAL_MIN_NS, SL_INTERVAL_MAX_NS, &options->interval_ns, error);
}

/* A week: nobody reads a finer report of more. */
#define DURATION_MAX_NS UINT64_C(604800000000000)

static bool set_duration(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    return sl_value_time(given, value, SL_INTERVAL_MIN_NS, DURATION_MAX_NS, &options->duration_ns, error);
}

static const char *const thread_words[] = {"all", "main", NULL};

static bool set_threads(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    unsigned position;
    if (!sl_value_choice(given, value, thread_words, &position, error)) {
        return false;
    }
    options->main_thread_only = position == 1;
    return true;
}

static bool set_python(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    if (*value == '\0') {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes the path or name of a Python", given);
    }
    options->python = value;
    return true;
}

static bool set_renderer(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    if (sl_renderer_named(value) != NULL) {
        options->renderer = value;
        return true;
    }
    const char *names[64] = {NULL};
    for (unsigned i = 0; sl_renderers[i].name != NULL && i < 63; i++) {
        names[i] = sl_renderers[i].name;
    }
    unsigned position;
    return sl_value_choice(given, value, names, &position, error);
}

static bool set_output(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    if (*value == '\0') {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes the name of a file, or - for standard output", given);
    }
    options->output = value;
    return true;
}

static bool add_glob(struct sl_globs *globs, const char *glob, struct sl_error *error)
{
    const char **grown = realloc(globs->globs, (globs->count + 1) * sizeof *grown);
    if (grown == NULL) {
        return sl_error_memory(error);
    }
    globs->globs = grown;
    globs->globs[globs->count++] = glob;
    return true;
}

static bool set_hide(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    (void)given;
    return add_glob(&options->hide, value, error);
}

static bool set_show(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    (void)given;
    return add_glob(&options->show, value, error);
}

static bool set_mode(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    unsigned position;
    if (!sl_value_choice(given, value, sl_mode_words, &position, error)) {
        return false;
    }
    options->mode = (enum sl_mode)position;
    return true;
}

static bool set_threshold(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    return sl_value_share(given, value, &options->threshold, error);
}

static bool set_source(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    unsigned position;
    if (!sl_value_choice(given, value, sl_source_policy_words, &position, error)) {
        return false;
    }
    options->source = (enum sl_source_policy)position;
    return true;
}

static bool set_page_state(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    (void)given;
    (void)error;
    /* Taken as it is copied from an address, too. */
    options->page_state = value[0] == '#' ? value + 1 : value;
    return true;
}

static const char *const color_words[] = {"auto", "always", "never", NULL};

static bool set_color(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    unsigned position;
    if (!sl_value_choice(given, value, color_words, &position, error)) {
        return false;
    }
    static const enum sl_color colors[] = {SL_COLOR_AUTO, SL_COLOR_ALWAYS, SL_COLOR_NEVER};
    options->color = colors[position];
    return true;
}

/* A flag is set by its presence. */
#define FLAG(name)                                                                                                     \
    static bool set_##name(struct sl_options *options, const char *given, const char *value, struct sl_error *error)   \
    {                                                                                                                  \
        (void)given;                                                                                                   \
        (void)value;                                                                                                   \
        (void)error;                                                                                                   \
        options->name = true;                                                                                          \
        return true;                                                                                                   \
    }
FLAG(children)
FLAG(show_all)
FLAG(timeline)
FLAG(flat)
FLAG(json)
FLAG(all)
FLAG(merge)
FLAG(shares)
FLAG(no_open)
FLAG(quiet)
FLAG(verbose)
FLAG(help)
FLAG(version)
#undef FLAG

static bool set_flat_total(struct sl_options *options, const char *given, const char *value, struct sl_error *error)
{
    options->flat_by_total = true;
    return set_flat(options, given, value, error);
}

#define RECORDING (SL_FOR_RUN | SL_FOR_ATTACH)
#define WATCHING (RECORDING | SL_FOR_TOP)
#define SHOWING (RECORDING | SL_FOR_VIEW | SL_FOR_REQUESTS)
#define WRITING (SHOWING | SL_FOR_DIFF)
#define ALL (WRITING | SL_FOR_INFO | SL_FOR_DUMP | SL_FOR_TOKEN | SL_FOR_TOP)

const struct sl_option sl_option_table[] = {
    {'i', "interval", "TIME", NULL, WATCHING, SL_GROUP_RECORDING, set_interval,
     "look once every TIME: 1ms (the default), 500us, 0.001 (seconds)"},
    {0, "rate", "NUMBER", NULL, WATCHING, SL_GROUP_RECORDING, set_rate,
     "the same as a number of looks per second: 1000, 10k"},
    {'d', "duration", "TIME", NULL, SL_FOR_ATTACH, SL_GROUP_RECORDING, set_duration,
     "stop after TIME: 10s, 2m; without it, when the process ends or at Ctrl-C"},
    {0, "threads", "all|main", thread_words, WRITING | SL_FOR_TOP, SL_GROUP_RECORDING, set_threads,
     "record and show all threads (the default), or only the main one"},
    {0, "children", NULL, NULL, WATCHING, SL_GROUP_RECORDING, set_children,
     "record every Python process that the program starts, and theirs"},
    {0, "python", "PATH", NULL, SL_FOR_RUN, SL_GROUP_RECORDING, set_python,
     "run the program with this Python: a path, a name on PATH, a version (3.12), or the folder of a virtual "
     "environment"},

    {0, "push", "URL", NULL, RECORDING, SL_GROUP_SERIES, sl_set_push,
     "record on and on, and send every recording to this server: http://localhost:4040"},
    {0, "push-as", "KIND", sl_push_words, RECORDING, SL_GROUP_SERIES, sl_set_push_as,
     "what the server takes: pyroscope (the default), otlp, or pprof at exactly this address"},
    {0, "folder", "FOLDER", NULL, RECORDING, SL_GROUP_SERIES, sl_set_folder,
     "record on and on, and keep every recording in this folder"},
    {0, "every", "TIME", NULL, RECORDING, SL_GROUP_SERIES, sl_set_every,
     "the length of each recording: 15s (the default), 1m; looks are then 10ms apart unless -i says otherwise"},
    {0, "keep", "NUMBER", NULL, RECORDING, SL_GROUP_SERIES, sl_set_keep,
     "so many recordings stay in the folder (by default 1000); the oldest go first"},
    {0, "service", "NAME", NULL, RECORDING, SL_GROUP_SERIES, sl_set_service,
     "what the server calls the program (by default OTEL_SERVICE_NAME, else the program's own name)"},
    {0, "tag", "NAME=TEXT", NULL, RECORDING, SL_GROUP_SERIES, sl_set_tag,
     "a label that the server gets with every recording; may be repeated"},

    {0, "sort", "KEY", sl_sort_words, SL_FOR_REQUESTS, SL_GROUP_REQUESTS, sl_set_sort,
     "list by time (the newest first; the default), duration, cpu or wait (the most first)"},
    {0, "route", "GLOB", NULL, SL_FOR_REQUESTS, SL_GROUP_REQUESTS, sl_set_route,
     "list only requests whose route matches: '/users/*', 'POST *'"},
    {0, "status", "STATUS", NULL, SL_FOR_REQUESTS, SL_GROUP_REQUESTS, sl_set_status,
     "list only requests that were answered with STATUS: 404, or 5xx"},
    {0, "slower", "TIME", NULL, SL_FOR_REQUESTS, SL_GROUP_REQUESTS, sl_set_slower,
     "list only requests that took TIME or longer: 500ms, 2s"},
    {0, "limit", "NUMBER", NULL, SL_FOR_REQUESTS, SL_GROUP_REQUESTS, sl_set_limit,
     "list so many of them, 0 for all (by default 50)"},

    {0, "ttl", "TIME", NULL, SL_FOR_TOKEN, SL_GROUP_TOKEN, sl_set_ttl,
     "how long the token is good for: 10m (the default), 30s"},
    {0, "secret-file", "FILE", NULL, SL_FOR_TOKEN, SL_GROUP_TOKEN, sl_set_secret_file,
     "the file with the application's secret; without it, STACKLAPSE_SECRET has the secret"},

    {'o', "output", "FILE", NULL, WRITING, SL_GROUP_OUTPUT, set_output,
     "write the report to FILE, in the format that its extension names; FILE.lapse saves the recording itself (not "
     "diff); - is standard output"},
    {'r', "renderer", "NAME", NULL, WRITING, SL_GROUP_OUTPUT, set_renderer,
     "the format of the report: one of those below"},
    {'f', "format", "NAME", NULL, WRITING, SL_GROUP_OUTPUT, set_renderer, "the same as --renderer"},
    {0, "color", "WHEN", color_words, WRITING | SL_FOR_DUMP | SL_FOR_TOP, SL_GROUP_OUTPUT, set_color,
     "auto (the default: on a terminal), always or never; NO_COLOR and FORCE_COLOR are heeded"},
    {0, "no-open", NULL, NULL, SHOWING, SL_GROUP_OUTPUT, set_no_open, "do not open the html report in the browser"},

    {0, "mode", "wall|cpu|gil", sl_mode_words, WRITING | SL_FOR_TOP, SL_GROUP_CONTENT, set_mode,
     "count all time (the default), time on a CPU or ready for one, or time holding the GIL"},
    {0, "timeline", NULL, NULL, SHOWING, SL_GROUP_CONTENT, set_timeline,
     "calls in the order in which they happened, not merged"},
    {0, "flat", NULL, NULL, WRITING, SL_GROUP_CONTENT, set_flat, "functions by the time spent in themselves, no tree"},
    {0, "flat-total", NULL, NULL, WRITING, SL_GROUP_CONTENT, set_flat_total,
     "the same by the time spent in them and in what they called"},
    {0, "shares", NULL, NULL, SL_FOR_DIFF, SL_GROUP_CONTENT, set_shares,
     "compare shares of the time, not seconds: of a program that goes on, recorded for different times"},
    {0, "merge", NULL, NULL, SHOWING, SL_GROUP_CONTENT, set_merge, "one tree for all processes, not one for each"},
    {0, "hide", "GLOB", NULL, WRITING | SL_FOR_TOP, SL_GROUP_CONTENT, set_hide,
     "fold functions whose file or module matches, like those of libraries; may be repeated"},
    {0, "show", "GLOB", NULL, WRITING | SL_FOR_TOP, SL_GROUP_CONTENT, set_show,
     "never fold functions whose file or module matches; may be repeated, and beats --hide"},
    {0, "show-all", NULL, NULL, WRITING | SL_FOR_DUMP, SL_GROUP_CONTENT, set_show_all, "fold nothing"},
    {0, "threshold", "PERCENT", NULL, WRITING, SL_GROUP_CONTENT, set_threshold,
     "leave out calls that took less than this share of the time (diff: that changed by less); 0 shows all; 0.5 by "
     "default, in the tree of markdown 2"},
    {0, "source", "app|all|none", sl_source_policy_words, SHOWING, SL_GROUP_CONTENT, set_source,
     "source text in the html report: of your own code and the heaviest library functions (app, the default), of all, "
     "or none"},
    {0, "at", "STATE", NULL, SHOWING, SL_GROUP_CONTENT, set_page_state,
     "what the html report opens with: what its address has after the #, as in view=flame&search=load"},

    {0, "json", NULL, NULL, SL_FOR_DUMP | SL_FOR_REQUESTS, SL_GROUP_CONTENT, set_json,
     "print it as JSON, for a program to read"},
    {0, "all", NULL, NULL, SL_FOR_DUMP, SL_GROUP_CONTENT, set_all, "the descendants of the process, too"},

    {'q', "quiet", NULL, NULL, SHOWING, SL_GROUP_OTHER, set_quiet,
     "no progress line and no remarks: only the report, and what went wrong"},
    {'v', "verbose", NULL, NULL, SHOWING, SL_GROUP_OTHER, set_verbose,
     "say which Python was chosen and why, and where the recording is"},
    {0, "version", NULL, NULL, ALL, SL_GROUP_OTHER, set_version, "print the version of stacklapse"},
    {'h', "help", NULL, NULL, ALL, SL_GROUP_OTHER, set_help, "print this text"},
    {0},
};

#undef RECORDING
#undef WATCHING
#undef SHOWING
#undef WRITING
#undef ALL

static const struct sl_option *option_named(const char *name, size_t size)
{
    for (const struct sl_option *option = sl_option_table; option->name != NULL; option++) {
        if (strlen(option->name) == size && memcmp(option->name, name, size) == 0) {
            return option;
        }
    }
    return NULL;
}

static const struct sl_option *option_lettered(char letter)
{
    for (const struct sl_option *option = sl_option_table; option->name != NULL; option++) {
        if (option->letter == letter && letter != 0) {
            return option;
        }
    }
    return NULL;
}

static bool apply(struct sl_options *options, enum sl_command_set command, const struct sl_option *option,
                  const char *given, const char *value, struct sl_error *error)
{
    if ((option->commands & (unsigned)command) == 0) {
        return sl_misplaced_option(command, option, given, error);
    }
    return option->set(options, given, value, error);
}

/* A walk over the words of the command line. */
struct words {
    char *const *next;
};

static bool needed_value(const struct sl_option *option, const char *given, struct words *words, const char **value,
                         struct sl_error *error)
{
    if (*words->next == NULL) {
        return sl_error_set(error, SL_ERROR_USAGE, "%s needs a value: %s %s", given, given, option->value);
    }
    *value = *words->next++;
    return true;
}

/* --name, --name=value or --name value. */
static bool parse_long(struct sl_options *options, enum sl_command_set command, const char *word, struct words *words,
                       struct sl_error *error)
{
    size_t size = strcspn(word + 2, "=");
    const struct sl_option *option = option_named(word + 2, size);
    if (option == NULL) {
        return sl_unknown_option(command, word, size + 2, error);
    }
    char given[40] = "--";
    strncat(given, option->name, sizeof given - 3);
    const char *value = word[2 + size] == '=' ? word + 2 + size + 1 : NULL;
    if (option->value == NULL && value != NULL) {
        return sl_error_set(error, SL_ERROR_USAGE, "%s takes no value", given);
    }
    if (option->value != NULL && value == NULL && !needed_value(option, given, words, &value, error)) {
        return false;
    }
    return apply(options, command, option, given, value, error);
}

/* The program of run behind -m or -c: its text is the rest of the word, or the next one. */
static bool take_program(struct sl_options *options, char letter, const char *rest, struct words *words,
                         struct sl_error *error)
{
    options->program_kind = letter == 'm' ? SL_PROGRAM_MODULE : SL_PROGRAM_CODE;
    if (*rest == '\0') {
        if (*words->next == NULL) {
            return sl_error_set(error, SL_ERROR_USAGE,
                                letter == 'm' ? "-m needs the name of a module: -m json.tool"
                                              : "-c needs a program: -c 'print(1)'");
        }
        rest = *words->next++;
    }
    options->program = rest;
    options->arguments = words->next;
    return true;
}

/* -x, several of them in one word, the last with its value in the same word or the next. */
static bool parse_short(struct sl_options *options, enum sl_command_set command, const char *word, struct words *words,
                        struct sl_error *error)
{
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        if (command == SL_FOR_RUN && (*letter == 'm' || *letter == 'c')) {
            return take_program(options, *letter, letter + 1, words, error);
        }
        char given[3] = {'-', *letter, '\0'};
        const struct sl_option *option = option_lettered(*letter);
        if (option == NULL) {
            return sl_unknown_option(command, letter == word + 1 ? word : given,
                                     strlen(letter == word + 1 ? word : given), error);
        }
        if (option->value == NULL) {
            if (!apply(options, command, option, given, NULL, error)) {
                return false;
            }
            continue;
        }
        const char *value = letter[1] == '=' ? letter + 2 : letter + 1;
        if (letter[1] == '\0' && !needed_value(option, given, words, &value, error)) {
            return false;
        }
        return apply(options, command, option, given, value, error);
    }
    return true;
}

static bool take_operand(struct sl_options *options, const char *word, struct sl_error *error)
{
    const char **grown = realloc(options->operands, (options->operand_count + 1) * sizeof *grown);
    if (grown == NULL) {
        return sl_error_memory(error);
    }
    options->operands = grown;
    options->operands[options->operand_count++] = word;
    return true;
}

/* What is no option: for run the program, with which our own part ends. */
static bool take_word(struct sl_options *options, enum sl_command_set command, const char *word, struct words *words,
                      struct sl_error *error)
{
    if (command != SL_FOR_RUN) {
        return take_operand(options, word, error);
    }
    options->program_kind = SL_PROGRAM_SCRIPT;
    options->program = word;
    options->arguments = words->next;
    return true;
}

static bool take_rest(struct sl_options *options, enum sl_command_set command, struct words *words,
                      struct sl_error *error)
{
    if (command == SL_FOR_RUN) {
        if (*words->next == NULL) {
            return sl_error_set(error, SL_ERROR_USAGE, "-- needs a command behind it: -- pytest tests");
        }
        options->program_kind = SL_PROGRAM_COMMAND;
        options->program = *words->next++;
        options->arguments = words->next;
        return true;
    }
    while (*words->next != NULL) {
        if (!take_operand(options, *words->next++, error)) {
            return false;
        }
    }
    return true;
}

static bool parse_words(struct sl_options *options, enum sl_command_set command, struct words *words,
                        struct sl_error *error)
{
    while (*words->next != NULL && options->program_kind == SL_PROGRAM_NONE) {
        const char *word = *words->next++;
        bool taken;
        if (strcmp(word, "--") == 0) {
            return take_rest(options, command, words, error);
        }
        if (word[0] != '-' || word[1] == '\0') {
            taken = take_word(options, command, word, words, error);
        } else if (word[1] == '-') {
            taken = parse_long(options, command, word, words, error);
        } else {
            taken = parse_short(options, command, word, words, error);
        }
        if (!taken) {
            return false;
        }
    }
    return true;
}

bool sl_options_parse(struct sl_options *options, enum sl_command_set command, char *const *arguments,
                      struct sl_error *error)
{
    *options = (struct sl_options){
        .threshold = -1,
        .requests = {.limit = SL_REQUESTS_LISTED},
        .ttl_ns = SL_TTL_DEFAULT_NS,
    };
    struct words words = {arguments};
    if (!parse_words(options, command, &words, error) || !sl_series_options_settle(options, error)) {
        return false;
    }
    if (options->flat && options->timeline) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "--flat and --timeline cannot be had together: a table of functions has no order of time");
    }
    return true;
}

void sl_options_destroy(struct sl_options *options)
{
    free(options->operands);
    free(options->hide.globs);
    free(options->show.globs);
    sl_series_options_destroy(&options->series);
}
