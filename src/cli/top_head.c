#include "cli/top_head.h"

#include "render/labels.h"

#include <stdio.h>
#include <string.h>

/* Where more than this part of the looks failed, the fact is told. */
static const double worrying = 0.01;

static void add_dot(struct sl_text *text)
{
    sl_text_row_add(&text->row, SL_TEXT_QUIET, text->style.signs->dot);
}

static void end_row(struct sl_text *text)
{
    sl_text_row_end(&text->row, text->output);
}

/* The first process from `first` on that has not ended; as many as there are when all have. */
static uint32_t next_alive(const struct sl_profile *profile, uint32_t first)
{
    while (first < profile->process_count && profile->processes[first].end_ns != profile->facts.duration_ns) {
        first++;
    }
    return first;
}

/* Whose process it is. */
static void write_process(struct sl_text *text)
{
    const struct sl_profile *profile = text->profile;
    sl_text_row_add(&text->row, SL_TEXT_QUIET, " stacklapse top  ");
    if (profile->process_count > 0) {
        uint32_t alive = next_alive(profile, 0);
        const struct sl_process_record *process = &profile->processes[alive < profile->process_count ? alive : 0];
        sl_text_row_format(&text->row, SL_TEXT_PLAIN, "%u", process->pid);
        uint32_t others = 0;
        while ((alive = next_alive(profile, alive + 1)) < profile->process_count) {
            others++;
        }
        if (others > 0) {
            sl_text_row_format(&text->row, SL_TEXT_PLAIN, " and %u more", others);
        }
        sl_text_row_space(&text->row, 2);
        uint32_t size = sl_profile_text_size(profile, process->python);
        uint32_t room = sl_text_row_room(&text->row);
        uint32_t python = size > 0 ? size + 9 : 0;
        sl_text_row_fit(&text->row, SL_TEXT_STRONG, sl_profile_text(profile, process->command),
                        sl_profile_text_size(profile, process->command), room > python ? room - python : room,
                        SL_TEXT_CUT_END);
        if (size > 0 && sl_text_row_room(&text->row) > size + 8) {
            sl_text_row_add(&text->row, SL_TEXT_QUIET, "  Python ");
            sl_text_row_fit(&text->row, SL_TEXT_QUIET, sl_profile_text(profile, process->python), size, size,
                            SL_TEXT_CUT_END);
        }
    }
    end_row(text);
}

static void add_failures(struct sl_text *text, uint64_t count, uint64_t of, const char *what)
{
    if ((double)count > worrying * (double)of) {
        add_dot(text);
        sl_text_row_format(&text->row, SL_TEXT_WARN, "%.0f%% %s", 100.0 * (double)count / (double)of, what);
    }
}

/* How much was looked, and what the processes use. */
static void write_use(struct sl_text *text, const struct sl_top_rows *rows, const struct sl_top_numbers *numbers)
{
    const struct sl_facts *facts = &text->profile->facts;
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_duration(facts->duration_ns, text->style.unicode, number);
    sl_text_row_format(&text->row, SL_TEXT_PLAIN, " %s", number);
    if (rows->cpu_share >= 0) {
        add_dot(text);
        sl_text_row_format(&text->row, SL_TEXT_PLAIN, "CPU %.0f%%", rows->cpu_share * 100);
    }
    if (numbers->recent_ns > 0) {
        add_dot(text);
        sl_text_row_format(&text->row, SL_TEXT_PLAIN, "GIL %.0f%%",
                           100.0 * (double)numbers->gil_ns / (double)numbers->recent_ns);
    }
    add_dot(text);
    sl_text_row_format(&text->row, SL_TEXT_PLAIN, "%u thread%s", numbers->alive, numbers->alive == 1 ? "" : "s");
    if (numbers->idle > 0) {
        sl_text_row_format(&text->row, SL_TEXT_PLAIN, ", %u idle", numbers->idle);
    }
    add_dot(text);
    sl_text_count(facts->samples, number);
    sl_text_row_format(&text->row, SL_TEXT_QUIET, "%s samples", number);
    if (facts->samples > 0 && facts->looks > 0) {
        add_failures(text, facts->late, facts->looks + facts->late, "of the looks late");
        add_failures(text, facts->broken + facts->missed, facts->samples, "of the stacks unreadable");
    }
    end_row(text);
}

/* How the numbers are to be read. */
static void write_choice(struct sl_text *text, const struct sl_top_numbers *numbers, const struct sl_top_view *view)
{
    sl_text_row_add(&text->row, SL_TEXT_PLAIN, " ");
    if (view->paused) {
        sl_text_row_add(&text->row, SL_TEXT_WARN, view->ended ? "ended" : "paused");
        add_dot(text);
    }
    char number[SL_TEXT_NUMBER_SIZE];
    if (numbers->recent_ns >= view->window_ns) {
        sl_text_interval(view->window_ns, text->style.unicode, number);
    } else {
        sl_text_duration(numbers->recent_ns, text->style.unicode, number);
    }
    sl_text_row_format(&text->row, SL_TEXT_PLAIN, "last %s", number);
    add_dot(text);
    sl_text_row_add(&text->row, SL_TEXT_PLAIN, sl_mode_label(view->mode));
    if (view->own_only) {
        add_dot(text);
        sl_text_row_add(&text->row, SL_TEXT_PLAIN, "without libraries");
    }
    if (view->idle_shown) {
        add_dot(text);
        sl_text_row_add(&text->row, SL_TEXT_PLAIN, "with idle threads");
    }
    if (view->one_thread) {
        add_dot(text);
        sl_text_row_format(&text->row, SL_TEXT_TAG, "only thread %llu", (unsigned long long)view->thread_id);
    }
    if (view->filter_size > 0) {
        add_dot(text);
        sl_text_row_add(&text->row, SL_TEXT_TAG, "only ");
        sl_text_row_fit(&text->row, SL_TEXT_TAG, view->filter, view->filter_size, 40, SL_TEXT_CUT_END);
    }
    end_row(text);
}

void sl_top_head_write(struct sl_text *text, const struct sl_top_rows *rows, const struct sl_top_numbers *numbers,
                       const struct sl_top_view *view, uint32_t count)
{
    if (count == SL_TOP_HEAD_ROWS) {
        write_process(text);
        write_use(text, rows, numbers);
    }
    if (count > 0) {
        write_choice(text, numbers, view);
    }
    if (count == SL_TOP_HEAD_ROWS) {
        sl_text_blank_line(text);
    }
}

void sl_top_head_stacks(struct sl_text *text, sl_function function, uint64_t recent_ns)
{
    const struct sl_profile *profile = text->profile;
    sl_string name = function < profile->function_count ? profile->functions[function].name : 0;
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_duration(recent_ns, text->style.unicode, number);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, " stacks with ");
    uint32_t room = sl_text_row_room(&text->row);
    sl_text_row_fit(&text->row, SL_TEXT_STRONG, sl_profile_text(profile, name), sl_profile_text_size(profile, name),
                    room > 22 ? room - 22 : room, SL_TEXT_CUT_MIDDLE);
    if (recent_ns > 0) {
        sl_text_row_format(&text->row, SL_TEXT_QUIET, " in the last %s", number);
    } else {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, " since the start");
    }
    end_row(text);
}

void sl_top_head_foot(struct sl_text *text, const struct sl_top_view *view)
{
    static const char *const keys[] = {
        [SL_TOP_FUNCTIONS] = " q quit  Enter stacks  Tab threads  / filter  s t S T order  space pause  ? keys",
        [SL_TOP_THREADS] = " q quit  Enter functions  Tab functions  + - seconds  space pause  ? keys",
        [SL_TOP_STACKS] = " q quit  Esc back  a since the start  + - seconds  m mode  space pause  ? keys",
        [SL_TOP_HELP] = " q quit  Esc back",
    };
    if (view->editing) {
        sl_text_row_add(&text->row, SL_TEXT_STRONG, " filter: ");
        sl_text_row_fit(&text->row, SL_TEXT_PLAIN, view->filter, view->filter_size, sl_text_row_room(&text->row),
                        SL_TEXT_CUT_BEGIN);
        sl_text_row_add(&text->row, SL_TEXT_STRONG, "_");
    } else {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, keys[view->page]);
    }
    end_row(text);
}
