#include "render/json_writer.h"

#include "profile/utf8.h"

#include <string.h>

void sl_json_begin(struct sl_json *json, struct sl_output *output)
{
    *json = (struct sl_json){.output = output};
}

/* What a character is written as when it may not stand as it is, else NULL. */
static const char *escape(const unsigned char *bytes, size_t length, char room[7])
{
    static const char digits[] = "0123456789abcdef";
    if (length == 0) {
        return "\\ufffd";
    }
    if (length == 3 && bytes[0] == 0xe2 && bytes[1] == 0x80 && (bytes[2] == 0xa8 || bytes[2] == 0xa9)) {
        return bytes[2] == 0xa8 ? "\\u2028" : "\\u2029";
    }
    switch (bytes[0]) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\t':
        return "\\t";
    case '\r':
        return "\\r";
    default:
        break;
    }
    size_t control = sl_utf8_control_size(bytes, length);
    if (control == 0) {
        return NULL;
    }
    unsigned char code = bytes[control - 1]; /* of one in two bytes the second is the code */
    memcpy(room, "\\u00", 4);
    room[4] = digits[code >> 4];
    room[5] = digits[code & 15];
    room[6] = '\0';
    return room;
}

static void write_string(struct sl_output *output, const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    sl_output_write(output, "\"", 1);
    size_t written = 0;
    size_t at = 0;
    while (at < size) {
        size_t length = sl_utf8_size(bytes + at, size - at);
        char room[7];
        const char *escaped = escape(bytes + at, length, room);
        size_t next = at + (length == 0 ? 1 : length);
        if (escaped != NULL) {
            sl_output_write(output, text + written, at - written);
            sl_output_text(output, escaped);
            written = next;
        }
        at = next;
    }
    sl_output_write(output, text + written, size - written);
    sl_output_write(output, "\"", 1);
}

static void begin_value(struct sl_json *json, const char *key)
{
    if (json->filled) {
        sl_output_write(json->output, ",", 1);
    }
    if (json->new_line) {
        sl_output_write(json->output, "\n", 1);
    }
    json->filled = true;
    json->new_line = false;
    if (key != NULL) {
        write_string(json->output, key, strlen(key));
        sl_output_write(json->output, ":", 1);
    }
}

static void open_level(struct sl_json *json, const char *key, const char *bracket)
{
    begin_value(json, key);
    sl_output_write(json->output, bracket, 1);
    json->filled = false;
}

static void close_level(struct sl_json *json, const char *bracket)
{
    if (json->new_line) {
        sl_output_write(json->output, "\n", 1);
    }
    sl_output_write(json->output, bracket, 1);
    json->filled = true;
    json->new_line = false;
}

void sl_json_open_object(struct sl_json *json, const char *key)
{
    open_level(json, key, "{");
}

void sl_json_close_object(struct sl_json *json)
{
    close_level(json, "}");
}

void sl_json_open_array(struct sl_json *json, const char *key)
{
    open_level(json, key, "[");
}

void sl_json_close_array(struct sl_json *json)
{
    close_level(json, "]");
}

void sl_json_new_line(struct sl_json *json)
{
    json->new_line = true;
}

void sl_json_string(struct sl_json *json, const char *key, const char *bytes, size_t size)
{
    begin_value(json, key);
    write_string(json->output, bytes, size);
}

void sl_json_text(struct sl_json *json, const char *key, const char *text)
{
    sl_json_string(json, key, text, strlen(text));
}

/* By hand: a large tree is a hundred million digits, and printf takes most of the time then. */
static void write_number(struct sl_output *output, uint64_t value, bool negative)
{
    char digits[21];
    size_t start = sizeof digits;
    do {
        digits[--start] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    if (negative) {
        digits[--start] = '-';
    }
    sl_output_write(output, digits + start, sizeof digits - start);
}

void sl_json_unsigned(struct sl_json *json, const char *key, uint64_t value)
{
    begin_value(json, key);
    write_number(json->output, value, false);
}

void sl_json_signed(struct sl_json *json, const char *key, int64_t value)
{
    begin_value(json, key);
    write_number(json->output, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void sl_json_decimal(struct sl_json *json, const char *key, uint64_t value, unsigned digits)
{
    begin_value(json, key);
    char fraction[21] = ".";
    for (unsigned i = digits; i > 0; i--, value /= 10) {
        fraction[i] = (char)('0' + value % 10);
    }
    write_number(json->output, value, false);
    sl_output_write(json->output, fraction, (size_t)digits + 1);
}

void sl_json_bool(struct sl_json *json, const char *key, bool value)
{
    begin_value(json, key);
    sl_output_text(json->output, value ? "true" : "false");
}

void sl_json_null(struct sl_json *json, const char *key)
{
    begin_value(json, key);
    sl_output_text(json->output, "null");
}
