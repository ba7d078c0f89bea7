#include "cli/help.h"

#include "base/output.h"
#include "render/render.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Columns of the whole text, and in which the explanations begin. */
enum { WIDTH = 96, EXPLAINED_AT = 26 };

static const char *const group_titles[SL_GROUP_COUNT] = {
    [SL_GROUP_RECORDING] = "Recording",
    [SL_GROUP_SERIES] = "Recording on and on",
    [SL_GROUP_REQUESTS] = "Which requests",
    [SL_GROUP_TOKEN] = "The token",
    [SL_GROUP_OUTPUT] = "Where the report goes",
    [SL_GROUP_CONTENT] = "What the report shows",
    [SL_GROUP_OTHER] = "Other",
};

static const struct {
    const char *command;
    const char *explanation;
} examples[] = {
    {"stacklapse app.py --port 0", "run app.py with its own options, then print the report"},
    {"stacklapse -m pytest tests", "profile a module"},
    {"stacklapse -o report.html app.py", "write the report to a file, in the format it is named for"},
    {"stacklapse -i 100us app.py", "ten times finer, for a program that takes a moment only"},
    {"stacklapse attach 4242 -d 10s", "look at a program that runs already"},
    {"stacklapse attach 4242 --folder profiles", "record it on and on, every 15 s into a new file"},
    {"stacklapse dump 4242", "what each of its threads does now"},
    {"stacklapse top 4242", "watch where its time goes"},
    {"stacklapse view last --flat", "look at the last recording again, in another way"},
    {"stacklapse view 2 -r folded", "the one before it, for another tool"},
    {"stacklapse diff", "what differs between the last two recordings"},
};

/* `term` and beside it `text`, wrapped at words. */
static void explain(struct sl_output *output, const char *term, const char *text)
{
    int column = (int)strlen(term) + 2;
    sl_output_format(output, "  %s", term);
    if (column > EXPLAINED_AT - 2) {
        sl_output_text(output, "\n");
        column = 0;
    }
    sl_output_format(output, "%*s", EXPLAINED_AT - column, "");
    column = EXPLAINED_AT;
    while (*text != '\0') {
        int size = (int)strcspn(text, " ");
        if (column > EXPLAINED_AT && column + 1 + size > WIDTH) {
            sl_output_format(output, "\n%*s", EXPLAINED_AT, "");
            column = EXPLAINED_AT;
        } else if (column > EXPLAINED_AT) {
            sl_output_text(output, " ");
            column++;
        }
        sl_output_write(output, text, (size_t)size);
        column += size;
        text += size;
        text += strspn(text, " ");
    }
    sl_output_text(output, "\n");
}

static void print_usage(struct sl_output *output, const struct sl_command *command)
{
    for (const char *const *usage = command->usages; *usage != NULL; usage++) {
        sl_output_format(output, "%s stacklapse %s\n", usage == command->usages ? "usage:" : "      ", *usage);
    }
}

static void print_options(struct sl_output *output, unsigned set)
{
    for (int group = 0; group < SL_GROUP_COUNT; group++) {
        bool titled = false;
        for (const struct sl_option *option = sl_option_table; option->name != NULL; option++) {
            if ((int)option->group != group || (option->commands & set) == 0) {
                continue;
            }
            if (!titled) {
                sl_output_format(output, "\n%s\n", group_titles[group]);
                titled = true;
            }
            char letter[5] = "";
            char term[80];
            if (option->letter != 0) {
                snprintf(letter, sizeof letter, "-%c, ", option->letter);
            }
            snprintf(term, sizeof term, "%s--%s%s%s", letter, option->name, option->value != NULL ? " " : "",
                     option->value != NULL ? option->value : "");
            explain(output, term, option->help);
        }
    }
}

/* Those that write comparisons, or all. */
static void print_renderers(struct sl_output *output, bool comparing)
{
    sl_output_text(output, "\nFormats\n");
    for (const struct sl_renderer *renderer = sl_renderers; renderer->name != NULL; renderer++) {
        if (comparing && renderer->compare == NULL) {
            continue;
        }
        struct sl_buffer text;
        sl_buffer_init(&text);
        sl_buffer_format(&text, "for %s", renderer->reader);
        for (const char *const *extension = renderer->extensions; *extension != NULL; extension++) {
            sl_buffer_format(&text, "%s%s", extension == renderer->extensions ? "; " : ", ", *extension);
        }
        explain(output, renderer->name, text.failed ? "" : text.bytes);
        sl_buffer_destroy(&text);
    }
}

int sl_help_print(const struct sl_command *command)
{
    struct sl_output output;
    sl_output_descriptor(&output, STDOUT_FILENO);
    bool whole = command->set == SL_FOR_RUN;
    if (whole) {
        sl_output_text(&output,
                       "stacklapse shows where the time of a Python program goes, without changing the program "
                       "or slowing it down.\n\n");
    } else {
        sl_output_format(&output, "stacklapse %s: %s\n\n", command->name, command->summary);
    }
    print_usage(&output, command);
    if (whole) {
        sl_output_text(&output, "\nSub-commands (each has its own --help)\n");
        for (const struct sl_command *other = sl_commands; other->name != NULL; other++) {
            explain(&output, other->name, other->summary);
        }
    }
    print_options(&output, command->set);
    if ((command->set & (SL_FOR_RUN | SL_FOR_ATTACH | SL_FOR_VIEW | SL_FOR_REQUESTS | SL_FOR_DIFF)) != 0) {
        print_renderers(&output, command->set == SL_FOR_DIFF);
    }
    if (whole) {
        sl_output_text(&output, "\nExamples\n");
        for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
            sl_output_format(&output, "  %-34s %s\n", examples[i].command, examples[i].explanation);
        }
        sl_output_text(&output, "\nThe exit code is the program's (128 + n when signal n killed it), or 125 when it "
                                "could not be started.\nMore: man stacklapse\n");
    }
    struct sl_error error;
    if (!sl_output_close(&output, &error)) {
        sl_say_error(&error);
        return SL_EXIT_FAILED;
    }
    return SL_EXIT_DONE;
}
