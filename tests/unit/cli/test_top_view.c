#include "cli/top_view.h"

#include "cli/top_screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What stands in a row is a hundred times its number, from where `context` points on. */
static uint64_t on_row(const void *context, uint32_t row)
{
    return *(const uint64_t *)context + (uint64_t)row * 100;
}

static const uint64_t start = 0;
static const struct sl_top_choice choice = {.rows = 60, .rows_shown = 20, .on = on_row, .context = &start};

static struct sl_top_view view_at_row_40(void)
{
    struct sl_top_view view;
    sl_top_view_init(&view, SL_MODE_WALL, false);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(sl_top_view_key(&view, SL_KEY_DOWN, &choice), SL_TOP_MOVED);
    }
    sl_top_view_follow(&view, &choice);
    assert_int_equal(view.at.cursor, 40);
    return view;
}

static void press(struct sl_top_view *view, int key)
{
    assert_int_equal(sl_top_view_key(view, key, &choice), SL_TOP_CHANGED);
    sl_top_view_follow(view, &choice);
}

static void assert_at_row_40(const struct sl_top_view *view, enum sl_top_page page, uint32_t first)
{
    assert_int_equal(view->page, page);
    assert_int_equal(view->at.cursor, 40);
    assert_int_equal(view->at.cursor_on, 4000);
    assert_int_equal(view->at.first, first);
}

static void test_back_leads_to_the_row_that_was_left(void **state)
{
    (void)state;
    struct sl_top_view view = view_at_row_40();
    uint32_t first = view.at.first;
    press(&view, SL_KEY_ENTER);
    assert_int_equal(view.page, SL_TOP_STACKS);
    assert_int_equal(view.focus, 4000);
    assert_int_equal(view.at.first, 0);
    press(&view, SL_KEY_ESCAPE);
    assert_at_row_40(&view, SL_TOP_FUNCTIONS, first);
    press(&view, '?');
    assert_int_equal(view.page, SL_TOP_HELP);
    press(&view, '?');
    assert_at_row_40(&view, SL_TOP_FUNCTIONS, first);
}

static void test_keys_shown_over_stacks_lose_neither_place(void **state)
{
    (void)state;
    struct sl_top_view view = view_at_row_40();
    uint32_t first = view.at.first;
    press(&view, SL_KEY_ENTER);
    assert_int_equal(sl_top_view_key(&view, SL_KEY_PAGE_DOWN, &choice), SL_TOP_MOVED);
    uint32_t scrolled = view.at.first;
    assert_true(scrolled > 0);
    press(&view, 'h');
    assert_int_equal(view.at.first, 0);
    press(&view, SL_KEY_ESCAPE);
    assert_int_equal(view.page, SL_TOP_STACKS);
    assert_int_equal(view.at.first, scrolled);
    press(&view, SL_KEY_ESCAPE);
    assert_at_row_40(&view, SL_TOP_FUNCTIONS, first);
}

static void test_another_order_begins_at_the_top_also_behind_the_stacks(void **state)
{
    (void)state;
    struct sl_top_view view = view_at_row_40();
    press(&view, SL_KEY_ENTER);
    press(&view, 't');
    press(&view, SL_KEY_ESCAPE);
    assert_int_equal(view.at.cursor, 0);
    assert_false(view.at.cursor_moved);
}

static void test_only_a_reader_holds_the_end(void **state)
{
    (void)state;
    struct sl_top_view view = view_at_row_40();
    assert_false(sl_top_view_end(&view));
    view = view_at_row_40();
    press(&view, ' ');
    assert_true(sl_top_view_end(&view));
    press(&view, ' ');
    assert_false(view.paused);
    view = view_at_row_40();
    press(&view, '?');
    assert_true(sl_top_view_end(&view));
    /* It is held until it is let go, not until the page is left. */
    press(&view, SL_KEY_ESCAPE);
    assert_true(view.paused && view.ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_back_leads_to_the_row_that_was_left),
        cmocka_unit_test(test_keys_shown_over_stacks_lose_neither_place),
        cmocka_unit_test(test_another_order_begins_at_the_top_also_behind_the_stacks),
        cmocka_unit_test(test_only_a_reader_holds_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
