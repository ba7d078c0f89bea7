/* server.h - a server of HTTP for tests, in a thread of its own on 127.0.0.1, that answers as it is told to. */
#ifndef SL_TESTS_PUSH_SERVER_H
#define SL_TESTS_PUSH_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum server_act {
    SERVER_ANSWER,  /* `status`, `headers` and `body`; the connection is kept */
    SERVER_RAW,     /* `body` as it stands, then the connection is closed */
    SERVER_CLOSE,   /* reads the message and closes */
    SERVER_RESET,   /* reads the beginning of the message and resets the connection */
    SERVER_HOLD,    /* answers once `server_release` was called */
    SERVER_TRICKLE, /* the status, and then a byte of its body now and then, until nobody listens any more */
    SERVER_FLOOD,   /* the status, and then a gigabyte, or until nobody listens any more */
};

struct server_step {
    enum server_act act;
    int status;          /* 0: 200 */
    const char *headers; /* each with its \r\n; NULL: none */
    const char *body;    /* NULL: none */
};

/* A message that came. */
struct server_request {
    char *head; /* the request's line and headers */
    char *body; /* with a NUL behind it */
    size_t size;
    uint64_t time_ns; /* of CLOCK_MONOTONIC */
};

struct server;

/* Each message gets the next step; the last one is repeated. `steps` must stay. `port` 0: any. */
struct server *server_start(uint16_t port, const struct server_step *steps, size_t count);
uint16_t server_port(const struct server *server);
void server_release(struct server *server);

/* So far; from any thread. */
size_t server_requests(struct server *server);
size_t server_connections(struct server *server);
uint64_t server_flooded(struct server *server); /* bytes that went out by SERVER_FLOOD */

/* As long as the server. */
const struct server_request *server_request(struct server *server, size_t number);

void server_stop(struct server *server);

/* A port that nobody listens on. */
uint16_t server_closed_port(void);

/* Waits until so many messages came; false when that takes too long for any machine. */
bool server_await(struct server *server, size_t requests);

#endif
