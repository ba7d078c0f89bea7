/* view.c - `stacklapse view`: a recording again, in another way. */
#include "cli/view.h"

#include "base/buffer.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/interrupt.h"
#include "cli/recording_input.h"

#include <unistd.h>

/* Of more files than this nobody wants to read the names. */
enum { NAMED_MAX = 4 };

static int show(const struct sl_report *report, const struct sl_options *options, struct sl_recording_input *input)
{
    struct sl_error error = {0};
    struct sl_buffer name;
    if (!sl_recording_input_has_mode(input, options)) {
        sl_recording_input_close(input);
        return SL_EXIT_FAILED;
    }
    int code = input->partial ? SL_EXIT_FAILED : SL_EXIT_DONE;
    sl_interrupt_arm(0);
    sl_buffer_init(&name);
    /* A file that is written is read when another one is the last. */
    sl_command_line_file(&name, report->path != NULL ? input->path : input->name);
    for (size_t i = 0; i < input->more_count; i++) {
        sl_buffer_byte(&name, ' ');
        sl_command_line_file(&name, report->path != NULL ? input->more[i].path : input->more[i].name);
    }
    if (options->verbose) {
        sl_say("recording: %s", input->path);
    }
    struct sl_report with_trace = *report;
    with_trace.trace = &input->trace;
    const char *again = input->more_count < NAMED_MAX ? name.bytes : NULL;
    if (!sl_report_write(&with_trace, options, input->path, again, input->profile, &error)) {
        sl_say_error(&error);
        code = SL_EXIT_FAILED;
    }
    sl_buffer_destroy(&name);
    sl_recording_input_close(input);
    return code;
}

int sl_view(const struct sl_report *report, const struct sl_options *options, const char *name)
{
    struct sl_recording_input input;
    int code = sl_recording_input_open_named(&input, name, report->renderer == NULL);
    return code == SL_EXIT_DONE ? show(report, options, &input) : code;
}

int sl_command_view(const struct sl_options *options)
{
    struct sl_error error = {0};
    struct sl_report report;
    if (!sl_report_plan(&report, options, STDOUT_FILENO, &error)) {
        sl_say_error(&error);
        return error.kind == SL_ERROR_USAGE ? SL_EXIT_USAGE : SL_EXIT_FAILED;
    }
    struct sl_recording_input input;
    int code = sl_recording_input_open(&input, options, report.renderer == NULL);
    return code == SL_EXIT_DONE ? show(&report, options, &input) : code;
}
