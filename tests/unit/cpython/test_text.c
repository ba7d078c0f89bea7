#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpython/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A str as CPython 3.12 and later lays it out, in our own memory, which is read like any other process's. */
struct text {
    uint64_t count, type, length, hash;
    uint32_t state, padding;
    union {
        uint8_t ascii[512];
        struct {
            uint64_t utf8_length, utf8;
            uint8_t characters[496];
        } compact;
        struct {
            uint64_t utf8_length, utf8, characters;
        } legacy;
    } data;
};

#define STATE(kind, compact, ascii) ((uint32_t)(kind) << 2 | (uint32_t)(compact) << 5 | (uint32_t)(ascii) << 6)

struct fixture {
    struct sl_process process;
    struct sl_layout layout;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    static const uint8_t nothing[SL_DESCRIPTION_BYTES];
    *state = &fixture;
    bool ready = sl_process_open(&fixture.process, getpid(), NULL) &&
                 sl_layout_choose(&fixture.layout, 0x030c01f0, nothing, NULL);
    return ready ? 0 : -1;
}

static int tear_down(void **state)
{
    sl_process_close(&((struct fixture *)*state)->process);
    return 0;
}

static void assert_reads(struct fixture *fixture, const void *text, const char *expected)
{
    struct sl_buffer buffer;
    sl_buffer_init(&buffer);
    assert_int_equal(sl_text_read(&fixture->process, &fixture->layout, (uint64_t)(uintptr_t)text, &buffer), SL_READ_OK);
    assert_string_equal(buffer.bytes != NULL ? buffer.bytes : "", expected);
    sl_buffer_destroy(&buffer);
}

static void test_every_kind_of_text_is_read_as_utf_8(void **state)
{
    struct text text = {.count = 1, .length = 5, .state = STATE(1, 1, 1)};
    memcpy(text.data.ascii, "plain", 5);
    assert_reads(*state, &text, "plain");

    text = (struct text){.count = 1, .length = 4, .state = STATE(1, 1, 0)};
    memcpy(text.data.compact.characters, "caf\xe9", 4);
    assert_reads(*state, &text, "caf\xc3\xa9");

    static const uint16_t two[] = {0x3042, 'a', 0x0416};
    text = (struct text){.count = 1, .length = 3, .state = STATE(2, 1, 0)};
    memcpy(text.data.compact.characters, two, sizeof two);
    assert_reads(*state, &text,
                 "\xe3\x81\x82"
                 "a\xd0\x96");

    static const uint32_t four[] = {0x1f40d, 'x'};
    text = (struct text){.count = 1, .length = 2, .state = STATE(4, 1, 0)};
    memcpy(text.data.compact.characters, four, sizeof four);
    assert_reads(*state, &text, "\xf0\x9f\x90\x8dx");

    text = (struct text){.count = 1, .length = 2, .state = STATE(4, 0, 0)};
    text.data.legacy.characters = (uint64_t)(uintptr_t)four;
    assert_reads(*state, &text, "\xf0\x9f\x90\x8dx");

    text = (struct text){.count = 1, .state = STATE(1, 1, 1)};
    assert_reads(*state, &text, "");
}

static void test_what_utf_8_cannot_hold_is_escaped(void **state)
{
    static const uint16_t surrogate[] = {'a', 0xdcff, 'b'};
    struct text text = {.count = 1, .length = 3, .state = STATE(2, 1, 0)};
    memcpy(text.data.compact.characters, surrogate, sizeof surrogate);
    assert_reads(*state, &text, "a\\udcffb");

    static const uint32_t beyond[] = {0x110000};
    text = (struct text){.count = 1, .length = 1, .state = STATE(4, 1, 0)};
    memcpy(text.data.compact.characters, beyond, sizeof beyond);
    assert_reads(*state, &text, "\xef\xbf\xbd");
}

static void test_long_text_is_read_whole_and_endless_text_is_cut(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 3 * SL_TEXT_CHARACTERS_MAX;
    struct text *text = calloc(1, sizeof *text + size);
    assert_non_null(text);
    *text = (struct text){.count = 1, .length = 5000, .state = STATE(1, 1, 1)};
    memset(text->data.ascii, 'n', size);
    struct sl_buffer buffer;
    sl_buffer_init(&buffer);
    uint64_t address = (uint64_t)(uintptr_t)text;
    assert_int_equal(sl_text_read(&fixture->process, &fixture->layout, address, &buffer), SL_READ_OK);
    assert_int_equal(buffer.size, 5000);
    sl_buffer_clear(&buffer);
    text->length = size;
    assert_int_equal(sl_text_read(&fixture->process, &fixture->layout, address, &buffer), SL_READ_OK);
    assert_int_equal(buffer.size, SL_TEXT_CHARACTERS_MAX);
    sl_buffer_destroy(&buffer);
    free(text);
}

static void test_text_at_the_very_end_of_mapped_memory_is_read(void **state)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    assert_int_equal(munmap(pages + page, page), 0);
    struct text text = {.count = 1, .length = 4, .state = STATE(1, 1, 1)};
    memcpy(text.data.ascii, "last", 5);
    for (size_t size = 45; size < 80; size++) {
        uint8_t *place = pages + page - size;
        memcpy(place, &text, 45);
        assert_reads(*state, place, "last");
    }
    munmap(pages, page);
}

static void test_what_is_no_text_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct sl_buffer buffer;
    sl_buffer_init(&buffer);
    struct text wrong[] = {
        {.length = 3, .state = STATE(0, 1, 0)}, {.length = 3, .state = STATE(3, 1, 0)},
        {.length = 3, .state = STATE(2, 1, 1)}, {.length = UINT64_MAX, .state = STATE(1, 1, 1)},
        {.length = 3, .state = STATE(1, 0, 0)},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(sl_text_read(&fixture->process, &fixture->layout, (uint64_t)(uintptr_t)&wrong[i], &buffer),
                         SL_READ_FAULT);
    }
    assert_int_equal(sl_text_read(&fixture->process, &fixture->layout, 16, &buffer), SL_READ_FAULT);
    assert_int_equal(sl_text_read(&fixture->process, &fixture->layout, UINT64_MAX - 8, &buffer), SL_READ_FAULT);
    assert_int_equal(buffer.size, 0);
    sl_buffer_destroy(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_text_is_read_as_utf_8),
        cmocka_unit_test(test_what_utf_8_cannot_hold_is_escaped),
        cmocka_unit_test(test_long_text_is_read_whole_and_endless_text_is_cut),
        cmocka_unit_test(test_text_at_the_very_end_of_mapped_memory_is_read),
        cmocka_unit_test(test_what_is_no_text_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
