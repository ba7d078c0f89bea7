#include "cli/requests_list.h"

#include "cli/command_line.h"
#include "render/json_writer.h"
#include "render/text_number.h"
#include "render/text_style.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A part of the request's duration, in thousandths. What was sampled may begin and end a little beside it. */
static uint64_t permille(const struct sl_request *request, uint64_t ns)
{
    uint64_t whole = request->duration_ns;
    if (ns >= whole) {
        return ns > 0 ? 1000 : 0;
    }
    return (uint64_t)(1000.0 * (double)ns / (double)whole + 0.5);
}

enum cell { NUMBER, TIME, STATUS, DURATION, CPU, WAIT, REASON, ROUTE };

/* A row's cells but the last, which takes what is left. */
struct cells {
    char text[ROUTE][SL_TEXT_NUMBER_SIZE];
};

static const struct cells titles = {{"N", "time", "status", "duration", "CPU", "wait", "kept"}};

static void share_text(const struct sl_request *request, uint64_t ns, char text[static SL_TEXT_NUMBER_SIZE])
{
    if (ns == SL_TIME_UNKNOWN) {
        snprintf(text, SL_TEXT_NUMBER_SIZE, "-");
    } else {
        snprintf(text, SL_TEXT_NUMBER_SIZE, "%" PRIu64 " %%", (permille(request, ns) + 5) / 10);
    }
}

static struct cells cells_of(const struct sl_request *request, bool unicode)
{
    struct cells cells = {0};
    snprintf(cells.text[NUMBER], SL_TEXT_NUMBER_SIZE, "%" PRIu64, request->number);
    time_t second = (time_t)(request->start_time_ns / 1000000000);
    struct tm date;
    if (localtime_r(&second, &date) == NULL ||
        strftime(cells.text[TIME], SL_TEXT_NUMBER_SIZE, "%Y-%m-%d %H:%M:%S", &date) == 0) {
        snprintf(cells.text[TIME], SL_TEXT_NUMBER_SIZE, "-");
    }
    snprintf(cells.text[STATUS], SL_TEXT_NUMBER_SIZE, request->status != 0 ? "%" PRIu32 : "-", request->status);
    sl_text_duration(request->duration_ns, unicode, cells.text[DURATION]);
    share_text(request, request->cpu_ns, cells.text[CPU]);
    share_text(request, request->wait_ns, cells.text[WAIT]);
    struct sl_buffer reason;
    sl_buffer_init(&reason);
    sl_text_fit(&reason, request->reason, strlen(request->reason), 10, SL_TEXT_CUT_END, unicode);
    snprintf(cells.text[REASON], SL_TEXT_NUMBER_SIZE, "%.*s", (int)reason.size,
             reason.bytes != NULL ? reason.bytes : "");
    sl_buffer_destroy(&reason);
    return cells;
}

static uint32_t columns_of(const char *text)
{
    return sl_text_columns(text, strlen(text));
}

static void widen(uint32_t widths[static ROUTE], const struct cells *cells)
{
    for (int i = 0; i < ROUTE; i++) {
        uint32_t columns = columns_of(cells->text[i]);
        widths[i] = columns > widths[i] ? columns : widths[i];
    }
}

/* All but the route. Numbers stand on the right of their column, words on the left. */
static void add_cells(struct sl_text_row *row, const uint32_t widths[static ROUTE], const struct cells *cells,
                      const enum sl_text_color colors[static ROUTE])
{
    for (int i = 0; i < ROUTE; i++) {
        uint32_t blank = widths[i] - columns_of(cells->text[i]);
        bool word = i == TIME || i == REASON;
        sl_text_row_space(row, (i == NUMBER ? 1 : 2) + (word ? 0 : blank));
        sl_text_row_add(row, colors[i], cells->text[i]);
        sl_text_row_space(row, word ? blank : 0);
    }
    sl_text_row_space(row, 2);
}

static void add_request(struct sl_text_row *row, const uint32_t widths[static ROUTE], const struct sl_request *request,
                        bool unicode)
{
    const enum sl_text_color colors[ROUTE] = {
        [NUMBER] = SL_TEXT_STRONG,
        [TIME] = SL_TEXT_QUIET,
        [STATUS] = request->status >= 500   ? SL_TEXT_RED
                   : request->status >= 400 ? SL_TEXT_YELLOW
                                            : SL_TEXT_PLAIN,
        [REASON] = SL_TEXT_QUIET,
    };
    struct cells cells = cells_of(request, unicode);
    add_cells(row, widths, &cells, colors);
    sl_text_row_fit(row, SL_TEXT_PLAIN, request->method, strlen(request->method), 12, SL_TEXT_CUT_END);
    sl_text_row_space(row, 1);
    sl_text_row_fit(row, SL_TEXT_STRONG, request->route, strlen(request->route), UINT32_MAX, SL_TEXT_CUT_MIDDLE);
}

static void add_end(struct sl_text_row *row, const struct sl_requests *requests, const char *folder,
                    struct sl_output *output)
{
    char shown[SL_TEXT_NUMBER_SIZE];
    char matching[SL_TEXT_NUMBER_SIZE];
    char all[SL_TEXT_NUMBER_SIZE];
    sl_text_count(requests->count, shown);
    sl_text_count(requests->matching, matching);
    sl_text_count(requests->kept, all);
    sl_text_row_end(row, output);
    if (requests->matching > requests->count && requests->matching < requests->kept) {
        sl_text_row_format(row, SL_TEXT_QUIET, " %s of %s that match, %s kept", shown, matching, all);
    } else {
        sl_text_row_format(row, SL_TEXT_QUIET, " %s of %s kept", shown, all);
    }
    sl_text_row_space(row, 5);
    struct sl_buffer word;
    struct sl_buffer clean;
    sl_buffer_init(&word);
    sl_buffer_init(&clean);
    sl_buffer_text(&word, "stacklapse requests ");
    sl_command_line_word(&word, folder);
    sl_buffer_text(&word, " N");
    if (!word.failed) {
        sl_text_clean(&clean, word.bytes, word.size, row->style->unicode);
    }
    sl_text_row_add(row, SL_TEXT_QUIET, "open one:  ");
    sl_text_row_add_whole(row, SL_TEXT_PLAIN, clean.bytes != NULL ? clean.bytes : "");
    sl_text_row_end(row, output);
    sl_buffer_destroy(&word);
    sl_buffer_destroy(&clean);
}

void sl_requests_write_table(const struct sl_requests *requests, const char *folder, const struct sl_terminal *terminal,
                             bool quiet, struct sl_output *output)
{
    /* What goes into a file or a pipe is not cut. */
    uint32_t width = terminal->is_terminal ? terminal->width : SL_TEXT_WIDTH_MAX;
    struct sl_text_style style = sl_text_style(terminal->color, terminal->unicode, width);
    uint32_t widths[ROUTE] = {0};
    widen(widths, &titles);
    for (uint32_t i = 0; i < requests->count; i++) {
        struct cells cells = cells_of(&requests->requests[i], style.unicode);
        widen(widths, &cells);
    }
    struct sl_text_row row;
    sl_text_row_init(&row, &style);
    const enum sl_text_color all_quiet[ROUTE] = {SL_TEXT_QUIET, SL_TEXT_QUIET, SL_TEXT_QUIET, SL_TEXT_QUIET,
                                                 SL_TEXT_QUIET, SL_TEXT_QUIET, SL_TEXT_QUIET};
    add_cells(&row, widths, &titles, all_quiet);
    sl_text_row_add(&row, SL_TEXT_QUIET, "route");
    sl_text_row_end(&row, output);
    for (uint32_t i = 0; i < requests->count; i++) {
        add_request(&row, widths, &requests->requests[i], style.unicode);
        sl_text_row_end(&row, output);
    }
    if (!quiet) {
        add_end(&row, requests, folder, output);
    }
    sl_text_row_destroy(&row);
}

static void write_known(struct sl_json *json, const char *key, uint64_t value)
{
    if (value == SL_TIME_UNKNOWN) {
        sl_json_null(json, key);
    } else {
        sl_json_unsigned(json, key, value);
    }
}

static void write_share(struct sl_json *json, const char *key, const struct sl_request *request, uint64_t ns)
{
    if (ns == SL_TIME_UNKNOWN) {
        sl_json_null(json, key);
    } else {
        sl_json_decimal(json, key, permille(request, ns), 3);
    }
}

void sl_requests_write_json(const struct sl_requests *requests, struct sl_output *output)
{
    struct sl_json json;
    sl_json_begin(&json, output);
    sl_json_open_object(&json, NULL);
    sl_json_unsigned(&json, "version", 1);
    sl_json_unsigned(&json, "kept", requests->kept);
    sl_json_unsigned(&json, "matching", requests->matching);
    sl_json_open_array(&json, "requests");
    for (uint32_t i = 0; i < requests->count; i++) {
        const struct sl_request *request = &requests->requests[i];
        sl_json_new_line(&json);
        sl_json_open_object(&json, NULL);
        sl_json_unsigned(&json, "number", request->number);
        sl_json_text(&json, "name", request->name);
        sl_json_unsigned(&json, "start_time_ns", request->start_time_ns);
        sl_json_text(&json, "method", request->method);
        sl_json_text(&json, "route", request->route);
        sl_json_unsigned(&json, "status", request->status);
        sl_json_unsigned(&json, "duration_ns", request->duration_ns);
        write_known(&json, "cpu_ns", request->cpu_ns);
        write_share(&json, "cpu_share", request, request->cpu_ns);
        write_known(&json, "wait_ns", request->wait_ns);
        write_share(&json, "wait_share", request, request->wait_ns);
        write_known(&json, "samples", request->samples);
        sl_json_text(&json, "reason", request->reason);
        sl_json_unsigned(&json, "bytes", request->bytes);
        sl_json_close_object(&json);
    }
    sl_json_close_array(&json);
    sl_json_close_object(&json);
    sl_output_text(output, "\n");
}
