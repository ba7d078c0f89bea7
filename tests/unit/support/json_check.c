#include "support/json_check.h"

#include <string.h>

enum { depth_max = 64 };

struct check {
    const unsigned char *at, *end;
};

static bool take(struct check *check, unsigned char byte)
{
    if (check->at < check->end && *check->at == byte) {
        check->at++;
        return true;
    }
    return false;
}

static void skip_space(struct check *check)
{
    while (take(check, ' ') || take(check, '\t') || take(check, '\n') || take(check, '\r')) {
    }
}

static size_t digits(struct check *check)
{
    size_t count = 0;
    while (check->at < check->end && *check->at >= '0' && *check->at <= '9') {
        check->at++;
        count++;
    }
    return count;
}

static bool number(struct check *check)
{
    take(check, '-');
    if (!take(check, '0') && digits(check) == 0) {
        return false;
    }
    if (take(check, '.') && digits(check) == 0) {
        return false;
    }
    if (take(check, 'e') || take(check, 'E')) {
        if (!take(check, '+')) {
            take(check, '-');
        }
        return digits(check) > 0;
    }
    return true;
}

static bool word(struct check *check, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(check->end - check->at) < size || memcmp(check->at, text, size) != 0) {
        return false;
    }
    check->at += size;
    return true;
}

static bool escaped(struct check *check)
{
    if (!take(check, 'u')) {
        return check->at < check->end && strchr("\"\\/bfnrt", *check->at++) != NULL;
    }
    for (int i = 0; i < 4; i++) {
        if (check->at >= check->end || strchr("0123456789abcdefABCDEF", *check->at++) == NULL) {
            return false;
        }
    }
    return true;
}

/* One character of UTF-8, as RFC 3629 allows it. */
static bool character(struct check *check)
{
    static const struct {
        unsigned char low, high, second_low, second_high;
        int more;
    } forms[] = {{0x20, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2},
                 {0xe1, 0xec, 0x80, 0xbf, 2}, {0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2},
                 {0xf0, 0xf0, 0x90, 0xbf, 3}, {0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (*check->at < forms[i].low || *check->at > forms[i].high) {
            continue;
        }
        if (check->end - check->at <= forms[i].more) {
            return false;
        }
        for (int j = 1; j <= forms[i].more; j++) {
            unsigned char low = j == 1 ? forms[i].second_low : 0x80;
            unsigned char high = j == 1 ? forms[i].second_high : 0xbf;
            if (check->at[j] < low || check->at[j] > high) {
                return false;
            }
        }
        check->at += 1 + forms[i].more;
        return true;
    }
    return false;
}

static bool string(struct check *check)
{
    if (!take(check, '"')) {
        return false;
    }
    while (check->at < check->end) {
        if (take(check, '"')) {
            return true;
        }
        if (take(check, '\\') ? !escaped(check) : !character(check)) {
            return false;
        }
    }
    return false;
}

static bool scalar(struct check *check)
{
    if (check->at >= check->end) {
        return false;
    }
    if (*check->at == '"') {
        return string(check);
    }
    return word(check, "true") || word(check, "false") || word(check, "null") || number(check);
}

static bool key(struct check *check)
{
    skip_space(check);
    bool found = string(check);
    skip_space(check);
    return found && take(check, ':');
}

bool json_is_valid(const char *text, size_t size)
{
    struct check check = {(const unsigned char *)text, (const unsigned char *)text + size};
    unsigned char open[depth_max];
    int depth = 0;
    for (;;) {
        /* A value begins here. */
        skip_space(&check);
        bool object = take(&check, '{');
        if (object || take(&check, '[')) {
            if (depth == depth_max) {
                return false;
            }
            open[depth++] = object ? '}' : ']';
            skip_space(&check);
            if (check.at < check.end && *check.at != open[depth - 1]) {
                if (object && !key(&check)) {
                    return false;
                }
                continue;
            }
        } else if (!scalar(&check)) {
            return false;
        }
        /* And ends here. */
        skip_space(&check);
        while (depth > 0 && take(&check, open[depth - 1])) {
            depth--;
            skip_space(&check);
        }
        if (depth == 0) {
            return check.at == check.end;
        }
        if (!take(&check, ',') || (open[depth - 1] == '}' && !key(&check))) {
            return false;
        }
    }
}
