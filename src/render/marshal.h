/* marshal.h - writes values in CPython's marshal format (Python/marshal.c of 3.11; version 2 of the format, which every
 * Python 3 reads): the few types that a pstats file needs.
 *
 * A type is one byte, numbers are little endian. Nothing is checked for nesting: write a tuple's head, then its
 * elements. */
#ifndef SL_RENDER_MARSHAL_H
#define SL_RENDER_MARSHAL_H

#include "base/output.h"

#include <stddef.h>
#include <stdint.h>

/* A dict is its head, then keys and values by turns, then its end. */
void sl_marshal_dict_begin(struct sl_output *output);
void sl_marshal_dict_end(struct sl_output *output);

void sl_marshal_tuple(struct sl_output *output, uint32_t elements);

/* An int from 0 up. */
void sl_marshal_int(struct sl_output *output, uint64_t value);
void sl_marshal_float(struct sl_output *output, double value);

/* A str, from UTF-8. Longer than 2^31 - 1 bytes is cut. */
void sl_marshal_str(struct sl_output *output, const char *text, size_t size);

#endif
