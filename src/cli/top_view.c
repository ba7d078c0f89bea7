#include "cli/top_view.h"

#include "cli/top_screen.h"

#include <string.h>

static const uint64_t windows_ns[] = {1000000000, 2000000000, 5000000000, 10000000000, 30000000000, 60000000000};
enum { WINDOW_COUNT = sizeof windows_ns / sizeof windows_ns[0], WINDOW_DEFAULT = 2 };

void sl_top_view_init(struct sl_top_view *view, enum sl_mode mode, bool own_only)
{
    *view = (struct sl_top_view){
        .mode = mode, .own_only = own_only, .window_ns = windows_ns[WINDOW_DEFAULT], .focus = SL_NONE};
}

static void go_to(struct sl_top_view *view, enum sl_top_page page)
{
    view->page = page;
    view->at = (struct sl_top_place){0};
}

/* Goes to a page from which go_back leads to where this one is now. */
static void go_into(struct sl_top_view *view, enum sl_top_page page)
{
    view->left[view->page] = view->at;
    go_to(view, page);
}

static void return_to(struct sl_top_view *view, enum sl_top_page page)
{
    view->page = page;
    view->at = view->left[page];
}

static void move_cursor(struct sl_top_view *view, int64_t distance, const struct sl_top_choice *choice)
{
    if (view->page == SL_TOP_STACKS || view->page == SL_TOP_HELP) {
        int64_t first = (int64_t)view->at.first + distance;
        int64_t last = (int64_t)choice->rows - (int64_t)choice->rows_shown;
        first = first > last ? last : first;
        view->at.first = first < 0 ? 0 : (uint32_t)first;
        return;
    }
    int64_t row = (int64_t)view->at.cursor + distance;
    row = row >= (int64_t)choice->rows ? (int64_t)choice->rows - 1 : row;
    view->at.cursor = row < 0 ? 0 : (uint32_t)row;
    view->at.cursor_moved = choice->rows > 0;
    view->at.cursor_on = choice->rows > 0 ? choice->on(choice->context, view->at.cursor) : 0;
}

void sl_top_view_follow(struct sl_top_view *view, const struct sl_top_choice *choice)
{
    if (view->page == SL_TOP_STACKS || view->page == SL_TOP_HELP) {
        move_cursor(view, 0, choice);
        return;
    }
    for (uint32_t row = 0; view->at.cursor_moved && row < choice->rows; row++) {
        if (choice->on(choice->context, row) == view->at.cursor_on) {
            view->at.cursor = row;
            break;
        }
    }
    if (view->at.cursor >= choice->rows) {
        view->at.cursor = choice->rows > 0 ? choice->rows - 1 : 0;
    }
    if (view->at.cursor < view->at.first) {
        view->at.first = view->at.cursor;
    } else if (view->at.cursor - view->at.first >= choice->rows_shown) {
        view->at.first = view->at.cursor - choice->rows_shown + 1;
    }
    uint32_t last = choice->rows > choice->rows_shown ? choice->rows - choice->rows_shown : 0;
    view->at.first = view->at.first < last ? view->at.first : last;
}

/* What Enter shows of the chosen row. */
static void open_row(struct sl_top_view *view, const struct sl_top_choice *choice)
{
    bool list = view->page == SL_TOP_FUNCTIONS || view->page == SL_TOP_THREADS;
    if (!list || view->at.cursor >= choice->rows) {
        return;
    }
    uint64_t on = choice->on(choice->context, view->at.cursor);
    if (view->page == SL_TOP_FUNCTIONS) {
        view->focus = (sl_function)on;
        go_into(view, SL_TOP_STACKS);
    } else if (view->page == SL_TOP_THREADS) {
        view->one_thread = true;
        view->thread_id = on;
        go_to(view, SL_TOP_FUNCTIONS);
    }
}

/* One step back: out of a page, then out of what narrows the list. */
static void go_back(struct sl_top_view *view)
{
    if (view->page == SL_TOP_HELP) {
        return_to(view, view->before_help);
    } else if (view->page == SL_TOP_STACKS) {
        return_to(view, SL_TOP_FUNCTIONS);
    } else if (view->page != SL_TOP_FUNCTIONS) {
        go_to(view, SL_TOP_FUNCTIONS);
    } else if (view->filter_size > 0) {
        view->filter_size = 0;
        view->filter[0] = '\0';
    } else {
        view->one_thread = false;
    }
}

static void change_window(struct sl_top_view *view, bool longer)
{
    for (size_t i = 0; i < WINDOW_COUNT; i++) {
        if (windows_ns[i] != view->window_ns) {
            continue;
        }
        if (longer ? i + 1 < WINDOW_COUNT : i > 0) {
            view->window_ns = windows_ns[longer ? i + 1 : i - 1];
        }
        return;
    }
}

static void edit_filter(struct sl_top_view *view, int key)
{
    if (key == SL_KEY_ENTER) {
        view->editing = false;
    } else if (key == SL_KEY_ESCAPE) {
        view->editing = false;
        memcpy(view->filter, view->filter_before, sizeof view->filter);
        view->filter_size = strlen(view->filter);
    } else if (key == SL_KEY_BACKSPACE) {
        /* The whole character, however many bytes it has. */
        while (view->filter_size > 0) {
            unsigned char byte = (unsigned char)view->filter[--view->filter_size];
            if ((byte & 0xc0) != 0x80) {
                break;
            }
        }
        view->filter[view->filter_size] = '\0';
    } else if (key < 256 && view->filter_size < SL_TOP_FILTER_MAX) {
        view->filter[view->filter_size++] = (char)key;
        view->filter[view->filter_size] = '\0';
    }
}

static void begin_filter(struct sl_top_view *view)
{
    if (view->page != SL_TOP_FUNCTIONS) {
        go_to(view, SL_TOP_FUNCTIONS);
    }
    view->editing = true;
    memcpy(view->filter_before, view->filter, sizeof view->filter);
}

static void change_order(struct sl_top_view *view, enum sl_top_order order)
{
    view->order = order;
    view->at = (struct sl_top_place){0};
    view->left[SL_TOP_FUNCTIONS] = view->at;
}

bool sl_top_view_end(struct sl_top_view *view)
{
    view->ended = true;
    view->paused = view->paused || view->page == SL_TOP_STACKS || view->page == SL_TOP_HELP;
    return view->paused;
}

static bool move_key(struct sl_top_view *view, int key, const struct sl_top_choice *choice)
{
    int64_t page = choice->rows_shown > 1 ? (int64_t)choice->rows_shown - 1 : 1;
    switch (key) {
    case SL_KEY_UP:
    case 'k':
        move_cursor(view, -1, choice);
        return true;
    case SL_KEY_DOWN:
    case 'j':
        move_cursor(view, 1, choice);
        return true;
    case SL_KEY_PAGE_UP:
        move_cursor(view, -page, choice);
        return true;
    case SL_KEY_PAGE_DOWN:
        move_cursor(view, page, choice);
        return true;
    case SL_KEY_HOME:
    case 'g':
        move_cursor(view, -(int64_t)UINT32_MAX, choice);
        return true;
    case SL_KEY_END:
    case 'G':
        move_cursor(view, UINT32_MAX, choice);
        return true;
    default:
        return false;
    }
}

enum sl_top_effect sl_top_view_key(struct sl_top_view *view, int key, const struct sl_top_choice *choice)
{
    if (view->editing) {
        edit_filter(view, key);
        return SL_TOP_CHANGED;
    }
    if (move_key(view, key, choice)) {
        return SL_TOP_MOVED;
    }
    switch (key) {
    case 'q':
    case 'Q':
        return SL_TOP_QUIT;
    case SL_KEY_ENTER:
        open_row(view, choice);
        break;
    case SL_KEY_ESCAPE:
    case SL_KEY_BACKSPACE:
        go_back(view);
        break;
    case SL_KEY_TAB:
        go_to(view, view->page == SL_TOP_THREADS ? SL_TOP_FUNCTIONS : SL_TOP_THREADS);
        break;
    case '?':
    case 'h':
        if (view->page == SL_TOP_HELP) {
            go_back(view);
        } else {
            view->before_help = view->page;
            go_into(view, SL_TOP_HELP);
        }
        break;
    case '/':
        begin_filter(view);
        break;
    case ' ':
        view->paused = !view->paused;
        break;
    case 's':
        change_order(view, SL_TOP_BY_SELF);
        break;
    case 't':
        change_order(view, SL_TOP_BY_TOTAL);
        break;
    case 'S':
        change_order(view, SL_TOP_BY_ALL_SELF);
        break;
    case 'T':
        change_order(view, SL_TOP_BY_ALL_TOTAL);
        break;
    case 'n':
        change_order(view, SL_TOP_BY_NAME);
        break;
    case 'm':
        view->mode = view->mode == SL_MODE_GIL ? SL_MODE_WALL : (enum sl_mode)(view->mode + 1);
        break;
    case '+':
    case '=':
        change_window(view, true);
        break;
    case '-':
        change_window(view, false);
        break;
    case 'a':
        view->since_start = !view->since_start;
        break;
    case 'l':
        view->own_only = !view->own_only;
        break;
    case 'i':
        view->idle_shown = !view->idle_shown;
        break;
    case SL_KEY_RESIZED:
        break;
    default:
        return SL_TOP_NOTHING;
    }
    return SL_TOP_CHANGED;
}
