#include "profile/trace_decoder.h"

/* Each of these returns false when the section's content is damaged; what was read until then stays. */

/* The head of a section of definitions. `least` bytes at least stand for each. */
static bool read_range(struct sl_cursor *content, const struct sl_numbering *numbering, uint32_t least, uint32_t *first,
                       uint32_t *count)
{
    *first = sl_cursor_varint32(content);
    *count = sl_cursor_varint32(content);
    return !content->failed && *first >= sl_numbering_next(numbering) && *count <= sl_cursor_left(content) / least &&
           *count < SL_NONE - *first;
}

static bool read_strings(struct sl_trace_decoder *decoder, struct sl_cursor content)
{
    uint32_t first, count;
    if (!read_range(&content, &decoder->builder.string_numbers, 1, &first, &count)) {
        return false;
    }
    struct sl_cursor sizes = content;
    for (uint32_t i = 0; i < count; i++) {
        sl_cursor_varint(&content);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t size = sl_cursor_varint(&sizes);
        const uint8_t *bytes = sl_cursor_bytes(&content, size);
        if (bytes == NULL) {
            return false;
        }
        sl_build_string(&decoder->builder, first + i, (const char *)bytes, size);
    }
    return true;
}

bool sl_trace_split_columns(struct sl_cursor content, uint32_t count, struct sl_cursor *columns, size_t column_count)
{
    for (size_t column = 0; column < column_count; column++) {
        columns[column] = content;
        for (uint32_t i = 0; i < count; i++) {
            sl_cursor_varint(&content);
        }
    }
    return !content.failed;
}

static bool read_functions(struct sl_trace_decoder *decoder, struct sl_cursor content)
{
    uint32_t first, count;
    struct sl_cursor columns[4];
    if (!read_range(&content, &decoder->builder.function_numbers, 4, &first, &count) ||
        !sl_trace_split_columns(content, count, columns, 4)) {
        return false;
    }
    struct sl_function_record record = {0};
    for (uint32_t i = 0; i < count; i++) {
        record.name += (uint32_t)sl_unzigzag(sl_cursor_varint(&columns[0]));
        record.file += (uint32_t)sl_unzigzag(sl_cursor_varint(&columns[1]));
        record.first_line = (uint32_t)sl_cursor_varint(&columns[2]);
        uint64_t kind = sl_cursor_varint(&columns[3]);
        record.kind = kind <= SL_FUNCTION_MARK ? (uint32_t)kind : SL_FUNCTION_MARK;
        sl_build_function(&decoder->builder, first + i, record);
    }
    return true;
}

static bool read_stacks(struct sl_trace_decoder *decoder, struct sl_cursor content)
{
    uint32_t first, count;
    if (!read_range(&content, &decoder->builder.stack_numbers, 3, &first, &count)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = first + i;
        uint64_t distance = sl_cursor_varint(&content);
        sl_function function = sl_cursor_varint32(&content);
        int64_t line_offset = sl_unzigzag(sl_cursor_varint(&content));
        if (content.failed || distance >= number) {
            return false;
        }
        sl_build_stack(&decoder->builder, number, number - 1 - (uint32_t)distance, function, line_offset);
    }
    return true;
}

static bool read_situations(struct sl_trace_decoder *decoder, struct sl_cursor content)
{
    uint32_t first, count;
    if (!read_range(&content, &decoder->builder.situation_numbers, 2, &first, &count)) {
        return false;
    }
    uint32_t stack = 0;
    for (uint32_t i = 0; i < count; i++) {
        stack += (uint32_t)sl_unzigzag(sl_cursor_varint(&content));
        sl_state state = sl_cursor_varint32(&content);
        if (content.failed) {
            return false;
        }
        sl_build_situation(&decoder->builder, first + i, stack, state);
    }
    return true;
}

static uint64_t event_time(struct sl_cursor *event)
{
    uint64_t time_ns = sl_cursor_varint(event);
    return time_ns < SL_TRACE_TIME_MAX ? time_ns : SL_TRACE_TIME_MAX;
}

static void read_process_event(struct sl_profile_builder *builder, uint64_t kind, struct sl_cursor event)
{
    struct sl_built_process *process = sl_built_process(builder, sl_cursor_varint32(&event));
    if (process == NULL) {
        return;
    }
    struct sl_process_record record = process->record;
    bool ended = process->ended;
    switch (kind) {
    case SL_TRACE_PROCESS_NEW:
        record.pid = sl_cursor_varint32(&event);
        record.parent_pid = sl_cursor_varint32(&event);
        record.begin_ns = event_time(&event);
        break;
    case SL_TRACE_PROCESS_KNOWN:
        record.command = sl_built_string(builder, sl_cursor_varint32(&event));
        record.python = sl_built_string(builder, sl_cursor_varint32(&event));
        record.executable = sl_built_string(builder, sl_cursor_varint32(&event));
        record.prefixes = sl_built_string(builder, sl_cursor_varint32(&event));
        record.path = sl_built_string(builder, sl_cursor_varint32(&event));
        record.root = sl_cursor_left(&event) > 0 ? sl_cursor_varint(&event) : 0;
        break;
    default:
        record.end_ns = event_time(&event);
        record.cpu_ns = sl_cursor_varint(&event);
        record.exit_status = (int32_t)sl_unzigzag(sl_cursor_varint(&event));
        ended = true;
        break;
    }
    if (!event.failed) {
        process->record = record;
        process->ended = ended;
    }
}

static void read_thread_event(struct sl_profile_builder *builder, uint64_t kind, struct sl_cursor event)
{
    struct sl_built_thread *thread = sl_built_thread(builder, sl_cursor_varint32(&event));
    if (thread == NULL) {
        return;
    }
    struct sl_thread_record record = thread->record;
    bool ended = thread->ended;
    struct sl_built_process *process;
    switch (kind) {
    case SL_TRACE_THREAD_NEW:
        process = sl_built_process(builder, sl_cursor_varint32(&event));
        if (process == NULL) {
            return;
        }
        record.process = (uint32_t)(process - builder->processes);
        record.kind = sl_cursor_varint(&event) == SL_THREAD_SCOPE ? SL_THREAD_SCOPE : SL_THREAD_OS;
        record.id = sl_cursor_varint(&event);
        record.name = sl_built_string(builder, sl_cursor_varint32(&event));
        record.main = sl_cursor_varint(&event) != 0;
        record.begin_ns = event_time(&event);
        break;
    case SL_TRACE_THREAD_NAME:
        record.name = sl_built_string(builder, sl_cursor_varint32(&event));
        break;
    default:
        record.end_ns = event_time(&event);
        record.cpu_ns = sl_cursor_varint(&event);
        ended = true;
        break;
    }
    if (!event.failed) {
        thread->record = record;
        thread->ended = ended;
    }
}

static void read_task_event(struct sl_profile_builder *builder, struct sl_cursor event)
{
    uint32_t thread = sl_cursor_varint32(&event);
    uint32_t number = sl_cursor_varint32(&event);
    uint32_t coroutine = sl_cursor_varint32(&event);
    if (!event.failed) {
        sl_build_task(builder, thread, number, coroutine);
    }
}

static void read_stem_event(struct sl_profile_builder *builder, struct sl_cursor event)
{
    uint32_t thread = sl_cursor_varint32(&event);
    uint32_t stack = sl_cursor_varint32(&event);
    if (!event.failed) {
        sl_build_stem(builder, thread, stack);
    }
}

static bool read_events(struct sl_trace_decoder *decoder, struct sl_cursor content)
{
    while (sl_cursor_left(&content) > 0) {
        uint64_t size = sl_cursor_varint(&content);
        const uint8_t *bytes = sl_cursor_bytes(&content, size);
        if (bytes == NULL) {
            return false;
        }
        struct sl_cursor event = sl_cursor(bytes, size);
        uint64_t kind = sl_cursor_varint(&event);
        if (kind >= SL_TRACE_PROCESS_NEW && kind <= SL_TRACE_PROCESS_END) {
            read_process_event(&decoder->builder, kind, event);
        } else if (kind >= SL_TRACE_THREAD_NEW && kind <= SL_TRACE_THREAD_END) {
            read_thread_event(&decoder->builder, kind, event);
        } else if (kind == SL_TRACE_TASK_NEW) {
            read_task_event(&decoder->builder, event);
        } else if (kind == SL_TRACE_THREAD_STEM) {
            read_stem_event(&decoder->builder, event);
        }
    }
    return !content.failed;
}

bool sl_trace_decode_facts(struct sl_trace_decoder *decoder, struct sl_cursor content)
{
    struct sl_facts facts = decoder->facts;
    facts.start_time_ns = sl_cursor_varint(&content);
    facts.interval_ns = sl_cursor_varint(&content);
    facts.duration_ns = sl_cursor_varint(&content);
    facts.looks = sl_cursor_varint(&content);
    facts.samples = sl_cursor_varint(&content);
    facts.broken = sl_cursor_varint(&content);
    facts.missed = sl_cursor_varint(&content);
    facts.late = sl_cursor_varint(&content);
    facts.retried = sl_cursor_varint(&content);
    facts.sampler_cpu_ns = sl_cursor_varint(&content);
    facts.cpu_ns = sl_cursor_varint(&content);
    facts.children_cpu_ns = sl_cursor_varint(&content);
    facts.description = sl_cursor_varint32(&content);
    facts.version = sl_cursor_varint32(&content);
    uint64_t dropped = sl_cursor_varint(&content);
    facts.command = sl_cursor_left(&content) > 0 ? sl_cursor_varint32(&content) : 0;
    if (content.failed || facts.duration_ns > SL_TRACE_TIME_MAX) {
        return false;
    }
    decoder->facts = facts;
    decoder->dropped_bytes = dropped;
    return true;
}

bool sl_trace_decode_definitions(struct sl_trace_decoder *decoder, const struct sl_cursor *sections)
{
    return (sl_cursor_left(&sections[SL_TRACE_STRINGS]) == 0 || read_strings(decoder, sections[SL_TRACE_STRINGS])) &&
           (sl_cursor_left(&sections[SL_TRACE_FUNCTIONS]) == 0 ||
            read_functions(decoder, sections[SL_TRACE_FUNCTIONS])) &&
           (sl_cursor_left(&sections[SL_TRACE_STACKS]) == 0 || read_stacks(decoder, sections[SL_TRACE_STACKS])) &&
           (sl_cursor_left(&sections[SL_TRACE_SITUATIONS]) == 0 ||
            read_situations(decoder, sections[SL_TRACE_SITUATIONS])) &&
           read_events(decoder, sections[SL_TRACE_EVENTS]);
}
