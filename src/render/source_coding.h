/* source_coding.h - source text in other codings than UTF-8.
 *
 * Which one it is, a comment in the first or second line says, as the Python language reference has it (2.1.4, Encoding
 * declarations; Parser/tokenizer/helpers.c, get_coding_spec). */
#ifndef SL_RENDER_SOURCE_CODING_H
#define SL_RENDER_SOURCE_CODING_H

#include <stddef.h>

/* Turns the text, which is in memory of malloc, into UTF-8: other memory and another size then, at most three times as
 * large. A byte order mark is taken away. Text that says nothing of its coding, that names one which is not known here, or
 * that is not in the one that it names, stays as it is. */
void sl_source_decode(char **text, size_t *size);

#endif
