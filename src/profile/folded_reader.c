#include "profile/folded_reader.h"

#include "profile/recorder.h"
#include "profile/trace_reader.h"

#include <string.h>

/* A line's number may not make the recording longer than this: 30 years, which keeps sums within 64 bits. */
static const uint64_t microseconds_max = UINT64_C(1000000000000000);

struct line {
    const char *stack;
    size_t stack_size;
    uint64_t number;
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Takes the line's number off its end. Some tools write a fraction; what is behind the point is dropped. */
static bool parse_line(const char *text, size_t size, struct line *line)
{
    while (size > 0 && (text[size - 1] == '\r' || text[size - 1] == ' ' || text[size - 1] == '\t')) {
        size--;
    }
    size_t begin = size;
    while (begin > 0 && (is_digit(text[begin - 1]) || text[begin - 1] == '.')) {
        begin--;
    }
    if (begin == size || begin < 2 || text[begin - 1] != ' ' || !is_digit(text[begin])) {
        return false;
    }
    line->stack = text;
    line->stack_size = begin - 1;
    line->number = 0;
    for (size_t i = begin; i < size && is_digit(text[i]); i++) {
        line->number = line->number * 10 + (uint64_t)(text[i] - '0');
        if (line->number > microseconds_max) {
            return false;
        }
    }
    return true;
}

static size_t line_size(const char *text, size_t size)
{
    const char *end = memchr(text, '\n', size);
    return end != NULL ? (size_t)(end - text) : size;
}

bool sl_folded_looks_like(const char *bytes, size_t size)
{
    size_t first = line_size(bytes, size < SL_FOLDED_LINE_MAX ? size : SL_FOLDED_LINE_MAX);
    for (size_t i = 0; i < first; i++) {
        if ((unsigned char)bytes[i] < 0x20 && bytes[i] != '\t' && bytes[i] != '\r') {
            return false;
        }
    }
    struct line line;
    return parse_line(bytes, first, &line);
}

struct frame {
    const char *name;
    size_t name_size;
    const char *file;
    size_t file_size;
    uint32_t line;
};

/* `name (path:line)`, or a name. */
static struct frame parse_frame(const char *text, size_t size)
{
    struct frame whole = {.name = text, .name_size = size, .file = ""};
    if (size < 4 || text[size - 1] != ')') {
        return whole;
    }
    size_t colon = size - 1;
    uint32_t number = 0;
    for (uint32_t unit = 1; colon > 0 && is_digit(text[colon - 1]) && unit <= 100000000; unit *= 10) {
        number += (uint32_t)(text[--colon] - '0') * unit;
    }
    if (colon == size - 1 || colon == 0 || text[colon - 1] != ':') {
        return whole;
    }
    for (size_t open = colon - 1; open >= 2; open--) {
        if (text[open - 1] == '(' && text[open - 2] == ' ') {
            return (struct frame){.name = text,
                                  .name_size = open - 2,
                                  .file = text + open,
                                  .file_size = colon - 1 - open,
                                  .line = number};
        }
    }
    return whole;
}

/* The stack of one line; SL_NONE when memory is exhausted or it is too deep. */
static sl_stack intern_stack(struct sl_recorder *recorder, const struct line *line)
{
    sl_stack stack = 0;
    unsigned depth = 0;
    for (size_t begin = 0; begin <= line->stack_size;) {
        const char *text = line->stack + begin;
        const char *end = memchr(text, ';', line->stack_size - begin);
        size_t size = end != NULL ? (size_t)(end - text) : line->stack_size - begin;
        begin += size + 1;
        if (size == 0) {
            continue;
        }
        struct frame frame = parse_frame(text, size);
        struct sl_function_record record = {
            .name = sl_recorder_string(recorder, frame.name, frame.name_size),
            .file = sl_recorder_string(recorder, frame.file, frame.file_size),
            .kind = frame.name[0] == '[' && frame.file_size == 0 ? SL_FUNCTION_MARK : SL_FUNCTION_PYTHON,
        };
        sl_function function = sl_recorder_function(recorder, record);
        if (record.name == SL_NONE || record.file == SL_NONE || function == SL_NONE || ++depth > SL_FOLDED_DEPTH_MAX) {
            return SL_NONE;
        }
        stack = sl_recorder_stack(recorder, stack, function, frame.line);
        if (stack == SL_NONE) {
            return SL_NONE;
        }
    }
    return stack;
}

static bool record_lines(struct sl_recorder *recorder, const char *bytes, size_t size, struct sl_error *error)
{
    struct sl_process_record process = {.command = sl_recorder_string(recorder, "folded stacks", 13),
                                        .exit_status = -1};
    uint32_t process_number = sl_recorder_process(recorder, &process);
    struct sl_thread_record thread = {.process = process_number, .main = true};
    uint32_t thread_number = sl_recorder_thread(recorder, &thread);
    if (process_number == SL_NONE || thread_number == SL_NONE) {
        return sl_error_memory(error);
    }

    uint64_t now_ns = 0;
    unsigned long number = 0;
    for (size_t begin = 0; begin < size;) {
        size_t length = line_size(bytes + begin, size - begin);
        const char *text = bytes + begin;
        begin += length + 1;
        number++;
        if (length == 0 || text[0] == '#') {
            continue;
        }
        struct line line;
        if (!parse_line(text, length, &line)) {
            return sl_error_set(error, SL_ERROR_FORMAT,
                                "line %lu is no folded stack: expected frames joined by ';', a blank and a number",
                                number);
        }
        sl_stack stack = intern_stack(recorder, &line);
        if (stack == SL_NONE) {
            return sl_error_set(error, SL_ERROR_FORMAT, "line %lu has more than %d frames", number,
                                SL_FOLDED_DEPTH_MAX);
        }
        uint64_t end_ns = now_ns + line.number * 1000;
        if (end_ns > microseconds_max * 1000) {
            return sl_error_set(error, SL_ERROR_FORMAT, "the numbers up to line %lu are too large", number);
        }
        sl_recorder_look(recorder, now_ns, end_ns, now_ns);
        sl_recorder_sample(recorder, thread_number, stack, 0);
        now_ns = end_ns;
    }
    if (now_ns == 0) {
        return sl_error_set(error, SL_ERROR_FORMAT, "it holds no folded stack");
    }
    return sl_recorder_close(recorder, now_ns, error);
}

struct sl_profile *sl_folded_read(const char *bytes, size_t size, struct sl_error *error)
{
    struct sl_recorder_options options = {.interval_ns = SL_INTERVAL_UNKNOWN, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, error);
    if (recorder == NULL) {
        return NULL;
    }
    struct sl_profile *profile = NULL;
    if (record_lines(recorder, bytes, size, error)) {
        const struct sl_buffer *trace = sl_recorder_trace(recorder);
        profile = sl_trace_read(trace->bytes, trace->size, error);
    }
    if (profile != NULL) {
        profile->facts.trace_bytes = 0; /* of a trace that only we have seen */
    }
    sl_recorder_destroy(recorder);
    return profile;
}
