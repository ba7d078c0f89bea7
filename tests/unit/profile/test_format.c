/* docs/trace-format.md tells the truth: its example is what the recorder writes and what the reader reads; and what a
 * later minor version may add is skipped. */
#include "profile/recorder_state.h"
#include "profile/trace_blocks.h"
#include "profile/trace_reader.h"
#include "support/sound_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

static unsigned digit(char character)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = character != '\0' ? strchr(digits, character) : NULL;
    return found != NULL ? (unsigned)(found - digits) : 16;
}

/* The bytes at the start of a line: pairs of digits with one space between. */
static void append_bytes(struct sl_buffer *bytes, const char *line)
{
    while (digit(line[0]) < 16 && digit(line[1]) < 16) {
        sl_buffer_byte(bytes, (char)(digit(line[0]) << 4 | digit(line[1])));
        line += line[2] == ' ' ? 3 : 2;
    }
}

/* The bytes of the document's example. */
static void read_example(struct sl_buffer *bytes)
{
    sl_buffer_init(bytes);
    FILE *document = fopen(SL_TRACE_FORMAT_DOCUMENT, "r");
    assert_non_null(document);
    char line[4096];
    bool inside = false;
    while (fgets(line, sizeof line, document) != NULL) {
        if (strncmp(line, "```", 3) == 0) {
            inside = strcmp(line, "```hex\n") == 0;
        } else if (inside) {
            append_bytes(bytes, line);
        }
    }
    fclose(document);
    assert_true(bytes->size > 0);
}

static sl_string string(struct sl_recorder *recorder, const char *text)
{
    return sl_recorder_string(recorder, text, strlen(text));
}

static struct sl_recorder *record_example(void)
{
    struct sl_recorder_options options = {
        .start_time_ns = 1767225600000000000,
        .interval_ns = 1000000,
        .descriptor = -1,
    };
    struct sl_recorder *recorder = sl_recorder_create_as(&options, "0.1.0", NULL);
    assert_non_null(recorder);
    sl_string file = string(recorder, "app.py");
    struct sl_process_record process = {.pid = 42, .command = file};
    sl_recorder_process(recorder, &process);
    struct sl_thread_record thread = {.id = 42, .main = true};
    sl_recorder_thread(recorder, &thread);
    struct sl_function_record module = {.name = string(recorder, "<module>"), .file = file, .first_line = 1};
    struct sl_function_record work = {.name = string(recorder, "work"), .file = file, .first_line = 3};
    sl_stack calling = sl_recorder_stack(recorder, 0, sl_recorder_function(recorder, module), 9);
    sl_stack working = sl_recorder_stack(recorder, calling, sl_recorder_function(recorder, work), 5);
    sl_recorder_look(recorder, 0, 1000000, 500000);
    sl_recorder_sample(recorder, 0, working, SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL);
    sl_recorder_look(recorder, 1000000, 2000000, 1250000);
    sl_recorder_look(recorder, 2000000, 4000000, 3000000);
    sl_recorder_sample(recorder, 0, calling, sl_state_in_call(SL_STATE_KNOWN, 230));
    sl_recorder_facts(recorder)->late = 1;
    assert_true(sl_recorder_close(recorder, 3600000, NULL));
    return recorder;
}

static void test_the_recorder_writes_the_documents_example(void **state)
{
    (void)state;
    struct sl_buffer example;
    read_example(&example);
    struct sl_recorder *recorder = record_example();
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    assert_int_equal(trace->size, example.size);
    assert_memory_equal(trace->bytes, example.bytes, example.size);
    sl_recorder_destroy(recorder);
    sl_buffer_destroy(&example);
}

static void check_example(const struct sl_profile *profile)
{
    assert_non_null(profile);
    assert_null(broken_promise(profile));
    assert_true(profile->facts.complete);
    assert_int_equal(profile->facts.start_time_ns, 1767225600000000000);
    assert_int_equal(profile->facts.interval_ns, 1000000);
    assert_int_equal(profile->facts.duration_ns, 3600000);
    assert_int_equal(profile->facts.looks, 3);
    assert_int_equal(profile->facts.samples, 3);
    assert_int_equal(profile->facts.late, 1);
    assert_string_equal(sl_profile_text(profile, profile->facts.version), "0.1.0");

    assert_int_equal(profile->process_count, 1);
    assert_int_equal(profile->processes[0].pid, 42);
    assert_string_equal(sl_profile_text(profile, profile->processes[0].command), "app.py");
    assert_int_equal(profile->processes[0].exit_status, -1);
    assert_int_equal(profile->thread_count, 1);
    assert_true(profile->threads[0].main);
    assert_int_equal(profile->threads[0].end_ns, 3600000);

    assert_int_equal(profile->run_count, 2);
    const struct sl_run *work = &profile->runs[0];
    const struct sl_run *wait = &profile->runs[1];
    const struct sl_stack_record *working = &profile->stacks[work->stack];
    assert_int_equal(work->begin_ns, 0);
    assert_int_equal(work->end_ns, 2000000);
    assert_int_equal(work->samples, 2);
    assert_int_equal(work->state, SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL);
    assert_string_equal(sl_profile_text(profile, profile->functions[working->function].name), "work");
    assert_int_equal(working->line, 5);
    assert_int_equal(working->caller, wait->stack);
    assert_int_equal(wait->begin_ns, 2000000);
    assert_int_equal(wait->end_ns, 3600000);
    assert_int_equal(wait->samples, 1);
    assert_int_equal(sl_state_call(wait->state), 230);
    assert_int_equal(profile->stacks[wait->stack].line, 9);
}

static void test_the_reader_reads_the_documents_example(void **state)
{
    (void)state;
    struct sl_buffer example;
    read_example(&example);
    struct sl_profile *profile = sl_trace_read(example.bytes, example.size, NULL);
    check_example(profile);
    sl_profile_destroy(profile);
    sl_buffer_destroy(&example);
}

static void append32(struct sl_buffer *buffer, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        sl_buffer_byte(buffer, (char)(value >> (8 * i)));
    }
}

static void append_block(struct sl_buffer *trace, uint32_t kind, uint32_t number, const struct sl_buffer *payload)
{
    size_t begin = trace->size;
    sl_buffer_append(trace, SL_TRACE_BLOCK_MARK, SL_TRACE_BLOCK_MARK_SIZE);
    append32(trace, kind);
    append32(trace, number);
    append32(trace, (uint32_t)payload->size);
    append32(trace, (uint32_t)crc32_z(0, (const Bytef *)payload->bytes, payload->size));
    append32(trace, (uint32_t)crc32_z(0, (const Bytef *)trace->bytes + begin, trace->size - begin));
    sl_buffer_append(trace, payload->bytes, payload->size);
}

static void append_section(struct sl_buffer *payload, uint32_t section, const struct sl_buffer *content)
{
    sl_buffer_varint(payload, section);
    sl_buffer_varint(payload, SL_TRACE_PLAIN);
    sl_buffer_varint(payload, content->size);
    sl_buffer_append(payload, content->bytes, content->size);
}

static void append_header(struct sl_buffer *trace, char major, char minor)
{
    sl_buffer_append(trace, SL_TRACE_MAGIC, SL_TRACE_MAGIC_SIZE);
    sl_buffer_byte(trace, major);
    sl_buffer_byte(trace, minor);
    sl_buffer_append(trace, "\0\0", 2);
    append32(trace, (uint32_t)crc32_z(0, (const Bytef *)trace->bytes, 12));
}

/* The example as a later minor version may write it: with a kind of block, a section in each block, an event and a fact
 * that nobody knows yet. */
static void write_as_later_minor(const struct sl_buffer *example, struct sl_buffer *later)
{
    struct sl_trace_blocks blocks;
    struct sl_trace_block_view block;
    struct sl_buffer payload, content, unknown;
    sl_buffer_init(&payload);
    sl_buffer_init(&content);
    sl_buffer_init(&unknown);
    sl_buffer_text(&unknown, "what nobody knows yet");
    append_header(later, SL_TRACE_MAJOR, SL_TRACE_MINOR + 1);
    uint32_t number = 0;
    assert_true(sl_trace_blocks_open(&blocks, example->bytes, example->size, NULL));
    while (sl_trace_blocks_next(&blocks, &block) == SL_TRACE_STEP_BLOCK) {
        append_block(later, 77, number++, &unknown);
        sl_buffer_clear(&payload);
        for (uint32_t section = 1; section < SL_TRACE_SECTION_COUNT; section++) {
            const struct sl_cursor *cursor = &block.sections[section];
            if (sl_cursor_left(cursor) == 0) {
                continue;
            }
            sl_buffer_clear(&content);
            sl_buffer_append(&content, cursor->at, sl_cursor_left(cursor));
            if (section == SL_TRACE_EVENTS) {
                sl_buffer_append(&content, "\x03\x63\x05\x06", 4);
            } else if (section == SL_TRACE_FACTS) {
                sl_buffer_varint(&content, 12345);
            }
            append_section(&payload, section, &content);
        }
        append_section(&payload, 99, &unknown);
        append_block(later, block.kind, number++, &payload);
    }
    sl_trace_blocks_close(&blocks);
    sl_buffer_destroy(&payload);
    sl_buffer_destroy(&content);
    sl_buffer_destroy(&unknown);
}

static void test_what_a_later_minor_version_adds_is_skipped(void **state)
{
    (void)state;
    struct sl_buffer example, later;
    read_example(&example);
    sl_buffer_init(&later);
    write_as_later_minor(&example, &later);
    struct sl_profile *profile = sl_trace_read(later.bytes, later.size, NULL);
    check_example(profile);
    sl_profile_destroy(profile);
    sl_buffer_destroy(&later);
    sl_buffer_destroy(&example);
}

static void test_a_later_major_version_is_refused_in_one_sentence(void **state)
{
    (void)state;
    struct sl_buffer trace;
    sl_buffer_init(&trace);
    append_header(&trace, SL_TRACE_MAJOR + 1, 0);
    struct sl_error error = {0};
    assert_null(sl_trace_read(trace.bytes, trace.size, &error));
    assert_int_equal(error.kind, SL_ERROR_FORMAT);
    assert_string_equal(error.sentence,
                        "this recording was made by a newer stacklapse (trace format 2, this one reads 1)");
    sl_buffer_destroy(&trace);
}

/* A trace with one block, whose only section claims `size` bytes of content. */
static struct sl_profile *read_claim(uint32_t section, uint64_t size, const void *stored, size_t stored_size)
{
    struct sl_buffer trace, payload;
    sl_buffer_init(&trace);
    sl_buffer_init(&payload);
    append_header(&trace, SL_TRACE_MAJOR, SL_TRACE_MINOR);
    sl_buffer_varint(&payload, section);
    sl_buffer_varint(&payload, SL_TRACE_ZSTD);
    sl_buffer_varint(&payload, size);
    sl_buffer_varint(&payload, stored_size);
    sl_buffer_append(&payload, stored, stored_size);
    append_block(&trace, SL_TRACE_BLOCK_DEFINITIONS, 0, &payload);
    struct sl_profile *profile = sl_trace_read(trace.bytes, trace.size, NULL);
    assert_non_null(profile);
    assert_true(profile->facts.lost_bytes == 0 || profile->facts.lost_bytes == trace.size - SL_TRACE_HEADER_SIZE);
    sl_buffer_destroy(&payload);
    sl_buffer_destroy(&trace);
    return profile;
}

static void test_a_section_that_claims_to_expand_beyond_the_bounds_is_refused(void **state)
{
    (void)state;
    /* One string after the empty one, of 10,000 bytes, in a frame of far fewer; with as much padding as it needs. */
    char content[10004] = {1, 1, (char)0x90, 0x4E};
    memset(content + 4, 'x', sizeof content - 4);
    char stored[(sizeof content + SL_TRACE_EXPANSION_MAX - 1) / SL_TRACE_EXPANSION_MAX] = {0};
    size_t frame = ZSTD_compress(stored, sizeof stored, content, sizeof content, 3);
    assert_false(ZSTD_isError(frame));
    const struct {
        uint64_t size;
        size_t stored_size;
        bool taken;
    } claims[] = {
        {sizeof content, sizeof stored, true},
        {sizeof content, sizeof stored - 1, false},
        {sizeof content, frame, false},
        {sizeof content, frame - 1, false},
        {sizeof content - 1, sizeof stored, false},
        {(uint64_t)SL_TRACE_BLOCK_MAX + 1, sizeof stored, false},
        {UINT64_MAX, sizeof stored, false},
    };
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        struct sl_profile *profile = read_claim(SL_TRACE_STRINGS, claims[i].size, stored, claims[i].stored_size);
        assert_int_equal(profile->facts.lost_bytes == 0, claims[i].taken);
        assert_int_equal(profile->string_count, claims[i].taken ? 2 : 1);
        sl_profile_destroy(profile);
    }
}

static void test_names_that_compress_a_thousandfold_can_be_read_back(void **state)
{
    (void)state;
    struct sl_recorder_options options = {.interval_ns = 1000000, .descriptor = -1};
    struct sl_recorder *recorder = sl_recorder_create(&options, NULL);
    const size_t size = 1000000;
    char *name = malloc(size);
    assert_non_null(name);
    memset(name, 'x', size);
    sl_string strings[3];
    for (size_t i = 0; i < 3; i++) {
        strings[i] = sl_recorder_string(recorder, name, size - i);
        assert_int_not_equal(strings[i], SL_NONE);
    }
    assert_true(sl_recorder_close(recorder, 0, NULL));
    const struct sl_buffer *trace = sl_recorder_trace(recorder);
    assert_true(trace->size < 3 * size / 30);
    struct sl_profile *profile = sl_trace_read(trace->bytes, trace->size, NULL);
    assert_non_null(profile);
    assert_true(profile->facts.complete);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(sl_profile_text_size(profile, strings[i]), size - i);
        assert_memory_equal(sl_profile_text(profile, strings[i]), name, size - i);
    }
    sl_profile_destroy(profile);
    free(name);
    sl_recorder_destroy(recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_recorder_writes_the_documents_example),
        cmocka_unit_test(test_the_reader_reads_the_documents_example),
        cmocka_unit_test(test_what_a_later_minor_version_adds_is_skipped),
        cmocka_unit_test(test_a_later_major_version_is_refused_in_one_sentence),
        cmocka_unit_test(test_a_section_that_claims_to_expand_beyond_the_bounds_is_refused),
        cmocka_unit_test(test_names_that_compress_a_thousandfold_can_be_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
