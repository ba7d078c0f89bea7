/* firefox.c - the Firefox Profiler's "processed profile format", gzip-compressed JSON (firefox-devtools/profiler,
 * docs-developer/processed-profile-format.md, src/types/profile.ts, CHANGELOG-formats.md).
 *
 * Version 64 is written: the first whose tables are shared by the threads, and in which a stack's prefix is a plain
 * column; every later profiler upgrades it when it loads the file. Our stacks are its stack table as they are (less the
 * empty one), our functions its function table, our locations its frame table. A run is a sample with the run's time as
 * its weight. threadCPUDelta is the CPU time since the sample before, which is that of the run before. */
#include "analysis/roles.h"
#include "base/arena.h"
#include "render/gzip.h"
#include "render/json_writer.h"
#include "render/labels.h"
#include "render/locations.h"
#include "render/renderers.h"

#include <stdio.h>

enum category { CATEGORY_OTHER, CATEGORY_OWN, CATEGORY_LIBRARY, CATEGORIES };
static const struct {
    const char *name;
    const char *color; /* one of the profiler's own names */
} categories[CATEGORIES] = {{"Other", "grey"}, {"Own code", "blue"}, {"Library", "green"}};

struct writer {
    const struct sl_profile *profile;
    const struct sl_selection *selection;
    const struct sl_thread_summary *threads; /* those that were seen, main threads first */
    uint32_t thread_count;
    const struct sl_locations *locations;
    const uint8_t *roles;
    const uint8_t *taken; /* stacks that the selection's functions leave; NULL: all */
    uint32_t *source_of;  /* for each string that is a file's name the number of its source, from 1; else 0 */
    sl_string *sources;   /* the file of each source */
    uint32_t source_count;
    struct sl_gzip *gzip;
    struct sl_output text; /* memory, drained into gzip as it fills */
    struct sl_json json;
};

static void drain(struct writer *writer, bool always)
{
    sl_gzip_drain(writer->gzip, &writer->text.pending, always);
}

static void write_string(struct writer *writer, const char *key, sl_string string)
{
    sl_json_string(&writer->json, key, sl_profile_text(writer->profile, string),
                   sl_profile_text_size(writer->profile, string));
    drain(writer, false);
}

/* A number less one, null for 0: our tables begin with an empty entry that theirs do not have. */
static void write_reference(struct writer *writer, uint32_t number)
{
    if (number == 0) {
        sl_json_null(&writer->json, NULL);
    } else {
        sl_json_unsigned(&writer->json, NULL, number - 1);
    }
    drain(writer, false);
}

/* A column that has the same value everywhere. */
enum constant { CONSTANT_NULL, CONSTANT_FALSE, CONSTANT_ZERO, CONSTANT_ONE, CONSTANT_MINUS_ONE };

static void write_constant(struct writer *writer, const char *name, enum constant constant, uint32_t count)
{
    sl_json_open_array(&writer->json, name);
    for (uint32_t i = 0; i < count; i++) {
        switch (constant) {
        case CONSTANT_NULL:
            sl_json_null(&writer->json, NULL);
            break;
        case CONSTANT_FALSE:
            sl_json_bool(&writer->json, NULL, false);
            break;
        case CONSTANT_ZERO:
        case CONSTANT_ONE:
            sl_json_unsigned(&writer->json, NULL, constant == CONSTANT_ONE);
            break;
        case CONSTANT_MINUS_ONE:
            sl_json_signed(&writer->json, NULL, -1);
            break;
        }
        drain(writer, false);
    }
    sl_json_close_array(&writer->json);
}

static void write_empty_table(struct writer *writer, const char *name, const char *const *columns)
{
    sl_json_open_object(&writer->json, name);
    for (; *columns != NULL; columns++) {
        sl_json_open_array(&writer->json, *columns);
        sl_json_close_array(&writer->json);
    }
    sl_json_unsigned(&writer->json, "length", 0);
    sl_json_close_object(&writer->json);
}

static void begin_table(struct writer *writer, const char *name)
{
    sl_json_new_line(&writer->json);
    sl_json_open_object(&writer->json, name);
}

static void end_table(struct writer *writer, uint32_t length)
{
    sl_json_unsigned(&writer->json, "length", length);
    sl_json_close_object(&writer->json);
}

static void write_stack_table(struct writer *writer)
{
    const struct sl_profile *profile = writer->profile;
    begin_table(writer, "stackTable");
    sl_json_open_array(&writer->json, "frame");
    for (sl_stack stack = 1; stack < profile->stack_count; stack++) {
        write_reference(writer, writer->locations->of_stack[stack]);
    }
    sl_json_close_array(&writer->json);
    sl_json_open_array(&writer->json, "prefix");
    for (sl_stack stack = 1; stack < profile->stack_count; stack++) {
        write_reference(writer, profile->stacks[stack].caller);
    }
    sl_json_close_array(&writer->json);
    end_table(writer, profile->stack_count > 0 ? profile->stack_count - 1 : 0);
}

static enum category category_of(const struct writer *writer, sl_function function)
{
    if (writer->profile->functions[function].kind == SL_FUNCTION_MARK) {
        return CATEGORY_OTHER;
    }
    return writer->roles[function] == SL_ROLE_OWN ? CATEGORY_OWN : CATEGORY_LIBRARY;
}

enum frame_column { FRAME_CATEGORY, FRAME_FUNC, FRAME_LINE };

static void write_frame_column(struct writer *writer, const char *name, enum frame_column column)
{
    sl_json_open_array(&writer->json, name);
    for (uint32_t number = 1; number < writer->locations->count; number++) {
        const struct sl_location *location = &writer->locations->items[number];
        if (column == FRAME_CATEGORY) {
            sl_json_unsigned(&writer->json, NULL, category_of(writer, location->function));
        } else if (column == FRAME_FUNC) {
            write_reference(writer, location->function);
        } else if (location->line == 0) {
            sl_json_null(&writer->json, NULL);
        } else {
            sl_json_unsigned(&writer->json, NULL, location->line);
        }
        drain(writer, false);
    }
    sl_json_close_array(&writer->json);
}

static void write_frame_table(struct writer *writer)
{
    uint32_t count = writer->locations->count - 1;
    begin_table(writer, "frameTable");
    write_constant(writer, "address", CONSTANT_MINUS_ONE, count);
    write_constant(writer, "inlineDepth", CONSTANT_ZERO, count);
    write_frame_column(writer, "category", FRAME_CATEGORY);
    write_constant(writer, "subcategory", CONSTANT_ZERO, count);
    write_frame_column(writer, "func", FRAME_FUNC);
    write_constant(writer, "nativeSymbol", CONSTANT_NULL, count);
    write_constant(writer, "innerWindowID", CONSTANT_ZERO, count);
    write_frame_column(writer, "line", FRAME_LINE);
    write_constant(writer, "column", CONSTANT_NULL, count);
    write_constant(writer, "originalLocation", CONSTANT_NULL, count);
    end_table(writer, count);
}

static void number_sources(struct writer *writer)
{
    for (sl_function function = 1; function < writer->profile->function_count; function++) {
        sl_string file = writer->profile->functions[function].file;
        if (file != 0 && writer->source_of[file] == 0) {
            writer->sources[writer->source_count] = file;
            writer->source_of[file] = ++writer->source_count;
        }
    }
}

enum function_column { FUNCTION_NAME, FUNCTION_SOURCE, FUNCTION_LINE };

static void write_function_column(struct writer *writer, const char *name, enum function_column column)
{
    const struct sl_profile *profile = writer->profile;
    sl_json_open_array(&writer->json, name);
    for (sl_function function = 1; function < profile->function_count; function++) {
        const struct sl_function_record *record = &profile->functions[function];
        if (column == FUNCTION_NAME) {
            sl_json_unsigned(&writer->json, NULL, record->name);
        } else if (column == FUNCTION_SOURCE) {
            write_reference(writer, writer->source_of[record->file]);
        } else if (record->first_line != 0) {
            sl_json_unsigned(&writer->json, NULL, record->first_line);
        } else {
            sl_json_null(&writer->json, NULL);
        }
        drain(writer, false);
    }
    sl_json_close_array(&writer->json);
}

static void write_function_table(struct writer *writer)
{
    const struct sl_profile *profile = writer->profile;
    uint32_t count = profile->function_count > 0 ? profile->function_count - 1 : 0;
    begin_table(writer, "funcTable");
    write_function_column(writer, "name", FUNCTION_NAME);
    write_constant(writer, "isJS", CONSTANT_FALSE, count);
    write_constant(writer, "relevantForJS", CONSTANT_FALSE, count);
    write_constant(writer, "resource", CONSTANT_MINUS_ONE, count);
    write_function_column(writer, "source", FUNCTION_SOURCE);
    write_function_column(writer, "lineNumber", FUNCTION_LINE);
    write_constant(writer, "columnNumber", CONSTANT_NULL, count);
    write_constant(writer, "originalLocation", CONSTANT_NULL, count);
    end_table(writer, count);
}

static void write_sources(struct writer *writer)
{
    begin_table(writer, "sources");
    write_constant(writer, "id", CONSTANT_NULL, writer->source_count);
    sl_json_open_array(&writer->json, "filename");
    for (uint32_t source = 0; source < writer->source_count; source++) {
        sl_json_unsigned(&writer->json, NULL, writer->sources[source]);
    }
    sl_json_close_array(&writer->json);
    write_constant(writer, "startLine", CONSTANT_ONE, writer->source_count);
    write_constant(writer, "startColumn", CONSTANT_ONE, writer->source_count);
    write_constant(writer, "sourceMapURL", CONSTANT_NULL, writer->source_count);
    write_constant(writer, "content", CONSTANT_NULL, writer->source_count);
    end_table(writer, writer->source_count);
}

static void write_shared(struct writer *writer)
{
    static const char *const resource_columns[] = {"lib", "name", "host", "type", NULL};
    static const char *const symbol_columns[] = {"libIndex", "address", "name", "functionSize", NULL};
    static const char *const location_columns[] = {"source", "line", "column", NULL};
    sl_json_open_object(&writer->json, "shared");
    sl_json_open_array(&writer->json, "stringArray");
    for (sl_string string = 0; string < writer->profile->string_count; string++) {
        write_string(writer, NULL, string);
    }
    sl_json_close_array(&writer->json);
    write_stack_table(writer);
    write_frame_table(writer);
    write_function_table(writer);
    write_sources(writer);
    write_empty_table(writer, "resourceTable", resource_columns);
    write_empty_table(writer, "nativeSymbols", symbol_columns);
    write_empty_table(writer, "sourceLocationTable", location_columns);
    sl_json_close_object(&writer->json);
}

enum sample_column { SAMPLE_STACK, SAMPLE_TIME, SAMPLE_WEIGHT, SAMPLE_CPU };

struct sample {
    sl_stack stack; /* 0: the thread was not there */
    uint64_t time_ns;
    uint64_t weight_ns;
    uint64_t cpu_ns; /* used since the sample before */
};

static void write_sample(struct writer *writer, enum sample_column column, const struct sample *sample)
{
    switch (column) {
    case SAMPLE_STACK:
        write_reference(writer, sample->stack);
        break;
    case SAMPLE_TIME:
        sl_json_decimal(&writer->json, NULL, sample->time_ns, 6);
        break;
    case SAMPLE_WEIGHT:
        sl_json_decimal(&writer->json, NULL, sample->weight_ns, 6);
        break;
    case SAMPLE_CPU:
        sl_json_unsigned(&writer->json, NULL, sample->cpu_ns);
        break;
    }
    drain(writer, false);
}

/* One column of a thread's samples; returns how many there are. */
static uint32_t write_sample_column(struct writer *writer, uint32_t thread, const char *name, enum sample_column column)
{
    struct sl_selection by_cpu = *writer->selection;
    by_cpu.mode = SL_MODE_CPU;
    uint32_t number, end, count = 0;
    sl_selection_runs(writer->profile, writer->selection, thread, &number, &end);
    uint64_t now_ns = writer->selection->begin_ns, cpu_ns = 0;
    sl_json_open_array(&writer->json, name);
    for (; number < end; number++) {
        const struct sl_run *run = &writer->profile->runs[number];
        uint64_t ns = sl_run_amount(writer->selection, run).ns;
        if (ns == 0 || (writer->taken != NULL && writer->taken[run->stack] == 0)) {
            continue;
        }
        if (run->begin_ns > now_ns) {
            if (count > 0) {
                struct sample away = {.time_ns = now_ns, .weight_ns = run->begin_ns - now_ns, .cpu_ns = cpu_ns};
                write_sample(writer, column, &away);
                count++;
                cpu_ns = 0;
            }
            now_ns = run->begin_ns;
        }
        struct sample sample = {.stack = run->stack, .time_ns = now_ns, .weight_ns = ns, .cpu_ns = cpu_ns};
        write_sample(writer, column, &sample);
        count++;
        now_ns += ns;
        cpu_ns = sl_run_amount(&by_cpu, run).ns;
    }
    sl_json_close_array(&writer->json);
    return count;
}

static void write_samples(struct writer *writer, uint32_t thread)
{
    begin_table(writer, "samples");
    write_sample_column(writer, thread, "stack", SAMPLE_STACK);
    write_sample_column(writer, thread, "time", SAMPLE_TIME);
    write_sample_column(writer, thread, "weight", SAMPLE_WEIGHT);
    uint32_t count = write_sample_column(writer, thread, "threadCPUDelta", SAMPLE_CPU);
    sl_json_text(&writer->json, "weightType", "tracing-ms");
    end_table(writer, count);
}

static void write_thread(struct writer *writer, const struct sl_thread_summary *summary, struct sl_buffer *label)
{
    uint32_t thread = summary->thread;
    static const char *const marker_columns[] = {"data", "name", "startTime", "endTime", "phase", "category", NULL};
    const struct sl_thread_record *record = &writer->profile->threads[thread];
    const struct sl_process_record *process = &writer->profile->processes[record->process];
    char pid[16];
    snprintf(pid, sizeof pid, "%u", process->pid);
    sl_buffer_clear(label);
    sl_thread_label(label, writer->profile, summary);
    begin_table(writer, NULL);
    sl_json_text(&writer->json, "processType", "default");
    write_string(writer, "processName", process->command);
    sl_json_decimal(&writer->json, "processStartupTime", process->begin_ns, 6);
    sl_json_null(&writer->json, "processShutdownTime");
    sl_json_decimal(&writer->json, "registerTime", record->begin_ns, 6);
    sl_json_decimal(&writer->json, "unregisterTime", record->end_ns, 6);
    sl_json_string(&writer->json, "name", label->bytes, label->size);
    sl_json_bool(&writer->json, "isMainThread", record->main);
    sl_json_text(&writer->json, "pid", pid);
    sl_json_unsigned(&writer->json, "tid", record->id);
    sl_json_open_array(&writer->json, "pausedRanges");
    sl_json_close_array(&writer->json);
    write_samples(writer, thread);
    write_empty_table(writer, "markers", marker_columns);
    sl_json_close_object(&writer->json);
}

static void write_meta(struct writer *writer)
{
    const struct sl_profile *profile = writer->profile;
    struct sl_json *json = &writer->json;
    sl_json_open_object(json, "meta");
    sl_json_unsigned(json, "preprocessedProfileVersion", 64);
    sl_json_unsigned(json, "version", 31); /* of Gecko's own format, which the profiler wants to see */
    sl_json_unsigned(json, "processType", 0);
    sl_json_unsigned(json, "stackwalk", 0);
    sl_json_bool(json, "debug", false);
    sl_json_bool(json, "symbolicated", true);
    sl_json_text(json, "importedFrom", "stacklapse");
    sl_json_bool(json, "usesOnlyOneStackType", true);
    sl_json_bool(json, "doesNotUseFrameImplementation", true);
    sl_json_bool(json, "sourceCodeIsNotOnSearchfox", true);
    sl_json_decimal(json, "interval", profile->facts.interval_ns, 6);
    sl_json_decimal(json, "startTime", profile->facts.start_time_ns, 6);
    write_string(writer, "product", profile->process_count > 0 ? profile->processes[0].command : 0);
    sl_json_open_object(json, "sampleUnits");
    sl_json_text(json, "time", "ms");
    sl_json_text(json, "eventDelay", "ms");
    sl_json_text(json, "threadCPUDelta", "ns");
    sl_json_close_object(json);
    sl_json_open_array(json, "initialVisibleThreads");
    sl_json_unsigned(json, NULL, 0);
    sl_json_close_array(json);
    sl_json_open_array(json, "markerSchema");
    sl_json_close_array(json);
    sl_json_open_array(json, "categories");
    for (unsigned i = 0; i < CATEGORIES; i++) {
        sl_json_open_object(json, NULL);
        sl_json_text(json, "name", categories[i].name);
        sl_json_text(json, "color", categories[i].color);
        sl_json_open_array(json, "subcategories");
        sl_json_text(json, NULL, "Other");
        sl_json_close_array(json);
        sl_json_close_object(json);
    }
    sl_json_close_array(json);
    sl_json_close_object(json);
}

static void write_file(struct writer *writer, struct sl_buffer *label)
{
    sl_json_begin(&writer->json, &writer->text);
    sl_json_open_object(&writer->json, NULL);
    write_meta(writer);
    sl_json_open_array(&writer->json, "libs");
    sl_json_close_array(&writer->json);
    sl_json_open_array(&writer->json, "pages");
    sl_json_close_array(&writer->json);
    write_shared(writer);
    sl_json_open_array(&writer->json, "threads");
    for (uint32_t i = 0; i < writer->thread_count; i++) {
        write_thread(writer, &writer->threads[i], label);
    }
    sl_json_close_array(&writer->json);
    sl_json_close_object(&writer->json);
    sl_output_text(&writer->text, "\n");
}

bool sl_render_firefox(const struct sl_profile *profile, const struct sl_render_options *options,
                       struct sl_output *output, struct sl_error *error)
{
    struct sl_arena arena;
    sl_arena_init(&arena);
    struct sl_gzip gzip;
    struct writer writer = {.profile = profile, .selection = &options->selection, .gzip = &gzip};
    sl_output_memory(&writer.text);
    writer.source_of = SL_ARENA_NEW(&arena, uint32_t, profile->string_count);
    writer.sources = SL_ARENA_NEW(&arena, sl_string, profile->string_count);
    writer.roles = sl_roles(&arena, profile, &options->roles);
    writer.taken = sl_selection_stacks(&arena, profile, &options->selection);
    writer.threads = sl_thread_summaries(&arena, profile, &options->selection, &writer.thread_count);
    writer.locations = sl_locations_build(&arena, profile);

    bool done = false;
    if (arena.exhausted || writer.locations == NULL) {
        sl_error_memory(error);
    } else if (sl_gzip_init(&gzip, output, error)) {
        struct sl_buffer label;
        sl_buffer_init(&label);
        number_sources(&writer);
        write_file(&writer, &label);
        writer.text.pending.failed |= label.failed;
        sl_buffer_destroy(&label);
        drain(&writer, true);
        done = sl_gzip_finish(&gzip, error);
    }
    sl_output_abandon(&writer.text);
    sl_arena_reset(&arena);
    return done;
}
