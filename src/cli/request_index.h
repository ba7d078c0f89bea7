/* request_index.h - the index of a folder in which a web application keeps the profiles of its requests.
 *
 * Written by python/stacklapse/_web/index.py, one SQLite table beside the files. Everything in it is hostile until it was
 * looked at: the file may be damaged or made up. No trigger, view or function of its schema is run, what is read is
 * bounded, and a name that could lead out of the folder is no name. */
#ifndef SL_CLI_REQUEST_INDEX_H
#define SL_CLI_REQUEST_INDEX_H

#include "base/arena.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum sl_request_order {
    SL_REQUESTS_NEWEST = 0,
    SL_REQUESTS_SLOWEST,
    SL_REQUESTS_BY_CPU,  /* most time on a CPU first */
    SL_REQUESTS_BY_WAIT, /* longest wait first */
};

/* Which requests, in which order. All zero: all of them, the newest first. */
struct sl_request_query {
    enum sl_request_order order;
    const char *route;     /* a glob for route or `METHOD route`, NULL: any */
    uint32_t status_first; /* a range, both included; both 0: any */
    uint32_t status_last;
    uint64_t slower_ns; /* the least duration */
    uint64_t limit;     /* 0: no limit */
};

#define SL_TIME_UNKNOWN UINT64_MAX

struct sl_request {
    uint64_t number;        /* by which it is opened; stays the same as long as the request is kept */
    const char *name;       /* of its files, without extension */
    uint64_t start_time_ns; /* since 1970 */
    const char *method;
    const char *route; /* any bytes but NUL */
    uint32_t status;   /* 0: none was sent */
    uint64_t duration_ns;
    uint64_t cpu_ns; /* SL_TIME_UNKNOWN where a crash left no more than the files; the two below too */
    uint64_t wait_ns;
    uint64_t samples;
    const char *reason;
    uint64_t bytes; /* of its files */
};

struct sl_requests {
    struct sl_request *requests; /* owned */
    uint32_t count, capacity;
    uint64_t matching; /* how many the query would have given without its limit */
    uint64_t kept;     /* how many there are */
    struct sl_arena texts;
};

/* Reads the index of `folder`; one that was just begun is an empty file. False with one sentence when there is none, or it
 * is no index of ours, or damaged. To be destroyed in either case. */
bool sl_requests_read(struct sl_requests *requests, const char *folder, const struct sl_request_query *query,
                      struct sl_error *error);
void sl_requests_destroy(struct sl_requests *requests);

/* The recording of a request. */
struct sl_request_file {
    char *path;  /* owned */
    char *title; /* `GET /users/{id}`, with nothing in it that a terminal obeys; owned */
};

/* Finds that of request `number`, or of the one whose files have that name. False with a sentence when there is none such,
 * or its recording is gone. To be destroyed in either case. */
bool sl_request_find(struct sl_request_file *file, const char *folder, const char *number, struct sl_error *error);
void sl_request_file_destroy(struct sl_request_file *file);

#endif
