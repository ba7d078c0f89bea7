#include "cli/top_screen.h"

#include "base/buffer.h"
#include "render/text_unicode.h"

#include <curses.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

/* A lone Escape is told from the beginning of a longer key after so many milliseconds. */
enum { ESCAPE_DELAY = 25 };

/* Where distributions keep their terminals' descriptions: a library that was built on another one looks elsewhere. */
static const char terminfo_folders[] = "/etc/terminfo:/lib/terminfo:/usr/share/terminfo:/usr/lib/terminfo";

/* The colours of text_style.c: their number among 256, and what stands for it where there are only eight. */
static const struct {
    short number;
    short classic;
    attr_t classic_attribute;
} colors[] = {
    {196, COLOR_RED, A_NORMAL}, {136, COLOR_YELLOW, A_NORMAL}, {28, COLOR_GREEN, A_NORMAL},
    {243, -1, A_DIM},           {30, COLOR_CYAN, A_NORMAL},
};
enum { COLOR_COUNT = sizeof colors / sizeof colors[0] };

static const int failures[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};

static SCREEN *screen;
static struct sl_buffer restoring; /* what a handler writes to give the terminal back */
static struct termios before;
static bool few_colors;
static bool shows_unicode;

static int restore_byte(int byte)
{
    sl_buffer_byte(&restoring, (char)byte);
    return byte;
}

static void restore_sequence(const char *capability)
{
    const char *sequence = tigetstr(capability);
    if (sequence != NULL && sequence != (const char *)-1) {
        tputs(sequence, 1, restore_byte);
    }
}

static void failed(int number)
{
    (void)!write(STDOUT_FILENO, restoring.bytes, restoring.size);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    signal(number, SIG_DFL);
    raise(number);
}

static void guard(void)
{
    static const char *const sequences[] = {"sgr0", "op", "rmkx", "cnorm", "rmcup"};
    sl_buffer_init(&restoring);
    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
        restore_sequence(sequences[i]);
    }
    if (restoring.failed || restoring.bytes == NULL) {
        return;
    }
    struct sigaction action = {.sa_handler = failed, .sa_flags = SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        sigaction(failures[i], &action, NULL);
    }
}

static void begin_colors(void)
{
    start_color();
    use_default_colors();
    few_colors = COLORS < 256;
    for (int i = 0; i < COLOR_COUNT; i++) {
        init_pair((short)(i + 1), few_colors ? colors[i].classic : colors[i].number, -1);
    }
}

/* What to say to somebody who has no such terminal. */
#define INSTEAD "stacklapse dump PID prints the stacks once, stacklapse attach PID records"

bool sl_top_screen_possible(struct sl_error *error)
{
    if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO)) {
        return sl_error_set(error, SL_ERROR_UNSUPPORTED, "top needs a terminal; " INSTEAD);
    }
    const char *name = getenv("TERM");
    if (name == NULL || *name == '\0' || strcmp(name, "dumb") == 0) {
        return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                            "top needs a terminal that can move its cursor (TERM is %s); " INSTEAD,
                            name == NULL || *name == '\0' ? "not set" : name);
    }
    return true;
}

bool sl_top_screen_begin(bool color, bool unicode, struct sl_error *error)
{
    shows_unicode = unicode;
    tcgetattr(STDIN_FILENO, &before);
    setenv("TERMINFO_DIRS", terminfo_folders, 0);
    screen = newterm(NULL, stdout, stdin);
    if (screen == NULL) {
        return sl_error_set(error, SL_ERROR_UNSUPPORTED,
                            "this machine does not know the terminal that TERM names; " INSTEAD);
    }
    guard();
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_DELAY);
    curs_set(0);
    if (color && has_colors()) {
        begin_colors();
    }
    return true;
}

void sl_top_screen_end(void)
{
    if (screen == NULL) {
        return;
    }
    endwin();
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        signal(failures[i], SIG_DFL);
    }
    delscreen(screen);
    screen = NULL;
    sl_buffer_destroy(&restoring);
}

/* ncurses itself looks when SIGWINCH has come; where several come while it looks, it may keep a size in between. */
void sl_top_screen_measure(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0 &&
        is_term_resized(size.ws_row, size.ws_col)) {
        resizeterm(size.ws_row, size.ws_col);
    }
}

uint32_t sl_top_screen_rows(void)
{
    return LINES > 0 ? (uint32_t)LINES : 1;
}

uint32_t sl_top_screen_columns(void)
{
    return COLS > 0 ? (uint32_t)COLS : 1;
}

/* Applies one parameter of an SGR sequence; `*position` says where in "38;5;N" it stands. */
static void apply(unsigned parameter, unsigned *position)
{
    if (*position == 2) {
        *position = 0;
        for (int i = 0; i < COLOR_COUNT; i++) {
            if ((unsigned)colors[i].number == parameter) {
                attron(COLOR_PAIR(i + 1) | (few_colors ? colors[i].classic_attribute : A_NORMAL));
            }
        }
    } else if (*position == 1 || parameter == 38) {
        (*position)++;
    } else if (parameter == 1) {
        attron(A_BOLD);
    } else if (parameter == 0) {
        attrset(A_NORMAL);
    }
}

/* Goes over a sequence `\033[...m`, which is one of ours: what came from a program has no escape in it. */
static const char *pass_sequence(const char *at, const char *end, bool apply_it)
{
    unsigned parameter = 0;
    unsigned position = 0;
    for (at += at + 1 < end ? 2 : 1; at < end; at++) {
        if (*at >= '0' && *at <= '9') {
            parameter = (parameter * 10 + (unsigned)(*at - '0')) % 1000;
            continue;
        }
        if (apply_it) {
            apply(parameter, &position);
        }
        parameter = 0;
        if (*at != ';') {
            return at + 1;
        }
    }
    return end;
}

static void show_row(const char *at, const char *end, bool marked)
{
    uint32_t room = sl_top_screen_columns();
    struct sl_buffer piece;
    sl_buffer_init(&piece);
    attrset(marked ? A_REVERSE : A_NORMAL);
    while (at < end && room > 0) {
        if (*at == '\033') {
            at = pass_sequence(at, end, !marked);
            continue;
        }
        const char *next = memchr(at, '\033', (size_t)(end - at));
        next = next != NULL ? next : end;
        sl_buffer_clear(&piece);
        room -= sl_text_fit(&piece, at, (size_t)(next - at), room, SL_TEXT_CUT_END, shows_unicode);
        if (!piece.failed && piece.size > 0) {
            addnstr(piece.bytes, (int)piece.size);
        }
        at = next;
    }
    for (; marked && room > 0; room--) {
        addch(' ');
    }
    attrset(A_NORMAL);
    sl_buffer_destroy(&piece);
}

void sl_top_screen_show(const char *text, uint32_t marked)
{
    erase();
    for (uint32_t row = 0; row < sl_top_screen_rows() && *text != '\0'; row++) {
        const char *end = text + strcspn(text, "\n");
        move((int)row, 0);
        show_row(text, end, row == marked);
        text = *end == '\n' ? end + 1 : end;
    }
    refresh();
}

int sl_top_screen_key(void)
{
    int key = getch();
    switch (key) {
    case KEY_UP:
        return SL_KEY_UP;
    case KEY_DOWN:
        return SL_KEY_DOWN;
    case KEY_PPAGE:
        return SL_KEY_PAGE_UP;
    case KEY_NPAGE:
        return SL_KEY_PAGE_DOWN;
    case KEY_HOME:
        return SL_KEY_HOME;
    case KEY_END:
        return SL_KEY_END;
    case KEY_ENTER:
    case '\r':
    case '\n':
        return SL_KEY_ENTER;
    case 27:
        return SL_KEY_ESCAPE;
    case KEY_BACKSPACE:
    case 127:
    case '\b':
        return SL_KEY_BACKSPACE;
    case '\t':
        return SL_KEY_TAB;
    case 'L' & 31: /* Control-L */
        clearok(curscr, TRUE);
        return SL_KEY_RESIZED;
    case KEY_RESIZE:
        return SL_KEY_RESIZED;
    default:
        break;
    }
    if (key == ERR) {
        return SL_KEY_NONE;
    }
    return key >= ' ' && key < 256 ? key : SL_KEY_OTHER;
}
