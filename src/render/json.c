/* Everything that was recorded and what follows from it, for programs: docs/json.md says what each member means. The
 * call tree is an array of nodes that name their parents, because nested objects of a deep recursion are more than most
 * parsers take. */
#include "analysis/call_tree.h"
#include "analysis/functions.h"
#include "analysis/thread_summary.h"
#include "render/json_writer.h"
#include "render/labels.h"
#include "render/renderers.h"
#include "render/state_word.h"

#include <string.h>
#include <time.h>

struct report {
    const struct sl_profile *profile;
    const struct sl_render_options *options;
    struct sl_arena *arena;
    struct sl_json json;
    const uint8_t *roles;
    const struct sl_call_tree *tree;
    const struct sl_thread_summary *threads;
    uint32_t thread_count;
    const struct sl_function_total *functions;
    uint32_t function_count;
    const struct sl_line_total *lines; /* by function, then by line */
    uint32_t line_count;
    uint32_t *first_line; /* of each function of the profile, its first in `lines` */
    uint32_t *number;     /* of each function of the profile, its place in the output */
};

static void write_string(struct report *report, const char *key, sl_string string)
{
    const struct sl_profile *profile = report->profile;
    sl_json_string(&report->json, key, sl_profile_text(profile, string), sl_profile_text_size(profile, string));
}

static void write_amount(struct sl_json *json, const char *ns_key, const char *samples_key, struct sl_amount amount)
{
    sl_json_unsigned(json, ns_key, amount.ns);
    sl_json_unsigned(json, samples_key, amount.samples);
}

static void write_state(struct sl_json *json, sl_state state)
{
    sl_json_text(json, "state", sl_state_name(state));
    if (sl_state_call(state) >= 0) {
        sl_json_signed(json, "system_call", sl_state_call(state));
    } else {
        sl_json_null(json, "system_call");
    }
}

static void write_recording(struct report *report)
{
    const struct sl_facts *facts = &report->profile->facts;
    struct sl_json *json = &report->json;
    sl_json_new_line(json);
    sl_json_open_object(json, "recording");
    char text[64] = "";
    time_t seconds = (time_t)(facts->start_time_ns / 1000000000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) != NULL) {
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    sl_json_text(json, "start_time", text);
    sl_json_unsigned(json, "start_time_ns", facts->start_time_ns);
    sl_json_unsigned(json, "interval_ns", facts->interval_ns);
    sl_json_bool(json, "interval_varies", sl_is_uneven(report->profile));
    sl_json_unsigned(json, "duration_ns", facts->duration_ns);
    sl_json_unsigned(json, "cpu_ns", facts->cpu_ns);
    sl_json_unsigned(json, "children_cpu_ns", facts->children_cpu_ns);
    sl_json_unsigned(json, "sampler_cpu_ns", facts->sampler_cpu_ns);
    sl_json_unsigned(json, "looks", facts->looks);
    sl_json_unsigned(json, "samples", facts->samples);
    sl_json_unsigned(json, "missed", facts->missed);
    sl_json_unsigned(json, "broken", facts->broken);
    sl_json_unsigned(json, "late", facts->late);
    sl_json_unsigned(json, "retried", facts->retried);
    sl_json_bool(json, "complete", facts->complete);
    sl_json_unsigned(json, "lost_bytes", facts->lost_bytes);
    write_string(report, "command", facts->command);
    write_string(report, "description", facts->description);
    write_string(report, "stacklapse", facts->version);
    sl_json_close_object(json);
}

static void write_selection(struct report *report)
{
    const struct sl_selection *selection = &report->options->selection;
    struct sl_json *json = &report->json;
    sl_json_new_line(json);
    sl_json_open_object(json, "selection");
    sl_json_unsigned(json, "begin_ns", selection->begin_ns);
    sl_json_unsigned(json, "end_ns", selection->end_ns);
    sl_json_text(json, "mode", sl_mode_words[selection->mode]);
    write_amount(json, "total_ns", "total_samples", report->tree->nodes[0].total);
    sl_json_close_object(json);
}

static void write_processes(struct report *report)
{
    struct sl_json *json = &report->json;
    sl_json_new_line(json);
    sl_json_open_array(json, "processes");
    for (uint32_t i = 0; i < report->profile->process_count; i++) {
        const struct sl_process_record *process = &report->profile->processes[i];
        sl_json_new_line(json);
        sl_json_open_object(json, NULL);
        sl_json_unsigned(json, "pid", process->pid);
        sl_json_unsigned(json, "parent_pid", process->parent_pid);
        write_string(report, "command", process->command);
        write_string(report, "python", process->python);
        write_string(report, "executable", process->executable);
        sl_json_unsigned(json, "begin_ns", process->begin_ns);
        sl_json_unsigned(json, "end_ns", process->end_ns);
        sl_json_unsigned(json, "cpu_ns", process->cpu_ns);
        if (process->exit_status >= 0) {
            sl_json_signed(json, "exit_status", process->exit_status);
        } else {
            sl_json_null(json, "exit_status");
        }
        sl_json_close_object(json);
    }
    sl_json_close_array(json);
}

static void write_function_number(struct report *report, const char *key, sl_function function)
{
    if (function == SL_NONE || report->number[function] == SL_NONE) {
        sl_json_null(&report->json, key);
    } else {
        sl_json_unsigned(&report->json, key, report->number[function]);
    }
}

/* All of them, in the order of the recording, so that a node can name one by its place. */
static bool write_threads(struct report *report)
{
    const struct sl_profile *profile = report->profile;
    struct sl_json *json = &report->json;
    struct sl_thread_summary *summaries = SL_ARENA_NEW(report->arena, struct sl_thread_summary, profile->thread_count);
    uint32_t seen = 0;
    const struct sl_thread_summary *all =
        sl_thread_summaries_of_all(report->arena, profile, &report->options->selection, &seen);
    if (summaries == NULL || all == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        summaries[i] = (struct sl_thread_summary){.name = SL_NONE, .first_function = SL_NONE};
    }
    for (uint32_t i = 0; i < seen; i++) {
        summaries[all[i].thread] = all[i];
    }
    sl_json_new_line(json);
    sl_json_open_array(json, "threads");
    for (uint32_t i = 0; i < profile->thread_count; i++) {
        const struct sl_thread_record *thread = &profile->threads[i];
        sl_json_new_line(json);
        sl_json_open_object(json, NULL);
        sl_json_unsigned(json, "process", thread->process);
        sl_json_text(json, "kind", thread->kind == SL_THREAD_SCOPE ? "scope" : "thread");
        sl_json_unsigned(json, "id", thread->id);
        write_string(report, "name", thread->name);
        sl_json_bool(json, "main", thread->main);
        sl_json_unsigned(json, "begin_ns", thread->begin_ns);
        sl_json_unsigned(json, "end_ns", thread->end_ns);
        sl_json_unsigned(json, "cpu_ns", thread->cpu_ns);
        write_amount(json, "total_ns", "total_samples", summaries[i].total);
        write_amount(json, "running_ns", "running_samples", summaries[i].running);
        sl_json_bool(json, "idle", summaries[i].idle);
        write_function_number(report, "first_function", summaries[i].first_function);
        sl_json_close_object(json);
    }
    sl_json_close_array(json);
    return true;
}

static void write_line(struct sl_json *json, uint32_t line, struct sl_amount self, struct sl_amount total,
                       sl_state state)
{
    sl_json_open_object(json, NULL);
    sl_json_unsigned(json, "line", line);
    write_amount(json, "self_ns", "self_samples", self);
    write_amount(json, "total_ns", "total_samples", total);
    write_state(json, state);
    sl_json_close_object(json);
}

static void write_function_lines(struct report *report, sl_function function)
{
    sl_json_open_array(&report->json, "lines");
    uint32_t i = report->first_line[function];
    for (; i < report->line_count && report->lines[i].function == function; i++) {
        const struct sl_line_total *line = &report->lines[i];
        write_line(&report->json, line->line, line->self, line->total, line->state);
    }
    sl_json_close_array(&report->json);
}

static void write_functions(struct report *report)
{
    static const char *const roles[] = {
        [SL_ROLE_OWN] = "own", [SL_ROLE_LIBRARY] = "library", [SL_ROLE_MACHINERY] = "machinery"};
    const struct sl_profile *profile = report->profile;
    struct sl_json *json = &report->json;
    sl_json_new_line(json);
    sl_json_open_array(json, "functions");
    for (uint32_t i = 0; i < report->function_count; i++) {
        sl_function function = report->functions[i].function;
        const struct sl_function_record *record = &profile->functions[function];
        sl_json_new_line(json);
        sl_json_open_object(json, NULL);
        write_string(report, "name", record->name);
        write_string(report, "file", record->file);
        sl_json_text(json, "short_path", sl_short_path(profile, function));
        size_t size;
        const char *package = sl_package(profile, function, &size);
        sl_json_string(json, "package", package, size);
        sl_json_unsigned(json, "first_line", record->first_line);
        sl_json_text(json, "kind", sl_function_kind_name(record->kind));
        sl_json_text(json, "role", roles[report->roles[function]]);
        write_amount(json, "self_ns", "self_samples", report->functions[i].self);
        write_amount(json, "total_ns", "total_samples", report->functions[i].total);
        write_function_lines(report, function);
        sl_json_close_object(json);
    }
    sl_json_close_array(json);
}

static void write_node_lines(struct report *report, const struct sl_node *node)
{
    sl_json_open_array(&report->json, "lines");
    for (uint32_t i = node->first_line; i < node->first_line + node->line_count; i++) {
        const struct sl_node_line *line = &report->tree->lines[i];
        write_line(&report->json, line->line, line->self, line->total, line->state);
    }
    sl_json_close_array(&report->json);
}

static void write_node(struct report *report, const struct sl_node *node)
{
    static const char *const kinds[] = {[SL_NODE_ROOT] = "root",
                                        [SL_NODE_PROCESS] = "process",
                                        [SL_NODE_THREAD] = "thread",
                                        [SL_NODE_FUNCTION] = "function"};
    struct sl_json *json = &report->json;
    sl_json_new_line(json);
    sl_json_open_object(json, NULL);
    sl_json_text(json, "kind", kinds[node->kind]);
    if (node->parent == SL_NONE) {
        sl_json_null(json, "parent");
    } else {
        sl_json_unsigned(json, "parent", node->parent);
    }
    sl_json_unsigned(json, "depth", node->depth);
    if (node->kind == SL_NODE_FUNCTION) {
        write_function_number(report, "function", node->subject);
    } else if (node->kind == SL_NODE_PROCESS) {
        sl_json_unsigned(json, "process", node->subject);
    } else if (node->kind == SL_NODE_THREAD) {
        sl_json_unsigned(json, "thread", node->subject);
    }
    sl_json_unsigned(json, "begin_ns", node->begin_ns);
    sl_json_unsigned(json, "end_ns", node->end_ns);
    write_amount(json, "total_ns", "total_samples", node->total);
    write_amount(json, "self_ns", "self_samples", node->self);
    write_amount(json, "hidden_ns", "hidden_samples", node->hidden);
    sl_json_unsigned(json, "hidden_frames", node->hidden_frames);
    sl_json_open_array(json, "hidden_functions");
    for (uint32_t i = node->first_hidden; i < node->first_hidden + node->hidden_count; i++) {
        write_function_number(report, NULL, report->tree->hidden[i]);
    }
    sl_json_close_array(json);
    write_node_lines(report, node);
    sl_json_close_object(json);
}

static bool several_processes(const struct report *report)
{
    const struct sl_thread_record *threads = report->profile->threads;
    for (uint32_t i = 1; i < report->thread_count; i++) {
        if (threads[report->threads[i].thread].process != threads[report->threads[0].thread].process) {
            return true;
        }
    }
    return false;
}

static bool compute(struct report *report)
{
    const struct sl_profile *profile = report->profile;
    const struct sl_render_options *options = report->options;
    const struct sl_selection *selection = &options->selection;
    report->roles = sl_roles(report->arena, profile, &options->roles);
    report->threads = sl_thread_summaries(report->arena, profile, selection, &report->thread_count);
    report->functions = sl_function_totals(report->arena, NULL, profile, selection, &report->function_count);
    report->lines = sl_line_totals(report->arena, NULL, profile, selection, &report->line_count);
    report->first_line = SL_ARENA_NEW(report->arena, uint32_t, profile->function_count);
    report->number = SL_ARENA_NEW(report->arena, uint32_t, profile->function_count);
    if (report->arena->exhausted) {
        return false;
    }
    for (sl_function i = 0; i < profile->function_count; i++) {
        report->number[i] = SL_NONE;
        report->first_line[i] = report->line_count;
    }
    for (uint32_t i = 0; i < report->function_count; i++) {
        report->number[report->functions[i].function] = i;
    }
    for (uint32_t i = report->line_count; i-- > 0;) {
        report->first_line[report->lines[i].function] = i;
    }
    struct sl_call_tree_options tree = {.roles = report->roles,
                                        .by_process = !options->merge_processes && several_processes(report),
                                        .by_thread = report->thread_count > 1,
                                        .timeline = options->timeline,
                                        .focus = SL_NONE};
    report->tree = sl_call_tree_build(report->arena, profile, selection, &tree);
    return report->tree != NULL;
}

static bool write_report(struct report *report, struct sl_output *output)
{
    struct sl_json *json = &report->json;
    sl_json_begin(json, output);
    sl_json_open_object(json, NULL);
    sl_json_text(json, "format", "stacklapse");
    sl_json_unsigned(json, "version", 1);
    write_recording(report);
    write_selection(report);
    write_processes(report);
    if (!write_threads(report)) {
        return false;
    }
    write_functions(report);
    sl_json_new_line(json);
    sl_json_open_array(json, "tree");
    for (uint32_t i = 0; i < report->tree->node_count; i++) {
        write_node(report, &report->tree->nodes[i]);
    }
    sl_json_close_array(json);
    sl_json_new_line(json);
    sl_json_close_object(json);
    sl_output_text(output, "\n");
    return true;
}

bool sl_render_json(const struct sl_profile *profile, const struct sl_render_options *options, struct sl_output *output,
                    struct sl_error *error)
{
    struct sl_arena arena;
    sl_arena_init(&arena);
    struct report report = {.profile = profile, .options = options, .arena = &arena};
    bool done = compute(&report) && write_report(&report, output);
    sl_arena_reset(&arena);
    return done || sl_error_memory(error);
}
