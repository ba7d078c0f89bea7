/* view.c - `stacklapse view`: a recording again, in another way. */
#include "cli/command.h"

#include "base/buffer.h"
#include "cli/command_line.h"
#include "cli/interrupt.h"
#include "cli/recording_input.h"
#include "cli/recordings.h"
#include "cli/report.h"

#include <unistd.h>

int sl_command_view(const struct sl_options *options)
{
    struct sl_error error = {0};
    struct sl_report report;
    if (!sl_report_plan(&report, options, STDOUT_FILENO, &error)) {
        sl_say_error(&error);
        return error.kind == SL_ERROR_USAGE ? SL_EXIT_USAGE : SL_EXIT_FAILED;
    }
    struct sl_recording_input input;
    int code = sl_recording_input_open(&input, options);
    if (code != SL_EXIT_DONE) {
        return code;
    }
    sl_interrupt_arm(0);
    struct sl_buffer name;
    sl_buffer_init(&name);
    sl_command_line_word(&name, input.name);
    if (options->verbose) {
        sl_say("recording: %s", input.path);
    }
    if (!sl_report_write(&report, options, input.path, name.bytes, input.profile, &error)) {
        sl_say_error(&error);
        code = SL_EXIT_FAILED;
    }
    sl_buffer_destroy(&name);
    sl_recording_input_close(&input);
    return code;
}
