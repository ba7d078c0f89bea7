/* Which caller a callee is given, when the program called and returned while it was copied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpython/frame.h"
#include "cpython/words.h"
#include "descriptions.h"

#include <string.h>

enum { A = 0x1000, B = 0x2000, LEAF = 0x3000, OTHER_LEAF = 0x4000, BELOW = 0x9000, HERE = 0x9100 };

static struct sl_layout layout_of(uint32_t minor)
{
    struct sl_layout layout;
    uint8_t description[SL_DESCRIPTION_BYTES] = {0};
    if (minor == 15) {
        memcpy(description, description_3_15_0, sizeof description_3_15_0);
    }
    assert_true(
        sl_layout_choose(&layout, (uint64_t)0x030000f0 | minor << 16 | (minor == 12 ? 0x100 : 0), description, NULL));
    return layout;
}

static struct sl_header frame(uint64_t code, uint64_t previous, uint64_t unit)
{
    return (struct sl_header){
        .code = code, .previous = previous, .instruction = code + 192 + unit * 2, .possible = code != 0};
}

static struct sl_header waiting(struct sl_header header)
{
    header.suspended = true;
    header.waiting = true;
    return header;
}

static struct sl_copies copies(struct sl_header before, struct sl_header behind)
{
    return (struct sl_copies){.has_before = true, .has_behind = true, .before = before, .behind = behind};
}

/* The innermost frame from its copies, and the caller from its. False: torn. */
static bool choose(const struct sl_layout *layout, struct sl_copies callee_copies, struct sl_copies caller_copies,
                   struct sl_chosen *callee, struct sl_chosen *caller)
{
    assert_true(sl_frame_choose(layout, &callee_copies, callee));
    callee->innermost = true;
    return sl_frame_choose_caller(layout, &caller_copies, callee, caller);
}

static void test_a_pair_that_did_not_move_is_taken(void **state)
{
    (void)state;
    struct sl_chosen callee;
    struct sl_chosen caller;
    for (uint32_t minor = 12; minor <= 15; minor += 3) {
        struct sl_layout layout = layout_of(minor);
        struct sl_header leaf = frame(LEAF, HERE, 3);
        struct sl_header a = minor == 15 ? frame(A, BELOW, 5) : waiting(frame(A, BELOW, 5));
        assert_true(choose(&layout, copies(leaf, leaf), copies(a, a), &callee, &caller));
        assert_int_equal(callee.header.code, LEAF);
        assert_int_equal(caller.header.code, A);
    }
}

static void test_a_callee_that_returned_meanwhile_keeps_its_caller_and_line(void **state)
{
    (void)state;
    struct sl_layout layout = layout_of(12);
    struct sl_chosen callee;
    struct sl_chosen caller;
    struct sl_header leaf = frame(LEAF, HERE, 3);
    assert_true(
        choose(&layout, copies(leaf, leaf), copies(waiting(frame(A, BELOW, 5)), frame(A, BELOW, 7)), &callee, &caller));
    assert_int_equal(caller.header.code, A);
    assert_int_equal(caller.header.instruction, frame(A, BELOW, 5).instruction);
}

static void test_a_leftover_callee_is_never_given_to_the_caller_that_came_later(void **state)
{
    (void)state;
    struct sl_layout layout = layout_of(12);
    struct sl_chosen callee;
    struct sl_chosen caller;
    /* Before: A calls LEAF. Behind: B runs where A was, LEAF lies above it still. */
    struct sl_header leaf = frame(LEAF, HERE, 3);
    assert_true(
        choose(&layout, copies(leaf, leaf), copies(waiting(frame(A, BELOW, 5)), frame(B, BELOW, 0)), &callee, &caller));
    assert_int_equal(caller.header.code, A);
    /* Neither copy of the caller waits for it: it cannot be told whose it is. */
    assert_false(choose(&layout, copies(leaf, leaf), copies(frame(A, BELOW, 1), frame(B, BELOW, 0)), &callee, &caller));
}

static void test_what_a_leftover_stands_on_is_not_given_to_the_caller_that_came_later(void **state)
{
    (void)state;
    struct sl_layout layout = layout_of(12);
    struct sl_header leaf = waiting(frame(LEAF, HERE, 3));
    const struct sl_copies leaves = copies(leaf, leaf);
    /* Before: A waits for LEAF, and LEAF for OTHER_LEAF. Behind: B waits where A did, and LEAF is as it was. */
    const struct sl_copies callers = copies(waiting(frame(A, BELOW, 5)), waiting(frame(B, BELOW, 5)));
    struct sl_header inner = frame(OTHER_LEAF, HERE + 0x100, 1);
    for (int running = 0; running < 2; running++) {
        struct sl_chosen innermost;
        struct sl_chosen callee;
        struct sl_chosen caller;
        assert_true(choose(&layout, copies(inner, running ? inner : waiting(inner)), leaves, &innermost, &callee));
        assert_true(sl_frame_choose_caller(&layout, &callers, &callee, &caller));
        assert_int_equal(caller.header.code, running ? B : A);
    }
}

static void test_a_new_turn_of_the_same_caller_does_not_take_the_leftover_of_another(void **state)
{
    (void)state;
    struct sl_layout layout = layout_of(12);
    struct sl_chosen callee;
    struct sl_chosen caller;
    /* Before: A waits for LEAF. Behind: A has begun anew, and what lies above it is left over from B's turn. */
    assert_true(choose(&layout, copies(frame(LEAF, HERE, 1), frame(OTHER_LEAF, HERE, 1)),
                       copies(waiting(frame(A, BELOW, 5)), frame(A, BELOW, 0)), &callee, &caller));
    assert_int_equal(caller.header.code, A);
    assert_int_equal(callee.header.code, LEAF);
}

static void test_a_wiped_callee_is_named_from_before_the_moment_with_its_caller_of_then(void **state)
{
    (void)state;
    struct sl_layout layout = layout_of(15);
    struct sl_chosen callee;
    struct sl_chosen caller;
    assert_true(choose(&layout, copies(frame(LEAF, HERE, 1), frame(0, HERE, 1)),
                       copies(frame(A, BELOW, 5), frame(B, BELOW, 0)), &callee, &caller));
    assert_int_equal(callee.header.code, LEAF);
    assert_int_equal(caller.header.code, A);
}

static void test_a_living_callee_takes_the_caller_below_it_at_the_same_time(void **state)
{
    (void)state;
    struct sl_layout layout = layout_of(15);
    struct sl_chosen callee;
    struct sl_chosen caller;
    assert_true(choose(&layout, copies(frame(LEAF, HERE, 1), frame(OTHER_LEAF, HERE, 1)),
                       copies(frame(A, BELOW, 5), frame(B, BELOW, 4)), &callee, &caller));
    assert_int_equal(callee.header.code, OTHER_LEAF);
    assert_int_equal(caller.header.code, B);
}

static void test_a_generator_may_be_all_that_the_outermost_frame_runs(void **state)
{
    (void)state;
    struct sl_layout layout = layout_of(11);
    struct sl_chosen callee;
    struct sl_chosen caller;
    struct sl_header turn = frame(LEAF, HERE, 3);
    turn.generator = true;
    turn.entry = true;
    /* It has no caller, and no frame of the interpreter's own below it. */
    assert_true(choose(&layout, copies(turn, turn), copies(frame(A, 0, 5), frame(A, 0, 5)), &callee, &caller));
    assert_int_equal(callee.header.code, LEAF);
    assert_int_equal(caller.header.code, A);
    assert_true(sl_frame_is_bottom(&caller));
    /* Another frame in its place tells nothing of who called. */
    assert_false(choose(&layout, copies(turn, turn), copies(frame(A, 0, 5), frame(B, 0, 5)), &callee, &caller));
}

static void test_a_boundary_to_c_that_changed_is_torn(void **state)
{
    (void)state;
    struct sl_layout layout = layout_of(12);
    struct sl_chosen callee;
    struct sl_chosen caller;
    struct sl_header leaf = frame(LEAF, HERE, 1);
    struct sl_header boundary = {.hidden = true, .possible = true, .code = 8, .previous = BELOW};
    struct sl_header moved = boundary;
    moved.previous = BELOW + 64;
    assert_true(choose(&layout, copies(leaf, leaf), copies(boundary, boundary), &callee, &caller));
    assert_false(choose(&layout, copies(leaf, leaf), copies(boundary, moved), &callee, &caller));
}

static void test_a_generator_that_ended_its_turn_is_taken_from_before(void **state)
{
    (void)state;
    struct sl_layout layout = layout_of(12);
    struct sl_chosen callee;
    struct sl_header running = frame(LEAF, HERE, 4);
    struct sl_header ended = waiting(frame(LEAF, 0, 6));
    running.generator = true;
    ended.generator = true;
    struct sl_copies both = copies(running, ended);
    assert_true(sl_frame_choose(&layout, &both, &callee));
    assert_int_equal(callee.header.previous, HERE);
    assert_false(callee.alive);
}

static void test_headers_that_are_no_frames_are_refused(void **state)
{
    (void)state;
    struct sl_layout layout = layout_of(12);
    uint8_t bytes[SL_FRAME_HEADER_MAX] = {0};
    assert_false(sl_header_parse(&layout, bytes, true).possible);
    memcpy(bytes + layout.frame_code, &(uint64_t){0x7f0000001000}, 8);
    assert_true(sl_header_parse(&layout, bytes, true).possible);
    assert_false(sl_header_parse(&layout, bytes, false).possible); /* one of the thread's own, elsewhere */
    bytes[layout.frame_owner] = 1;
    assert_true(sl_header_parse(&layout, bytes, false).possible);
    assert_false(sl_header_parse(&layout, bytes, true).possible); /* a generator's, on the data stack */
    bytes[layout.frame_owner] = 2;
    assert_false(sl_header_parse(&layout, bytes, true).possible);
    bytes[layout.frame_owner] = 9;
    assert_false(sl_header_parse(&layout, bytes, true).possible);
    bytes[layout.frame_owner] = 0;
    bytes[layout.frame_code] = 1;
    assert_false(sl_header_parse(&layout, bytes, true).possible);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pair_that_did_not_move_is_taken),
        cmocka_unit_test(test_a_callee_that_returned_meanwhile_keeps_its_caller_and_line),
        cmocka_unit_test(test_a_leftover_callee_is_never_given_to_the_caller_that_came_later),
        cmocka_unit_test(test_what_a_leftover_stands_on_is_not_given_to_the_caller_that_came_later),
        cmocka_unit_test(test_a_new_turn_of_the_same_caller_does_not_take_the_leftover_of_another),
        cmocka_unit_test(test_a_wiped_callee_is_named_from_before_the_moment_with_its_caller_of_then),
        cmocka_unit_test(test_a_living_callee_takes_the_caller_below_it_at_the_same_time),
        cmocka_unit_test(test_a_generator_may_be_all_that_the_outermost_frame_runs),
        cmocka_unit_test(test_a_boundary_to_c_that_changed_is_torn),
        cmocka_unit_test(test_a_generator_that_ended_its_turn_is_taken_from_before),
        cmocka_unit_test(test_headers_that_are_no_frames_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
