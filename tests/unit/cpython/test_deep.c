/* A made interpreter whose one stack is as deep as a test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpython/runtime.h"
#include "cpython/words.h"
#include "descriptions.h"
#include "made_image.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GENERATOR_BYTES 4096 /* so far apart that no two are copied as one */

struct fixture {
    struct sl_process process;
    struct sl_python *python;
    struct image *image;
    uint8_t *stack; /* chunks, the oldest first */
    size_t stack_bytes;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    uint8_t description[SL_DESCRIPTION_BYTES] = {0};
    memcpy(description, description_3_15_0, sizeof description_3_15_0);
    fixture = (struct fixture){.python = calloc(1, sizeof *fixture.python), .image = calloc(1, sizeof *fixture.image)};
    *state = &fixture;
    if (fixture.python == NULL || fixture.image == NULL || !sl_process_open(&fixture.process, getpid(), NULL) ||
        !sl_layout_choose(&fixture.python->layout, 0x030f00f0, description, NULL)) {
        return -1;
    }
    fixture.python->process = &fixture.process;
    fixture.python->runtime = address(fixture.image->runtime);
    sl_code_cache_init(&fixture.python->codes);
    make_image(fixture.image, &fixture.python->layout);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    sl_python_detach(fixture->python);
    sl_process_close(&fixture->process);
    free(fixture->image);
    if (fixture->stack != NULL) {
        munmap(fixture->stack, fixture->stack_bytes);
    }
    return 0;
}

/* Where frames begin in a chunk, of which only the oldest has a word more. */
static uint8_t *first_frame(const struct fixture *fixture, size_t chunk, size_t chunk_bytes)
{
    return fixture->stack + chunk * chunk_bytes + SL_CHUNK_DATA + (chunk == 0 ? 8 : 0);
}

/* Makes the thread's stack one of `chunks` full chunks, with frames of so many words. Returns how many frames it has. */
static size_t make_deep(struct fixture *fixture, size_t chunks, size_t chunk_bytes, size_t frame_words)
{
    const struct sl_layout *layout = &fixture->python->layout;
    fixture->stack_bytes = chunks * chunk_bytes;
    fixture->stack =
        mmap(NULL, fixture->stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(fixture->stack != MAP_FAILED);
    size_t in_chunk = (chunk_bytes - SL_CHUNK_DATA - 8) / (frame_words * 8);
    uint64_t previous = address(fixture->image->base);
    for (size_t i = 0; i < 2; i++) {
        put_half(fixture->image->code[i], layout->code_frame_size, (uint32_t)frame_words);
    }
    for (size_t i = 0; i < chunks * in_chunk; i++) {
        uint8_t *frame = first_frame(fixture, i / in_chunk, chunk_bytes) + i % in_chunk * frame_words * 8;
        uint64_t code = address(fixture->image->code[i % 2]);
        put(frame, layout->frame_code, code | 1);
        put(frame, layout->frame_previous, previous);
        put(frame, layout->frame_instruction, code + layout->code_instructions + 4);
        previous = address(frame);
    }
    for (size_t i = 0; i < chunks; i++) {
        uint8_t *chunk = fixture->stack + i * chunk_bytes;
        put(chunk, SL_CHUNK_PREVIOUS, i == 0 ? 0 : address(chunk - chunk_bytes));
        put(chunk, SL_CHUNK_SIZE, chunk_bytes);
        put(chunk, SL_CHUNK_TOP, in_chunk * frame_words + (i == 0 ? 1 : 0));
    }
    put(fixture->image->thread, layout->thread_chunk, address(fixture->stack + (chunks - 1) * chunk_bytes));
    put(fixture->image->thread, layout->thread_frame, previous);
    return chunks * in_chunk;
}

/* What the walk after a few others says: only that the stack lies elsewhere than was thought takes another one. */
static enum sl_look look(struct fixture *fixture, struct sl_walk *walk)
{
    struct sl_python_thread thread = {
        .address = address(fixture->image->thread),
        .native_id = 4321,
        .interpreter = address(fixture->image->interpreter),
    };
    enum sl_look seen = SL_LOOK_TORN;
    for (int attempt = 0; seen == SL_LOOK_TORN && attempt < 4; attempt++) {
        seen = sl_python_walk(fixture->python, &thread, walk);
    }
    return seen;
}

static void a_stack_of_many_chunks_is_read_whole(void **state)
{
    struct fixture *fixture = *state;
    size_t frames = make_deep(fixture, 300, CHUNK_BYTES, FRAME_WORDS);
    struct sl_walk walk;
    assert_int_equal(look(fixture, &walk), SL_LOOK_OK);
    assert_int_equal(walk.count, frames);
    for (size_t i = 0; i < frames; i++) {
        bool even = (frames - 1 - i) % 2 == 0;
        assert_string_equal(sl_python_code(fixture->python, walk.frames[i].code)->name, even ? "even" : "odd");
    }
}

static void in_no_chunk_a_caller_lies_above_its_callee(void **state)
{
    struct fixture *fixture = *state;
    for (size_t chunk = 0; chunk < 3; chunk++) {
        make_deep(fixture, 3, CHUNK_BYTES, FRAME_WORDS);
        uint8_t *frame = first_frame(fixture, chunk, CHUNK_BYTES) + (size_t)3 * FRAME_WORDS * 8;
        uint8_t *above = frame + (size_t)5 * FRAME_WORDS * 8;
        uint8_t *below = frame - (size_t)FRAME_WORDS * 8;
        /* No circle: what lies above goes on below the frame. */
        put(frame, fixture->python->layout.frame_previous, address(above));
        put(above, fixture->python->layout.frame_previous, address(below));
        put(above + (size_t)FRAME_WORDS * 8, fixture->python->layout.frame_previous, address(frame));
        struct sl_walk walk;
        assert_int_equal(look(fixture, &walk), SL_LOOK_TORN);
        munmap(fixture->stack, fixture->stack_bytes);
        fixture->stack = NULL;
    }
}

static void a_stack_of_the_most_frames_is_read_and_one_with_more_is_too_deep(void **state)
{
    struct fixture *fixture = *state;
    const struct sl_layout *layout = &fixture->python->layout;
    size_t in_chunk = (CHUNK_BYTES - SL_CHUNK_DATA - 8) / ((size_t)FRAME_WORDS * 8);
    size_t frames = make_deep(fixture, SL_FRAMES_MAX / in_chunk + 1, CHUNK_BYTES, FRAME_WORDS);
    uint64_t innermost = sl_word(fixture->image->thread + layout->thread_frame);
    struct sl_walk walk;
    assert_true(frames > SL_FRAMES_MAX);
    put(fixture->image->thread, layout->thread_frame, innermost - (frames - SL_FRAMES_MAX) * FRAME_WORDS * 8);
    assert_int_equal(look(fixture, &walk), SL_LOOK_OK);
    assert_int_equal(walk.count, SL_FRAMES_MAX);
    put(fixture->image->thread, layout->thread_frame, innermost - (frames - SL_FRAMES_MAX - 1) * FRAME_WORDS * 8);
    assert_int_equal(look(fixture, &walk), SL_LOOK_TOO_DEEP);
}

static void a_stack_of_more_chunks_or_bytes_than_are_copied_is_too_deep(void **state)
{
    struct fixture *fixture = *state;
    struct sl_walk walk;
    /* Chunks that are nearly empty, and chunks that are full. */
    const size_t chunks[] = {SL_CHUNKS_MAX, SL_CHUNKS_MAX + 1, 100, 140};
    const size_t chunk_bytes[] = {CHUNK_BYTES, CHUNK_BYTES, 524288, 524288};
    const size_t frame_words[] = {1100, 1100, 65000, 65000};
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        size_t frames = make_deep(fixture, chunks[i], chunk_bytes[i], frame_words[i]);
        assert_true(frames < SL_FRAMES_MAX);
        assert_int_equal(look(fixture, &walk), i % 2 == 0 ? SL_LOOK_OK : SL_LOOK_TOO_DEEP);
        munmap(fixture->stack, fixture->stack_bytes);
        fixture->stack = NULL;
    }
}

/* All but the outermost frame become generators', each with room of its own elsewhere. */
static void put_into_generators(struct fixture *fixture, uint8_t *generators, size_t count)
{
    const struct sl_layout *layout = &fixture->python->layout;
    uint64_t previous = address(fixture->stack + SL_CHUNK_DATA + 8);
    for (size_t i = 0; i < count; i++) {
        uint8_t *generator = generators + i * GENERATOR_BYTES;
        uint64_t code = address(fixture->image->code[0]);
        put(generator, layout->frame_code, code | 1);
        put(generator, layout->frame_previous, previous);
        put(generator, layout->frame_instruction, code + layout->code_instructions + 4);
        generator[layout->frame_owner] = 1;
        previous = address(generator);
    }
    put(fixture->image->thread, layout->thread_frame, previous);
}

static void any_number_of_generators_that_are_met_at_once_is_read(void **state)
{
    struct fixture *fixture = *state;
    const size_t count = 20000;
    make_deep(fixture, 1, CHUNK_BYTES, FRAME_WORDS);
    uint8_t *generators = calloc(count, GENERATOR_BYTES);
    assert_non_null(generators);
    put_into_generators(fixture, generators, count);
    struct sl_walk walk;
    assert_int_equal(look(fixture, &walk), SL_LOOK_OK);
    assert_int_equal(walk.count, count + 1);
    /* By now they are asked for at once. */
    assert_int_equal(look(fixture, &walk), SL_LOOK_OK);
    assert_int_equal(walk.count, count + 1);
    assert_int_equal(walk.unchanged, count + 1);
    free(generators);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stack_of_many_chunks_is_read_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(in_no_chunk_a_caller_lies_above_its_callee, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stack_of_the_most_frames_is_read_and_one_with_more_is_too_deep, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_stack_of_more_chunks_or_bytes_than_are_copied_is_too_deep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_number_of_generators_that_are_met_at_once_is_read, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
