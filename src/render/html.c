/* html.c - the report page: one file that holds the recording and everything needed to look at it.
 *
 * The page is the built template with the recording's parts put in the place of its marks: title, a summary for
 * readers without scripts, options, columns (columns.h) and source text (source_text.h). Nothing from the recording
 * reaches the page other than escaped or in base64. */
#include "render/renderers.h"

#include "analysis/functions.h"
#include "base/buffer.h"
#include "render/columns.h"
#include "render/deflated.h"
#include "render/page.h"
#include "render/page_source.h"
#include "render/text_unicode.h"

#include <inttypes.h>
#include <string.h>

/* Rows of the summary that is shown where scripts do not run. */
static const uint32_t summary_rows = 20;

/* Columns of a name in that summary; longer ones are cut. */
static const uint32_t summary_name_max = 200;

/* What a page is put together from. */
struct page {
    const struct sl_profile *profile;
    const struct sl_render_options *options;
    struct sl_buffer columns;
    struct sl_arena arena;
    const struct sl_function_total *totals; /* of the whole recording */
    uint32_t total_count;
};

/* Text in HTML: escaped for elements and for attributes in quotes. */
static void put_escaped(struct sl_output *output, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        switch (text[i]) {
        case '&':
            sl_output_text(output, "&amp;");
            break;
        case '<':
            sl_output_text(output, "&lt;");
            break;
        case '>':
            sl_output_text(output, "&gt;");
            break;
        case '"':
            sl_output_text(output, "&quot;");
            break;
        case '\'':
            sl_output_text(output, "&#39;");
            break;
        default:
            sl_output_write(output, &text[i], 1);
        }
    }
}

/* The same of text that the program chose: marks that turn the order of letters round, and other characters that cannot be
 * seen, are spelled out. */
static void put_text(struct sl_output *output, const char *text)
{
    struct sl_buffer clean;
    sl_buffer_init(&clean);
    sl_text_clean(&clean, text, strlen(text), true);
    put_escaped(output, clean.bytes, clean.size);
    output->pending.failed |= clean.failed;
    sl_buffer_destroy(&clean);
}

/* A string of the profile, cut where it is long. */
static void put_string(struct sl_output *output, const struct sl_profile *profile, sl_string string)
{
    struct sl_buffer clean;
    sl_buffer_init(&clean);
    sl_text_fit(&clean, sl_profile_text(profile, string), sl_profile_text_size(profile, string), summary_name_max,
                SL_TEXT_CUT_END, true);
    put_escaped(output, clean.bytes, clean.size);
    output->pending.failed |= clean.failed;
    sl_buffer_destroy(&clean);
}

static double seconds(uint64_t ns)
{
    return (double)ns / 1e9;
}

/* What was recorded, for a person. */
static sl_string subject(const struct sl_profile *profile)
{
    if (profile->facts.description != 0) {
        return profile->facts.description;
    }
    if (profile->facts.command != 0) {
        return profile->facts.command;
    }
    return profile->process_count > 0 ? profile->processes[0].command : 0;
}

static void put_subject(const struct page *page, struct sl_output *output)
{
    const char *title = page->options->about.title;
    if (title != NULL) {
        put_text(output, title);
    } else {
        put_string(output, page->profile, subject(page->profile));
    }
}

static bool put_title(const struct page *page, struct sl_output *output, struct sl_error *error)
{
    (void)error;
    sl_output_format(output, "%.2f s", seconds(page->profile->facts.duration_ns));
    if (page->options->about.title != NULL || subject(page->profile) != 0) {
        sl_output_text(output, " \xc2\xb7 ");
        put_subject(page, output);
    }
    return true;
}

/* What the caller has to say, and the way to what the page stands in for. */
static void put_about(const struct page *page, struct sl_output *output)
{
    const struct sl_render_about *about = &page->options->about;
    if (about->link != NULL) {
        sl_output_text(output, "<p><a href=\"");
        put_escaped(output, about->link, strlen(about->link));
        sl_output_text(output, "\">Open the page itself</a></p>");
    }
    sl_output_text(output, about->fact_count > 0 ? "<dl>" : "");
    for (size_t i = 0; i < about->fact_count; i++) {
        const char *const *fact = &about->facts[2 * i];
        sl_output_text(output, "<dt>");
        put_text(output, fact[0]);
        sl_output_text(output, "</dt><dd>");
        put_text(output, fact[1]);
        sl_output_text(output, "</dd>");
    }
    sl_output_text(output, about->fact_count > 0 ? "</dl>" : "");
}

static bool is_whole(const struct sl_profile *profile, const struct sl_selection *selection)
{
    struct sl_selection whole = sl_selection_all(profile);
    return selection->begin_ns == whole.begin_ns && selection->end_ns >= whole.end_ns && selection->threads == NULL &&
           selection->functions == NULL && selection->mode == whole.mode;
}

static bool put_summary(const struct page *page, struct sl_output *output, struct sl_error *error)
{
    const struct sl_profile *profile = page->profile;
    const struct sl_facts *facts = &profile->facts;
    sl_output_text(output, "<h1>");
    put_subject(page, output);
    sl_output_text(output, "</h1>");
    put_about(page, output);
    if (sl_profile_is_folded(profile)) {
        sl_output_format(output, "<p>%.3f s", seconds(facts->duration_ns));
    } else {
        sl_output_format(output, "<p>%.3f s wall clock, %.3f s CPU time, ", seconds(facts->duration_ns),
                         seconds(facts->cpu_ns));
        sl_output_format(output, "%" PRIu64 " samples, %" PRIu64 " missed, %" PRIu64 " broken, %" PRIu64 " late",
                         facts->samples, facts->missed, facts->broken, facts->late);
    }
    if (profile->process_count > 0 && sl_profile_text_size(profile, profile->processes[0].python) > 0) {
        sl_output_text(output, ", Python ");
        put_string(output, profile, profile->processes[0].python);
    }
    sl_output_text(output,
                   ".</p><p>The views of this page need JavaScript. Without it, these are the functions that took "
                   "the most time themselves.</p><table><thead><tr><th>self</th><th>total</th>"
                   "<th>function</th><th>file</th></tr></thead><tbody>");
    struct sl_arena arena;
    sl_arena_init(&arena);
    uint32_t count = page->total_count;
    const struct sl_function_total *totals = page->totals;
    if (!is_whole(profile, &page->options->selection)) {
        totals = sl_function_totals(&arena, NULL, profile, &page->options->selection, &count);
    }
    if (totals == NULL) {
        sl_arena_reset(&arena);
        return sl_error_memory(error);
    }
    for (uint32_t i = 0; i < count && i < summary_rows; i++) {
        const struct sl_function_record *function = &profile->functions[totals[i].function];
        sl_output_format(output, "<tr><td>%.3f s</td><td>%.3f s</td><td>", seconds(totals[i].self.ns),
                         seconds(totals[i].total.ns));
        put_string(output, profile, function->name);
        sl_output_text(output, "</td><td>");
        put_string(output, profile, function->file);
        if (function->first_line != 0) {
            sl_output_format(output, ":%" PRIu32, function->first_line);
        }
        sl_output_text(output, "</td></tr>");
    }
    sl_output_text(output, "</tbody></table>");
    sl_arena_reset(&arena);
    return true;
}

/* A JSON string that holds nothing the HTML parser or an old JavaScript parser would see anything in. Bytes above 0x7f
 * are UTF-8 already; U+2028 and U+2029 are the two of them that are escaped. */
static void put_json_string(struct sl_output *output, const char *text)
{
    sl_output_text(output, "\"");
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at < 0x20 || *at == '"' || *at == '\\' || *at == '<' || *at == '>' || *at == '&' || *at == 0x7f) {
            sl_output_format(output, "\\u%04x", *at);
        } else if (at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9)) {
            sl_output_format(output, "\\u20%02x", at[2] - 0x80);
            at += 2;
        } else {
            sl_output_write(output, at, 1);
        }
    }
    sl_output_text(output, "\"");
}

static void put_json_strings(struct sl_output *output, const char *name, const char *const *texts, size_t count)
{
    sl_output_format(output, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        sl_output_text(output, i > 0 ? "," : "");
        put_json_string(output, texts[i]);
    }
    sl_output_text(output, "]");
}

/* What the page opens with. */
static bool put_options(const struct page *page, struct sl_output *output, struct sl_error *error)
{
    (void)error;
    const struct sl_render_options *options = page->options;
    const struct sl_selection *selection = &options->selection;
    sl_output_format(output, "{\"mode\":%d,\"begin\":%" PRIu64 ",\"end\":%" PRIu64 ",\"threshold\":%.6f,\"showAll\":%s",
                     (int)selection->mode, selection->begin_ns, selection->end_ns, options->threshold,
                     options->roles.show_all ? "true" : "false");
    put_json_strings(output, "show", options->roles.show, options->roles.show_count);
    put_json_strings(output, "hide", options->roles.hide, options->roles.hide_count);
    sl_output_text(output, ",\"threads\":[");
    bool first = true;
    for (uint32_t i = 0; selection->threads != NULL && i < page->profile->thread_count; i++) {
        if (selection->threads[i] != 0) {
            sl_output_format(output, first ? "%" PRIu32 : ",%" PRIu32, i);
            first = false;
        }
    }
    sl_output_format(output, "],\"merge\":%s,\"source\":\"%s\",\"at\":", options->merge_processes ? "true" : "false",
                     sl_source_policy_words[options->source]);
    put_json_string(output, options->page_state != NULL ? options->page_state : "");
    sl_output_text(output, ",\"recording\":");
    if (options->recording != NULL) {
        put_json_string(output, options->recording);
    } else {
        sl_output_text(output, "null");
    }
    const struct sl_render_about *about = &options->about;
    sl_output_text(output, ",\"title\":");
    put_json_string(output,
                    about->title != NULL ? about->title : sl_profile_text(page->profile, page->profile->facts.command));
    sl_output_text(output, ",\"link\":");
    put_json_string(output, about->link != NULL ? about->link : "");
    put_json_strings(output, "about", about->facts, 2 * about->fact_count);
    sl_output_text(output, "}");
    return true;
}

static bool put_columns_size(const struct page *page, struct sl_output *output, struct sl_error *error)
{
    (void)error;
    sl_output_format(output, "%zu", page->columns.size);
    return true;
}

static bool put_columns(const struct page *page, struct sl_output *output, struct sl_error *error)
{
    return sl_deflated_write(output, page->columns.bytes, page->columns.size, error);
}

static bool put_source(const struct page *page, struct sl_output *output, struct sl_error *error)
{
    return sl_page_source_write(page->profile, page->options, page->totals, page->total_count, output, error);
}

/* The marks of the template, each of which occurs once (report/build/page.mjs sees to that). */
static const struct mark {
    const char *name;
    bool (*put)(const struct page *page, struct sl_output *output, struct sl_error *error);
} marks[] = {
    {"title", put_title},     {"summary", put_summary}, {"options", put_options}, {"columns-size", put_columns_size},
    {"columns", put_columns}, {"source", put_source},
};

static const struct mark *mark_named(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (strlen(marks[i].name) == size && memcmp(marks[i].name, name, size) == 0) {
            return &marks[i];
        }
    }
    return NULL;
}

/* The template, with each `{{stacklapse:NAME}}` replaced. */
static bool put_page(const struct page *page, struct sl_output *output, struct sl_error *error)
{
    static const char opening[] = "{{stacklapse:";
    static const char closing[] = "}}";
    const char *at = (const char *)sl_page;
    const char *end = at + sl_page_size;
    for (;;) {
        const char *begin = memmem(at, (size_t)(end - at), opening, sizeof opening - 1);
        if (begin == NULL) {
            sl_output_write(output, at, (size_t)(end - at));
            return true;
        }
        sl_output_write(output, at, (size_t)(begin - at));
        const char *name = begin + sizeof opening - 1;
        const char *stop = memmem(name, (size_t)(end - name), closing, sizeof closing - 1);
        const struct mark *mark = stop != NULL ? mark_named(name, (size_t)(stop - name)) : NULL;
        if (mark == NULL) {
            return sl_error_set(error, SL_ERROR_FORMAT, "the report page was built for another version of stacklapse");
        }
        if (!mark->put(page, output, error)) {
            return false;
        }
        at = stop + sizeof closing - 1;
    }
}

bool sl_render_html(const struct sl_profile *profile, const struct sl_render_options *options, struct sl_output *output,
                    struct sl_error *error)
{
    struct page page = {.profile = profile, .options = options};
    sl_buffer_init(&page.columns);
    sl_columns_write(profile, &page.columns);
    sl_arena_init(&page.arena);
    struct sl_selection whole = sl_selection_all(profile);
    page.totals = sl_function_totals(&page.arena, NULL, profile, &whole, &page.total_count);
    bool done = page.columns.failed || page.totals == NULL ? sl_error_memory(error) : put_page(&page, output, error);
    sl_arena_reset(&page.arena);
    sl_buffer_destroy(&page.columns);
    return done;
}
