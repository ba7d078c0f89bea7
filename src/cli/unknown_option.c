#include "cli/unknown_option.h"

#include "cli/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What is said of it, at the longest "--secret-file or -s". */
enum { MEANT_SIZE = 80 };

/* Letters of Python's options, some of which are likely meant for it. */
static const char pythons[] = "bBdEIOPRsSuWxX";

static const char *nearest_name(enum sl_command_set command, const char *word)
{
    const char *names[64] = {NULL};
    unsigned count = 0;
    for (const struct sl_option *option = sl_option_table; option->name != NULL && count < 63; option++) {
        if ((option->commands & command) != 0) {
            names[count++] = option->name;
        }
    }
    return sl_nearest(word, names);
}

/* The word by which an option is told to do nothing; NULL: it has none. */
static const char *word_for_no(const char *name)
{
    for (const struct sl_option *option = sl_option_table; option->name != NULL; option++) {
        for (const char *const *word = option->words; word != NULL && *word != NULL; word++) {
            if (strcmp(option->name, name) == 0 && (strcmp(*word, "never") == 0 || strcmp(*word, "none") == 0)) {
                return *word;
            }
        }
    }
    return NULL;
}

static bool meant_by_name(enum sl_command_set command, const char *word, char meant[static MEANT_SIZE])
{
    const char *near = strncmp(word, "no-", 3) == 0 ? nearest_name(command, word + 3) : NULL;
    const char *no = near != NULL ? word_for_no(near) : NULL;
    if (no != NULL) {
        snprintf(meant, MEANT_SIZE, "--%s %s", near, no);
        return true;
    }
    near = nearest_name(command, word);
    if (near != NULL) {
        snprintf(meant, MEANT_SIZE, "--%s", near);
    }
    return near != NULL;
}

/* The letter in the other case, and the only option without a letter that begins with it. */
static bool meant_by_letter(enum sl_command_set command, char letter, char meant[static MEANT_SIZE])
{
    char other = 0;
    const char *begun = NULL;
    unsigned begun_count = 0;
    for (const struct sl_option *option = sl_option_table; option->name != NULL; option++) {
        if ((option->commands & command) == 0) {
            continue;
        }
        if (option->letter == 0 && option->name[0] == tolower((unsigned char)letter)) {
            begun = option->name;
            begun_count++;
        } else if (option->letter != 0 && option->letter == tolower((unsigned char)letter)) {
            other = option->letter;
        }
    }
    if (begun_count != 1) {
        begun = NULL;
    }
    const char other_word[] = {'-', other, '\0'};
    snprintf(meant, MEANT_SIZE, "%s%s%s%s", begun != NULL ? "--" : "", begun != NULL ? begun : "",
             begun != NULL && other != 0 ? " or " : "", other != 0 ? other_word : "");
    return meant[0] != '\0';
}

/* What stands behind `stacklapse` where options are for them. */
static const struct {
    enum sl_command_set set;
    const char *name;
} commands[] = {
    {SL_FOR_RUN, "script.py"}, {SL_FOR_ATTACH, "attach"},     {SL_FOR_DUMP, "dump"},
    {SL_FOR_TOP, "top"},       {SL_FOR_VIEW, "view"},         {SL_FOR_INFO, "info"},
    {SL_FOR_DIFF, "diff"},     {SL_FOR_REQUESTS, "requests"}, {SL_FOR_TOKEN, "token"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

bool sl_misplaced_option(enum sl_command_set command, const struct sl_option *option, const char *given,
                         struct sl_error *error)
{
    const char *takers[COMMANDS];
    size_t count = 0;
    for (size_t i = 0; i < COMMANDS; i++) {
        if ((option->commands & commands[i].set) != 0) {
            takers[count++] = commands[i].name;
        }
    }
    char names[160] = "";
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(names);
        const char *between = i == 0 ? "" : i + 1 < count ? ", " : " and ";
        snprintf(names + used, sizeof names - used, "%s%s", between, takers[i]);
    }
    return sl_error_set(error, SL_ERROR_USAGE, "%s is not an option of %s, but of stacklapse %s", given,
                        command == SL_FOR_RUN ? "a program that is started" : "this sub-command", names);
}

bool sl_unknown_option(enum sl_command_set command, const char *given, size_t size, struct sl_error *error)
{
    char word[64] = {0};
    memcpy(word, given, size < sizeof word ? size : sizeof word - 1);
    bool name = word[1] == '-';
    if (!name && command == SL_FOR_RUN && strchr(pythons, word[1]) != NULL) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "%s is not an option of stacklapse; options of Python go behind --, as in: "
                            "stacklapse -- python %s script.py",
                            word, word);
    }
    char meant[MEANT_SIZE];
    bool one_letter = !name && word[1] != '\0' && word[2] == '\0';
    if ((name && meant_by_name(command, word + strspn(word, "-"), meant)) ||
        (one_letter && meant_by_letter(command, word[1], meant))) {
        return sl_error_set(error, SL_ERROR_USAGE, "there is no option %s: did you mean %s?", word, meant);
    }
    return sl_error_set(error, SL_ERROR_USAGE, "there is no option %s; stacklapse --help lists what there is", word);
}
