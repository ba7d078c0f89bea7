#include "cli/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool sl_variable_is_set(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && *value != '\0';
}

static bool is_on(const char *variable)
{
    const char *value = getenv(variable);
    return value != NULL && *value != '\0' && strcmp(value, "0") != 0;
}

static bool wants_color(bool is_terminal)
{
    if (sl_variable_is_set("NO_COLOR")) {
        return false;
    }
    if (is_on("FORCE_COLOR") || is_on("CLICOLOR_FORCE")) {
        return true;
    }
    const char *terminal = getenv("TERM");
    return is_terminal && terminal != NULL && *terminal != '\0' && strcmp(terminal, "dumb") != 0;
}

static uint32_t width_of(int descriptor)
{
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    const char *columns = getenv("COLUMNS");
    long width = columns != NULL ? strtol(columns, NULL, 10) : 0;
    return width > 0 && width <= UINT16_MAX ? (uint32_t)width : 0;
}

struct sl_terminal sl_terminal_look(int descriptor, enum sl_color color)
{
    setlocale(LC_CTYPE, "");
    struct sl_terminal terminal = {
        .is_terminal = isatty(descriptor) == 1,
        .unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .width = width_of(descriptor),
    };
    terminal.color = color == SL_COLOR_ALWAYS || (color == SL_COLOR_AUTO && wants_color(terminal.is_terminal));
    return terminal;
}
