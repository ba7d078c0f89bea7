/* otlp.c - the profiles signal of OpenTelemetry: one ProfilesData message of
 * opentelemetry/proto/profiles/v1development/profiles.proto (opentelemetry-proto v1.11.0), protobuf, not compressed.
 *
 * The signal is in development: what a later version of the messages changes, this file changes. Number 0 of every
 * table of the dictionary is the zero value. There is one Profile for wall time and one for CPU time, or one for what
 * else is asked for, because a Profile has one sample type; each Sample holds one sum for a stack of a thread and no
 * timestamps, which is what the servers that take the signal today understand. */
#include "render/otlp.h"

#include "analysis/stack_samples.h"
#include "base/arena.h"
#include "render/locations.h"
#include "render/protobuf.h"
#include "render/renderers.h"

#include <stdio.h>
#include <string.h>

enum profiles_data_field { DATA_RESOURCE_PROFILES = 1, DATA_DICTIONARY = 2 };
enum resource_profiles_field { RESOURCE_PROFILES_RESOURCE = 1, RESOURCE_PROFILES_SCOPE_PROFILES = 2 };
enum resource_field { RESOURCE_ATTRIBUTES = 1 };
enum key_value_field { KEY_VALUE_KEY = 1, KEY_VALUE_VALUE = 2 };
enum any_value_field { ANY_VALUE_STRING = 1, ANY_VALUE_INT = 3 };
enum scope_profiles_field { SCOPE_PROFILES_SCOPE = 1, SCOPE_PROFILES_PROFILES = 2 };
enum scope_field { SCOPE_NAME = 1, SCOPE_VERSION = 2 };
enum profile_field {
    PROFILE_SAMPLE_TYPE = 1,
    PROFILE_SAMPLES = 2,
    PROFILE_TIME_UNIX_NANO = 3,
    PROFILE_DURATION_NANO = 4,
    PROFILE_PERIOD_TYPE = 5,
    PROFILE_PERIOD = 6,
};
enum value_type_field { VALUE_TYPE_TYPE_STRINDEX = 1, VALUE_TYPE_UNIT_STRINDEX = 2 };
enum sample_field { SAMPLE_STACK_INDEX = 1, SAMPLE_ATTRIBUTE_INDICES = 2, SAMPLE_VALUES = 4 };
enum dictionary_field {
    DICTIONARY_MAPPING = 1,
    DICTIONARY_LOCATION = 2,
    DICTIONARY_FUNCTION = 3,
    DICTIONARY_LINK = 4,
    DICTIONARY_STRING = 5,
    DICTIONARY_ATTRIBUTE = 6,
    DICTIONARY_STACK = 7,
};
enum link_field { LINK_TRACE_ID = 1, LINK_SPAN_ID = 2 };
enum stack_field { STACK_LOCATION_INDICES = 1 };
enum location_field { LOCATION_LINES = 3 };
enum line_field { LINE_FUNCTION_INDEX = 1, LINE_LINE = 2 };
enum function_field { FUNCTION_NAME = 1, FUNCTION_FILENAME = 3, FUNCTION_START_LINE = 4 };
enum attribute_field { ATTRIBUTE_KEY_STRINDEX = 1, ATTRIBUTE_VALUE = 2 };

/* Words that the format wants, numbered after the recording's strings. */
enum word { WORD_WALL, WORD_CPU, WORD_GIL, WORD_NANOSECONDS, WORD_THREAD_ID, WORD_THREAD_NAME, WORDS };
static const char *const words[WORDS] = {"wall", "cpu", "gil", "nanoseconds", "thread.id", "thread.name"};
static const enum word word_of_mode[] = {
    [SL_MODE_WALL] = WORD_WALL, [SL_MODE_CPU] = WORD_CPU, [SL_MODE_GIL] = WORD_GIL};

struct writer {
    const struct sl_profile *profile;
    struct sl_selection selection; /* its mode is that of the profile that is being written */
    enum sl_mode asked;
    const struct sl_otlp_form *form;
    struct sl_arena arena;
    struct sl_stack_samples samples;
    uint32_t *first_thread; /* of each process, SL_NONE: it has none */
    uint32_t *next_thread;  /* the one that comes after each in its process */
    uint32_t *stack_number; /* in the dictionary's table, for each stack that has samples; 0: none yet */
    uint32_t stack_count;
    struct sl_buffer stacks; /* the dictionary's stack table */
    struct sl_buffer inner[4];
    const struct sl_locations *locations;
    uint32_t *stack_locations;
    uint32_t depth_max;
};

static struct sl_buffer *fresh(struct writer *writer, unsigned level)
{
    sl_buffer_clear(&writer->inner[level]);
    return &writer->inner[level];
}

static uint64_t word_number(const struct writer *writer, enum word word)
{
    return (uint64_t)writer->profile->string_count + word;
}

static uint32_t number_of_stack(struct writer *writer, sl_stack stack)
{
    if (writer->stack_number[stack] == 0) {
        struct sl_buffer *numbers = fresh(writer, 2);
        uint32_t depth = sl_locations_of_stack(writer->locations, writer->profile, stack, writer->stack_locations,
                                               writer->depth_max);
        for (uint32_t i = 0; i < depth; i++) {
            sl_buffer_varint(numbers, writer->stack_locations[i]);
        }
        struct sl_buffer *message = fresh(writer, 3);
        sl_protobuf_message(message, STACK_LOCATION_INDICES, numbers);
        sl_protobuf_message(&writer->stacks, DICTIONARY_STACK, message);
        writer->stack_number[stack] = writer->stack_count++;
    }
    return writer->stack_number[stack];
}

static void write_value_type(struct writer *writer, struct sl_buffer *profile, uint32_t field, enum word type)
{
    struct sl_buffer *message = fresh(writer, 0);
    sl_protobuf_number(message, VALUE_TYPE_TYPE_STRINDEX, word_number(writer, type));
    sl_protobuf_number(message, VALUE_TYPE_UNIT_STRINDEX, word_number(writer, WORD_NANOSECONDS));
    sl_protobuf_message(profile, field, message);
}

/* Attributes 2n + 1 and 2n + 2 of the dictionary are the id and the name of thread n; of all threads together (SL_NONE)
 * nothing is told. */
static void write_sample(struct writer *writer, struct sl_buffer *profile, uint32_t thread, sl_stack stack, uint64_t ns)
{
    uint32_t number = number_of_stack(writer, stack);
    struct sl_buffer *sample = fresh(writer, 0);
    sl_protobuf_number(sample, SAMPLE_STACK_INDEX, number);
    if (thread != SL_NONE) {
        struct sl_buffer *attributes = fresh(writer, 1);
        sl_buffer_varint(attributes, 2 * (uint64_t)thread + 1);
        sl_buffer_varint(attributes, 2 * (uint64_t)thread + 2);
        sl_protobuf_message(sample, SAMPLE_ATTRIBUTE_INDICES, attributes);
    }
    struct sl_buffer *packed = fresh(writer, 1);
    sl_buffer_varint(packed, ns);
    sl_protobuf_message(sample, SAMPLE_VALUES, packed);
    sl_protobuf_message(profile, PROFILE_SAMPLES, sample);
}

/* Those of the threads that were added since the last time; `thread` may be SL_NONE: several together. */
static void write_samples(struct writer *writer, struct sl_buffer *profile, uint32_t thread)
{
    for (uint32_t i = 0; i < writer->samples.touched_count; i++) {
        sl_stack stack = writer->samples.touched[i];
        uint64_t ns = writer->samples.stacks[stack].self.ns;
        if (ns > 0) {
            write_sample(writer, profile, thread, stack, ns);
        }
    }
    sl_stack_samples_clear(&writer->samples);
}

/* `process` may be SL_NONE: all of them together. */
static void write_profile(struct writer *writer, struct sl_buffer *profile, uint32_t process, enum sl_mode mode)
{
    const struct sl_profile *from = writer->profile;
    write_value_type(writer, profile, PROFILE_SAMPLE_TYPE, word_of_mode[mode]);
    writer->selection.mode = mode;
    if (process == SL_NONE) {
        for (uint32_t thread = 0; thread < from->thread_count; thread++) {
            sl_stack_samples_add(&writer->samples, thread);
        }
        write_samples(writer, profile, SL_NONE);
    } else {
        for (uint32_t thread = writer->first_thread[process]; thread != SL_NONE; thread = writer->next_thread[thread]) {
            sl_stack_samples_add(&writer->samples, thread);
            write_samples(writer, profile, thread);
        }
    }
    sl_protobuf_fixed64(profile, PROFILE_TIME_UNIX_NANO, from->facts.start_time_ns);
    sl_protobuf_number(profile, PROFILE_DURATION_NANO, from->facts.duration_ns);
    write_value_type(writer, profile, PROFILE_PERIOD_TYPE, mode == SL_MODE_CPU ? WORD_CPU : WORD_WALL);
    sl_protobuf_number(profile, PROFILE_PERIOD, from->facts.interval_ns);
}

static void write_string_attribute(struct writer *writer, struct sl_buffer *resource, const char *key, const char *text,
                                   size_t size)
{
    struct sl_buffer *value = fresh(writer, 0);
    sl_protobuf_bytes_always(value, ANY_VALUE_STRING, text, size);
    struct sl_buffer *pair = fresh(writer, 1);
    sl_protobuf_bytes(pair, KEY_VALUE_KEY, key, strlen(key));
    sl_protobuf_message(pair, KEY_VALUE_VALUE, value);
    sl_protobuf_message(resource, RESOURCE_ATTRIBUTES, pair);
}

static void write_text_attribute(struct writer *writer, struct sl_buffer *resource, const char *key, const char *text)
{
    write_string_attribute(writer, resource, key, text, strlen(text));
}

static void write_string(struct writer *writer, struct sl_buffer *resource, const char *key, sl_string string)
{
    write_string_attribute(writer, resource, key, sl_profile_text(writer->profile, string),
                           sl_profile_text_size(writer->profile, string));
}

static void write_process_attributes(struct writer *writer, struct sl_buffer *resource, uint32_t process)
{
    const struct sl_process_record *record = &writer->profile->processes[process];
    char pid[16];
    snprintf(pid, sizeof pid, "%u", record->pid);
    write_text_attribute(writer, resource, "service.instance.id", pid);
    write_string(writer, resource, "process.command_line", record->command);
    write_string(writer, resource, "process.executable.path", record->executable);
}

/* Names of attributes: OpenTelemetry's semantic conventions for processes. `process` may be SL_NONE: all of them, which run
 * the same Python as a rule. */
static void write_resource(struct writer *writer, struct sl_buffer *resource, uint32_t process)
{
    const struct sl_profile *from = writer->profile;
    const struct sl_otlp_form *form = writer->form;
    write_text_attribute(writer, resource, "service.name",
                         form->service != NULL ? form->service : "unknown_service:python");
    if (process != SL_NONE) {
        write_process_attributes(writer, resource, process);
    }
    write_text_attribute(writer, resource, "process.runtime.name", "cpython");
    uint32_t known = process != SL_NONE ? process : 0;
    if (known < from->process_count) {
        write_string(writer, resource, "process.runtime.version", from->processes[known].python);
    }
    for (size_t i = 0; i < form->attribute_count; i++) {
        write_text_attribute(writer, resource, form->attributes[2 * i], form->attributes[2 * i + 1]);
    }
}

/* `process` may be SL_NONE: all of them together. */
static void write_process(struct writer *writer, struct sl_output *output, uint32_t process)
{
    struct sl_buffer resource, profile, scope, all;
    sl_buffer_init(&resource);
    sl_buffer_init(&profile);
    sl_buffer_init(&scope);
    sl_buffer_init(&all);

    write_resource(writer, &resource, process);
    sl_protobuf_message(&all, RESOURCE_PROFILES_RESOURCE, &resource);

    sl_protobuf_bytes(fresh(writer, 0), SCOPE_NAME, "stacklapse", 10);
    sl_protobuf_bytes(&writer->inner[0], SCOPE_VERSION, SL_VERSION, strlen(SL_VERSION));
    sl_protobuf_message(&scope, SCOPE_PROFILES_SCOPE, &writer->inner[0]);
    write_profile(writer, &profile, process, writer->asked);
    sl_protobuf_message(&scope, SCOPE_PROFILES_PROFILES, &profile);
    if (writer->asked == SL_MODE_WALL) {
        sl_buffer_clear(&profile);
        write_profile(writer, &profile, process, SL_MODE_CPU);
        sl_protobuf_message(&scope, SCOPE_PROFILES_PROFILES, &profile);
    }
    sl_protobuf_message(&all, RESOURCE_PROFILES_SCOPE_PROFILES, &scope);

    sl_protobuf_message(fresh(writer, 0), DATA_RESOURCE_PROFILES, &all);
    writer->inner[0].failed |= resource.failed || profile.failed || scope.failed || all.failed;
    if (!writer->inner[0].failed) {
        sl_output_write(output, writer->inner[0].bytes, writer->inner[0].size);
    }
    sl_buffer_destroy(&resource);
    sl_buffer_destroy(&profile);
    sl_buffer_destroy(&scope);
    sl_buffer_destroy(&all);
}

static void write_functions_and_locations(struct writer *writer, struct sl_buffer *dictionary)
{
    const struct sl_profile *from = writer->profile;
    for (uint32_t number = 0; number < writer->locations->count; number++) {
        const struct sl_location *location = &writer->locations->items[number];
        struct sl_buffer *line = fresh(writer, 0);
        sl_protobuf_number(line, LINE_FUNCTION_INDEX, location->function);
        sl_protobuf_number(line, LINE_LINE, location->line);
        struct sl_buffer *message = fresh(writer, 1);
        if (number != 0) {
            sl_protobuf_message(message, LOCATION_LINES, line);
        }
        sl_protobuf_message(dictionary, DICTIONARY_LOCATION, message);
    }
    for (sl_function function = 0; function < from->function_count; function++) {
        const struct sl_function_record *record = &from->functions[function];
        struct sl_buffer *message = fresh(writer, 0);
        sl_protobuf_number(message, FUNCTION_NAME, record->name);
        sl_protobuf_number(message, FUNCTION_FILENAME, record->file);
        sl_protobuf_number(message, FUNCTION_START_LINE, record->first_line);
        sl_protobuf_message(dictionary, DICTIONARY_FUNCTION, message);
    }
}

static void write_attribute(struct writer *writer, struct sl_buffer *dictionary, enum word key,
                            const struct sl_buffer *value)
{
    struct sl_buffer *message = fresh(writer, 1);
    sl_protobuf_number(message, ATTRIBUTE_KEY_STRINDEX, word_number(writer, key));
    sl_protobuf_message(message, ATTRIBUTE_VALUE, value);
    sl_protobuf_message(dictionary, DICTIONARY_ATTRIBUTE, message);
}

static void write_attributes(struct writer *writer, struct sl_buffer *dictionary)
{
    const struct sl_profile *from = writer->profile;
    sl_protobuf_message(dictionary, DICTIONARY_ATTRIBUTE, fresh(writer, 0));
    for (uint32_t thread = 0; thread < from->thread_count && !writer->form->summed; thread++) {
        const struct sl_thread_record *record = &from->threads[thread];
        struct sl_buffer *value = fresh(writer, 0);
        sl_protobuf_number(value, ANY_VALUE_INT, record->id);
        write_attribute(writer, dictionary, WORD_THREAD_ID, value);
        value = fresh(writer, 0);
        sl_protobuf_bytes_always(value, ANY_VALUE_STRING, sl_profile_text(from, record->name),
                                 sl_profile_text_size(from, record->name));
        write_attribute(writer, dictionary, WORD_THREAD_NAME, value);
    }
}

/* Of the recording's strings, those that `shown` (NULL: all) has no byte for are empty. */
static bool write_dictionary(struct writer *writer, const uint8_t *shown, struct sl_output *output)
{
    static const char no_id[16];
    struct sl_buffer dictionary;
    sl_buffer_init(&dictionary);
    sl_protobuf_message(&dictionary, DICTIONARY_MAPPING, fresh(writer, 0));
    write_functions_and_locations(writer, &dictionary);
    struct sl_buffer *link = fresh(writer, 0);
    sl_protobuf_bytes(link, LINK_TRACE_ID, no_id, 16);
    sl_protobuf_bytes(link, LINK_SPAN_ID, no_id, 8);
    sl_protobuf_message(&dictionary, DICTIONARY_LINK, link);
    for (sl_string string = 0; string < writer->profile->string_count; string++) {
        bool whole = shown == NULL || shown[string] != 0;
        sl_protobuf_bytes_always(&dictionary, DICTIONARY_STRING, sl_profile_text(writer->profile, string),
                                 whole ? sl_profile_text_size(writer->profile, string) : 0);
    }
    for (unsigned word = 0; word < WORDS; word++) {
        sl_protobuf_bytes_always(&dictionary, DICTIONARY_STRING, words[word], strlen(words[word]));
    }
    write_attributes(writer, &dictionary);
    sl_buffer_append(&dictionary, writer->stacks.bytes, writer->stacks.size);

    struct sl_buffer head;
    sl_buffer_init(&head);
    sl_buffer_varint(&head, DATA_DICTIONARY << 3 | 2);
    sl_buffer_varint(&head, dictionary.size);
    bool whole = !dictionary.failed && !head.failed && !writer->stacks.failed;
    if (whole) {
        sl_output_write(output, head.bytes, head.size);
        sl_output_write(output, dictionary.bytes, dictionary.size);
    }
    sl_buffer_destroy(&head);
    sl_buffer_destroy(&dictionary);
    return whole;
}

static bool find_threads(struct writer *writer)
{
    const struct sl_profile *profile = writer->profile;
    writer->first_thread = SL_ARENA_NEW(&writer->arena, uint32_t, profile->process_count);
    writer->next_thread = SL_ARENA_NEW(&writer->arena, uint32_t, profile->thread_count);
    if (writer->first_thread == NULL || writer->next_thread == NULL) {
        return false;
    }
    for (uint32_t process = 0; process < profile->process_count; process++) {
        writer->first_thread[process] = SL_NONE;
    }
    for (uint32_t thread = profile->thread_count; thread-- > 0;) {
        uint32_t *first = &writer->first_thread[profile->threads[thread].process];
        writer->next_thread[thread] = *first;
        *first = thread;
    }
    return true;
}

static bool prepare(struct writer *writer)
{
    const struct sl_profile *profile = writer->profile;
    struct sl_arena *arena = &writer->arena;
    const uint8_t *taken = sl_selection_stacks(arena, profile, &writer->selection);
    writer->stack_number = SL_ARENA_NEW(arena, uint32_t, profile->stack_count);
    writer->locations = sl_locations_build(arena, profile);
    writer->depth_max = sl_stack_depth_max(arena, profile);
    writer->stack_locations = SL_ARENA_NEW(arena, uint32_t, writer->depth_max == SL_NONE ? 0 : writer->depth_max);
    return sl_stack_samples_init(&writer->samples, arena, profile, &writer->selection, taken) && find_threads(writer) &&
           writer->locations != NULL && !arena->exhausted;
}

bool sl_otlp_write(const struct sl_profile *profile, const struct sl_selection *selection,
                   const struct sl_otlp_form *form, struct sl_output *output, struct sl_error *error)
{
    struct writer writer = {.profile = profile, .selection = *selection, .asked = selection->mode, .form = form};
    sl_arena_init(&writer.arena);
    bool done = prepare(&writer);
    const uint8_t *shown = form->summed ? sl_location_strings(&writer.arena, profile) : NULL;
    if (done && !writer.arena.exhausted) {
        sl_protobuf_message(&writer.stacks, DICTIONARY_STACK, fresh(&writer, 0));
        writer.stack_count = 1;
        for (uint32_t process = 0; process < profile->process_count && !form->summed; process++) {
            write_process(&writer, output, process);
        }
        if (form->summed) {
            write_process(&writer, output, SL_NONE);
        }
        done = write_dictionary(&writer, shown, output);
    }
    for (unsigned level = 0; level < sizeof writer.inner / sizeof *writer.inner; level++) {
        done = done && !writer.inner[level].failed;
        sl_buffer_destroy(&writer.inner[level]);
    }
    done = done && !writer.arena.exhausted;
    sl_buffer_destroy(&writer.stacks);
    sl_arena_reset(&writer.arena);
    return done ? true : sl_error_memory(error);
}

bool sl_render_otlp(const struct sl_profile *profile, const struct sl_render_options *options, struct sl_output *output,
                    struct sl_error *error)
{
    const struct sl_otlp_form form = {0};
    return sl_otlp_write(profile, &options->selection, &form, output, error);
}
