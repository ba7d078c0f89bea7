/* A made interpreter in our own memory, read like any other process: whole, and damaged in every way there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpython/code_check.h"
#include "cpython/runtime.h"
#include "cpython/words.h"
#include "descriptions.h"
#include "made_image.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Told of each read of memory before it is made, and how many pieces it has; false: it fails. NULL: nobody is. */
static bool (*before_read)(size_t pieces);

ssize_t process_vm_readv(pid_t pid, const struct iovec *lvec, unsigned long liovcnt, const struct iovec *rvec,
                         unsigned long riovcnt, unsigned long flags)
{
    if (before_read != NULL && !before_read(riovcnt)) {
        errno = EFAULT;
        return -1;
    }
    return syscall(SYS_process_vm_readv, pid, lvec, liovcnt, rvec, riovcnt, flags);
}

struct fixture {
    struct sl_process process;
    struct sl_layout layout;
    struct image *image;
};

static void make(struct fixture *fixture)
{
    make_image(fixture->image, &fixture->layout);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    uint8_t description[SL_DESCRIPTION_BYTES] = {0};
    memcpy(description, description_3_15_0, sizeof description_3_15_0);
    *state = &fixture;
    if (!sl_process_open(&fixture.process, getpid(), NULL) ||
        !sl_layout_choose(&fixture.layout, 0x030f00f0, description, NULL)) {
        return -1;
    }
    fixture.image = mmap(NULL, sizeof *fixture.image, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return fixture.image == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    munmap(fixture->image, sizeof *fixture->image);
    sl_process_close(&fixture->process);
    return 0;
}

static struct sl_python *open_image(struct fixture *fixture)
{
    struct sl_python *python = calloc(1, sizeof *python);
    assert_non_null(python);
    python->process = &fixture->process;
    python->layout = fixture->layout;
    python->runtime = address(fixture->image->runtime);
    sl_code_cache_init(&python->codes);
    sl_thread_memories_init(&python->memories);
    sl_snapshot_init(&python->snapshot);
    return python;
}

static struct sl_python_thread thread_of(const struct fixture *fixture)
{
    return (struct sl_python_thread){
        .address = address(fixture->image->thread),
        .native_id = 4321,
        .interpreter = address(fixture->image->interpreter),
    };
}

static enum sl_look look(struct sl_python *python, const struct sl_python_thread *thread, struct sl_walk *walk)
{
    enum sl_look seen = SL_LOOK_TORN;
    for (int attempt = 0; seen != SL_LOOK_OK && attempt < 4; attempt++) {
        seen = sl_python_walk(python, thread, walk);
    }
    return seen;
}

static void test_a_whole_image_is_read(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    const struct sl_python_thread *threads;
    size_t count;
    assert_int_equal(sl_python_threads(python, &threads, &count), SL_LOOK_OK);
    assert_int_equal(count, 1);
    assert_int_equal(threads[0].native_id, 4321);
    struct sl_python_thread thread = threads[0];
    struct sl_walk walk;
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_int_equal(walk.count, FRAMES);
    assert_true(walk.holds_gil);
    assert_false(walk.collecting);
    for (size_t i = 0; i < walk.count; i++) {
        bool even = (FRAMES - 1 - i) % 2 == 0;
        assert_string_equal(sl_python_code(python, walk.frames[i].code)->name, even ? "even" : "odd");
        assert_string_equal(sl_python_code(python, walk.frames[i].code)->file, "/srv/made.py");
        assert_int_equal(walk.frames[i].line, even ? 10 : 11);
    }
    sl_python_detach(python);
}

static void test_a_walk_sees_whether_the_list_of_threads_is_another_one(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    const struct sl_python_thread *threads;
    size_t count;
    assert_false(sl_python_threads_follow(python)); /* there is none yet */
    assert_int_equal(sl_python_threads(python, &threads, &count), SL_LOOK_OK);
    struct sl_python_thread thread = threads[0];
    struct sl_walk walk;
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);

    assert_true(sl_python_threads_follow(python));
    assert_int_equal(sl_python_threads_seen(python), SL_LIST_UNSEEN);
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_int_equal(sl_python_threads_seen(python), SL_LIST_SAME);

    const struct sl_layout *layout = &fixture->layout;
    uint8_t *words[] = {fixture->image->thread, fixture->image->interpreter, fixture->image->interpreter};
    const uint32_t offsets[] = {layout->thread_next, layout->interpreter_threads, layout->interpreter_next};
    for (size_t i = 0; i < 3; i++) {
        uint64_t before = sl_word(words[i] + offsets[i]);
        assert_true(sl_python_threads_follow(python));
        put(words[i], offsets[i], address(fixture->image->runtime));
        assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
        assert_int_equal(sl_python_threads_seen(python), SL_LIST_CHANGED);
        put(words[i], offsets[i], before);
    }
    sl_python_detach(python);
}

/* States in a row, of which the first is the newest; the others lie in the chunk, which is not looked at here. */
static void make_threads(struct fixture *fixture, size_t count, uint8_t **states)
{
    const struct sl_layout *layout = &fixture->layout;
    make(fixture);
    for (size_t i = 0; i < count; i++) {
        states[i] = i == 0 ? fixture->image->thread : fixture->image->chunk + i * 512;
        put(states[i], layout->thread_interpreter, address(fixture->image->interpreter));
        put(states[i], layout->thread_native_id, 4321 + i);
        put(states[i], layout->thread_previous, i == 0 ? 0 : address(states[i - 1]));
        put(states[i], layout->thread_next, 0);
        if (i > 0) {
            put(states[i - 1], layout->thread_next, address(states[i]));
        }
    }
}

#define MANY_THREADS 20

static void test_that_a_thread_has_begun_is_told_by_the_newest_of_the_list(void **state)
{
    struct fixture *fixture = *state;
    const struct sl_layout *layout = &fixture->layout;
    uint8_t *states[MANY_THREADS];
    make_threads(fixture, MANY_THREADS, states);
    struct sl_python *python = open_image(fixture);
    const struct sl_python_thread *threads;
    size_t count;
    assert_false(sl_python_threads_begun(python)); /* since when? */
    assert_int_equal(sl_python_threads(python, &threads, &count), SL_LOOK_OK);
    assert_int_equal(count, MANY_THREADS);
    assert_true(sl_python_threads_long(python));
    assert_false(sl_python_threads_follow(python));
    assert_false(sl_python_threads_begun(python));

    /* One before the others; another one where one was; one that was there gets its thread; another interpreter. */
    struct {
        uint8_t *at;
        uint32_t offset;
        bool begun;
    } const words[] = {
        {fixture->image->interpreter, layout->interpreter_threads, true},
        {states[0], layout->thread_native_id, true},
        {states[3], layout->thread_native_id, true},
        {fixture->image->runtime, layout->runtime_interpreters, true},
        {states[MANY_THREADS - 2], layout->thread_next, false},
        {states[MANY_THREADS - 1], layout->thread_native_id, false},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        uint64_t before = sl_word(words[i].at + words[i].offset);
        put(words[i].at, words[i].offset, before + 8);
        assert_int_equal(sl_python_threads_begun(python), words[i].begun);
        put(words[i].at, words[i].offset, before);
        assert_false(sl_python_threads_begun(python));
    }
    sl_python_detach(python);
}

static void test_a_short_list_is_followed_along_with_a_stack(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *states[8];
    make_threads(fixture, 8, states);
    struct sl_python *python = open_image(fixture);
    const struct sl_python_thread *threads;
    size_t count;
    assert_int_equal(sl_python_threads(python, &threads, &count), SL_LOOK_OK);
    assert_int_equal(count, 8);
    assert_false(sl_python_threads_long(python));
    assert_true(sl_python_threads_follow(python));
    sl_python_detach(python);
}

static void test_what_was_walked_stays_while_the_list_is_read_again(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    struct sl_python_thread thread = thread_of(fixture);
    const struct sl_python_thread *threads;
    size_t count;
    struct sl_walk walk;
    assert_int_equal(sl_python_threads(python, &threads, &count), SL_LOOK_OK);
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    put(fixture->image->interpreter, fixture->layout.interpreter_threads, 0);
    assert_int_equal(sl_python_threads(python, &threads, &count), SL_LOOK_OK);
    assert_int_equal(count, 0);
    assert_int_equal(python->memories.count, 1);
    assert_int_equal(walk.frames[0].line, 11);
    sl_python_threads_forget(python);
    assert_int_equal(python->memories.count, 0);
    sl_python_detach(python);
}

static void test_only_what_changed_is_told_as_changed(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    uint8_t *frame = fixture->image->chunk + SL_CHUNK_DATA + 8 + (size_t)30 * FRAME_WORDS * 8;
    put(frame, fixture->layout.frame_instruction,
        address(fixture->image->code[0]) + fixture->layout.code_instructions + 18);
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_int_equal(walk.count, FRAMES);
    assert_int_equal(walk.unchanged, 30);
    assert_int_equal(walk.frames[FRAMES - 1 - 30].line, 11);
    put(fixture->image->thread, fixture->layout.thread_frame, address(frame));
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_int_equal(walk.count, 31);
    assert_int_equal(walk.unchanged, 31);
    put(fixture->image->thread, fixture->layout.thread_frame, 0);
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_int_equal(walk.count, 0);
    sl_python_detach(python);
}

static void test_a_reused_code_address_never_keeps_the_old_name(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    uint64_t generation = 0;
    for (uint32_t turn = 0; turn < 50; turn++) {
        char name[16];
        snprintf(name, sizeof name, "turn_%u", turn);
        put_text(fixture->image->name[1], name);
        put_half(fixture->image->code[1], fixture->layout.code_version, 1000 + turn);
        put(fixture->image->interpreter, fixture->layout.interpreter_code_generation, ++generation);
        assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
        assert_string_equal(sl_python_code(python, walk.frames[0].code)->name, name);
        assert_string_equal(sl_python_code(python, walk.frames[1].code)->name, "even");
    }
    sl_python_detach(python);
}

static void test_more_code_objects_than_are_kept_are_read_anew(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    python->codes.limit = 1;
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    uint32_t learned = 0;
    for (int turn = 0; turn < 3; turn++) {
        assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
        assert_int_equal(walk.count, FRAMES);
        assert_int_equal(walk.unchanged, 0);
        assert_string_equal(sl_python_code(python, walk.frames[0].code)->name, "odd");
        assert_string_equal(sl_python_code(python, walk.frames[1].code)->name, "even");
        assert_int_equal(python->codes.count, 2);
        assert_true(python->codes.serial > learned);
        learned = python->codes.serial;
    }
    sl_python_detach(python);
}

/* Of what does not fit in any more, the first line is told; what takes the place of another has its room. */
static void test_line_tables_take_no_more_than_they_may(void **state)
{
    struct fixture *fixture = *state;
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    for (uint32_t limit = 0; limit < 5; limit++) {
        make(fixture);
        struct sl_python *python = open_image(fixture);
        python->codes.line_spans_limit = limit;
        for (uint32_t turn = 0; turn < 5; turn++) {
            put_half(fixture->image->code[1], fixture->layout.code_version, 1000 + turn);
            put(fixture->image->interpreter, fixture->layout.interpreter_code_generation, turn + 1);
            assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
            assert_in_range(python->codes.line_spans, 0, limit);
            assert_int_equal(walk.frames[0].line, limit >= 2 ? 11 : 10);
            assert_int_equal(walk.frames[1].line, 10);
        }
        sl_code_cache_destroy(&python->codes);
        assert_int_equal(python->codes.line_spans, 0);
        sl_python_detach(python);
    }
}

static void exchange_code(struct image *image)
{
    uint8_t code[CODE_BYTES];
    memcpy(code, image->code[0], sizeof code);
    memcpy(image->code[0], image->code[1], sizeof code);
    memcpy(image->code[1], code, sizeof code);
}

/* Where nothing tells code objects apart but what they are called, those that were there a thousand times are believed to
 * stay, until one of them turns up in the place of another. */
static void test_what_was_made_again_is_not_believed_to_stay(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    python->layout.code_version = 0;
    python->layout.interpreter_code_generation = 0;
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    for (uint32_t i = 0; i < 2; i++) {
        python->codes.items[i].matches = 1000;
        assert_true(sl_code_trusted(&python->codes, &python->codes.items[i]));
    }
    const uint64_t addresses[] = {address(fixture->image->code[0]), address(fixture->image->code[1])};
    assert_int_equal(sl_code_cache_learn(&python->codes, &fixture->process, &python->layout, addresses, NULL, 2),
                     SL_LOOK_OK);
    for (uint32_t i = 0; i < 2; i++) {
        python->codes.items[i].matches = 1000;
        assert_true(sl_code_trusted(&python->codes, &python->codes.items[i])); /* it was only read again */
    }
    exchange_code(fixture->image);
    for (int turn = 0; turn < 2 * FRAMES; turn++) {
        assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK); /* each is compared in its turn */
    }
    for (int turn = 0; turn < 4; turn++) {
        const char *const names[] = {turn % 2 == 0 ? "even" : "odd", turn % 2 == 0 ? "odd" : "even"};
        assert_string_equal(sl_python_code(python, walk.frames[0].code)->name, names[0]);
        assert_string_equal(sl_python_code(python, walk.frames[1].code)->name, names[1]);
        for (uint32_t i = 0; i < 2; i++) {
            python->codes.items[i].matches = 1000;
            assert_false(sl_code_trusted(&python->codes, &python->codes.items[i]));
        }
        exchange_code(fixture->image);
        assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    }
    sl_python_detach(python);
}

static void test_a_frame_whose_code_object_is_freed_already_is_nameless_among_the_others(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    put_half(fixture->image->code[1], fixture->layout.code_version, 1000);
    put(fixture->image->code[1], 0, 0);
    put(fixture->image->interpreter, fixture->layout.interpreter_code_generation, 1);
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_int_equal(walk.count, FRAMES);
    assert_int_equal(walk.unchanged, 1);
    for (size_t i = 0; i < walk.count; i += 2) {
        assert_int_equal(walk.frames[i].code, SL_CODE_NAMELESS);
        assert_string_equal(sl_python_code(python, walk.frames[i + 1].code)->name, "even");
    }
    put(fixture->image->code[1], 0, 1);
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_string_equal(sl_python_code(python, walk.frames[0].code)->name, "odd");
    sl_python_detach(python);
}

/* On 3.11, where no number tells code objects apart, their names are compared. */
static void test_a_name_that_is_not_mapped_any_more_is_read_where_it_is_now(void **state)
{
    struct fixture *fixture = *state;
    const struct sl_layout *layout = &fixture->layout;
    make(fixture);
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page != MAP_FAILED);
    put_text(page, "gone");
    put(fixture->image->code[1], layout->code_qualified_name, address(page));
    struct sl_python *python = open_image(fixture);
    python->layout.code_version = 0;
    python->layout.interpreter_code_generation = 0;
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_string_equal(sl_python_code(python, walk.frames[0].code)->name, "gone");
    uint64_t innermost = sl_word(fixture->image->thread + layout->thread_frame);
    put(fixture->image->thread, layout->thread_frame, address(fixture->image->chunk + SL_CHUNK_DATA + 8));
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_int_equal(walk.count, 1);

    munmap(page, 4096);
    put(fixture->image->code[1], layout->code_qualified_name, address(fixture->image->name[1]));
    put(fixture->image->thread, layout->thread_frame, innermost);
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_string_equal(sl_python_code(python, walk.frames[0].code)->name, "odd");
    sl_python_detach(python);
}

/* The characters of a str of a class of its own lie apart; where they do is said at the end of its header. */
static void test_a_file_name_whose_header_lies_across_a_page_end_is_read(void **state)
{
    struct fixture *fixture = *state;
    const struct sl_layout *layout = &fixture->layout;
    make(fixture);
    static const char path[] = "/srv/apart.py";
    uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    uint8_t *file = pages + 4096 - layout->text_ascii - 8;
    put(file, 0, 1);
    put(file, layout->text_length, sizeof path - 1);
    put_half(file, layout->text_state, 1 << 2);
    put(file, layout->text_compact, address((const uint8_t *)path));
    put(fixture->image->code[1], layout->code_file, address(file));
    struct sl_python *python = open_image(fixture);
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_string_equal(sl_python_code(python, walk.frames[0].code)->file, path);
    sl_python_detach(python);
    munmap(pages, 8192);
}

static void test_a_stack_that_does_not_reach_its_bottom_is_torn(void **state)
{
    struct fixture *fixture = *state;
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    uint8_t *frame = fixture->image->chunk + SL_CHUNK_DATA + 8 + (size_t)10 * FRAME_WORDS * 8;
    const uint64_t wrong[] = {0, address(frame), address(frame) + (uint64_t)FRAME_WORDS * 8, address(frame) - 4};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        make(fixture);
        struct sl_python *python = open_image(fixture);
        put(frame, fixture->layout.frame_previous, wrong[i]);
        assert_int_equal(look(python, &thread, &walk), SL_LOOK_TORN);
        sl_python_detach(python);
    }
    const uint64_t unreadable[] = {4096, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof unreadable / sizeof unreadable[0]; i++) {
        make(fixture);
        struct sl_python *python = open_image(fixture);
        put(frame, fixture->layout.frame_previous, unreadable[i]);
        assert_int_equal(look(python, &thread, &walk), SL_LOOK_FAULT);
        sl_python_detach(python);
    }
}

/* Before 3.14 a frame says whether it waits for the one that it called: here one that runs is the caller of another. */
static void make_pair_that_never_met(struct fixture *fixture, struct sl_python *python)
{
    python->layout.wipes_code = false;
    python->layout.frame_stack_top = 64;
    for (size_t i = FRAMES - 2; i < FRAMES; i++) {
        uint8_t *frame = fixture->image->chunk + SL_CHUNK_DATA + 8 + i * FRAME_WORDS * 8;
        put_half(frame, python->layout.frame_stack_top, UINT32_MAX);
    }
}

static void test_below_a_pair_that_never_met_the_stack_is_certain(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    make_pair_that_never_met(fixture, python);
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_int_equal(walk.count, FRAMES - 1);
    sl_python_detach(python);
}

static void test_a_gil_that_comes_later_is_found(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    uint8_t *pointer = fixture->image->interpreter + fixture->layout.interpreter_gil;
    uint64_t gil;
    memcpy(&gil, pointer, sizeof gil);
    memset(pointer, 0, sizeof gil);
    struct sl_python *python = open_image(fixture);
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_false(walk.holds_gil);
    memcpy(pointer, &gil, sizeof gil);
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    assert_true(walk.holds_gil);
    sl_python_detach(python);
}

static struct fixture *restive;
static const struct sl_python *watched;
static uint64_t second_attempt;

/* From the second attempt on nothing of the stack can be read, and its chunk is none any more; code objects can. By then
 * the GIL is another thread's, and a code object of the stack another one. */
static bool lose_stack(size_t pieces)
{
    if (pieces < 6 || watched->walk < second_attempt) {
        return true;
    }
    const struct sl_layout *layout = &restive->layout;
    put(restive->image->chunk, SL_CHUNK_SIZE, 0);
    put(restive->image->interpreter, 7736 + layout->gil_holder, address(restive->image->runtime));
    put_text(restive->image->name[0], "other");
    put_half(restive->image->code[0], layout->code_version, 1000);
    before_read = NULL;
    return false;
}

/* What is told of the first copy is what was seen in it, not what lies where the second was to go. */
static void test_a_copy_that_could_not_be_made_says_nothing(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    struct sl_python_thread thread = thread_of(fixture);
    struct sl_walk walk;
    python->layout.interpreter_code_generation = 0;
    assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
    make_pair_that_never_met(fixture, python);
    /* The first copy is of the whole chunk, the second would not be: its pieces lie elsewhere. */
    sl_thread_memory(&python->memories, &thread)->roams = 1;
    restive = fixture;
    watched = python;
    second_attempt = python->walk + 2;
    before_read = lose_stack;
    assert_int_equal(sl_python_walk(python, &thread, &walk), SL_LOOK_OK);
    assert_null(before_read);
    assert_int_equal(walk.retried, 2);
    assert_int_equal(walk.count, FRAMES - 1);
    assert_true(walk.holds_gil);
    for (size_t i = 0; i < walk.count; i++) {
        assert_true(walk.frames[i].code == SL_CODE_NAMELESS ||
                    strcmp(sl_python_code(python, walk.frames[i].code)->name, "even") != 0);
    }
    sl_python_detach(python);
}

/* A frame that has not come to its first line calls nothing, so it stands where the caller was. _Py_InitCleanup has no
 * first line, and calls. */
static void test_who_has_not_begun_has_not_called(void **state)
{
    struct fixture *fixture = *state;
    const struct sl_layout *layout = &fixture->layout;
    uint8_t *caller = fixture->image->chunk + SL_CHUNK_DATA + 8 + (size_t)(FRAMES - 2) * FRAME_WORDS * 8;
    const uint32_t first_traceable[] = {2, UNITS};
    const enum sl_look seen[] = {SL_LOOK_TORN, SL_LOOK_OK};
    for (size_t i = 0; i < 2; i++) {
        make(fixture);
        put_half(fixture->image->code[0], layout->code_first_traceable, first_traceable[i]);
        put(caller, layout->frame_instruction, address(fixture->image->code[0]) + layout->code_instructions + 2);
        struct sl_python *python = open_image(fixture);
        struct sl_python_thread thread = thread_of(fixture);
        struct sl_walk walk;
        assert_int_equal(sl_python_walk(python, &thread, &walk), seen[i]);
        sl_python_detach(python);
    }
}

static void test_a_circle_of_threads_or_generators_ends(void **state)
{
    struct fixture *fixture = *state;
    const struct sl_layout *layout = &fixture->layout;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    const struct sl_python_thread *threads;
    size_t count;
    put(fixture->image->thread, layout->thread_next, address(fixture->image->thread));
    assert_int_equal(sl_python_threads(python, &threads, &count), SL_LOOK_TORN);
    put(fixture->image->interpreter, layout->interpreter_next, address(fixture->image->interpreter));
    put(fixture->image->thread, layout->thread_next, 0);
    assert_int_equal(sl_python_threads(python, &threads, &count), SL_LOOK_TORN);
    assert_int_equal(count, 1);
    sl_python_detach(python);

    /* Generators of which the last one was called by an inner one. */
    for (size_t inner = 0; inner < 3; inner++) {
        make(fixture);
        python = open_image(fixture);
        struct sl_python_thread thread = thread_of(fixture);
        struct sl_walk walk;
        uint8_t *generators = fixture->image->runtime + 256;
        for (size_t i = 0; i < 3; i++) {
            uint8_t *generator = generators + i * 128;
            put(generator, layout->frame_code, address(fixture->image->code[0]));
            put(generator, layout->frame_previous, address(generators + (i == 2 ? inner : i + 1) * 128));
            put(generator, layout->frame_instruction, address(fixture->image->code[0]) + layout->code_instructions + 4);
            generator[layout->frame_owner] = 1;
        }
        put(fixture->image->thread, layout->thread_frame, address(generators));
        assert_int_not_equal(look(python, &thread, &walk), SL_LOOK_OK);
        /* Nobody went round it for as long as a stack may be deep. */
        const struct sl_thread_memory *memory = sl_thread_memory(&python->memories, &thread);
        assert_non_null(memory);
        assert_in_range(memory->next_capacity, 1, 64);
        sl_python_detach(python);
    }
}

#define STATES (SL_PYTHON_THREADS_MAX / 2 + 100)

/* Of two interpreters, of which neither has too many. */
static void test_states_without_end_are_read_up_to_a_bound(void **state)
{
    struct fixture *fixture = *state;
    const struct sl_layout *layout = &fixture->layout;
    make(fixture);
    uint8_t *interpreters[] = {fixture->image->interpreter, calloc(1, INTERPRETER_BYTES)};
    size_t size = layout->thread_native_id + 8;
    uint8_t *states = calloc(2 * STATES, size);
    assert_non_null(interpreters[1]);
    assert_non_null(states);
    put(interpreters[0], layout->interpreter_next, address(interpreters[1]));
    for (size_t i = 0; i < 2 * STATES; i++) {
        uint8_t *at = states + i * size;
        put(at, layout->thread_interpreter, address(interpreters[i / STATES]));
        put(at, layout->thread_previous, i % STATES == 0 ? 0 : address(at - size));
        put(at, layout->thread_next, i % STATES == STATES - 1 ? 0 : address(at + size));
    }
    put(interpreters[0], layout->interpreter_threads, address(states));
    put(interpreters[1], layout->interpreter_threads, address(states + STATES * size));
    struct sl_python *python = open_image(fixture);
    const struct sl_python_thread *threads;
    size_t count;
    assert_int_equal(sl_python_threads(python, &threads, &count), SL_LOOK_OK);
    assert_int_equal(count, 0); /* none of them has begun */
    assert_in_range(python->list_words.count, 1, (size_t)4 * SL_PYTHON_THREADS_MAX + 16);
    assert_false(python->list_known);
    sl_python_detach(python);
    free(states);
    free(interpreters[1]);
}

/* Words of the image become anything: addresses in it and out of it, small and huge numbers. What is seen must then
 * still keep every promise of python.h, and no read may lead astray; the sanitizers watch over the rest. */
static void test_a_damaged_image_breaks_nothing_but_the_stack(void **state)
{
    struct fixture *fixture = *state;
    unsigned seed = 7;
    size_t words = sizeof *fixture->image / 8;
    struct sl_python_thread thread = thread_of(fixture);
    size_t whole = 0;
    for (int round = 0; round < 3000; round++) {
        make(fixture);
        struct sl_python *python = open_image(fixture);
        struct sl_walk walk;
        /* Sometimes it is damaged only once it is known. */
        if (round % 2 == 0) {
            assert_int_equal(look(python, &thread, &walk), SL_LOOK_OK);
        }
        for (int damage = 0; damage < 1 + round % 8; damage++) {
            uint64_t word;
            switch (rand_r(&seed) % 6) {
            case 0:
                word = address(fixture->image) + (uint64_t)rand_r(&seed) % sizeof *fixture->image / 8 * 8;
                break;
            case 1:
                word = address(fixture->image) + sizeof *fixture->image - (uint64_t)rand_r(&seed) % 256;
                break;
            case 2:
                word = (uint64_t)rand_r(&seed) % 64;
                break;
            case 3:
                word = UINT64_MAX - (uint64_t)rand_r(&seed) % 64;
                break;
            case 4:
                word = 0;
                break;
            default:
                word = (uint64_t)rand_r(&seed) << 32 | (uint64_t)rand_r(&seed);
                break;
            }
            /* Most of an image is never looked at: half of the damage goes to the stack and its code objects. */
            size_t place =
                rand_r(&seed) % 2 == 0
                    ? (size_t)rand_r(&seed) % words
                    : offsetof(struct image, thread) / 8 +
                          (size_t)rand_r(&seed) % ((sizeof(struct image) - offsetof(struct image, thread)) / 8);
            memcpy((uint8_t *)fixture->image + place * 8, &word, 8);
        }
        const struct sl_python_thread *threads;
        size_t count;
        sl_python_threads(python, &threads, &count);
        assert_true(count <= SL_PYTHON_THREADS_MAX);
        for (int attempt = 0; attempt < 3; attempt++) {
            if (sl_python_walk(python, &thread, &walk) == SL_LOOK_OK) {
                whole++;
                assert_true(walk.count <= SL_FRAMES_MAX);
                assert_true(walk.unchanged <= walk.count);
                for (size_t i = 0; i < walk.count; i++) {
                    const struct sl_code *code = sl_python_code(python, walk.frames[i].code);
                    if (walk.frames[i].code == SL_CODE_NAMELESS) {
                        continue;
                    }
                    assert_non_null(code);
                    assert_int_equal(code->name[code->name_size], 0);
                }
            }
        }
        struct sl_python_facts facts;
        if (sl_python_facts(python, &facts)) {
            sl_python_facts_destroy(&facts);
        }
        sl_python_detach(python);
    }
    assert_true(whole > 1000);
}

struct restless {
    struct fixture *fixture;
    atomic_bool over;
};

/* Links frames anew, to and fro, as fast as it can: to each other, in circles, and to nothing. */
static void *link_anew(void *argument)
{
    struct restless *restless = argument;
    struct image *image = restless->fixture->image;
    const struct sl_layout *layout = &restless->fixture->layout;
    unsigned seed = 11;
    while (!restless->over) {
        size_t callee = FRAMES - 1 - (size_t)rand_r(&seed) % 4;
        size_t caller = FRAMES - 1 - (size_t)rand_r(&seed) % 5;
        uint8_t *frame = image->chunk + SL_CHUNK_DATA + 8 + callee * FRAME_WORDS * 8;
        uint8_t *other = image->chunk + SL_CHUNK_DATA + 8 + caller * FRAME_WORDS * 8;
        put(frame, layout->frame_previous, address(other));
        put(frame, layout->frame_code, address(image->code[(size_t)rand_r(&seed) % 2]) | 1);
        other[layout->frame_owner] = rand_r(&seed) % 4 == 0 ? 3 : 0;
        put(image->thread, layout->thread_frame, address(other));
    }
    return NULL;
}

static void test_a_stack_that_never_holds_still_takes_no_walk_forever(void **state)
{
    struct fixture *fixture = *state;
    make(fixture);
    struct sl_python *python = open_image(fixture);
    struct sl_python_thread thread = thread_of(fixture);
    struct restless restless = {.fixture = fixture};
    pthread_t linking;
    assert_int_equal(pthread_create(&linking, NULL, link_anew, &restless), 0);
    size_t seen[SL_LOOK_MEMORY + 1] = {0};
    for (int turn = 0; turn < 20000; turn++) {
        struct sl_walk walk;
        seen[sl_python_walk(python, &thread, &walk)]++;
    }
    restless.over = true;
    pthread_join(linking, NULL);
    assert_true(seen[SL_LOOK_TORN] > 0);
    assert_int_equal(seen[SL_LOOK_GONE] + seen[SL_LOOK_MEMORY], 0);
    sl_python_detach(python);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_image_is_read),
        cmocka_unit_test(test_a_gil_that_comes_later_is_found),
        cmocka_unit_test(test_a_walk_sees_whether_the_list_of_threads_is_another_one),
        cmocka_unit_test(test_that_a_thread_has_begun_is_told_by_the_newest_of_the_list),
        cmocka_unit_test(test_a_short_list_is_followed_along_with_a_stack),
        cmocka_unit_test(test_what_was_walked_stays_while_the_list_is_read_again),
        cmocka_unit_test(test_only_what_changed_is_told_as_changed),
        cmocka_unit_test(test_a_reused_code_address_never_keeps_the_old_name),
        cmocka_unit_test(test_more_code_objects_than_are_kept_are_read_anew),
        cmocka_unit_test(test_line_tables_take_no_more_than_they_may),
        cmocka_unit_test(test_what_was_made_again_is_not_believed_to_stay),
        cmocka_unit_test(test_a_frame_whose_code_object_is_freed_already_is_nameless_among_the_others),
        cmocka_unit_test(test_a_name_that_is_not_mapped_any_more_is_read_where_it_is_now),
        cmocka_unit_test(test_a_file_name_whose_header_lies_across_a_page_end_is_read),
        cmocka_unit_test(test_a_stack_that_does_not_reach_its_bottom_is_torn),
        cmocka_unit_test(test_below_a_pair_that_never_met_the_stack_is_certain),
        cmocka_unit_test(test_a_copy_that_could_not_be_made_says_nothing),
        cmocka_unit_test(test_who_has_not_begun_has_not_called),
        cmocka_unit_test(test_a_circle_of_threads_or_generators_ends),
        cmocka_unit_test(test_states_without_end_are_read_up_to_a_bound),
        cmocka_unit_test(test_a_damaged_image_breaks_nothing_but_the_stack),
        cmocka_unit_test(test_a_stack_that_never_holds_still_takes_no_walk_forever),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
