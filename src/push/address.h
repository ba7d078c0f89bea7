/* address.h - where messages are sent to: a URL, taken apart so that nobody ever prints a password. */
#ifndef SL_PUSH_ADDRESS_H
#define SL_PUSH_ADDRESS_H

#include "base/error.h"

#include <stdbool.h>

struct sl_address {
    char *url;      /* without user and password; owned, as all of them */
    char *name;     /* what sentences call it: without the query too, where others put keys, and not too long */
    char *user;     /* decoded; NULL: the URL has none */
    char *password; /* decoded, may be empty; NULL: the URL has no user */
};

/* Takes "http[s]://[user:password@]host[:port][/path][?query]" apart. False with SL_ERROR_USAGE where it is something
 * else, and then `address` holds nothing. No sentence repeats any of the URL: a password with a / in it would be what the
 * grammar takes for a port and a path. For the same reason an @ behind the host is refused. */
bool sl_address_parse(struct sl_address *address, const char *url, struct sl_error *error);
void sl_address_destroy(struct sl_address *address);

#endif
