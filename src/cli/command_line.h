/* command_line.h - words as a person would type them in a shell. */
#ifndef SL_CLI_COMMAND_LINE_H
#define SL_CLI_COMMAND_LINE_H

#include "base/buffer.h"

/* Appends `word`, quoted where a POSIX shell would otherwise read something else: `app.py`, `'two words'`, `''`. What
 * would move a terminal's cursor is written as $'\n', which bash, zsh and ksh read back. */
void sl_command_line_word(struct sl_buffer *line, const char *word);

/* The same for a file's name, or what stands for one, where it must not be taken for an option. */
void sl_command_line_file(struct sl_buffer *line, const char *name);

/* What sl_command_line_word appends for each word, with a space between what is there and each. */
void sl_command_line_words(struct sl_buffer *line, char *const *words);

#endif
