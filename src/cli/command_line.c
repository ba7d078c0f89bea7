#include "cli/command_line.h"

#include <stdbool.h>
#include <string.h>

/* Read by every shell as itself; bytes of UTF-8 are too. */
static bool is_plain(unsigned char byte)
{
    return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z') || strchr("%+,-./:=@_^", byte) != NULL;
}

static bool is_control(unsigned char byte)
{
    return byte < 0x20 || byte == 0x7f;
}

static void append_dollar_quoted(struct sl_buffer *line, const char *word)
{
    sl_buffer_text(line, "$'");
    for (; *word != '\0'; word++) {
        unsigned char byte = (unsigned char)*word;
        if (byte == '\n') {
            sl_buffer_text(line, "\\n");
        } else if (byte == '\t') {
            sl_buffer_text(line, "\\t");
        } else if (is_control(byte)) {
            sl_buffer_format(line, "\\x%02x", byte);
        } else if (byte == '\'' || byte == '\\') {
            sl_buffer_format(line, "\\%c", byte);
        } else {
            sl_buffer_byte(line, *word);
        }
    }
    sl_buffer_byte(line, '\'');
}

void sl_command_line_word(struct sl_buffer *line, const char *word)
{
    bool plain = *word != '\0';
    bool control = false;
    for (const char *byte = word; *byte != '\0'; byte++) {
        plain = plain && is_plain((unsigned char)*byte);
        control = control || is_control((unsigned char)*byte);
    }
    if (control) {
        append_dollar_quoted(line, word);
        return;
    }
    if (plain) {
        sl_buffer_text(line, word);
        return;
    }
    sl_buffer_byte(line, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            sl_buffer_text(line, "'\\''");
        } else {
            sl_buffer_byte(line, *word);
        }
    }
    sl_buffer_byte(line, '\'');
}

void sl_command_line_file(struct sl_buffer *line, const char *name)
{
    struct sl_buffer path;
    sl_buffer_init(&path);
    sl_buffer_format(&path, "%s%s", name[0] == '-' ? "./" : "", name);
    sl_command_line_word(line, path.bytes != NULL ? path.bytes : name);
    sl_buffer_destroy(&path);
}

void sl_command_line_words(struct sl_buffer *line, char *const *words)
{
    for (; *words != NULL; words++) {
        if (line->size > 0) {
            sl_buffer_byte(line, ' ');
        }
        sl_command_line_word(line, *words);
    }
}
