#include "push/reason.h"

#include <stdio.h>
#include <string.h>

/* As much of an answer as is looked at for what to show. Well below what is kept of it, so that no secret begins in what
 * is shown and goes on where nobody has kept it. */
enum { LOOKED_AT_BYTES = 2048, SHOWN_BYTES = 240 };

static const char *phrase(int status)
{
    switch (status) {
    case 400:
        return " Bad Request";
    case 401:
        return " Unauthorized";
    case 403:
        return " Forbidden";
    case 404:
        return " Not Found";
    case 405:
        return " Method Not Allowed";
    case 407:
        return " Proxy Authentication Required";
    case 408:
        return " Request Timeout";
    case 411:
        return " Length Required";
    case 413:
        return " Content Too Large";
    case 415:
        return " Unsupported Media Type";
    case 422:
        return " Unprocessable Content";
    case 429:
        return " Too Many Requests";
    case 500:
        return " Internal Server Error";
    case 501:
        return " Not Implemented";
    case 502:
        return " Bad Gateway";
    case 503:
        return " Service Unavailable";
    case 504:
        return " Gateway Timeout";
    default:
        return "";
    }
}

void sl_reason_clean(char *text, size_t room, const char *bytes, size_t size)
{
    size_t used = 0;
    char before = ' ';
    for (size_t i = 0; i < size && used + 1 < room; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        char clean = (char)byte;
        if (byte <= ' ' || byte == 0x7f) {
            clean = ' ';
        } else if (byte > 0x7f) {
            clean = '?';
        }
        if ((clean != ' ' && byte < 0x80) || clean != before) {
            text[used++] = clean;
        }
        before = clean;
    }
    while (used > 0 && text[used - 1] == ' ') {
        used--;
    }
    text[used] = '\0';
}

void sl_reason_of_status(char *text, size_t room, int status, const char *answer, size_t size,
                         const struct sl_secrets *secrets)
{
    char said[SHOWN_BYTES];
    sl_reason_clean(said, sizeof said, answer, size < LOOKED_AT_BYTES ? size : LOOKED_AT_BYTES);
    if (sl_secrets_in(secrets, answer, size) || sl_secrets_in(secrets, said, strlen(said))) {
        snprintf(said, sizeof said, "(what it says repeats a password or a key)");
    } else if (said[0] == '<') {
        said[0] = '\0';
    }
    snprintf(text, room, "HTTP %d%s%s%s", status, phrase(status), said[0] == '\0' ? "" : ": ", said);
}
