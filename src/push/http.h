/* http.h - one message to one server: a POST, by the system's libcurl.
 *
 * Only http and https. Redirects are not followed: they would take passwords and data to whoever a server names. A
 * server's certificate must be good by the certificates of the system. Proxies are those of the environment, as curl
 * takes them (https_proxy, http_proxy, no_proxy, ...).
 *
 * A server's answer is nobody's friend: not much of it is read and less kept, and what a sentence repeats of it is printable
 * ASCII. No sentence has a user, password, query or key in it. */
#ifndef SL_PUSH_HTTP_H
#define SL_PUSH_HTTP_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_HTTP_TIMEOUT_NS UINT64_C(10000000000)
#define SL_HTTP_CONNECT_TIMEOUT_NS UINT64_C(5000000000)

/* All of it is copied. */
struct sl_http_options {
    const char *url;            /* http[s]://[user:password@]host[:port][/path][?query]; a user gives Basic auth */
    const char *const *headers; /* each "Name: value"; the body's Content-Type belongs here, and its Content-Encoding */
    size_t header_count;
    uint64_t timeout_ns;          /* for a request and its answer; 0: SL_HTTP_TIMEOUT_NS */
    uint64_t connect_timeout_ns;  /* of that, for a connection; 0: SL_HTTP_CONNECT_TIMEOUT_NS */
    const char *const *libraries; /* names of libcurl to try, up to a NULL; NULL: those that it has */
};

enum sl_http_outcome {
    SL_HTTP_ACCEPTED, /* answered with 2xx */
    SL_HTTP_REFUSED,  /* answered with something else: another status, or what is no HTTP (the status is 0 then) */
    SL_HTTP_LOST,     /* no connection, one that was lost, or no answer in time: another time it may work */
    SL_HTTP_FAILED,   /* nothing that another time would change: out of memory, libcurl cannot do it */
    SL_HTTP_ABORTED,  /* by sl_http_abort */
};

struct sl_http_answer {
    int status;              /* 0: there was none */
    uint64_t retry_after_ns; /* from now; 0: the server names none, or libcurl is older than 7.66 and does not tell */
};

struct sl_http;

/* Loads libcurl; connects to nothing yet. NULL with SL_ERROR_USAGE for a wrong URL or header, SL_ERROR_UNSUPPORTED and
 * what to install where there is no libcurl. */
struct sl_http *sl_http_create(const struct sl_http_options *options, struct sl_error *error);

/* Waits for nothing: a host name that is still being looked up goes on being so in a thread of libcurl's (before
 * libcurl 7.87 it does wait for that). NULL is fine. */
void sl_http_destroy(struct sl_http *http);

/* Sends a message and waits for the answer's status. The
 * connection is kept for the next message. By one thread at a time, which blocks or ignores SIGPIPE.
 *
 * A status counts, whatever becomes of the rest of the answer: so what was accepted is never taken for lost. Unless the
 * message was accepted, `error` is filled in with SL_ERROR_SYSTEM and a sentence that names the server. */
enum sl_http_outcome sl_http_post(struct sl_http *http, const void *body, size_t size, struct sl_http_answer *answer,
                                  struct sl_error *error);

/* From any thread: ends a post that is under way, within milliseconds, and every later one before it begins. */
void sl_http_abort(struct sl_http *http);

/* What sentences call the server: its URL without user, password and query. As long as `http`. */
const char *sl_http_name(const struct sl_http *http);

#endif
