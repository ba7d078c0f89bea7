/* json_check.h - whether text is valid JSON (RFC 8259), in valid UTF-8, without recursion. */
#ifndef SL_TESTS_JSON_CHECK_H
#define SL_TESTS_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* One value and white space around it. Nested at most 64 deep. */
bool json_is_valid(const char *text, size_t size);

#endif
