/* main.c - the `stacklapse` command: finds the sub-command and hands it what was asked. */
#include "cli/command.h"

#include "base/output.h"
#include "cli/help.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const run_usages[] = {
    "[options] script.py [arguments]",
    "[options] -m module [arguments]",
    "[options] -c code [arguments]",
    "[options] -- command [arguments]",
    "attach [options] PID...",
    "dump [options] PID...",
    "top [options] PID...",
    "view [options] [FILE... | last | N]",
    "info [FILE... | last | N]",
    "diff [options] [BEFORE [AFTER]]",
    "requests [options] FOLDER [N]",
    "token [--ttl TIME]",
    NULL,
};
static const char *const attach_usages[] = {"attach [options] PID...", NULL};
static const char *const dump_usages[] = {"dump [options] PID...", NULL};
static const char *const top_usages[] = {"top [options] PID...", NULL};
static const char *const view_usages[] = {"view [options] [FILE... | last | N]", NULL};
static const char *const info_usages[] = {"info [FILE... | last | N]", NULL};
static const char *const diff_usages[] = {"diff [options] [BEFORE [AFTER]]", NULL};
static const char *const requests_usages[] = {"requests [options] FOLDER", "requests [options] FOLDER N", NULL};
static const char *const token_usages[] = {"token [--ttl TIME] [--secret-file FILE]", NULL};

const struct sl_command sl_commands[] = {
    {"run", SL_FOR_RUN, run_usages, "run a program and report where its time went (what stands for itself too)",
     sl_command_run},
    {"attach", SL_FOR_ATTACH, attach_usages, "look at programs that run already, until they end or Ctrl-C",
     sl_command_attach},
    {"dump", SL_FOR_DUMP, dump_usages, "print what every thread of a running program does now", sl_command_dump},
    {"top", SL_FOR_TOP, top_usages, "watch live in the terminal where the time of running programs goes",
     sl_command_top},
    {"view", SL_FOR_VIEW, view_usages, "show a recording again, with any of the options for reports", sl_command_view},
    {"info", SL_FOR_INFO, info_usages, "print what a recording holds, one `key: value` a line", sl_command_info},
    {"diff", SL_FOR_DIFF, diff_usages, "compare two recordings: which functions take more time now, or less",
     sl_command_diff},
    {"requests", SL_FOR_REQUESTS, requests_usages, "list the requests that a web application has kept, and open one",
     sl_command_requests},
    {"token", SL_FOR_TOKEN, token_usages, "make a token that lets a browser ask a web application for a profile",
     sl_command_token},
    {0},
};

static const struct sl_command *command_named(const char *name)
{
    for (const struct sl_command *command = sl_commands; command->name != NULL; command++) {
        if (name != NULL && strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}

static int print_version(void)
{
    struct sl_output output;
    struct sl_error error;
    sl_output_descriptor(&output, STDOUT_FILENO);
    sl_output_text(&output, "stacklapse " SL_VERSION "\n");
    if (!sl_output_close(&output, &error)) {
        sl_say_error(&error);
        return SL_EXIT_FAILED;
    }
    return SL_EXIT_DONE;
}

/* A limit on the size of files (ulimit -f) is told by an error code. Where a program is started, which gets its signals as
 * they are, relay.h sees to that. */
static void outlive_file_limit(const struct sl_command *command)
{
    if (command->set != SL_FOR_RUN) {
        signal(SIGXFSZ, SIG_IGN);
    }
}

/* Where one of the three was closed, what we open would come to be it, and be written to in its place. What is there now can
 * be used no more than what was not, and the program that is started does not get it. */
static void occupy_standard_descriptors(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) < 0) {
            (void)!open("/dev/null", (descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
        }
    }
}

int main(int argc, char **argv)
{
    occupy_standard_descriptors();
    const struct sl_command *command = command_named(argc > 1 ? argv[1] : NULL);
    char *const *arguments = argv + (command != NULL ? 2 : argc > 0);
    if (command == NULL) {
        command = &sl_commands[0];
    }
    outlive_file_limit(command);
    struct sl_options options;
    struct sl_error error = {0};
    int code;
    if (!sl_options_parse(&options, command->set, arguments, &error)) {
        sl_say_error(&error);
        code = command->set == SL_FOR_RUN ? SL_EXIT_NOT_STARTED : SL_EXIT_USAGE;
    } else if (options.help) {
        code = sl_help_print(command);
    } else if (options.version) {
        code = print_version();
    } else {
        code = command->run(&options);
    }
    sl_options_destroy(&options);
    return code;
}
