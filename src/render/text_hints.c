/* The last lines of the report: what to do next. */
#include "analysis/whole.h"
#include "render/text_parts.h"

#include <string.h>

/* With fewer samples than this a share is no better known than to some percent. */
enum { few_samples = 200 };

/* A smaller part of the CPU time than one in so many is not worth a line. */
enum { other_threads_part = 5 };

static const char *view_command(struct sl_text *text, const char *options)
{
    struct sl_buffer command;
    sl_buffer_init(&command);
    sl_buffer_text(&command, "stacklapse view ");
    sl_buffer_text(&command, text->options->recording);
    sl_buffer_text(&command, options);
    const char *clean =
        sl_text_string(text, command.bytes != NULL ? command.bytes : "", command.size, UINT32_MAX, SL_TEXT_CUT_END);
    sl_buffer_destroy(&command);
    return clean;
}

static void add_command(struct sl_text *text, const char *what, const char *command)
{
    sl_text_row_add(&text->row, SL_TEXT_QUIET, what);
    sl_text_row_add_whole(&text->row, SL_TEXT_PLAIN, command);
}

static void add_commands(struct sl_text *text)
{
    const struct sl_render_options *options = text->options;
    const char *other = options->flat || options->timeline ? "" : options->roles.show_all ? " --flat" : " --show-all";
    const char *again = view_command(text, other);
    add_command(text, " again:  ", again);
    if (sl_renderer_named("html") != NULL) {
        const char *page = view_command(text, " -r html");
        if (sl_text_columns(page, strlen(page)) + 14 <= sl_text_row_room(&text->row)) {
            sl_text_row_space(&text->row, 5);
        } else {
            sl_text_row_end(&text->row, text->output);
        }
        add_command(text, " page:  ", page);
    }
    sl_text_row_end(&text->row, text->output);
}

/* Of a request of a web application ("GET request"). Whether it was asked for or kept because it was slow, which have intervals
 * of their own, it does not tell. */
static bool is_requests(const struct sl_text *text)
{
    static const char end[] = " request";
    sl_string description = text->profile->facts.description;
    size_t size = sl_profile_text_size(text->profile, description);
    return size >= sizeof end &&
           strcmp(sl_profile_text(text->profile, description) + size - (sizeof end - 1), end) == 0;
}

static bool has_few_samples(const struct sl_facts *facts)
{
    return facts->samples > 0 && facts->samples < few_samples && facts->interval_ns > 100000;
}

/* A short interval asks for more looks than can be taken; with a longer one the machine is too busy. */
static void add_late(struct sl_text *text)
{
    const struct sl_facts *facts = &text->profile->facts;
    struct sl_text_facts advice = {0};
    double part = (double)facts->late / (double)(facts->late + facts->looks);
    sl_text_fact(text, &advice, SL_TEXT_PLAIN, "%.0f %% of the looks were late: shares may be far off", 100 * part);
    if (facts->interval_ns < 1000000 && !is_requests(text)) {
        sl_text_fact(text, &advice, SL_TEXT_PLAIN, "a longer interval:  %s",
                     sl_text_is_profilers(text) ? "interval=0.001" : "-i 1ms");
    } else {
        sl_text_fact(text, &advice, SL_TEXT_PLAIN, "the machine was busy");
    }
    sl_text_facts_write(text, &advice, &(struct sl_text_facts){0});
}

/* The CPU time of the recorded processes that none of the threads in the recording can have used: that of threads which a
 * library in C has started for itself, above all. The kernel's counters of a thread that ended soon are not whole, so that it
 * counts as running for as long as it was seen to. */
static uint64_t cpu_of_other_threads(const struct sl_profile *profile)
{
    uint64_t left_ns = profile->facts.cpu_ns;
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const struct sl_thread_record *thread = &profile->threads[i];
        uint64_t used_ns = 0;
        for (uint32_t j = 0; j < thread->run_count; j++) {
            const struct sl_run *run = &profile->runs[thread->first_run + j];
            used_ns += sl_state_waits(run->state) ? 0 : run->end_ns - run->begin_ns;
        }
        used_ns = used_ns > thread->cpu_ns ? used_ns : thread->cpu_ns;
        left_ns -= used_ns < left_ns ? used_ns : left_ns;
    }
    return left_ns;
}

/* Else what waits for such threads, and what --mode cpu leaves of it, is hard to understand. */
static void add_other_threads(struct sl_text *text)
{
    const struct sl_facts *facts = &text->profile->facts;
    if (!facts->complete || text->options->selection.threads != NULL) {
        return;
    }
    uint64_t cpu_ns = cpu_of_other_threads(text->profile);
    if (cpu_ns > facts->cpu_ns / other_threads_part) {
        char number[SL_TEXT_NUMBER_SIZE];
        sl_text_duration(cpu_ns, text->style.unicode, number);
        sl_text_row_format(&text->row, SL_TEXT_PLAIN,
                           " other threads used %s of the CPU time: they run no Python, or were not recorded", number);
        sl_text_row_end(&text->row, text->output);
    }
}

static void add_advice(struct sl_text *text)
{
    const struct sl_facts *facts = &text->profile->facts;
    bool profilers = sl_text_is_profilers(text);
    char number[SL_TEXT_NUMBER_SIZE];
    if (facts->samples > 0 && sl_looks_late(text->profile)) {
        add_late(text);
    } else if (has_few_samples(facts) && !is_requests(text)) {
        struct sl_text_facts advice = {0};
        sl_text_count(facts->samples, number);
        sl_text_fact(text, &advice, SL_TEXT_PLAIN, "only %s %s", number, facts->samples == 1 ? "sample" : "samples");
        sl_text_fact(text, &advice, SL_TEXT_PLAIN, "for more of them:  %s", profilers ? "interval=0.0001" : "-i 100us");
        sl_text_facts_write(text, &advice, &(struct sl_text_facts){0});
    }
    if (!profilers) {
        add_other_threads(text);
    }
    if (!profilers && facts->children_cpu_ns > facts->cpu_ns) {
        struct sl_text_facts advice = {0};
        sl_text_duration(facts->children_cpu_ns, text->style.unicode, number);
        bool recorded = text->options->children_recorded;
        sl_text_fact(text, &advice, SL_TEXT_PLAIN, "child processes used %s of CPU, more than the program", number);
        sl_text_fact(text, &advice, SL_TEXT_PLAIN,
                     recorded ? "they are no Python, or too brief" : "record the Pythons:  --children");
        sl_text_facts_write(text, &advice, &(struct sl_text_facts){0});
    }
}

void sl_text_hints(struct sl_text *text)
{
    sl_text_blank_line(text);
    add_advice(text);
    if (text->options->recording != NULL) {
        add_commands(text);
    }
}
