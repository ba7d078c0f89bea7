#include "render/marshal.h"

#include <string.h>

enum marshal_type {
    TYPE_NULL = '0', /* the end of a dict */
    TYPE_DICT = '{',
    TYPE_TUPLE = '(',
    TYPE_INT = 'i',  /* 32 bits, signed */
    TYPE_LONG = 'l', /* a count of 15-bit digits, then the digits, lowest first */
    TYPE_BINARY_FLOAT = 'g',
    TYPE_UNICODE = 'u',
};

static void write_byte(struct sl_output *output, enum marshal_type type)
{
    char byte = (char)type;
    sl_output_write(output, &byte, 1);
}

static void write_little_endian(struct sl_output *output, uint64_t value, unsigned size)
{
    unsigned char bytes[8];
    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
    sl_output_write(output, bytes, size);
}

void sl_marshal_dict_begin(struct sl_output *output)
{
    write_byte(output, TYPE_DICT);
}

void sl_marshal_dict_end(struct sl_output *output)
{
    write_byte(output, TYPE_NULL);
}

void sl_marshal_tuple(struct sl_output *output, uint32_t elements)
{
    write_byte(output, TYPE_TUPLE);
    write_little_endian(output, elements, 4);
}

void sl_marshal_int(struct sl_output *output, uint64_t value)
{
    if (value <= INT32_MAX) {
        write_byte(output, TYPE_INT);
        write_little_endian(output, value, 4);
        return;
    }
    unsigned digits = 0;
    for (uint64_t rest = value; rest != 0; rest >>= 15) {
        digits++;
    }
    write_byte(output, TYPE_LONG);
    write_little_endian(output, digits, 4);
    for (; digits > 0; digits--, value >>= 15) {
        write_little_endian(output, value & 0x7fff, 2);
    }
}

void sl_marshal_float(struct sl_output *output, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    write_byte(output, TYPE_BINARY_FLOAT);
    write_little_endian(output, bits, 8);
}

void sl_marshal_str(struct sl_output *output, const char *text, size_t size)
{
    if (size > INT32_MAX) {
        size = INT32_MAX;
    }
    write_byte(output, TYPE_UNICODE);
    write_little_endian(output, size, 4);
    sl_output_write(output, text, size);
}
