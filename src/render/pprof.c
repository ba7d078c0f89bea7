/* pprof.c - the format of Go's pprof, which most continuous profilers take too: gzip-compressed perftools.profiles.Profile
 * (github.com/google/pprof, proto/profile.proto, whose field numbers stand below).
 *
 * Three values a sample unless the form has fewer: samples/count, wall/nanoseconds, cpu/nanoseconds; where time with
 * the GIL is asked for, gil/nanoseconds is the fourth. The string table is the recording's own (number 0 is empty in
 * both) with a few words added at its end. `Function.system_name` stays unset: were it the name, pprof would take it
 * for a mangled one and strip `<module>` down to nothing. */
#include "render/pprof.h"

#include "analysis/stack_samples.h"
#include "base/arena.h"
#include "render/gzip.h"
#include "render/locations.h"
#include "render/protobuf.h"
#include "render/renderers.h"

#include <string.h>

enum profile_field {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLE = 2,
    PROFILE_MAPPING = 3,
    PROFILE_LOCATION = 4,
    PROFILE_FUNCTION = 5,
    PROFILE_STRING_TABLE = 6,
    PROFILE_TIME_NANOS = 9,
    PROFILE_DURATION_NANOS = 10,
    PROFILE_PERIOD_TYPE = 11,
    PROFILE_PERIOD = 12,
    PROFILE_COMMENT = 13,
    PROFILE_DEFAULT_SAMPLE_TYPE = 14,
};
enum value_type_field { VALUE_TYPE_TYPE = 1, VALUE_TYPE_UNIT = 2 };
enum sample_field { SAMPLE_LOCATION_ID = 1, SAMPLE_VALUE = 2, SAMPLE_LABEL = 3 };
enum label_field { LABEL_KEY = 1, LABEL_STR = 2, LABEL_NUM = 3 };
enum mapping_field {
    MAPPING_ID = 1,
    MAPPING_FILENAME = 5,
    MAPPING_HAS_FUNCTIONS = 7,
    MAPPING_HAS_FILENAMES = 8,
    MAPPING_HAS_LINE_NUMBERS = 9
};
enum location_field { LOCATION_ID = 1, LOCATION_MAPPING_ID = 2, LOCATION_LINE = 4 };
enum line_field { LINE_FUNCTION_ID = 1, LINE_LINE = 2 };
enum function_field { FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_FILENAME = 4, FUNCTION_START_LINE = 5 };

/* Words that the format wants, numbered after the recording's strings. */
enum word {
    WORD_SAMPLES,
    WORD_COUNT,
    WORD_WALL,
    WORD_CPU,
    WORD_GIL,
    WORD_NANOSECONDS,
    WORD_THREAD,
    WORD_TASK,
    WORD_THREAD_ID,
    WORD_PROCESS_ID,
    WORDS
};
static const char *const words[WORDS] = {"samples",     "count",  "wall", "cpu",       "gil",
                                         "nanoseconds", "thread", "task", "thread_id", "process_id"};

struct writer {
    const struct sl_profile *profile;
    const struct sl_selection *selection;
    const struct sl_pprof_form *form;
    const struct sl_locations *locations;
    struct sl_selection by_wall, by_cpu, by_gil;
    struct sl_stack_samples wall, cpu, gil; /* of a thread, or of all of them together */
    struct sl_gzip *gzip;
    struct sl_buffer message; /* fields of Profile that wait to be compressed */
    struct sl_buffer inner;   /* a message inside it */
    struct sl_buffer innermost;
    uint32_t *stack_locations;
    uint32_t depth_max;
};

static uint64_t word_number(const struct writer *writer, enum word word)
{
    return (uint64_t)writer->profile->string_count + word;
}

static void write_value_type(struct writer *writer, uint32_t field, enum word type, enum word unit)
{
    sl_buffer_clear(&writer->inner);
    sl_protobuf_number(&writer->inner, VALUE_TYPE_TYPE, word_number(writer, type));
    sl_protobuf_number(&writer->inner, VALUE_TYPE_UNIT, word_number(writer, unit));
    sl_protobuf_message(&writer->message, field, &writer->inner);
}

static bool has_gil(const struct writer *writer)
{
    return writer->form->values == SL_PPROF_ALL && writer->selection->mode == SL_MODE_GIL;
}

static void write_head(struct writer *writer)
{
    const struct sl_facts *facts = &writer->profile->facts;
    enum sl_pprof_values values = writer->form->values;
    write_value_type(writer, PROFILE_SAMPLE_TYPE, WORD_SAMPLES, WORD_COUNT);
    if (values != SL_PPROF_CPU) {
        write_value_type(writer, PROFILE_SAMPLE_TYPE, WORD_WALL, WORD_NANOSECONDS);
    }
    if (values != SL_PPROF_WALL) {
        write_value_type(writer, PROFILE_SAMPLE_TYPE, WORD_CPU, WORD_NANOSECONDS);
    }
    if (has_gil(writer)) {
        write_value_type(writer, PROFILE_SAMPLE_TYPE, WORD_GIL, WORD_NANOSECONDS);
    }
    bool wall = values == SL_PPROF_WALL || (values == SL_PPROF_ALL && writer->selection->mode == SL_MODE_WALL);
    enum word chosen = has_gil(writer) ? WORD_GIL : wall ? WORD_WALL : WORD_CPU;
    sl_protobuf_number(&writer->message, PROFILE_DEFAULT_SAMPLE_TYPE, word_number(writer, chosen));
    sl_protobuf_number(&writer->message, PROFILE_TIME_NANOS, facts->start_time_ns);
    sl_protobuf_number(&writer->message, PROFILE_DURATION_NANOS, facts->duration_ns);
    write_value_type(writer, PROFILE_PERIOD_TYPE, values == SL_PPROF_CPU ? WORD_CPU : WORD_WALL, WORD_NANOSECONDS);
    sl_protobuf_number(&writer->message, PROFILE_PERIOD, facts->interval_ns);
}

/* One mapping for each process, or one for all, which then says nothing of them. Without the three has_ fields pprof would look for symbols in the
 * file. */
static void write_mappings(struct writer *writer)
{
    bool summed = writer->form->summed;
    for (uint32_t process = 0; process < writer->profile->process_count && (process == 0 || !summed); process++) {
        sl_buffer_clear(&writer->inner);
        sl_protobuf_number(&writer->inner, MAPPING_ID, (uint64_t)process + 1);
        if (!summed) {
            sl_protobuf_number(&writer->inner, MAPPING_FILENAME, writer->profile->processes[process].executable);
        }
        sl_protobuf_number(&writer->inner, MAPPING_HAS_FUNCTIONS, 1);
        sl_protobuf_number(&writer->inner, MAPPING_HAS_FILENAMES, 1);
        sl_protobuf_number(&writer->inner, MAPPING_HAS_LINE_NUMBERS, 1);
        sl_protobuf_message(&writer->message, PROFILE_MAPPING, &writer->inner);
        if (!summed) {
            sl_protobuf_number(&writer->message, PROFILE_COMMENT, writer->profile->processes[process].command);
        }
    }
}

static void write_functions(struct writer *writer)
{
    for (sl_function function = 1; function < writer->profile->function_count; function++) {
        const struct sl_function_record *record = &writer->profile->functions[function];
        sl_buffer_clear(&writer->inner);
        sl_protobuf_number(&writer->inner, FUNCTION_ID, function);
        sl_protobuf_number(&writer->inner, FUNCTION_NAME, record->name);
        sl_protobuf_number(&writer->inner, FUNCTION_FILENAME, record->file);
        sl_protobuf_number(&writer->inner, FUNCTION_START_LINE, record->first_line);
        sl_protobuf_message(&writer->message, PROFILE_FUNCTION, &writer->inner);
        sl_gzip_drain(writer->gzip, &writer->message, false);
    }
}

static void write_locations(struct writer *writer)
{
    for (uint32_t number = 1; number < writer->locations->count; number++) {
        const struct sl_location *location = &writer->locations->items[number];
        sl_buffer_clear(&writer->innermost);
        sl_protobuf_number(&writer->innermost, LINE_FUNCTION_ID, location->function);
        sl_protobuf_number(&writer->innermost, LINE_LINE, location->line);
        sl_buffer_clear(&writer->inner);
        sl_protobuf_number(&writer->inner, LOCATION_ID, number);
        /* The same function may run in several processes; pprof wants one mapping and uses it for its name only. */
        sl_protobuf_number(&writer->inner, LOCATION_MAPPING_ID, writer->profile->process_count > 0 ? 1 : 0);
        sl_protobuf_message(&writer->inner, LOCATION_LINE, &writer->innermost);
        sl_protobuf_message(&writer->message, PROFILE_LOCATION, &writer->inner);
        sl_gzip_drain(writer->gzip, &writer->message, false);
    }
}

static void write_label(struct writer *writer, enum word key, uint64_t string, uint64_t number)
{
    sl_buffer_clear(&writer->innermost);
    sl_protobuf_number(&writer->innermost, LABEL_KEY, word_number(writer, key));
    sl_protobuf_number(&writer->innermost, LABEL_STR, string);
    sl_protobuf_number(&writer->innermost, LABEL_NUM, number);
    sl_protobuf_message(&writer->inner, SAMPLE_LABEL, &writer->innermost);
}

static void write_values(struct writer *writer, sl_stack stack)
{
    enum sl_pprof_values values = writer->form->values;
    struct sl_amount wall = writer->wall.stacks[stack].self;
    struct sl_amount cpu = writer->cpu.stacks[stack].self;
    sl_buffer_clear(&writer->innermost);
    sl_buffer_varint(&writer->innermost, values == SL_PPROF_CPU ? cpu.samples : wall.samples);
    if (values != SL_PPROF_CPU) {
        sl_buffer_varint(&writer->innermost, wall.ns);
    }
    if (values != SL_PPROF_WALL) {
        sl_buffer_varint(&writer->innermost, cpu.ns);
    }
    if (has_gil(writer)) {
        sl_buffer_varint(&writer->innermost, writer->gil.stacks[stack].self.ns);
    }
    sl_protobuf_message(&writer->inner, SAMPLE_VALUE, &writer->innermost);
}

static void write_labels(struct writer *writer, const struct sl_thread_record *thread)
{
    if (thread->name != 0) {
        write_label(writer, thread->kind == SL_THREAD_SCOPE ? WORD_TASK : WORD_THREAD, thread->name, 0);
    }
    write_label(writer, WORD_THREAD_ID, 0, thread->id);
    write_label(writer, WORD_PROCESS_ID, 0, writer->profile->processes[thread->process].pid);
}

/* Of a thread, or of all of them together: NULL. */
static void write_sample(struct writer *writer, const struct sl_thread_record *thread, sl_stack stack)
{
    uint32_t depth =
        sl_locations_of_stack(writer->locations, writer->profile, stack, writer->stack_locations, writer->depth_max);
    sl_buffer_clear(&writer->inner);
    sl_buffer_clear(&writer->innermost);
    for (uint32_t i = 0; i < depth; i++) {
        sl_buffer_varint(&writer->innermost, writer->stack_locations[i]);
    }
    sl_protobuf_message(&writer->inner, SAMPLE_LOCATION_ID, &writer->innermost);
    write_values(writer, stack);
    if (thread != NULL) {
        write_labels(writer, thread);
    }
    sl_protobuf_message(&writer->message, PROFILE_SAMPLE, &writer->inner);
    sl_gzip_drain(writer->gzip, &writer->message, false);
}

static void add_thread(struct writer *writer, uint32_t thread)
{
    sl_stack_samples_add(&writer->wall, thread);
    sl_stack_samples_add(&writer->cpu, thread);
    if (has_gil(writer)) {
        sl_stack_samples_add(&writer->gil, thread);
    }
}

/* Those of the threads that were added since the last time: of one, or of several together, NULL. */
static void write_samples_of(struct writer *writer, const struct sl_thread_record *thread)
{
    const struct sl_stack_samples *shown = writer->form->values == SL_PPROF_CPU ? &writer->cpu : &writer->wall;
    for (uint32_t i = 0; i < shown->touched_count; i++) {
        write_sample(writer, thread, shown->touched[i]);
    }
    sl_stack_samples_clear(&writer->wall);
    sl_stack_samples_clear(&writer->cpu);
    sl_stack_samples_clear(&writer->gil);
}

static void write_samples(struct writer *writer)
{
    for (uint32_t thread = 0; thread < writer->profile->thread_count; thread++) {
        add_thread(writer, thread);
        if (!writer->form->summed) {
            write_samples_of(writer, &writer->profile->threads[thread]);
        }
    }
    if (writer->form->summed) {
        write_samples_of(writer, NULL);
    }
}

/* Those that `shown` (NULL: all) has no byte for are empty. */
static void write_strings(struct writer *writer, const uint8_t *shown)
{
    for (sl_string string = 0; string < writer->profile->string_count; string++) {
        bool whole = shown == NULL || shown[string] != 0;
        sl_protobuf_bytes_always(&writer->message, PROFILE_STRING_TABLE, sl_profile_text(writer->profile, string),
                                 whole ? sl_profile_text_size(writer->profile, string) : 0);
        sl_gzip_drain(writer->gzip, &writer->message, false);
    }
    for (unsigned word = 0; word < WORDS; word++) {
        sl_protobuf_bytes_always(&writer->message, PROFILE_STRING_TABLE, words[word], strlen(words[word]));
    }
}

static bool prepare(struct writer *writer, struct sl_arena *arena)
{
    const struct sl_profile *profile = writer->profile;
    const uint8_t *taken = sl_selection_stacks(arena, profile, writer->selection);
    writer->by_wall = *writer->selection;
    writer->by_wall.mode = SL_MODE_WALL;
    writer->by_cpu = *writer->selection;
    writer->by_cpu.mode = SL_MODE_CPU;
    writer->by_gil = *writer->selection;
    writer->by_gil.mode = SL_MODE_GIL;
    if (has_gil(writer) && !sl_stack_samples_init(&writer->gil, arena, profile, &writer->by_gil, taken)) {
        return false;
    }
    writer->locations = sl_locations_build(arena, profile);
    writer->depth_max = sl_stack_depth_max(arena, profile);
    writer->stack_locations = SL_ARENA_NEW(arena, uint32_t, writer->depth_max == SL_NONE ? 0 : writer->depth_max);
    return sl_stack_samples_init(&writer->wall, arena, profile, &writer->by_wall, taken) &&
           sl_stack_samples_init(&writer->cpu, arena, profile, &writer->by_cpu, taken) && writer->locations != NULL &&
           !arena->exhausted;
}

bool sl_pprof_write(const struct sl_profile *profile, const struct sl_selection *selection,
                    const struct sl_pprof_form *form, struct sl_output *output, struct sl_error *error)
{
    struct sl_arena arena;
    sl_arena_init(&arena);
    struct sl_gzip gzip;
    struct writer writer = {.profile = profile, .selection = selection, .form = form, .gzip = &gzip};
    bool done = prepare(&writer, &arena);
    const uint8_t *shown = form->summed ? sl_location_strings(&arena, profile) : NULL;
    if (!done || arena.exhausted) {
        done = sl_error_memory(error);
    } else if ((done = sl_gzip_init(&gzip, output, error))) {
        write_head(&writer);
        write_mappings(&writer);
        write_functions(&writer);
        write_locations(&writer);
        write_samples(&writer);
        write_strings(&writer, shown);
        writer.message.failed |= writer.inner.failed || writer.innermost.failed || arena.exhausted;
        sl_gzip_drain(&gzip, &writer.message, true);
        done = sl_gzip_finish(&gzip, error);
    }
    sl_buffer_destroy(&writer.message);
    sl_buffer_destroy(&writer.inner);
    sl_buffer_destroy(&writer.innermost);
    sl_arena_reset(&arena);
    return done;
}

bool sl_render_pprof(const struct sl_profile *profile, const struct sl_render_options *options,
                     struct sl_output *output, struct sl_error *error)
{
    const struct sl_pprof_form form = {.values = SL_PPROF_ALL};
    return sl_pprof_write(profile, &options->selection, &form, output, error);
}
