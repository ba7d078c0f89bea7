/* diff.c - `stacklapse diff`: what differs between two recordings. */
#include "base/buffer.h"
#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/interrupt.h"
#include "cli/recording_input.h"
#include "cli/report.h"

#include <unistd.h>

static int write_difference(struct sl_report *report, const struct sl_options *options,
                            const struct sl_recording_input *before, const struct sl_recording_input *after)
{
    struct sl_error error = {0};
    struct sl_buffer names;
    int code = SL_EXIT_DONE;
    sl_interrupt_arm(0);
    sl_buffer_init(&names);
    /* A file that is written is read when others are the last. */
    sl_command_line_file(&names, report->path != NULL ? before->path : before->name);
    sl_buffer_byte(&names, ' ');
    sl_command_line_file(&names, report->path != NULL ? after->path : after->name);
    report->before = before->profile;
    if (!sl_report_write(report, options, after->path, names.bytes, after->profile, &error)) {
        sl_say_error(&error);
        code = SL_EXIT_FAILED;
    }
    sl_buffer_destroy(&names);
    return code;
}

/* Whether the output is one for differences. Says so if not. */
static bool may_compare(const struct sl_report *report)
{
    if (report->renderer != NULL && report->renderer->compare != NULL) {
        return true;
    }
    struct sl_buffer names;
    sl_buffer_init(&names);
    for (const struct sl_renderer *renderer = sl_renderers; renderer->name != NULL; renderer++) {
        if (renderer->compare != NULL) {
            sl_buffer_format(&names, "%s%s", names.size > 0 ? ", " : "", renderer->name);
        }
    }
    sl_say("what differs between two recordings cannot be written as %s; as these it can: %s",
           report->renderer != NULL ? report->renderer->name : "a recording", names.bytes != NULL ? names.bytes : "");
    sl_buffer_destroy(&names);
    return false;
}

int sl_command_diff(const struct sl_options *options)
{
    struct sl_error error = {0};
    struct sl_report report;
    if (options->operand_count > 2) {
        sl_say("two recordings at a time, not also '%s'", options->operands[2]);
        return SL_EXIT_USAGE;
    }
    if (!sl_report_plan(&report, options, STDOUT_FILENO, &error)) {
        sl_say_error(&error);
        return error.kind == SL_ERROR_USAGE ? SL_EXIT_USAGE : SL_EXIT_FAILED;
    }
    if (!may_compare(&report)) {
        return SL_EXIT_USAGE;
    }
    struct sl_recording_input before;
    struct sl_recording_input after;
    int code = sl_recording_input_open_named(&before, options->operand_count > 0 ? options->operands[0] : "2", false);
    if (code != SL_EXIT_DONE) {
        return code;
    }
    code = sl_recording_input_open_named(&after, options->operand_count > 1 ? options->operands[1] : "last", false);
    if (code == SL_EXIT_DONE) {
        bool has_mode = sl_recording_input_has_mode(&before, options) && sl_recording_input_has_mode(&after, options);
        code = has_mode ? write_difference(&report, options, &before, &after) : SL_EXIT_FAILED;
        sl_recording_input_close(&after);
    }
    sl_recording_input_close(&before);
    return code;
}
