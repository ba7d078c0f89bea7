#include "push/address.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How much of a URL a sentence has room for, beside the reason. */
enum { NAME_MAX_BYTES = 160 };

static bool is_port(const char *text, size_t size)
{
    unsigned port = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 5) {
            return false;
        }
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    return port > 0 && port <= 65535;
}

/* A name or a number, perhaps with a port; an IPv6 address in brackets. Whether there is such a host is libcurl's to
 * say. */
static bool is_host(const char *text, size_t size)
{
    size_t host = 0;
    if (size > 0 && text[0] == '[') {
        const char *end = memchr(text, ']', size);
        host = end == NULL ? 0 : (size_t)(end - text) + 1;
    } else {
        const char *colon = memchr(text, ':', size);
        host = colon == NULL ? size : (size_t)(colon - text);
    }
    if (host == 0) {
        return false;
    }
    return host == size || (text[host] == ':' && is_port(text + host + 1, size - host - 1));
}

static int digit(char byte)
{
    const char *digits = "0123456789abcdef";
    const char *found = byte == '\0' ? NULL : strchr(digits, byte >= 'A' && byte <= 'F' ? byte - 'A' + 'a' : byte);
    return found == NULL ? -1 : (int)(found - digits);
}

/* What %41 and the like stand for. A % that stands for nothing is itself. NULL when memory is exhausted. */
static char *decode(const char *text, size_t size)
{
    char *decoded = malloc(size + 1);
    size_t used = 0;
    for (size_t i = 0; decoded != NULL && i < size; i++) {
        int high = text[i] == '%' && size - i > 2 ? digit(text[i + 1]) : -1;
        int low = high >= 0 ? digit(text[i + 2]) : -1;
        decoded[used++] = low >= 0 ? (char)(high * 16 + low) : text[i];
        i += low >= 0 ? 2 : 0;
    }
    if (decoded != NULL) {
        decoded[used] = '\0';
    }
    return decoded;
}

/* NULL: every byte can stand in a URL. */
static const char *wrong_byte(const char *url)
{
    for (const char *byte = url; *byte != '\0'; byte++) {
        if ((unsigned char)*byte <= ' ' || *byte == '\x7f') {
            return "has a blank or a control character in it";
        }
    }
    if (strchr(url, '#') != NULL) {
        return "has a # in it (in a password it is written %23)";
    }
    return strstr(url, "%00") != NULL ? "has a %00 in it" : NULL;
}

static bool keep(struct sl_address *address, const char *url, size_t scheme, const char *host, size_t user_size)
{
    size_t size = strlen(host);
    size_t named = strcspn(host, "?");
    bool cut = named > NAME_MAX_BYTES;
    address->url = malloc(scheme + size + 1);
    address->name = malloc(scheme + NAME_MAX_BYTES + sizeof "...");
    if (address->url == NULL || address->name == NULL) {
        return false;
    }
    snprintf(address->url, scheme + size + 1, "%.*s%s", (int)scheme, url, host);
    snprintf(address->name, scheme + NAME_MAX_BYTES + sizeof "...", "%.*s%.*s%s", (int)scheme, url,
             (int)(cut ? NAME_MAX_BYTES : named), host, cut ? "..." : "");
    if (host == url + scheme) {
        return true;
    }
    const char *user = url + scheme;
    const char *colon = memchr(user, ':', user_size);
    size_t name_size = colon == NULL ? user_size : (size_t)(colon - user);
    address->user = decode(user, name_size);
    address->password = colon == NULL ? strdup("") : decode(colon + 1, user_size - name_size - 1);
    return address->user != NULL && address->password != NULL;
}

bool sl_address_parse(struct sl_address *address, const char *url, struct sl_error *error)
{
    *address = (struct sl_address){0};
    size_t scheme = 0;
    if (strncasecmp(url, "http://", 7) == 0) {
        scheme = 7;
    } else if (strncasecmp(url, "https://", 8) == 0) {
        scheme = 8;
    } else {
        return sl_error_set(error, SL_ERROR_USAGE, "the address to send to does not begin with http:// or https://");
    }
    const char *wrong = wrong_byte(url);
    if (wrong != NULL) {
        return sl_error_set(error, SL_ERROR_USAGE, "the address to send to %s", wrong);
    }
    const char *authority = url + scheme;
    size_t size = strcspn(authority, "/?");
    const char *at = memrchr(authority, '@', size);
    const char *host = at == NULL ? authority : at + 1;
    if (strchr(host, '@') != NULL) {
        return sl_error_set(
            error, SL_ERROR_USAGE,
            "the address to send to has an @ behind its host (in a password a / is written %%2F and a ? "
            "%%3F; in a path or a query an @ is written %%40)");
    }
    if (!is_host(host, size - (size_t)(host - authority))) {
        return sl_error_set(error, SL_ERROR_USAGE,
                            "the address to send to has something else than a host, or host:port, behind its //");
    }
    if (!keep(address, url, scheme, host, at == NULL ? 0 : (size_t)(at - authority))) {
        sl_address_destroy(address);
        return sl_error_memory(error);
    }
    return true;
}

void sl_address_destroy(struct sl_address *address)
{
    free(address->url);
    free(address->name);
    free(address->user);
    free(address->password);
    *address = (struct sl_address){0};
}
