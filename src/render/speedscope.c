/* speedscope.c - the file format of speedscope.app (src/lib/file-format-spec.ts of its source; the schema is
 * file-format-schema.json in its npm package): one "sampled" profile for each thread in order of time, and after them
 * one in which all are merged by stack. Weights are nanoseconds. A time in which a thread was not there is a sample of
 * the empty stack, because the format knows only weights, not instants. */
#include "base/arena.h"
#include "render/json_writer.h"
#include "render/labels.h"
#include "render/locations.h"
#include "render/renderers.h"

struct writer {
    const struct sl_profile *profile;
    const struct sl_selection *selection;
    const struct sl_thread_summary *threads; /* those that were seen, main threads first */
    uint32_t thread_count;
    struct sl_json json;
    const uint8_t *taken; /* stacks that the selection's functions leave; NULL: all */
    sl_function *frames;  /* room for the deepest stack */
};

static void write_string(struct writer *writer, const char *key, sl_string string)
{
    sl_json_string(&writer->json, key, sl_profile_text(writer->profile, string),
                   sl_profile_text_size(writer->profile, string));
}

/* Frame n is function n + 1: number 0 is the empty one. */
static void write_frames(struct writer *writer)
{
    sl_json_open_array(&writer->json, "frames");
    for (sl_function function = 1; function < writer->profile->function_count; function++) {
        const struct sl_function_record *record = &writer->profile->functions[function];
        sl_json_new_line(&writer->json);
        sl_json_open_object(&writer->json, NULL);
        write_string(writer, "name", record->name);
        if (record->file != 0) {
            write_string(writer, "file", record->file);
        }
        if (record->first_line != 0) {
            sl_json_unsigned(&writer->json, "line", record->first_line);
        }
        sl_json_close_object(&writer->json);
    }
    sl_json_close_array(&writer->json);
}

static void write_stack(struct writer *writer, sl_stack stack)
{
    const struct sl_stack_record *stacks = writer->profile->stacks;
    uint32_t depth = 0;
    for (; stack != 0; stack = stacks[stack].caller) {
        writer->frames[depth++] = stacks[stack].function;
    }
    sl_json_open_array(&writer->json, NULL);
    while (depth-- > 0) {
        sl_json_unsigned(&writer->json, NULL, writer->frames[depth] - 1);
    }
    sl_json_close_array(&writer->json);
}

enum column { COLUMN_SAMPLES, COLUMN_WEIGHTS };
static const char *const column_names[] = {"samples", "weights"};

static void write_entry(struct writer *writer, enum column column, sl_stack stack, uint64_t ns)
{
    if (column == COLUMN_SAMPLES) {
        write_stack(writer, stack);
    } else {
        sl_json_unsigned(&writer->json, NULL, ns);
    }
}

static void begin_profile(struct writer *writer, const char *name, size_t size, uint64_t begin_ns, uint64_t end_ns)
{
    sl_json_new_line(&writer->json);
    sl_json_open_object(&writer->json, NULL);
    sl_json_text(&writer->json, "type", "sampled");
    sl_json_string(&writer->json, "name", name, size);
    sl_json_text(&writer->json, "unit", "nanoseconds");
    sl_json_unsigned(&writer->json, "startValue", begin_ns);
    sl_json_unsigned(&writer->json, "endValue", end_ns);
}

/* The run's amount of time when it takes part, else 0. */
static uint64_t run_ns(const struct writer *writer, const struct sl_run *run)
{
    if (writer->taken != NULL && writer->taken[run->stack] == 0) {
        return 0;
    }
    return sl_run_amount(writer->selection, run).ns;
}

static void write_thread_column(struct writer *writer, uint32_t thread, enum column column)
{
    uint32_t number, end;
    sl_selection_runs(writer->profile, writer->selection, thread, &number, &end);
    uint64_t now_ns = writer->selection->begin_ns;
    sl_json_open_array(&writer->json, column_names[column]);
    for (; number < end; number++) {
        const struct sl_run *run = &writer->profile->runs[number];
        uint64_t ns = run_ns(writer, run);
        if (ns == 0) {
            continue;
        }
        if (run->begin_ns > now_ns) {
            write_entry(writer, column, 0, run->begin_ns - now_ns);
            now_ns = run->begin_ns;
        }
        write_entry(writer, column, run->stack, ns);
        now_ns += ns;
    }
    sl_json_close_array(&writer->json);
}

static bool thread_has_time(const struct writer *writer, uint32_t thread)
{
    uint32_t number, end;
    sl_selection_runs(writer->profile, writer->selection, thread, &number, &end);
    while (number < end && run_ns(writer, &writer->profile->runs[number]) == 0) {
        number++;
    }
    return number < end;
}

static void write_thread(struct writer *writer, const struct sl_thread_summary *summary, struct sl_buffer *label)
{
    uint32_t thread = summary->thread;
    sl_buffer_clear(label);
    sl_thread_label(label, writer->profile, summary);
    begin_profile(writer, label->bytes, label->size, writer->selection->begin_ns, writer->selection->end_ns);
    write_thread_column(writer, thread, COLUMN_SAMPLES);
    sl_json_new_line(&writer->json);
    write_thread_column(writer, thread, COLUMN_WEIGHTS);
    sl_json_close_object(&writer->json);
}

static void write_merged(struct writer *writer, const struct sl_amount *self, uint64_t sum_ns)
{
    static const char name[] = "all threads, merged";
    begin_profile(writer, name, sizeof name - 1, 0, sum_ns);
    for (enum column column = COLUMN_SAMPLES; column <= COLUMN_WEIGHTS; column++) {
        sl_json_open_array(&writer->json, column_names[column]);
        for (sl_stack stack = 0; stack < writer->profile->stack_count; stack++) {
            if (self[stack].ns > 0) {
                write_entry(writer, column, stack, self[stack].ns);
            }
        }
        sl_json_close_array(&writer->json);
    }
    sl_json_close_object(&writer->json);
}

static void write_file(struct writer *writer, const struct sl_amount *self, uint64_t sum_ns, struct sl_buffer *label)
{
    const struct sl_profile *profile = writer->profile;
    sl_json_open_object(&writer->json, NULL);
    sl_json_text(&writer->json, "$schema", "https://www.speedscope.app/file-format-schema.json");
    sl_json_text(&writer->json, "exporter", "stacklapse " SL_VERSION);
    write_string(writer, "name", profile->process_count > 0 ? profile->processes[0].command : 0);
    sl_json_unsigned(&writer->json, "activeProfileIndex", 0);
    sl_json_open_object(&writer->json, "shared");
    write_frames(writer);
    sl_json_close_object(&writer->json);
    sl_json_open_array(&writer->json, "profiles");
    for (uint32_t i = 0; i < writer->thread_count; i++) {
        if (thread_has_time(writer, writer->threads[i].thread)) {
            write_thread(writer, &writer->threads[i], label);
        }
    }
    write_merged(writer, self, sum_ns);
    sl_json_close_array(&writer->json);
    sl_json_close_object(&writer->json);
    sl_output_text(writer->json.output, "\n");
}

bool sl_render_speedscope(const struct sl_profile *profile, const struct sl_render_options *options,
                          struct sl_output *output, struct sl_error *error)
{
    struct sl_arena arena;
    sl_arena_init(&arena);
    struct writer writer = {.profile = profile, .selection = &options->selection};
    sl_json_begin(&writer.json, output);
    uint32_t depth = sl_stack_depth_max(&arena, profile);
    struct sl_amount *self = SL_ARENA_NEW(&arena, struct sl_amount, profile->stack_count);
    writer.frames = SL_ARENA_NEW(&arena, sl_function, depth == SL_NONE ? 0 : depth);
    writer.taken = sl_selection_stacks(&arena, profile, &options->selection);
    writer.threads = sl_thread_summaries(&arena, profile, &options->selection, &writer.thread_count);
    bool done = !arena.exhausted;
    if (done) {
        struct sl_buffer label;
        sl_buffer_init(&label);
        uint64_t sum_ns = sl_stack_amounts(profile, &options->selection, SL_NONE, self).ns;
        write_file(&writer, self, sum_ns, &label);
        done = !label.failed;
        sl_buffer_destroy(&label);
    }
    sl_arena_reset(&arena);
    return done ? true : sl_error_memory(error);
}
