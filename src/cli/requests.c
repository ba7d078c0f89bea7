/* requests.c - `stacklapse requests`: what a web application has kept of its requests, and one of them opened. */
#include "cli/command.h"

#include "base/output.h"
#include "cli/report_options.h"
#include "cli/requests_list.h"
#include "cli/terminal.h"
#include "cli/view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool asks_for_a_list(const struct sl_options *options)
{
    const struct sl_request_query *query = &options->requests;
    return options->json || query->order != SL_REQUESTS_NEWEST || query->route != NULL || query->status_last != 0 ||
           query->slower_ns != 0 || query->limit != SL_REQUESTS_LISTED;
}

static int open_one(const struct sl_options *options)
{
    struct sl_error error = {0};
    struct sl_report report;
    if (!sl_report_plan(&report, options, STDOUT_FILENO, &error)) {
        sl_say_error(&error);
        return error.kind == SL_ERROR_USAGE ? SL_EXIT_USAGE : SL_EXIT_FAILED;
    }
    struct sl_request_file file;
    int code = SL_EXIT_FAILED;
    if (sl_request_find(&file, options->operands[0], options->operands[1], &error)) {
        report.title = file.title;
        code = sl_view(&report, options, file.path);
    } else {
        sl_say_error(&error);
    }
    sl_request_file_destroy(&file);
    return code;
}

static int write_list(const struct sl_requests *requests, const struct sl_options *options)
{
    if (requests->count == 0 && !options->json && !options->quiet) {
        if (requests->kept == 0) {
            sl_say("no request is kept in %s yet", options->operands[0]);
        } else {
            sl_say("none of the %" PRIu64 " requests in %s is like that", requests->kept, options->operands[0]);
        }
    }
    struct sl_output output;
    struct sl_error error;
    sl_output_descriptor(&output, STDOUT_FILENO);
    if (options->json) {
        sl_requests_write_json(requests, &output);
    } else if (requests->count > 0) {
        struct sl_terminal terminal = sl_terminal_look(STDOUT_FILENO, options->color);
        sl_requests_write_table(requests, options->operands[0], &terminal, options->quiet, &output);
    }
    if (!sl_output_close(&output, &error)) {
        sl_say_error(&error);
        return SL_EXIT_FAILED;
    }
    return SL_EXIT_DONE;
}

static int list(const struct sl_options *options)
{
    struct sl_error error = {0};
    struct sl_requests requests;
    int code = SL_EXIT_FAILED;
    if (sl_requests_read(&requests, options->operands[0], &options->requests, &error)) {
        code = write_list(&requests, options);
    } else {
        sl_say_error(&error);
    }
    sl_requests_destroy(&requests);
    return code;
}

int sl_command_requests(const struct sl_options *options)
{
    if (options->operand_count == 0) {
        sl_say("name the folder in which the requests are kept: stacklapse requests FOLDER");
        return SL_EXIT_USAGE;
    }
    if (options->operand_count > 2) {
        sl_say("one request at a time, not also '%s'", options->operands[2]);
        return SL_EXIT_USAGE;
    }
    if (options->operand_count == 2) {
        if (asks_for_a_list(options)) {
            sl_say("--json, --sort, --route, --status, --slower and --limit are for the list, not for one request; "
                   "-r json writes its report as JSON");
            return SL_EXIT_USAGE;
        }
        return open_one(options);
    }
    if (sl_report_option_given(options) != NULL || options->main_thread_only) {
        sl_say("options for a report are for one request: stacklapse requests FOLDER N; --json lists them as JSON");
        return SL_EXIT_USAGE;
    }
    return list(options);
}
