#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpython/layout.h"
#include "cpython/words.h"
#include "descriptions.h"

#include <string.h>

#define HEX(minor, patch) ((uint64_t)0x030000f0 | (uint64_t)(minor) << 16 | (uint64_t)(patch) << 8)

static void describe(uint8_t *bytes, const struct recorded_description *recorded)
{
    memset(bytes, 0, SL_DESCRIPTION_BYTES);
    memcpy(bytes, recorded->words, recorded->count * 8);
}

static bool choose(struct sl_layout *layout, const uint8_t *description, struct sl_error *error)
{
    uint64_t hex = 0;
    assert_true(sl_layout_described(description, &hex));
    *error = (struct sl_error){0};
    return sl_layout_choose(layout, hex, description, error);
}

/* Offsets as the C compiler gives them from the headers of each version. */
static void test_described_layouts_are_those_of_the_headers(void **state)
{
    (void)state;
    static const struct {
        size_t description;
        uint32_t minor, interpreters, threads, native_id, chunk, base, owner, header, instructions, collecting, tuple;
    } expected[] = {
        {0, 13, 632, 7344, 160, 232, 0, 70, 72, 200, 7600, 24},
        {1, 13, 632, 7344, 160, 232, 0, 70, 72, 200, 7600, 24},
        {2, 14, 808, 7344, 160, 232, 0, 74, 80, 208, 7600, 24},
        {3, 15, 936, 7336, 184, 256, 80, 74, 80, 208, 7512, 24},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        uint8_t bytes[SL_DESCRIPTION_BYTES];
        struct sl_layout layout;
        struct sl_error error;
        describe(bytes, &recorded_descriptions[expected[i].description]);
        assert_true(choose(&layout, bytes, &error));
        assert_int_equal(layout.minor, expected[i].minor);
        assert_int_equal(layout.runtime_interpreters, expected[i].interpreters);
        assert_int_equal(layout.interpreter_threads, expected[i].threads);
        assert_int_equal(layout.thread_native_id, expected[i].native_id);
        assert_int_equal(layout.thread_chunk, expected[i].chunk);
        assert_int_equal(layout.thread_base, expected[i].base);
        assert_int_equal(layout.thread_frame, 72);
        assert_int_equal(layout.frame_owner, expected[i].owner);
        assert_int_equal(layout.frame_header, expected[i].header);
        assert_int_equal(layout.frame_previous, 8);
        assert_int_equal(layout.frame_instruction, 56);
        assert_int_equal(layout.code_instructions, expected[i].instructions);
        assert_int_equal(layout.code_qualified_name, 128);
        assert_int_equal(layout.code_line_table, 136);
        assert_int_equal(layout.interpreter_collecting, expected[i].collecting);
        assert_int_equal(layout.list_items, expected[i].tuple);
        assert_int_equal(layout.text_ascii, 40);
    }
}

static void test_3_11_and_3_12_need_no_description(void **state)
{
    (void)state;
    static const uint8_t nothing[SL_DESCRIPTION_BYTES];
    struct sl_layout layout;
    assert_true(sl_layout_choose(&layout, HEX(11, 2), nothing, NULL));
    assert_int_equal(layout.frame_code, 32);
    assert_int_equal(layout.runtime_gil, 360);
    assert_true(sl_layout_choose(&layout, HEX(12, 1), nothing, NULL));
    assert_int_equal(layout.frame_code, 0);
    assert_int_equal(layout.runtime_gil, 0);
}

static void assert_refused(uint64_t hex, const uint8_t *description, const char *word)
{
    struct sl_layout layout;
    struct sl_error error = {0};
    assert_false(sl_layout_choose(&layout, hex, description, &error));
    assert_int_equal(error.kind, SL_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.sentence, word));
}

static void test_versions_that_cannot_be_read_are_refused_by_name(void **state)
{
    (void)state;
    static const uint8_t nothing[SL_DESCRIPTION_BYTES];
    assert_refused(HEX(10, 13), nothing, "3.10.13");
    assert_refused(HEX(16, 0), nothing, "3.16.0");
    assert_refused(0x030d00b1, nothing, "pre-release");
    assert_refused(0x030b00a7, nothing, "pre-release");
    assert_refused(0x02071200, nothing, "unknown version");
    assert_refused(UINT64_MAX, nothing, "unknown version");
    /* 3.13 must describe itself, as the same version. */
    assert_refused(HEX(13, 0), nothing, "describes its own memory");
    uint8_t bytes[SL_DESCRIPTION_BYTES];
    describe(bytes, &recorded_descriptions[2]);
    assert_refused(HEX(13, 0), bytes, "describes its own memory");
}

static void test_free_threaded_builds_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof recorded_descriptions / sizeof recorded_descriptions[0]; i++) {
        uint8_t bytes[SL_DESCRIPTION_BYTES];
        uint64_t hex = 0;
        describe(bytes, &recorded_descriptions[i]);
        bytes[16] = 1;
        assert_true(sl_layout_described(bytes, &hex));
        assert_refused(hex, bytes, "free-threaded");
    }
}

/* Any word may be anything: the description is refused, or every structure that is copied whole still fits the buffer
 * that it is copied to. */
static void test_a_corrupt_description_never_leads_outside_of_a_buffer(void **state)
{
    (void)state;
    static const uint64_t wrong[] = {0, 1, 7, 255, 400, 511, 4096, 1 << 22, UINT32_MAX, (uint64_t)1 << 32, UINT64_MAX};
    size_t refused = 0;
    for (size_t i = 0; i < sizeof recorded_descriptions / sizeof recorded_descriptions[0]; i++) {
        for (size_t word = 3; word < recorded_descriptions[i].count; word++) {
            for (size_t w = 0; w < sizeof wrong / sizeof wrong[0]; w++) {
                uint8_t bytes[SL_DESCRIPTION_BYTES];
                struct sl_layout layout;
                struct sl_error error;
                describe(bytes, &recorded_descriptions[i]);
                memcpy(bytes + word * 8, &wrong[w], 8);
                if (!choose(&layout, bytes, &error)) {
                    assert_int_equal(error.kind, SL_ERROR_UNSUPPORTED);
                    refused++;
                    continue;
                }
                assert_true(layout.frame_header <= SL_FRAME_HEADER_MAX);
                assert_true(layout.frame_code + 8 <= layout.frame_header);
                assert_true(layout.frame_previous + 8 <= layout.frame_header);
                assert_true(layout.frame_instruction + 8 <= layout.frame_header);
                assert_true(layout.frame_owner < layout.frame_header);
                assert_true(layout.frame_stack_top + 4 <= layout.frame_header);
                assert_true(layout.code_instructions <= SL_CODE_HEADER_MAX);
                assert_true(layout.code_qualified_name + 8 <= layout.code_instructions);
                assert_true(layout.code_line_table + 8 <= layout.code_instructions);
                assert_true(layout.thread_chunk + 8 <= SL_THREAD_BYTES_MAX);
                /* What is copied of a thread state reaches to the one or the other. */
                const uint32_t listed[] = {layout.thread_previous, layout.thread_next, layout.thread_interpreter};
                const uint32_t walked[] = {layout.thread_native_id, layout.thread_frame, layout.thread_base,
                                           layout.thread_context};
                for (size_t field = 0; field < sizeof listed / sizeof listed[0]; field++) {
                    assert_true(listed[field] <= layout.thread_native_id);
                }
                for (size_t field = 0; field < sizeof walked / sizeof walked[0]; field++) {
                    assert_true(walked[field] <= layout.thread_chunk);
                }
                assert_true(layout.text_length + 8 <= layout.text_ascii);
                assert_true(layout.bytes_size + 8 <= layout.bytes_data);
            }
        }
    }
    assert_true(refused > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_described_layouts_are_those_of_the_headers),
        cmocka_unit_test(test_3_11_and_3_12_need_no_description),
        cmocka_unit_test(test_versions_that_cannot_be_read_are_refused_by_name),
        cmocka_unit_test(test_free_threaded_builds_are_refused),
        cmocka_unit_test(test_a_corrupt_description_never_leads_outside_of_a_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
