#include "server.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUESTS_MAX = 4096, HEAD_BYTES = 8192, PATIENCE_MS = 20000 };

struct server {
    const struct server_step *steps;
    size_t step_count;
    int listener;
    uint16_t port;
    int stop; /* eventfds */
    int release;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    struct server_request requests[REQUESTS_MAX];
    size_t request_count;
    size_t connections;
    uint64_t flooded;
};

/* Until a descriptor can be read, or `time_ms` have passed. False: the server is to stop. */
static bool wait_for(const struct server *server, int descriptor, int time_ms)
{
    struct pollfd both[] = {{.fd = server->stop, .events = POLLIN}, {.fd = descriptor, .events = POLLIN}};
    poll(both, descriptor < 0 ? 1 : 2, time_ms);
    return (both[0].revents & POLLIN) == 0;
}

static bool send_bytes(int connection, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(connection, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Reads up to the blank line; what is behind it stays in the socket. */
static bool read_head(const struct server *server, int connection, char *head)
{
    size_t used = 0;
    while (used + 1 < HEAD_BYTES) {
        if (!wait_for(server, connection, -1) || recv(connection, head + used, 1, 0) != 1) {
            return false;
        }
        head[++used] = '\0';
        if (used >= 4 && strcmp(head + used - 4, "\r\n\r\n") == 0) {
            return true;
        }
    }
    return false;
}

static size_t length_of(const char *head)
{
    const char *length = strcasestr(head, "\r\nContent-Length:");
    return length == NULL ? 0 : strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
}

static bool read_request(struct server *server, int connection, const struct server_step *step)
{
    char head[HEAD_BYTES];
    if (!read_head(server, connection, head)) {
        return false;
    }
    size_t size = step->act == SERVER_RESET ? 0 : length_of(head);
    char *body = calloc(1, size + 1);
    for (size_t used = 0; used < size;) {
        ssize_t got = wait_for(server, connection, -1) ? recv(connection, body + used, size - used, 0) : 0;
        if (got <= 0) {
            free(body);
            return false;
        }
        used += (size_t)got;
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    pthread_mutex_lock(&server->lock);
    if (server->request_count == REQUESTS_MAX) {
        abort();
    }
    server->requests[server->request_count++] = (struct server_request){
        .head = strdup(head),
        .body = body,
        .size = size,
        .time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
    };
    pthread_mutex_unlock(&server->lock);
    return true;
}

static void flood(struct server *server, int connection)
{
    static const char bytes[64 * 1024];
    for (size_t sent = 0; sent < (size_t)1 << 30 && send_bytes(connection, bytes, sizeof bytes); sent += sizeof bytes) {
        pthread_mutex_lock(&server->lock);
        server->flooded += sizeof bytes;
        pthread_mutex_unlock(&server->lock);
    }
}

/* Until it is released. False: nobody waits for the answer any more. */
static bool hold(const struct server *server, int connection)
{
    struct pollfd all[] = {{.fd = server->stop, .events = POLLIN},
                           {.fd = connection, .events = POLLIN | POLLRDHUP},
                           {.fd = server->release, .events = POLLIN}};
    poll(all, 3, -1);
    return all[0].revents == 0 && all[1].revents == 0;
}

/* Whether the connection goes on. */
static bool answer(struct server *server, int connection, const struct server_step *step)
{
    const char *body = step->body == NULL ? "" : step->body;
    size_t size = strlen(body);
    const struct linger reset = {.l_onoff = 1};
    switch (step->act) {
    case SERVER_RAW:
        send_bytes(connection, body, size);
        return false;
    case SERVER_RESET:
        setsockopt(connection, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        return false;
    case SERVER_CLOSE:
        return false;
    case SERVER_HOLD:
        if (!hold(server, connection)) {
            return false;
        }
        break;
    case SERVER_FLOOD:
    case SERVER_TRICKLE:
        size = (size_t)1 << 30;
        break;
    default:
        break;
    }
    char head[1024];
    int used = snprintf(head, sizeof head, "HTTP/1.1 %d Whatever\r\nContent-Length: %zu\r\n%s\r\n",
                        step->status == 0 ? 200 : step->status, size, step->headers == NULL ? "" : step->headers);
    if (!send_bytes(connection, head, (size_t)used)) {
        return false;
    }
    if (step->act == SERVER_FLOOD) {
        flood(server, connection);
        return false;
    }
    while (step->act == SERVER_TRICKLE) {
        if (!wait_for(server, -1, 20) || !send_bytes(connection, ".", 1)) {
            return false;
        }
    }
    return send_bytes(connection, body, size);
}

static void serve(struct server *server, int connection)
{
    for (;;) {
        size_t number = server_requests(server);
        const struct server_step *step = &server->steps[number < server->step_count ? number : server->step_count - 1];
        if (!read_request(server, connection, step) || !answer(server, connection, step)) {
            return;
        }
    }
}

static void *run(void *argument)
{
    struct server *server = argument;
    while (wait_for(server, server->listener, -1)) {
        int connection = accept(server->listener, NULL, NULL);
        if (connection < 0) {
            continue;
        }
        pthread_mutex_lock(&server->lock);
        server->connections++;
        pthread_mutex_unlock(&server->lock);
        serve(server, connection);
        close(connection);
    }
    return NULL;
}

static int listen_at(uint16_t *port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(*port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof address;
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 || listen(listener, 16) != 0) {
        perror("a server for tests");
        abort();
    }
    *port = ntohs(address.sin_port);
    return listener;
}

struct server *server_start(uint16_t port, const struct server_step *steps, size_t count)
{
    struct server *server = calloc(1, sizeof *server);
    server->steps = steps;
    server->step_count = count;
    server->port = port;
    server->listener = listen_at(&server->port);
    server->stop = eventfd(0, EFD_CLOEXEC);
    server->release = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&server->lock, NULL);
    if (pthread_create(&server->thread, NULL, run, server) != 0) {
        abort();
    }
    return server;
}

uint16_t server_port(const struct server *server)
{
    return server->port;
}

void server_release(struct server *server)
{
    eventfd_write(server->release, 1);
}

size_t server_requests(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->request_count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

size_t server_connections(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->connections;
    pthread_mutex_unlock(&server->lock);
    return count;
}

uint64_t server_flooded(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    uint64_t bytes = server->flooded;
    pthread_mutex_unlock(&server->lock);
    return bytes;
}

const struct server_request *server_request(struct server *server, size_t number)
{
    if (number >= server_requests(server)) {
        abort();
    }
    return &server->requests[number];
}

bool server_await(struct server *server, size_t requests)
{
    for (int waited_ms = 0; server_requests(server) < requests; waited_ms++) {
        if (waited_ms > PATIENCE_MS) {
            return false;
        }
        usleep(1000);
    }
    return true;
}

void server_stop(struct server *server)
{
    eventfd_write(server->stop, 1);
    pthread_join(server->thread, NULL);
    close(server->listener);
    close(server->stop);
    close(server->release);
    for (size_t i = 0; i < server->request_count; i++) {
        free(server->requests[i].head);
        free(server->requests[i].body);
    }
    pthread_mutex_destroy(&server->lock);
    free(server);
}

uint16_t server_closed_port(void)
{
    uint16_t port = 0;
    close(listen_at(&port));
    return port;
}
