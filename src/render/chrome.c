/* chrome.c - trace events in JSON (the "Trace Event Format" of Chrome's tracing): what DevTools, Perfetto and
 * speedscope open. A call is a pair of events, B where it was first seen and E where it was seen no more, so that a
 * trace holds what changed and not every stack again. An E carries the name of its B and no arguments, by which
 * speedscope matches the two. Times are microseconds. */
#include "analysis/roles.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "render/json_writer.h"
#include "render/labels.h"
#include "render/locations.h"
#include "render/renderers.h"

#include <string.h>

/* What an event says of its function, in the writer's words: its name, and behind that all that a B has. */
struct words {
    size_t at;
    size_t name_size;
    size_t size;
};

/* More than an event's beginning takes, so that its memory is there before the first is written. */
static const size_t event_room = 256;

struct writer {
    const struct sl_profile *profile;
    const struct sl_selection *selection;
    const struct sl_thread_summary *threads; /* those that were seen, main threads first */
    uint32_t thread_count;
    struct sl_json json;
    const uint8_t *taken; /* stacks that the selection's functions leave; NULL: all */
    struct words *function_words;
    struct sl_output words; /* in memory, of all functions */
    uint32_t pid;           /* of the present thread */
    uint64_t tid;
    struct sl_output event; /* in memory: what events of the present thread and instant begin with */
    size_t phase_at;        /* of the one letter in it that makes it a B or an E */
    size_t time_at;
    uint64_t event_ns; /* the instant that is in it; UINT64_MAX: none */
    sl_stack *open;    /* the calls that have begun and not ended, outermost first */
    uint32_t open_count;
    uint32_t *level; /* of each stack in `open`, its place there plus one */
    sl_stack *next;  /* what is called now, innermost first */
};

static void begin_event(struct sl_json *json, const char *phase, uint32_t pid, uint64_t tid)
{
    sl_json_new_line(json);
    sl_json_open_object(json, NULL);
    sl_json_text(json, "ph", phase);
    sl_json_unsigned(json, "pid", pid);
    sl_json_unsigned(json, "tid", tid);
}

/* A million samples are some million calls, so that each is put together of what was written once: for its function here,
 * for its thread and its instant below. */
static void collect_words(struct writer *writer)
{
    const struct sl_profile *profile = writer->profile;
    const struct sl_buffer *words = &writer->words.pending;
    for (sl_function function = 0; function < profile->function_count; function++) {
        const struct sl_function_record *record = &profile->functions[function];
        struct sl_json json = {.output = &writer->words, .filled = true};
        size_t begin = words->size;
        sl_json_string(&json, "name", sl_profile_text(profile, record->name),
                       sl_profile_text_size(profile, record->name));
        size_t name_size = words->size - begin;
        if (record->kind == SL_FUNCTION_PYTHON) {
            sl_json_open_object(&json, "args");
            sl_json_text(&json, "file", sl_short_path(profile, function));
            sl_json_unsigned(&json, "line", record->first_line);
            sl_json_close_object(&json);
        }
        writer->function_words[function] = (struct words){begin, name_size, words->size - begin};
    }
}

static void begin_thread_events(struct writer *writer)
{
    struct sl_buffer *event = &writer->event.pending;
    sl_buffer_clear(event);
    struct sl_json json = {.output = &writer->event, .filled = true};
    begin_event(&json, "?", writer->pid, writer->tid);
    writer->phase_at = (size_t)(strchr(event->bytes, '?') - event->bytes);
    writer->time_at = event->size;
    writer->event_ns = UINT64_MAX;
}

static void write_call_event(struct writer *writer, char phase, sl_function function, uint64_t ns)
{
    struct sl_buffer *event = &writer->event.pending;
    if (writer->event_ns != ns) {
        event->size = writer->time_at;
        struct sl_json json = {.output = &writer->event, .filled = true};
        sl_json_decimal(&json, "ts", ns, 3);
        writer->event_ns = ns;
    }
    event->bytes[writer->phase_at] = phase;
    struct sl_output *output = writer->json.output;
    const struct words *words = &writer->function_words[function];
    sl_output_write(output, event->bytes, event->size);
    sl_output_write(output, writer->words.pending.bytes + words->at, phase == 'B' ? words->size : words->name_size);
    sl_output_write(output, "}", 1);
}

static void end_calls(struct writer *writer, uint32_t keep, uint64_t ns)
{
    while (writer->open_count > keep) {
        sl_stack stack = writer->open[--writer->open_count];
        write_call_event(writer, 'E', writer->profile->stacks[stack].function, ns);
    }
}

static bool is_open(const struct writer *writer, sl_stack stack)
{
    uint32_t level = writer->level[stack];
    return level > 0 && level <= writer->open_count && writer->open[level - 1] == stack;
}

static void open_call(struct writer *writer, uint32_t place, sl_stack stack)
{
    writer->open[place] = stack;
    writer->level[stack] = place + 1;
}

/* Goes down no further than to what is open, so that a deep stack costs what changes in it. */
static void change_to(struct writer *writer, sl_stack stack, uint64_t ns)
{
    const struct sl_stack_record *stacks = writer->profile->stacks;
    uint32_t fresh = 0;
    for (; stack != 0 && !is_open(writer, stack); stack = stacks[stack].caller) {
        writer->next[fresh++] = stack;
    }
    uint32_t same = stack == 0 ? 0 : writer->level[stack];
    /* The same call may have gone on to another line; what it calls there is another call. */
    if (fresh > 0 && same < writer->open_count &&
        stacks[writer->open[same]].function == stacks[writer->next[fresh - 1]].function) {
        open_call(writer, same++, writer->next[--fresh]);
    }
    end_calls(writer, same, ns);
    while (fresh > 0) {
        sl_stack called = writer->next[--fresh];
        open_call(writer, writer->open_count++, called);
        write_call_event(writer, 'B', stacks[called].function, ns);
    }
}

static void write_name_event(struct writer *writer, const char *kind, const char *name, size_t size)
{
    begin_event(&writer->json, "M", writer->pid, writer->tid);
    sl_json_text(&writer->json, "name", kind);
    sl_json_open_object(&writer->json, "args");
    sl_json_string(&writer->json, "name", name, size);
    sl_json_close_object(&writer->json);
    sl_json_close_object(&writer->json);
}

static void write_thread(struct writer *writer, const struct sl_thread_summary *summary, struct sl_buffer *label)
{
    uint32_t thread = summary->thread;
    const struct sl_profile *profile = writer->profile;
    uint32_t number, end;
    sl_selection_runs(profile, writer->selection, thread, &number, &end);
    if (number >= end) {
        return;
    }
    writer->pid = profile->processes[profile->threads[thread].process].pid;
    writer->tid = profile->threads[thread].id;
    sl_buffer_clear(label);
    sl_thread_label(label, profile, summary);
    write_name_event(writer, "thread_name", label->bytes, label->size);

    begin_thread_events(writer);
    uint64_t now_ns = 0;
    for (; number < end; number++) {
        const struct sl_run *run = &profile->runs[number];
        uint64_t ns = sl_run_amount(writer->selection, run).ns;
        if (ns == 0 || (writer->taken != NULL && writer->taken[run->stack] == 0)) {
            continue;
        }
        uint64_t from_ns = writer->selection->begin_ns;
        uint64_t begin_ns = run->begin_ns > from_ns ? run->begin_ns : from_ns;
        if (begin_ns > now_ns) {
            end_calls(writer, 0, now_ns);
        }
        change_to(writer, run->stack, begin_ns);
        now_ns = begin_ns + ns;
    }
    end_calls(writer, 0, now_ns);
}

static void write_file(struct writer *writer, struct sl_buffer *label)
{
    const struct sl_profile *profile = writer->profile;
    sl_json_open_object(&writer->json, NULL);
    sl_json_text(&writer->json, "displayTimeUnit", "ms");
    sl_json_open_object(&writer->json, "otherData");
    sl_json_text(&writer->json, "version", "stacklapse " SL_VERSION);
    sl_json_close_object(&writer->json);
    sl_json_open_array(&writer->json, "traceEvents");
    for (uint32_t process = 0; process < profile->process_count; process++) {
        const struct sl_process_record *record = &profile->processes[process];
        writer->pid = record->pid;
        writer->tid = record->pid;
        write_name_event(writer, "process_name", sl_profile_text(profile, record->command),
                         sl_profile_text_size(profile, record->command));
    }
    for (uint32_t i = 0; i < writer->thread_count; i++) {
        write_thread(writer, &writer->threads[i], label);
    }
    sl_json_close_array(&writer->json);
    sl_json_close_object(&writer->json);
    sl_output_text(writer->json.output, "\n");
}

bool sl_render_chrome(const struct sl_profile *profile, const struct sl_render_options *options,
                      struct sl_output *output, struct sl_error *error)
{
    struct sl_arena arena;
    sl_arena_init(&arena);
    struct writer writer = {.profile = profile, .selection = &options->selection};
    sl_json_begin(&writer.json, output);
    uint32_t deepest = sl_stack_depth_max(&arena, profile);
    size_t depth = deepest == SL_NONE ? 0 : deepest;
    writer.open = SL_ARENA_NEW(&arena, sl_stack, depth);
    writer.next = SL_ARENA_NEW(&arena, sl_stack, depth);
    writer.level = SL_ARENA_NEW(&arena, uint32_t, profile->stack_count);
    writer.taken = sl_selection_stacks(&arena, profile, &options->selection);
    writer.threads = sl_thread_summaries(&arena, profile, &options->selection, &writer.thread_count);
    writer.function_words = SL_ARENA_NEW(&arena, struct words, profile->function_count);
    bool done = !arena.exhausted;
    if (done) {
        struct sl_buffer label;
        sl_buffer_init(&label);
        sl_output_memory(&writer.words);
        sl_output_memory(&writer.event);
        collect_words(&writer);
        if (!writer.words.pending.failed && sl_buffer_reserve(&writer.event.pending, event_room)) {
            write_file(&writer, &label);
        }
        done = !label.failed && !writer.words.pending.failed && !writer.event.pending.failed;
        sl_buffer_destroy(&label);
        sl_output_abandon(&writer.words);
        sl_output_abandon(&writer.event);
    }
    sl_arena_reset(&arena);
    return done ? true : sl_error_memory(error);
}
