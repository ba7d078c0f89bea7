#include "analysis/roles.h"

/* The size of the character at `text`: a byte, or a whole sequence of UTF-8. */
static size_t character_size(const char *text, size_t size)
{
    size_t length = 1;
    while (length < size && ((unsigned char)text[length] & 0xc0) == 0x80) {
        length++;
    }
    return length;
}

/* The size of the set `[...]` at `pattern`; 0 when it does not end, so that its bracket stands for itself. */
static size_t set_size(const char *pattern, size_t size)
{
    size_t at = 1;
    at += at < size && (pattern[at] == '!' || pattern[at] == '^');
    /* A bracket that comes first is one of the set. */
    at += at < size && pattern[at] == ']';
    while (at < size && pattern[at] != ']') {
        at++;
    }
    return at < size ? at + 1 : 0;
}

/* Compares two characters of UTF-8 by their code points, which is the order of their bytes. */
static int compare_characters(const char *a, size_t a_size, const char *b, size_t b_size)
{
    for (size_t i = 0; i < a_size && i < b_size; i++) {
        if (a[i] != b[i]) {
            return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
        }
    }
    return a_size < b_size ? -1 : a_size > b_size;
}

static bool set_has(const char *set, size_t size, const char *character, size_t character_bytes)
{
    size_t at = 1;
    bool inverted = set[at] == '!' || set[at] == '^';
    at += inverted;
    size_t end = size - 1;
    bool found = false;
    while (at < end) {
        size_t low_size = character_size(set + at, end - at);
        const char *low = set + at;
        const char *high = low;
        size_t high_size = low_size;
        at += low_size;
        if (at + 1 < end && set[at] == '-') {
            high = set + at + 1;
            high_size = character_size(high, end - at - 1);
            at += 1 + high_size;
        }
        found = found || (compare_characters(low, low_size, character, character_bytes) <= 0 &&
                          compare_characters(character, character_bytes, high, high_size) <= 0);
    }
    return found != inverted;
}

/* Matches one character of the text against what stands at the start of the pattern, which is no `*`. Returns the size
 * of that in the pattern, 0 when it does not match. */
static size_t match_one(const char *pattern, size_t pattern_size, const char *text, size_t text_size)
{
    if (pattern[0] == '?') {
        return 1;
    }
    if (pattern[0] == '[') {
        size_t size = set_size(pattern, pattern_size);
        if (size > 0) {
            return set_has(pattern, size, text, text_size) ? size : 0;
        }
    }
    size_t size = character_size(pattern, pattern_size);
    return compare_characters(pattern, size, text, text_size) == 0 ? size : 0;
}

bool sl_glob_matches(const char *pattern, size_t pattern_size, const char *text, size_t size)
{
    size_t at = 0;
    size_t place = 0;
    /* After the last star: where it stands, and where what follows it was last tried. Only that one is tried again,
     * since what comes before it has found its first fit. */
    size_t star = pattern_size;
    size_t tried = 0;
    while (place < size) {
        size_t character = character_size(text + place, size - place);
        size_t matched = 0;
        if (at < pattern_size && pattern[at] == '*') {
            star = at++;
            tried = place;
            continue;
        }
        if (at < pattern_size) {
            matched = match_one(pattern + at, pattern_size - at, text + place, character);
        }
        if (matched > 0) {
            at += matched;
            place += character;
        } else if (star < pattern_size) {
            at = star + 1;
            tried += character_size(text + tried, size - tried);
            place = tried;
        } else {
            return false;
        }
    }
    while (at < pattern_size && pattern[at] == '*') {
        at++;
    }
    return at == pattern_size;
}
