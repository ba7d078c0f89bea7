/* json_writer.h - JSON, written as it comes: commas, escapes and numbers are right whatever the content is.
 *
 * A key is given for a member of an object and is NULL for an element of an array. What was opened is closed by the
 * caller, in order. */
#ifndef SL_RENDER_JSON_WRITER_H
#define SL_RENDER_JSON_WRITER_H

#include "base/output.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_json {
    struct sl_output *output;
    bool filled;   /* something came before at this level: a comma is due */
    bool new_line; /* the next member or element begins on a line of its own */
};

void sl_json_begin(struct sl_json *json, struct sl_output *output);

void sl_json_open_object(struct sl_json *json, const char *key);
void sl_json_close_object(struct sl_json *json);
void sl_json_open_array(struct sl_json *json, const char *key);
void sl_json_close_array(struct sl_json *json);

/* What comes next begins on a line of its own. */
void sl_json_new_line(struct sl_json *json);

/* `size` bytes of UTF-8. What is no valid UTF-8 becomes U+FFFD; control characters, and the line separators that
 * JavaScript once took for ends of lines, are escaped. */
void sl_json_string(struct sl_json *json, const char *key, const char *bytes, size_t size);
void sl_json_text(struct sl_json *json, const char *key, const char *text);
void sl_json_unsigned(struct sl_json *json, const char *key, uint64_t value);
void sl_json_signed(struct sl_json *json, const char *key, int64_t value);

/* An amount of a small unit in a larger one, with all its digits: 1500 with 3 digits is 1.500. */
void sl_json_decimal(struct sl_json *json, const char *key, uint64_t value, unsigned digits);

void sl_json_bool(struct sl_json *json, const char *key, bool value);
void sl_json_null(struct sl_json *json, const char *key);

#endif
