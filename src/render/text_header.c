/* The head of the report: what was recorded, and how far it can be trusted. */
#include "analysis/whole.h"
#include "render/labels.h"
#include "render/text_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

/* Where more than this part of the looks failed, the fact stands out. */
static const double worrying = 0.01;

const char *sl_text_title(const struct sl_text *text, size_t *size)
{
    const char *title = text->options->about.title;
    if (title != NULL) {
        *size = strlen(title);
        return title;
    }
    const struct sl_profile *profile = text->profile;
    sl_string command = profile->facts.description;
    if (sl_profile_text_size(profile, command) == 0) {
        command = profile->facts.command;
    }
    if (sl_profile_text_size(profile, command) == 0 && profile->process_count > 0) {
        command = profile->processes[0].command;
    }
    *size = sl_profile_text_size(profile, command);
    return sl_profile_text(profile, command);
}

bool sl_text_is_profilers(const struct sl_text *text)
{
    const struct sl_profile *profile = text->profile;
    bool scope = profile->thread_count > 0 && profile->threads[0].kind == SL_THREAD_SCOPE;
    return scope || sl_profile_text_size(profile, profile->facts.description) > 0;
}

static void add_title(struct sl_text *text)
{
    struct sl_text_facts right = {0};
    size_t size = 0;
    const char *command = sl_text_title(text, &size);
    /* One row, however long the command: what matters is the report. */
    const char *title = sl_text_string(text, command, size, text->style.width - 14, SL_TEXT_CUT_END);
    time_t start = (time_t)(text->profile->facts.start_time_ns / 1000000000);
    struct tm local;
    if (start > 0 && localtime_r(&start, &local) != NULL) {
        sl_text_fact(text, &right, SL_TEXT_QUIET, "%04d-%02d-%02d %02d:%02d:%02d", local.tm_year + 1900,
                     local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
    }
    sl_text_row_space(&text->row, 1);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, "stacklapse  ");
    sl_text_row_add(&text->row, SL_TEXT_STRONG, title);
    uint32_t room = sl_text_row_room(&text->row);
    uint32_t columns = right.count > 0 ? (uint32_t)strlen(right.facts[0].text) : 0;
    if (room < columns + 3) {
        sl_text_row_end(&text->row, text->output);
        sl_text_row_space(&text->row, 1);
    } else if (columns > 0) {
        sl_text_row_space(&text->row, room - columns - 1);
    }
    sl_text_row_add(&text->row, SL_TEXT_QUIET, right.count > 0 ? right.facts[0].text : "");
    sl_text_row_end(&text->row, text->output);
}

static void add_exit(struct sl_text *text, struct sl_text_facts *facts, int32_t status)
{
    if (status < 0 || status == 0) {
        return;
    }
    if (WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));
        if (name != NULL) {
            sl_text_fact(text, facts, SL_TEXT_WARN, "ended by SIG%s", name);
        } else {
            sl_text_fact(text, facts, SL_TEXT_WARN, "ended by signal %d", WTERMSIG(status));
        }
    } else if (WIFEXITED(status)) {
        sl_text_fact(text, facts, SL_TEXT_PLAIN, "exit code %d", WEXITSTATUS(status));
    }
}

static void add_times(struct sl_text *text)
{
    const struct sl_profile *profile = text->profile;
    const struct sl_facts *facts = &profile->facts;
    struct sl_text_facts left = {0};
    struct sl_text_facts right = {0};
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_duration(facts->duration_ns, text->style.unicode, number);
    if (sl_profile_is_folded(profile)) {
        sl_text_fact(text, &left, SL_TEXT_PLAIN, "%s", number);
        sl_text_facts_write(text, &left, &right);
        return;
    }
    sl_text_fact(text, &left, SL_TEXT_PLAIN, "%s wall", number);
    sl_text_duration(facts->cpu_ns, text->style.unicode, number);
    sl_text_fact(text, &left, SL_TEXT_PLAIN, "%s CPU", number);
    if (profile->process_count > 0) {
        const struct sl_process_record *process = &profile->processes[0];
        add_exit(text, &left, process->exit_status);
        sl_text_fact(text, &right, SL_TEXT_QUIET, "Python %s", sl_profile_text(profile, process->python));
        const char *executable = sl_text_string(text, sl_profile_text(profile, process->executable),
                                                sl_profile_text_size(profile, process->executable),
                                                text->style.width / 2, SL_TEXT_CUT_BEGIN);
        if (executable[0] != '\0') {
            sl_text_fact(text, &right, SL_TEXT_QUIET, "%s", executable);
        }
        if (profile->process_count == 1) {
            sl_text_fact(text, &right, SL_TEXT_QUIET, "pid %u", process->pid);
        } else {
            sl_text_fact(text, &right, SL_TEXT_QUIET, "%u processes", profile->process_count);
        }
    }
    sl_text_facts_write(text, &left, &right);
}

static void add_count(struct sl_text *text, struct sl_text_facts *facts, uint64_t count, const char *what,
                      double worrying_count)
{
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_count(count, number);
    enum sl_text_color color = (double)count > worrying_count ? SL_TEXT_WARN : SL_TEXT_QUIET;
    sl_text_fact(text, facts, color, "%s %s", number, what);
}

/* A percentage with one digit that counts: 2, 0.3, 0.04. */
static void one_digit(double percent, char digits[static SL_TEXT_NUMBER_SIZE])
{
    int decimals = percent >= 0.95 || percent <= 0 ? 0 : (int)ceil(-log10(percent * 1.05));
    snprintf(digits, SL_TEXT_NUMBER_SIZE, "%.*f", decimals > 4 ? 4 : decimals, percent);
}

static void add_samples(struct sl_text *text)
{
    const struct sl_facts *facts = &text->profile->facts;
    struct sl_text_facts left = {0};
    struct sl_text_facts right = {0};
    char count[SL_TEXT_NUMBER_SIZE];
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_count(facts->samples, count);
    const char *samples_word = facts->samples == 1 ? "sample" : "samples";
    if (facts->interval_ns != SL_INTERVAL_UNKNOWN) {
        sl_text_interval(facts->interval_ns, text->style.unicode, number);
        sl_text_fact(text, &left, SL_TEXT_PLAIN, "%s %s every %s%s", count, samples_word, number,
                     sl_is_uneven(text->profile) ? " or more" : "");
    } else {
        sl_text_fact(text, &left, SL_TEXT_PLAIN, "%s %s", count, samples_word);
    }
    if (facts->samples > 0 && !sl_looks_late(text->profile)) {
        one_digit(100 * 0.5 / sqrt(text->scale.looks), number);
        sl_text_fact(text, &left, SL_TEXT_QUIET, "shares %s%s %%", text->style.signs->plus_minus, number);
    }
    double samples = facts->samples > 0 ? (double)facts->samples : 1;
    add_count(text, &right, facts->missed, "missed", worrying * samples);
    add_count(text, &right, facts->broken, "broken", worrying * samples);
    add_count(text, &right, facts->late, "late", sl_looks_late(text->profile) ? 0 : (double)facts->late);
    if (facts->duration_ns > 0) {
        one_digit(100 * (double)facts->sampler_cpu_ns / (double)facts->duration_ns, number);
        sl_text_fact(text, &right, SL_TEXT_QUIET, "cost %s %% of a core", number);
    }
    sl_text_facts_write(text, &left, &right);
}

/* What the numbers below are part of, where that is not everything. */
static void add_selection(struct sl_text *text)
{
    const struct sl_facts *facts = &text->profile->facts;
    const struct sl_selection *selection = &text->options->selection;
    if (selection->begin_ns > 0 || selection->end_ns < facts->duration_ns) {
        char begin[SL_TEXT_NUMBER_SIZE];
        char end[SL_TEXT_NUMBER_SIZE];
        sl_text_duration(selection->begin_ns, text->style.unicode, begin);
        sl_text_duration(selection->end_ns < facts->duration_ns ? selection->end_ns : facts->duration_ns,
                         text->style.unicode, end);
        sl_text_row_format(&text->row, SL_TEXT_PLAIN, " from %s to %s of it", begin, end);
        sl_text_row_end(&text->row, text->output);
    }
    if (selection->threads != NULL && !sl_text_is_profilers(text)) {
        sl_text_line(text, SL_TEXT_PLAIN,
                     text->profile->process_count > 1 ? "only main threads" : "only the main thread");
    }
    if (selection->mode != SL_MODE_WALL) {
        sl_text_row_format(&text->row, SL_TEXT_PLAIN, " only %s", sl_mode_label(selection->mode));
        sl_text_row_end(&text->row, text->output);
    }
}

static void add_no_samples(struct sl_text *text)
{
    const struct sl_facts *facts = &text->profile->facts;
    if (!facts->complete) { /* what became of the program is not known */
        sl_text_line(text, SL_TEXT_PLAIN, "no samples are in what can be read");
        return;
    }
    char number[SL_TEXT_NUMBER_SIZE];
    sl_text_duration(facts->duration_ns, text->style.unicode, number);
    sl_text_row_format(&text->row, SL_TEXT_PLAIN, " no samples were recorded: the %s ended after %s",
                       sl_text_is_profilers(text) ? "block" : "program", number);
    if (facts->looks == 0 && facts->duration_ns < facts->interval_ns) {
        sl_text_interval(facts->interval_ns, text->style.unicode, number);
        sl_text_row_format(&text->row, SL_TEXT_PLAIN, ", before the first look (one every %s)", number);
    }
    sl_text_row_end(&text->row, text->output);
}

static void add_what_is_missing(struct sl_text *text)
{
    const struct sl_facts *facts = &text->profile->facts;
    if (facts->lost_bytes > 0) {
        char number[SL_TEXT_NUMBER_SIZE];
        sl_text_count(facts->lost_bytes, number);
        sl_text_row_format(&text->row, SL_TEXT_WARN, " incomplete: %s %s of the recording cannot be read", number,
                           facts->lost_bytes == 1 ? "byte" : "bytes");
        sl_text_row_end(&text->row, text->output);
    } else if (!facts->complete) {
        sl_text_line(text, SL_TEXT_WARN, "incomplete: the recording was cut off, what came after is missing");
    }
    if (text->profile->run_count == 0) {
        add_no_samples(text);
    }
}

/* One row, for a block profiled in passing. */
static void add_short_title(struct sl_text *text)
{
    const struct sl_facts *facts = &text->profile->facts;
    struct sl_text_facts left = {0};
    char number[SL_TEXT_NUMBER_SIZE];
    size_t size = 0;
    const char *command = sl_text_title(text, &size);
    const char *title = sl_text_string(text, command, size, text->style.width / 2, SL_TEXT_CUT_MIDDLE);
    if (title[0] != '\0') {
        sl_text_fact(text, &left, SL_TEXT_STRONG, "%s", title);
    }
    sl_text_duration(facts->duration_ns, text->style.unicode, number);
    sl_text_fact(text, &left, SL_TEXT_PLAIN, "%s", number);
    sl_text_count(facts->samples, number);
    sl_text_fact(text, &left, SL_TEXT_QUIET, "%s %s", number, facts->samples == 1 ? "sample" : "samples");
    if (sl_looks_late(text->profile)) {
        add_count(text, &left, facts->late, "late", 0);
    }
    sl_text_facts_write(text, &left, &(struct sl_text_facts){0});
}

void sl_text_header(struct sl_text *text)
{
    if (text->options->short_form) {
        add_short_title(text);
    } else {
        add_title(text);
        add_times(text);
        if (!sl_profile_is_folded(text->profile)) {
            add_samples(text);
        }
    }
    add_selection(text);
    add_what_is_missing(text);
}
