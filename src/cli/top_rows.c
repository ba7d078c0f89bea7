#include "cli/top_rows.h"

#include "cli/top_head.h"
#include "render/render.h"
#include "render/state_word.h"
#include "render/text_parts.h"

#include <stdio.h>
#include <string.h>

/* Below this there is no room for what was since the start, below that none for the total. */
enum { WIDTH_FOR_ALL = 72, WIDTH_FOR_TOTAL = 46, WIDTH_FOR_WAITS = 60 };

/* Columns of a thread's name. */
enum { THREAD_COLUMNS = 24 };

enum { TIME_COLUMNS = 11 };

static const char *const help[] = {
    "",
    "  up down PgUp PgDn    choose a row; also j k g G",
    "  Enter                of a function: its stacks; of a thread: its functions",
    "  Esc                  back; takes filter and thread away",
    "  Tab                  functions or threads",
    "  /                    list only functions with this text in name or path",
    "  s t S T n            order: self, total; since the start; by name",
    "  + -                  the last seconds are more or fewer",
    "  m                    count all time, time on a CPU or ready for one, or time holding the GIL",
    "  l                    list functions of libraries, or not",
    "  i                    count threads that only wait, or not",
    "  a                    stacks of the last seconds, or since the start",
    "  space                pause the view; recording goes on",
    "  Ctrl-L               draw the screen anew",
    "  q                    quit",
};
enum { HELP_COUNT = sizeof help / sizeof help[0] };

static uint64_t on_function(const void *context, uint32_t row)
{
    const struct sl_top_numbers *numbers = context;
    return numbers->functions[row].function;
}

static uint64_t on_thread(const void *context, uint32_t row)
{
    const struct sl_top_numbers *numbers = context;
    return numbers->threads[row].id;
}

/* `45.2%`, in seven columns with the space before it. */
static void add_share(struct sl_text *text, uint64_t ns, uint64_t whole_ns, bool colored)
{
    double share = whole_ns > 0 ? (double)ns / (double)whole_ns : 0;
    sl_text_row_format(&text->row, colored ? sl_text_color_of_share(share) : SL_TEXT_QUIET, "%6.1f%%", share * 100);
}

static void add_time(struct sl_text *text, uint64_t ns)
{
    char time[SL_TEXT_NUMBER_SIZE];
    sl_text_duration(ns, text->style.unicode, time);
    uint32_t columns = sl_text_columns(time, strlen(time));
    sl_text_row_space(&text->row, columns < TIME_COLUMNS ? TIME_COLUMNS - columns : 1);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, time);
}

/* A title right above its column, underlined by its colour where it is the order of the rows. */
static void add_title(struct sl_text *text, uint32_t columns, const char *title, bool is_order)
{
    uint32_t size = (uint32_t)strlen(title);
    sl_text_row_space(&text->row, columns > size ? columns - size : 1);
    sl_text_row_add(&text->row, is_order ? SL_TEXT_STRONG : SL_TEXT_QUIET, title);
}

/* Pages */

static void write_function_titles(struct sl_text *text, const struct sl_top_view *view)
{
    add_title(text, 7, "self", view->order == SL_TOP_BY_SELF);
    if (text->style.width >= WIDTH_FOR_TOTAL) {
        add_title(text, 7, "total", view->order == SL_TOP_BY_TOTAL);
    }
    if (text->style.width >= WIDTH_FOR_ALL) {
        add_title(text, TIME_COLUMNS, "all self", view->order == SL_TOP_BY_ALL_SELF);
        add_title(text, TIME_COLUMNS, "all total", view->order == SL_TOP_BY_ALL_TOTAL);
    }
    sl_text_row_space(&text->row, 2);
    sl_text_row_add(&text->row, view->order == SL_TOP_BY_NAME ? SL_TEXT_STRONG : SL_TEXT_QUIET, "function");
    sl_text_row_end(&text->row, text->output);
}

static void write_function(struct sl_text *text, const struct sl_top_numbers *numbers, uint32_t row)
{
    const struct sl_top_function *function = &numbers->functions[row];
    add_share(text, function->self.ns, numbers->recent_ns, true);
    if (text->style.width >= WIDTH_FOR_TOTAL) {
        add_share(text, function->total.ns, numbers->recent_ns, false);
    }
    if (text->style.width >= WIDTH_FOR_ALL) {
        add_time(text, function->all_self.ns);
        add_time(text, function->all_total.ns);
    }
    sl_text_row_space(&text->row, 2);
    sl_text_function(text, function->function, NULL, sl_state_word(function->state));
    sl_text_row_end(&text->row, text->output);
}

static void write_thread_titles(struct sl_text *text)
{
    add_title(text, 7, "runs", false);
    add_title(text, 7, "GIL", false);
    if (text->style.width >= WIDTH_FOR_WAITS) {
        add_title(text, 9, "for GIL", false);
    }
    sl_text_row_space(&text->row, 2);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, "thread");
    sl_text_row_space(&text->row, THREAD_COLUMNS - 6 + 1);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, "now in");
    sl_text_row_end(&text->row, text->output);
}

/* `4712 worker-1`, `4711 main`, `4713 serve` (a function's name, where it has none of its own). */
static void add_thread_name(struct sl_text *text, const struct sl_top_thread *thread)
{
    const struct sl_profile *profile = text->profile;
    uint32_t begin = text->row.columns;
    sl_text_row_format(&text->row, SL_TEXT_QUIET, "%llu ", (unsigned long long)thread->id);
    uint32_t used = text->row.columns - begin;
    uint32_t room = used < THREAD_COLUMNS ? THREAD_COLUMNS - used : 1;
    sl_string name = thread->name;
    if (name == SL_NONE && !thread->main && thread->first_function != SL_NONE) {
        name = profile->functions[thread->first_function].name;
    }
    if (name != SL_NONE) {
        sl_text_row_fit(&text->row, SL_TEXT_STRONG, sl_profile_text(profile, name), sl_profile_text_size(profile, name),
                        room, SL_TEXT_CUT_MIDDLE);
    } else {
        sl_text_row_add(&text->row, SL_TEXT_STRONG, thread->main ? "main" : "");
    }
    used = text->row.columns - begin;
    sl_text_row_space(&text->row, used < THREAD_COLUMNS ? THREAD_COLUMNS - used : 0);
}

static void write_thread(struct sl_text *text, const struct sl_top_numbers *numbers, uint32_t row)
{
    const struct sl_top_thread *thread = &numbers->threads[row];
    add_share(text, thread->cpu_ns, numbers->recent_ns, true);
    add_share(text, thread->gil_ns, numbers->recent_ns, false);
    if (text->style.width >= WIDTH_FOR_WAITS) {
        sl_text_row_space(&text->row, 2);
        add_share(text, thread->waits_gil_ns, numbers->recent_ns, false);
    }
    sl_text_row_space(&text->row, 2);
    add_thread_name(text, thread);
    sl_text_row_space(&text->row, 1);
    if (thread->ended) {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, "[ended]");
    } else if (thread->function != SL_NONE) {
        sl_text_function(text, thread->function, NULL, sl_state_word(thread->state));
    }
    sl_text_row_end(&text->row, text->output);
}

/* What the text report says of the function's stacks, as rows of its own. */
static bool render_stacks(struct sl_text *text, struct sl_top_numbers *numbers, const struct sl_top_rows *rows,
                          const struct sl_top_view *view, struct sl_output *report, bool *recent)
{
    struct sl_render_options options = sl_render_defaults(text->profile);
    if (!sl_top_numbers_stacks(numbers, view, &options.selection, recent)) {
        return false;
    }
    options.roles = *rows->roles;
    options.roles.show_all = !view->own_only;
    options.color = rows->color;
    options.unicode = rows->unicode;
    options.width = rows->columns;
    options.short_form = true;
    return sl_renderer_named("text")->render(text->profile, &options, report, NULL);
}

static uint32_t count_rows(const char *text)
{
    uint32_t count = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++) {
        count++;
    }
    return count;
}

/* Row `first` of `text` and as many behind it as are shown. */
static void copy_rows(struct sl_output *output, const char *text, uint32_t first, uint32_t count)
{
    for (; first > 0 && (text = strchr(text, '\n')) != NULL; first--) {
        text++;
    }
    for (; count > 0 && text != NULL && *text != '\0'; count--) {
        size_t size = strcspn(text, "\n");
        sl_output_write(output, text, size);
        sl_output_text(output, "\n");
        text += size + (text[size] == '\n');
    }
}

static bool write_stacks(struct sl_text *text, struct sl_top_numbers *numbers, const struct sl_top_rows *rows,
                         struct sl_top_view *view, struct sl_top_choice *choice)
{
    struct sl_output report;
    sl_output_memory(&report);
    bool recent;
    bool done = render_stacks(text, numbers, rows, view, &report, &recent) && !report.pending.failed;
    if (done) {
        const char *bytes = report.pending.bytes != NULL ? report.pending.bytes : "";
        /* Its head says what is said above. */
        const char *body = strstr(bytes, "\n\n");
        bytes = body != NULL ? body + 2 : bytes;
        choice->rows = count_rows(bytes);
        sl_top_view_follow(view, choice);
        sl_top_head_stacks(text, view->focus, recent ? numbers->recent_ns : 0);
        copy_rows(text->output, bytes, view->at.first, choice->rows_shown);
    }
    sl_output_abandon(&report);
    return done;
}

static void write_help(struct sl_text *text, struct sl_top_view *view, struct sl_top_choice *choice)
{
    choice->rows = HELP_COUNT;
    sl_top_view_follow(view, choice);
    sl_text_line(text, SL_TEXT_STRONG, " keys");
    for (uint32_t i = view->at.first; i < HELP_COUNT && i < view->at.first + choice->rows_shown; i++) {
        sl_text_line(text, SL_TEXT_PLAIN, help[i]);
    }
}

static void write_list(struct sl_text *text, struct sl_top_numbers *numbers, struct sl_top_view *view,
                       struct sl_top_choice *choice, uint32_t *marked)
{
    bool threads = view->page == SL_TOP_THREADS;
    choice->rows = threads ? numbers->thread_count : numbers->function_count;
    choice->on = threads ? on_thread : on_function;
    choice->context = numbers;
    sl_top_view_follow(view, choice);
    if (threads) {
        write_thread_titles(text);
    } else {
        write_function_titles(text, view);
    }
    for (uint32_t i = view->at.first; i < choice->rows && i < view->at.first + choice->rows_shown; i++) {
        if (threads) {
            write_thread(text, numbers, i);
        } else {
            write_function(text, numbers, i);
        }
    }
    *marked = choice->rows > 0 ? 1 + view->at.cursor - view->at.first : UINT32_MAX;
    if (choice->rows == 0) {
        sl_text_line(text, SL_TEXT_QUIET, numbers->all.end_ns == 0 ? "  nothing was seen yet" : "  nothing");
    }
}

bool sl_top_rows_make(const struct sl_top_rows *rows, struct sl_top_numbers *numbers, struct sl_top_view *view,
                      struct sl_top_choice *choice, struct sl_top_screenful *screenful)
{
    /* The title of the page is always there; what is around it goes in a low terminal. */
    uint32_t head = rows->rows >= 10 ? SL_TOP_HEAD_ROWS : rows->rows >= 6 ? 1 : 0;
    uint32_t foot = rows->rows >= 8 ? 1 : 0;
    struct sl_output *output = &screenful->text;
    sl_output_memory(output);
    *choice = (struct sl_top_choice){.rows_shown = rows->rows > head + foot + 1 ? rows->rows - head - foot - 1 : 1};
    struct sl_text text = {
        .profile = numbers->profile,
        .output = output,
        .roles = numbers->roles,
        .style = sl_text_style(rows->color, rows->unicode, rows->columns),
    };
    sl_arena_init(&text.arena);
    sl_text_row_init(&text.row, &text.style);
    sl_top_head_write(&text, rows, numbers, view, head);
    uint32_t marked = UINT32_MAX;
    bool done = true;
    if (view->page == SL_TOP_HELP) {
        write_help(&text, view, choice);
    } else if (view->page == SL_TOP_STACKS) {
        done = write_stacks(&text, numbers, rows, view, choice);
    } else {
        write_list(&text, numbers, view, choice, &marked);
    }
    uint32_t written = done && output->pending.bytes != NULL ? count_rows(output->pending.bytes) : 0;
    for (; foot > 0 && written < rows->rows - 1; written++) {
        sl_text_blank_line(&text);
    }
    if (foot > 0) {
        sl_top_head_foot(&text, view);
    }
    screenful->marked = marked != UINT32_MAX ? head + marked : UINT32_MAX;
    done = done && !output->pending.failed && !text.arena.exhausted;
    sl_text_row_destroy(&text.row);
    sl_arena_reset(&text.arena);
    return done;
}
