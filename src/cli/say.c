#include "cli/command.h"

#include "base/buffer.h"
#include "render/text_unicode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In one piece, so that it does not mix with what the program writes at the same time. Names, paths and command lines
 * may hold anything: what is said stays on its line and does not steer the terminal. */
static void write_line(const char *sentence)
{
    struct sl_buffer line;
    sl_buffer_init(&line);
    sl_buffer_text(&line, "stacklapse: ");
    sl_text_clean(&line, sentence, strlen(sentence), true);
    sl_buffer_byte(&line, '\n');
    if (!line.failed) {
        (void)!write(STDERR_FILENO, line.bytes, line.size);
    }
    sl_buffer_destroy(&line);
}

void sl_say(const char *format, ...)
{
    char sentence[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    write_line(sentence);
}

void sl_say_error(const struct sl_error *error)
{
    write_line(error->sentence);
}
