/* secrets.h - what must not be repeated to anybody, although a server may do so in its answer: passwords and keys. */
#ifndef SL_PUSH_SECRETS_H
#define SL_PUSH_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

struct sl_secrets {
    char **texts; /* owned, as are they */
    size_t count;
};

/* Each keeps a copy, and returns false when memory is exhausted. An empty text is no secret. */
bool sl_secrets_add(struct sl_secrets *secrets, const char *text);

/* The password, and both as they stand in the header of Basic authentication. */
bool sl_secrets_add_login(struct sl_secrets *secrets, const char *user, const char *password);

/* The value of a header "Name: value", and its last word ("Bearer KEY"), if the name is one that keys are sent by:
 * Authorization, Cookie, and whatever has "auth", "token", "key" or "secret" in it. */
bool sl_secrets_add_header(struct sl_secrets *secrets, const char *header);

/* Whether any of them stands in these bytes. */
bool sl_secrets_in(const struct sl_secrets *secrets, const char *bytes, size_t size);

void sl_secrets_destroy(struct sl_secrets *secrets);

#endif
