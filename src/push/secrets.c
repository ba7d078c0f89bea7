#include "push/secrets.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool sl_secrets_add(struct sl_secrets *secrets, const char *text)
{
    if (text[0] == '\0') {
        return true;
    }
    char **texts = reallocarray(secrets->texts, secrets->count + 1, sizeof *texts);
    if (texts == NULL) {
        return false;
    }
    secrets->texts = texts;
    texts[secrets->count] = strdup(text);
    if (texts[secrets->count] == NULL) {
        return false;
    }
    secrets->count++;
    return true;
}

/* Base64 without what fills it up at the end. NULL when memory is exhausted. */
static char *encode(const char *text, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *encoded = malloc(size / 3 * 4 + 5);
    if (encoded == NULL) {
        return NULL;
    }
    size_t used = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | (unsigned char)text[i];
        for (held += 8; held >= 6; held -= 6) {
            encoded[used++] = digits[bits >> (held - 6) & 63];
        }
    }
    if (held > 0) {
        encoded[used++] = digits[bits << (6 - held) & 63];
    }
    encoded[used] = '\0';
    return encoded;
}

bool sl_secrets_add_login(struct sl_secrets *secrets, const char *user, const char *password)
{
    char *both = NULL;
    int size = asprintf(&both, "%s:%s", user, password);
    if (size < 0) {
        return false;
    }
    char *encoded = encode(both, (size_t)size);
    bool added = encoded != NULL && sl_secrets_add(secrets, password) && sl_secrets_add(secrets, encoded);
    free(encoded);
    free(both);
    return added;
}

static bool is_secret(const char *name, size_t size)
{
    static const char *const words[] = {"auth", "cookie", "token", "key", "secret"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]);
        for (size_t at = 0; at + length <= size; at++) {
            if (strncasecmp(name + at, words[i], length) == 0) {
                return true;
            }
        }
    }
    return false;
}

bool sl_secrets_add_header(struct sl_secrets *secrets, const char *header)
{
    size_t name = strcspn(header, ":");
    if (header[name] == '\0' || !is_secret(header, name)) {
        return true;
    }
    const char *value = header + name + 1;
    value += strspn(value, " \t");
    const char *word = strrchr(value, ' ');
    return sl_secrets_add(secrets, value) && (word == NULL || sl_secrets_add(secrets, word + 1));
}

bool sl_secrets_in(const struct sl_secrets *secrets, const char *bytes, size_t size)
{
    for (size_t i = 0; i < secrets->count; i++) {
        if (memmem(bytes, size, secrets->texts[i], strlen(secrets->texts[i])) != NULL) {
            return true;
        }
    }
    return false;
}

void sl_secrets_destroy(struct sl_secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++) {
        free(secrets->texts[i]);
    }
    free(secrets->texts);
    *secrets = (struct sl_secrets){0};
}
