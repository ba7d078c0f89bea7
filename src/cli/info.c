/* info.c - `stacklapse info`: the facts of a recording, one `key: value` a line. Times are in seconds, so that a script
 * reads the number in front of the unit. Keys are only ever added. */
#include "cli/command.h"

#include "analysis/selection.h"
#include "base/output.h"
#include "cli/recording_input.h"
#include "cli/terminal.h"
#include "render/text_unicode.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void print_count(struct sl_output *output, const char *key, uint64_t count)
{
    sl_output_format(output, "%s: %" PRIu64 "\n", key, count);
}

static void print_time(struct sl_output *output, const char *key, uint64_t time_ns)
{
    sl_output_format(output, "%s: %" PRIu64 ".%09" PRIu64 " s\n", key, time_ns / 1000000000, time_ns % 1000000000);
}

/* A value stays on its line and cannot act on a terminal. */
static void print_text(struct sl_output *output, const char *text, size_t size, bool unicode)
{
    struct sl_buffer clean;
    sl_buffer_init(&clean);
    sl_text_clean(&clean, text, size, unicode);
    sl_output_write(output, clean.bytes, clean.size);
    output->pending.failed |= clean.failed;
    sl_buffer_destroy(&clean);
}

/* The distinct texts of all processes, of those that have one, with a comma between them. */
static void print_texts(struct sl_output *output, const struct sl_profile *profile, const char *key, bool unicode,
                        sl_string (*text_of)(const struct sl_process_record *process))
{
    sl_output_format(output, "%s:", key);
    const char *separator = " ";
    for (uint32_t i = 0; i < profile->process_count; i++) {
        sl_string text = text_of(&profile->processes[i]);
        bool seen = sl_profile_text_size(profile, text) == 0;
        /* Of many processes only the first are compared, so that this stays linear. */
        for (uint32_t j = 0; j < i && j < 64 && !seen; j++) {
            seen = text_of(&profile->processes[j]) == text;
        }
        if (!seen) {
            sl_output_text(output, separator);
            print_text(output, sl_profile_text(profile, text), sl_profile_text_size(profile, text), unicode);
            separator = ", ";
        }
    }
    sl_output_text(output, "\n");
}

static sl_string command_of(const struct sl_process_record *process)
{
    return process->command;
}

static sl_string python_of(const struct sl_process_record *process)
{
    return process->python;
}

static sl_string executable_of(const struct sl_process_record *process)
{
    return process->executable;
}

static void print_start(struct sl_output *output, uint64_t start_time_ns)
{
    time_t second = (time_t)(start_time_ns / 1000000000);
    struct tm date;
    char text[40];
    if (gmtime_r(&second, &date) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &date) > 0) {
        sl_output_format(output, "start: %s.%03uZ\n", text, (unsigned)(start_time_ns / 1000000 % 1000));
    }
}

static void print_truth(struct sl_output *output, const char *key, bool truth)
{
    sl_output_format(output, "%s: %s\n", key, truth ? "yes" : "no");
}

/* How it was recorded. Folded stacks do not tell that. */
static void print_recording(struct sl_output *output, const struct sl_profile *profile)
{
    const struct sl_facts *facts = &profile->facts;
    print_time(output, "cpu_time", facts->cpu_ns);
    print_time(output, "children_cpu_time", facts->children_cpu_ns);
    print_time(output, "interval", facts->interval_ns);
    print_truth(output, "interval_varies", sl_is_uneven(profile));
    print_count(output, "looks", facts->looks);
    print_count(output, "samples", facts->samples);
    print_count(output, "missed", facts->missed);
    print_count(output, "broken", facts->broken);
    print_count(output, "retried", facts->retried);
    print_count(output, "late", facts->late);
    print_time(output, "sampler_cpu", facts->sampler_cpu_ns);
}

/* The files that it was read from. */
static void print_paths(struct sl_output *output, const struct sl_recording_input *input, bool unicode)
{
    sl_output_text(output, "recording: ");
    print_text(output, input->path, strlen(input->path), unicode);
    for (size_t i = 0; i < input->more_count; i++) {
        sl_output_text(output, ", ");
        print_text(output, input->more[i].path, strlen(input->more[i].path), unicode);
    }
    sl_output_text(output, "\n");
}

static void print_facts(struct sl_output *output, const struct sl_recording_input *input, bool unicode)
{
    const struct sl_profile *profile = input->profile;
    const struct sl_facts *facts = &profile->facts;
    size_t size = sl_profile_text_size(profile, facts->command);
    if (size > 0) {
        sl_output_text(output, "command: ");
        print_text(output, sl_profile_text(profile, facts->command), size, unicode);
        sl_output_text(output, "\n");
    } else {
        print_texts(output, profile, "command", unicode, command_of);
    }
    print_texts(output, profile, "python", unicode, python_of);
    print_texts(output, profile, "executable", unicode, executable_of);
    bool folded = sl_profile_is_folded(profile);
    if (!folded) {
        print_start(output, facts->start_time_ns);
    }
    print_time(output, "duration", facts->duration_ns);
    if (!folded) {
        print_recording(output, profile);
    }
    print_count(output, "processes", profile->process_count);
    print_count(output, "threads", profile->thread_count);
    /* Number 0 of each is the empty one. */
    print_count(output, "functions", profile->function_count > 0 ? profile->function_count - 1 : 0);
    print_count(output, "stacks", profile->stack_count > 0 ? profile->stack_count - 1 : 0);
    print_truth(output, "complete", facts->complete);
    print_count(output, "lost_bytes", facts->lost_bytes);
    if (!folded) {
        print_count(output, "bytes", facts->trace_bytes);
        sl_output_text(output, "version: ");
        print_text(output, sl_profile_text(profile, facts->version), sl_profile_text_size(profile, facts->version),
                   unicode);
        sl_output_text(output, "\n");
    }
    print_paths(output, input, unicode);
}

int sl_command_info(const struct sl_options *options)
{
    struct sl_recording_input input;
    int code = sl_recording_input_open(&input, options, false);
    if (code != SL_EXIT_DONE) {
        return code;
    }
    struct sl_output output;
    struct sl_error error;
    sl_output_descriptor(&output, STDOUT_FILENO);
    /* Whoever reads it through a pipe gets letters as they are, whatever the locale. */
    struct sl_terminal terminal = sl_terminal_look(STDOUT_FILENO, options->color);
    print_facts(&output, &input, !terminal.is_terminal || terminal.unicode);
    code = input.partial ? SL_EXIT_FAILED : code;
    if (!sl_output_close(&output, &error)) {
        sl_say_error(&error);
        code = SL_EXIT_FAILED;
    }
    sl_recording_input_close(&input);
    return code;
}
