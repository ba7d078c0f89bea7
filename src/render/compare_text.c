/* What differs between two recordings, for a person in a terminal: the calls that changed by more than chance, with those
 * that lead to them, or a table of functions. Linear in both profiles, no recursion. */
#include "analysis/whole.h"
#include "render/compare.h"
#include "render/renderers.h"
#include "render/text_parts.h"

#include <stdio.h>
#include <string.h>

enum { levels_max = 64 };

#define SL_NOTE_SIZE 192

/* Both sides write rows of their own, each about the functions of its profile, to one output. */
struct compared {
    struct sl_compare compare;
    struct sl_render_options options[SL_SIDES]; /* what each side's text reads: the headings differ */
    struct sl_text texts[SL_SIDES];
    struct sl_text_scale scale;
    uint32_t time_columns, change_columns;
    uint32_t levels;              /* that rows are indented by at most */
    bool is_last[levels_max + 2]; /* of the way to the row that is written, by depth: no row follows it there */
    bool *shown;                  /* of each node */
};

/* ---- numbers ---- */

static void add_right(struct sl_text_row *row, enum sl_text_color color, const char *text, uint32_t columns)
{
    uint32_t taken = sl_text_columns(text, strlen(text));
    sl_text_row_space(row, taken < columns ? columns - taken : 0);
    sl_text_row_add(row, color, text);
}

/* Columns of the decimals of a number and its point. */
static uint32_t most_decimals(const struct compared *compared)
{
    return compared->compare.options->percent ? 2 : (uint32_t)compared->scale.decimals + 2;
}

/* A number, with room for the most decimals that one has, so that points stand below each other. */
static void add_number(const struct compared *compared, struct sl_text_row *row, enum sl_text_color color,
                       const char *text, uint32_t columns)
{
    uint32_t most = most_decimals(compared);
    uint32_t decimals = (uint32_t)strlen(text + strcspn(text, "."));
    uint32_t blank = decimals < most ? most - decimals : 0;
    add_right(row, color, text, columns > blank ? columns - blank : 0);
    sl_text_row_space(row, blank);
}

/* A time, or a share where those are compared, without its unit. */
static void amount_text(const struct compared *compared, int which, struct sl_amount amount,
                        char text[static SL_TEXT_NUMBER_SIZE])
{
    uint64_t whole_ns = compared->compare.differences->measure.wholes[which].ns;
    if (compared->compare.options->percent) {
        snprintf(text, SL_TEXT_NUMBER_SIZE, "%.1f", whole_ns > 0 ? 100 * (double)amount.ns / (double)whole_ns : 0);
    } else {
        sl_text_time(&compared->scale, amount.ns, text);
    }
}

static void change_text(const struct compared *compared, double amount, char text[static SL_TEXT_NUMBER_SIZE])
{
    char number[SL_TEXT_NUMBER_SIZE - 1];
    double size = amount < 0 ? -amount : amount;
    if (compared->compare.options->percent) {
        snprintf(number, sizeof number, "%.1f", 100 * size);
    } else {
        char time[SL_TEXT_NUMBER_SIZE];
        sl_text_time(&compared->scale, sl_compare_whole_ns(size), time);
        snprintf(number, sizeof number, "%.*s", (int)sizeof number - 1, time);
    }
    snprintf(text, SL_TEXT_NUMBER_SIZE, "%c%s", amount < 0 ? '-' : '+', number);
}

static const char *unit_of(const struct compared *compared)
{
    return compared->compare.options->percent ? "%" : compared->scale.unit;
}

enum { ratio_columns = 7 };

/* Below this width the names need the room more than the ratio does, which follows from the times. */
enum { width_for_ratio = 60 };

static bool with_ratio(const struct compared *compared)
{
    return compared->texts[SL_AFTER].style.width >= width_for_ratio;
}

static uint32_t number_columns(const struct compared *compared)
{
    return 1 + 2 * (compared->time_columns + 2) + compared->change_columns + 2 +
           (with_ratio(compared) ? 1 + ratio_columns : 0);
}

static void add_numbers(struct compared *compared, struct sl_text_row *row, const struct sl_amount amounts[SL_SIDES])
{
    char text[SL_TEXT_NUMBER_SIZE];
    char ratio[SL_COMPARE_TEXT_SIZE];
    struct sl_change change = sl_compare_change(&compared->compare, amounts);
    bool matters = sl_compare_matters(&compared->compare, change);
    enum sl_text_color color = !matters ? SL_TEXT_QUIET : change.amount > 0 ? SL_TEXT_RED : SL_TEXT_GREEN;
    sl_text_row_space(row, 1);
    for (int which = 0; which < SL_SIDES; which++) {
        amount_text(compared, which, amounts[which], text);
        add_number(compared, row, which == SL_BEFORE ? SL_TEXT_QUIET : SL_TEXT_PLAIN,
                   amounts[which].ns > 0 ? text : "-", compared->time_columns);
        sl_text_row_space(row, 2);
    }
    if (sl_change_is_certain(&compared->compare.differences->measure, change)) {
        change_text(compared, change.amount, text);
        sl_compare_ratio_text(&compared->compare, amounts, ratio);
    } else {
        snprintf(text, sizeof text, "%s", row->style->signs->about);
        ratio[0] = '\0';
    }
    add_number(compared, row, color, text, compared->change_columns);
    if (with_ratio(compared)) {
        sl_text_row_space(row, 1);
        add_right(row, color, ratio, ratio_columns);
    }
    sl_text_row_space(row, 2);
}

static void write_titles(struct compared *compared)
{
    struct sl_text *text = &compared->texts[SL_AFTER];
    char title[SL_TEXT_NUMBER_SIZE];
    sl_text_row_space(&text->row, 1);
    add_right(&text->row, SL_TEXT_QUIET, "before", compared->time_columns);
    sl_text_row_space(&text->row, 2);
    add_right(&text->row, SL_TEXT_QUIET, "after", compared->time_columns);
    sl_text_row_space(&text->row, 2);
    add_right(&text->row, SL_TEXT_QUIET, "change", compared->change_columns);
    snprintf(title, sizeof title, "in %s", unit_of(compared));
    sl_text_row_space(&text->row, with_ratio(compared) ? ratio_columns + 3 : 2);
    sl_text_row_add(&text->row, SL_TEXT_QUIET, title);
    sl_text_row_end(&text->row, text->output);
}

/* ---- the tree ---- */

static uint32_t with_row(const struct compared *compared, uint32_t node)
{
    while (node != SL_NONE && !compared->shown[node]) {
        node = compared->compare.differences->nodes[node].next_sibling;
    }
    return node;
}

/* Which calls changed, and which lead to those. How many changed. */
static uint32_t choose_nodes(struct compared *compared)
{
    const struct sl_differences *differences = compared->compare.differences;
    uint32_t changed = 0;
    for (uint32_t i = differences->node_count - 1; i > 0; i--) {
        const struct sl_node_difference *node = &differences->nodes[i];
        bool matters = sl_compare_matters(&compared->compare, sl_compare_change(&compared->compare, node->total)) ||
                       sl_compare_matters(&compared->compare, sl_compare_change(&compared->compare, node->self));
        changed += matters;
        compared->shown[i] = compared->shown[i] || matters;
        compared->shown[node->parent] = compared->shown[node->parent] || compared->shown[i];
    }
    return changed;
}

static void note_last(struct compared *compared, uint32_t node)
{
    const struct sl_node_difference *difference = &compared->compare.differences->nodes[node];
    compared->is_last[difference->depth] = with_row(compared, difference->next_sibling) == SL_NONE;
}

/* The nodes on the way to this one were met before it. */
static void add_guides(struct compared *compared, struct sl_text *text, uint32_t node)
{
    const struct sl_node_difference *difference = &compared->compare.differences->nodes[node];
    const struct sl_text_signs *signs = text->style.signs;
    uint32_t innermost = difference->depth < compared->levels + 1 ? difference->depth : compared->levels + 1;
    if (difference->depth == innermost) {
        note_last(compared, node);
    }
    for (uint32_t depth = 2; depth < innermost; depth++) {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, compared->is_last[depth] ? signs->blank : signs->open);
    }
    if (difference->depth > innermost) {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, compared->is_last[innermost] ? signs->stays : signs->stays_open);
    } else if (innermost > 1) {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, compared->is_last[innermost] ? signs->last : signs->branch);
    }
}

/* What is to be said of a call beside its times, in longer and shorter ways: how many rows before it were left out, and what
 * changed in itself where most of it may be in what it calls. */
struct call_note {
    const char *ways[3];
    char text[2][SL_NOTE_SIZE];
};

static const char *const *describe(const struct compared *compared, const struct sl_node_difference *difference,
                                   uint32_t between, struct call_note *note)
{
    const char *folded = compared->texts[SL_AFTER].style.signs->folded;
    struct sl_change self = sl_compare_change(&compared->compare, difference->self);
    char number[SL_TEXT_NUMBER_SIZE];
    char itself[SL_COMPARE_TEXT_SIZE + 24] = "";
    sl_text_count(between, number);
    if (difference->first_child != SL_NONE && sl_compare_matters(&compared->compare, self)) {
        char change[SL_COMPARE_TEXT_SIZE];
        sl_compare_change_text(&compared->compare, self.amount, change);
        snprintf(itself, sizeof itself, "%s %s", change, difference->folds ? "itself and folded" : "itself");
    }
    *note = (struct call_note){0};
    if (between > 0) {
        snprintf(note->text[0], SL_NOTE_SIZE, "%s%s calls between%s%s", folded, number, itself[0] != '\0' ? "  " : "",
                 itself);
        snprintf(note->text[1], SL_NOTE_SIZE, "%s%s", folded, number);
        note->ways[0] = note->text[0];
        note->ways[1] = note->text[1];
    } else if (itself[0] != '\0') {
        snprintf(note->text[0], SL_NOTE_SIZE, "%s", itself);
        note->ways[0] = note->text[0];
    }
    return note->ways;
}

static void write_node(struct compared *compared, uint32_t node, uint32_t between)
{
    const struct sl_node_difference *difference = &compared->compare.differences->nodes[node];
    int named = sl_compare_named(difference->functions);
    struct sl_text *text = &compared->texts[named];
    struct call_note note;
    add_numbers(compared, &text->row, difference->total);
    add_guides(compared, text, node);
    sl_text_function(text, difference->functions[named], describe(compared, difference, between, &note), NULL);
    sl_text_row_end(&text->row, text->output);
}

/* Whether a call so deep that it has no indent of its own only leads to the one below it: of a deep recursion thousands do. */
static bool only_leads(const struct compared *compared, uint32_t node)
{
    const struct sl_node_difference *nodes = compared->compare.differences->nodes;
    uint32_t child = with_row(compared, nodes[node].first_child);
    return nodes[node].depth > compared->levels && child != SL_NONE &&
           with_row(compared, nodes[child].next_sibling) == SL_NONE &&
           !sl_compare_matters(&compared->compare, sl_compare_change(&compared->compare, nodes[node].self));
}

static void write_tree(struct compared *compared)
{
    const struct sl_node_difference *nodes = compared->compare.differences->nodes;
    uint32_t node = with_row(compared, nodes[0].first_child);
    uint32_t between = 0;
    while (node != SL_NONE && node != 0) {
        bool left_out = only_leads(compared, node);
        if (!left_out) {
            write_node(compared, node, between);
        } else if (nodes[node].depth <= compared->levels + 1) {
            note_last(compared, node);
        }
        between = left_out ? between + 1 : 0;
        uint32_t next = with_row(compared, nodes[node].first_child);
        while (next == SL_NONE && node != 0) {
            next = with_row(compared, nodes[node].next_sibling);
            node = nodes[node].parent;
        }
        node = next;
    }
}

/* ---- the table ---- */

static bool write_table(struct compared *compared, uint32_t *count)
{
    const uint32_t *places = sl_compare_functions(&compared->compare, count);
    if (places != NULL && *count > 0) {
        write_titles(compared);
    }
    for (uint32_t i = 0; places != NULL && i < *count; i++) {
        const struct sl_function_difference *function = &compared->compare.differences->functions[places[i]];
        int named = sl_compare_named(function->functions);
        struct sl_text *text = &compared->texts[named];
        add_numbers(compared, &text->row, sl_compare_time(&compared->compare, function));
        sl_text_function(text, function->functions[named], NULL, NULL);
        sl_text_row_end(&text->row, text->output);
    }
    return places != NULL;
}

/* ---- the whole ---- */

/* Times that are measured and not sampled, where both are known. */
static void write_measured(struct compared *compared, const char *what, uint64_t before_ns, uint64_t after_ns)
{
    if (before_ns == 0 || after_ns == 0) {
        return;
    }
    struct sl_text *text = &compared->texts[SL_AFTER];
    char before[SL_TEXT_NUMBER_SIZE];
    char after[SL_TEXT_NUMBER_SIZE];
    char ratio[SL_COMPARE_TEXT_SIZE];
    const struct sl_amount amounts[SL_SIDES] = {{.ns = before_ns}, {.ns = after_ns}};
    sl_text_duration(before_ns, text->style.unicode, before);
    sl_text_duration(after_ns, text->style.unicode, after);
    /* Of the times themselves, also where shares are compared below. */
    struct sl_render_options in_time = *compared->compare.options;
    struct sl_compare measured = compared->compare;
    in_time.percent = false;
    measured.options = &in_time;
    sl_compare_ratio_text(&measured, amounts, ratio);
    sl_text_row_format(&text->row, SL_TEXT_PLAIN, " %s  %s%s%s  %s", what, before, text->style.signs->becomes, after,
                       ratio);
    sl_text_row_end(&text->row, text->output);
}

/* How to see it in another way, if there is room for it. */
static void add_command(struct compared *compared, const char *what, const char *first, const char *second)
{
    struct sl_text *text = &compared->texts[SL_AFTER];
    struct sl_buffer command;
    sl_buffer_init(&command);
    sl_buffer_format(&command, "stacklapse diff %s%s%s", compared->compare.options->recording, first, second);
    const char *clean =
        sl_text_string(text, command.bytes != NULL ? command.bytes : "", command.size, UINT32_MAX, SL_TEXT_CUT_END);
    uint32_t columns = sl_text_columns(what, strlen(what)) + sl_text_columns(clean, strlen(clean));
    if (text->row.columns == 0 || columns <= sl_text_row_room(&text->row)) {
        sl_text_row_add(&text->row, SL_TEXT_QUIET, what);
        sl_text_row_add_whole(&text->row, SL_TEXT_PLAIN, clean);
    }
    sl_buffer_destroy(&command);
}

static void write_commands(struct compared *compared)
{
    const struct sl_render_options *options = compared->compare.options;
    const char *shares = options->percent ? " --shares" : "";
    const char *other = !options->flat ? " --flat" : options->flat_by_total ? "" : " --flat-total";
    struct sl_text *text = &compared->texts[SL_AFTER];
    sl_text_blank_line(text);
    add_command(compared, " again:  ", other, shares);
    if (!options->percent) {
        const char *same = !options->flat ? "" : options->flat_by_total ? " --flat-total" : " --flat";
        add_command(compared, "      shares:  ", same, " --shares");
    }
    sl_text_row_end(&text->row, text->output);
}

/* What is not there, and why. */
static void write_remarks(struct compared *compared, uint32_t changed)
{
    const struct sl_compare *compare = &compared->compare;
    struct sl_text *text = &compared->texts[SL_AFTER];
    char least[SL_TEXT_NUMBER_SIZE] = "chance";
    struct sl_text_facts facts = {0};
    if (compare->differences->measure.late) {
        sl_text_line(text, SL_TEXT_WARN, "so many looks were late that no change is certain");
        return;
    }
    if (compare->threshold > 0 && compare->options->percent) {
        snprintf(least, sizeof least, "%.3g %% of the time, or than chance", 100 * compare->threshold);
    } else if (compare->threshold > 0) {
        char number[SL_TEXT_NUMBER_SIZE];
        sl_text_duration(sl_compare_whole_ns(compare->threshold), text->style.unicode, number);
        snprintf(least, sizeof least, "%.40s, or than chance", number);
    }
    enum sl_text_color color = changed == 0 ? SL_TEXT_PLAIN : SL_TEXT_QUIET;
    if (!with_ratio(compared)) {
        sl_text_fact(text, &facts, color,
                     changed == 0 ? "nothing changed for certain" : "what hardly changed is left out");
    } else {
        sl_text_fact(text, &facts, color, "%s by %s %s", changed == 0 ? "nothing changed" : "left out: what changed",
                     changed == 0 ? "more than" : "no more than", least);
    }
    const uint32_t *idle = compare->differences->idle;
    if (idle[SL_BEFORE] + (uint64_t)idle[SL_AFTER] > 0) {
        sl_text_fact(text, &facts, SL_TEXT_QUIET, "threads idle: %u before, %u after", idle[SL_BEFORE], idle[SL_AFTER]);
    }
    sl_text_facts_write(text, &facts, &(struct sl_text_facts){0});
}

/* That a number takes with all decimals that one may have. */
static uint32_t columns_of(const struct compared *compared, const char *text)
{
    return (uint32_t)strcspn(text, ".") + most_decimals(compared);
}

static void make_room(struct compared *compared)
{
    char text[SL_TEXT_NUMBER_SIZE];
    compared->time_columns = (uint32_t)strlen("before");
    compared->change_columns = (uint32_t)strlen("change");
    const struct sl_differences *differences = compared->compare.differences;
    for (uint32_t i = 0; i < differences->function_count; i++) {
        const struct sl_amount *total = differences->functions[i].total;
        for (int which = 0; which < SL_SIDES; which++) {
            amount_text(compared, which, total[which], text);
            uint32_t columns = columns_of(compared, text);
            compared->time_columns = columns > compared->time_columns ? columns : compared->time_columns;
        }
        change_text(compared, sl_compare_change(&compared->compare, total).amount, text);
        uint32_t columns = columns_of(compared, text);
        compared->change_columns = columns > compared->change_columns ? columns : compared->change_columns;
    }
    uint32_t width = compared->texts[SL_AFTER].style.width;
    uint32_t names = width * 2 / 5 > 24 ? width * 2 / 5 : 24;
    uint32_t numbers = number_columns(compared);
    uint32_t levels = width > numbers + names ? (width - numbers - names) / 3 : 1;
    compared->levels = levels < 2 ? 2 : levels < levels_max ? levels : levels_max;
}

static bool write_report(struct compared *compared)
{
    const struct sl_facts *before = &compared->compare.sides[SL_BEFORE].profile->facts;
    const struct sl_facts *after = &compared->compare.sides[SL_AFTER].profile->facts;
    struct sl_text *text = &compared->texts[SL_AFTER];
    sl_text_blank_line(text);
    sl_text_header(&compared->texts[SL_BEFORE]);
    sl_text_header(text);
    sl_text_blank_line(text);
    write_measured(compared, "wall", before->duration_ns, after->duration_ns);
    write_measured(compared, "CPU ", before->cpu_ns, after->cpu_ns);
    sl_text_blank_line(text);
    compared->shown = SL_ARENA_NEW(&compared->compare.arena, bool, compared->compare.differences->node_count);
    if (compared->shown == NULL) {
        return false;
    }
    uint32_t changed = 0;
    bool done = true;
    if (compared->compare.options->flat) {
        done = write_table(compared, &changed);
    } else {
        changed = choose_nodes(compared);
        if (changed > 0) {
            write_titles(compared);
            write_tree(compared);
        }
    }
    if (changed > 0) {
        sl_text_blank_line(text);
    }
    write_remarks(compared, changed);
    if (compared->compare.options->recording != NULL) {
        write_commands(compared);
    }
    return done;
}

/* What heads a recording: which of the two it is, and what was recorded. */
static const char *heading_of(struct sl_text *text, const char *word)
{
    struct sl_buffer heading;
    size_t size = 0;
    const char *title = sl_text_title(text, &size);
    sl_buffer_init(&heading);
    sl_buffer_text(&heading, word);
    sl_buffer_append(&heading, title, size);
    const char *clean =
        sl_text_string(text, heading.bytes != NULL ? heading.bytes : "", heading.size, UINT32_MAX, SL_TEXT_CUT_END);
    sl_buffer_destroy(&heading);
    return clean;
}

static void open_text(struct compared *compared, int which, struct sl_output *output)
{
    static const char *const words[SL_SIDES] = {"before: ", "after: "};
    const struct sl_render_options *options = compared->compare.options;
    const struct sl_side *side = &compared->compare.sides[which];
    struct sl_amount whole = sl_whole(side->profile, &side->selection);
    struct sl_text *text = &compared->texts[which];
    compared->options[which] = *options;
    compared->options[which].selection = side->selection;
    *text = (struct sl_text){
        .profile = side->profile,
        .options = &compared->options[which],
        .output = output,
        .style = sl_text_style(options->color, options->unicode, options->width),
        .roles = compared->compare.differences->roles[which],
    };
    sl_arena_init(&text->arena);
    sl_text_row_init(&text->row, &text->style);
    text->scale = sl_text_scale(whole.ns, whole.samples, text->style.unicode);
    compared->options[which].about.title = heading_of(text, words[which]);
}

/* One unit for both, with the digits that the less known one allows. */
static struct sl_text_scale scale_of(const struct compared *compared)
{
    uint64_t longest_ns = 0;
    uint64_t looks = SL_TEXT_LOOKS_UNKNOWN;
    for (int which = 0; which < SL_SIDES; which++) {
        struct sl_amount whole = compared->compare.differences->measure.wholes[which];
        bool empty = compared->compare.sides[which].profile->run_count == 0;
        longest_ns = whole.ns > longest_ns ? whole.ns : longest_ns;
        looks = !empty && whole.samples < looks ? whole.samples : looks;
    }
    return sl_text_scale(longest_ns, looks, compared->texts[SL_AFTER].style.unicode);
}

bool sl_compare_text(const struct sl_comparison *comparison, const struct sl_render_options *options,
                     struct sl_output *output, struct sl_error *error)
{
    struct compared compared = {0};
    const struct sl_compare_needs needs = {.for_people = true, .functions = true, .trees = true};
    if (!sl_compare_open(&compared.compare, comparison, options, needs, error)) {
        sl_compare_close(&compared.compare);
        return false;
    }
    open_text(&compared, SL_BEFORE, output);
    open_text(&compared, SL_AFTER, output);
    compared.scale = scale_of(&compared);
    make_room(&compared);
    bool done = write_report(&compared) && !compared.texts[SL_BEFORE].arena.exhausted &&
                !compared.texts[SL_AFTER].arena.exhausted;
    for (int which = 0; which < SL_SIDES; which++) {
        sl_text_row_destroy(&compared.texts[which].row);
        sl_arena_reset(&compared.texts[which].arena);
    }
    sl_compare_close(&compared.compare);
    return done || sl_error_memory(error);
}
