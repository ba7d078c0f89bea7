#include "cli/request_index.h"

#include "analysis/roles.h"
#include "base/array.h"
#include "base/buffer.h"
#include "render/text_style.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As in index.py. */
static const char index_name[] = "index.sqlite";
enum { application_id = 0x6C707365, version = 1 };

enum {
    patience_ms = 5000, /* for a process that is just writing */
    text_max = 4096,    /* bytes of any one value */
    name_max = 120,     /* bytes of a name */
    requests_max = 1 << 20,
    steps_max = 1 << 29, /* of SQLite's machine, for all that is asked */
    steps_at_a_time = 1 << 16,
};

/* The columns, in the order in which they are asked for. */
enum column {
    NUMBER,
    NAME,
    START_TIME,
    METHOD,
    ROUTE,
    STATUS,
    DURATION,
    CPU,
    WAIT,
    SAMPLES,
    REASON,
    BYTES,
};
#define COLUMNS "id, name, time_ns, method, route, status, duration_ns, cpu_ns, wait_ns, samples, reason, bytes"

static const char *const orders[] = {
    [SL_REQUESTS_NEWEST] = "time_ns DESC, id DESC",
    [SL_REQUESTS_SLOWEST] = "duration_ns DESC, id DESC",
    [SL_REQUESTS_BY_CPU] = "cpu_ns DESC, id DESC",
    [SL_REQUESTS_BY_WAIT] = "wait_ns DESC, id DESC",
};

struct index {
    const char *folder; /* as it was given */
    char *path;         /* of the file; owned */
    bool empty;         /* it is an empty file: somebody was about to begin it */
    sqlite3 *database;
    uint64_t steps;
};

static bool failed(const struct index *index, struct sl_error *error)
{
    int code = index->database != NULL ? sqlite3_extended_errcode(index->database) : SQLITE_NOMEM;
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return sl_error_memory(error);
    case SQLITE_NOTADB:
        return sl_error_set(error, SL_ERROR_FORMAT, "%s is no index of requests: it is no SQLite database",
                            index->path);
    case SQLITE_READONLY: /* of half a transaction that may not be undone */
    case SQLITE_CORRUPT:
    case SQLITE_INTERRUPT:
    case SQLITE_TOOBIG:
    case SQLITE_AUTH:
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
        return sl_error_set(error, SL_ERROR_FORMAT,
                            "the index %s is damaged; the recordings beside it can still be viewed one by one",
                            index->path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return sl_error_set(error, SL_ERROR_SYSTEM, "the index %s is being written to all the time", index->path);
    default:
        return sl_error_set(error, SL_ERROR_SYSTEM, "cannot read the index %s: %s", index->path,
                            index->database != NULL ? sqlite3_errmsg(index->database) : "out of memory");
    }
}

/* Reading our own table and nothing else; `count` is the only function. */
static int authorize(void *context, int action, const char *first, const char *second, const char *database,
                     const char *inner)
{
    (void)context;
    (void)database;
    (void)inner;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_TRANSACTION:
        return SQLITE_OK;
    case SQLITE_READ:
        return strcmp(first, "requests") == 0 ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_PRAGMA:
        return second == NULL ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

static int count_steps(void *context)
{
    struct index *index = context;
    index->steps += steps_at_a_time;
    return index->steps > steps_max;
}

static bool harden(struct index *index)
{
    sqlite3 *database = index->database;
    static const struct {
        int what, limit;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, 1 << 20},   {SQLITE_LIMIT_ATTACHED, 0},      {SQLITE_LIMIT_COLUMN, 100},
        {SQLITE_LIMIT_EXPR_DEPTH, 20},    {SQLITE_LIMIT_SQL_LENGTH, 4096}, {SQLITE_LIMIT_VDBE_OP, 25000},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},  {SQLITE_LIMIT_FUNCTION_ARG, 8},  {SQLITE_LIMIT_COMPOUND_SELECT, 2},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        sqlite3_limit(database, limits[i].what, limits[i].limit);
    }
    sqlite3_progress_handler(database, steps_at_a_time, count_steps, index);
    return sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) == SQLITE_OK &&
           sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) == SQLITE_OK &&
           sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL) == SQLITE_OK &&
           sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) == SQLITE_OK &&
           sqlite3_busy_timeout(database, patience_ms) == SQLITE_OK &&
           sqlite3_exec(database, "PRAGMA mmap_size = 0; PRAGMA cell_size_check = 1", NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_set_authorizer(database, authorize, NULL) == SQLITE_OK;
}

/* The integer that a statement gives; -1 with an SQLite error when it gives none. */
static int64_t ask_number(struct index *index, const char *question)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(index->database, question, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return number;
}

static bool open_with(struct index *index, int flags)
{
    sqlite3_close(index->database);
    index->database = NULL;
    return sqlite3_open_v2(index->path, &index->database, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL) ==
               SQLITE_OK &&
           harden(index);
}

/* Where the folder's index is; it must be a file of the folder itself. */
static bool find(struct index *index, struct sl_error *error)
{
    char *real = realpath(index->folder, NULL);
    if (real == NULL) {
        return sl_error_system(error, errno, "cannot open the folder %s", index->folder);
    }
    struct sl_buffer path;
    sl_buffer_init(&path);
    sl_buffer_format(&path, "%s/%s", strcmp(real, "/") == 0 ? "" : real, index_name);
    free(real);
    if (path.failed) {
        sl_buffer_destroy(&path);
        return sl_error_memory(error);
    }
    index->path = path.bytes;
    struct stat file;
    if (lstat(index->path, &file) != 0) {
        int reason = errno;
        if (reason == ENOENT) {
            return sl_error_set(error, SL_ERROR_FORMAT, "no requests are kept in %s: there is no %s", index->folder,
                                index_name);
        }
        if (reason == ENOTDIR) {
            return sl_error_set(error, SL_ERROR_FORMAT, "%s is no folder", index->folder);
        }
        return sl_error_system(error, reason, "cannot open %s", index->path);
    }
    index->empty = file.st_size == 0;
    return S_ISREG(file.st_mode) ||
           sl_error_set(error, SL_ERROR_FORMAT, "%s is no index of requests: it is no regular file", index->path);
}

/* Whether undoing what the journal holds touches nothing but the index: a journal may end in the name of another file,
 * which SQLite would then delete. */
static bool journal_is_plain(const struct index *index)
{
    static const unsigned char name_follows[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    unsigned char end[sizeof name_follows];
    struct sl_buffer path;
    sl_buffer_init(&path);
    sl_buffer_format(&path, "%s-journal", index->path);
    int file = path.failed ? -1 : open(path.bytes, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    sl_buffer_destroy(&path);
    if (file < 0) {
        return false;
    }
    off_t size = lseek(file, 0, SEEK_END);
    bool plain = size >= (off_t)sizeof end &&
                 pread(file, end, sizeof end, size - (off_t)sizeof end) == (ssize_t)sizeof end &&
                 memcmp(end, name_follows, sizeof end) != 0;
    close(file);
    return plain;
}

static bool open_index(struct index *index, const char *folder, struct sl_error *error)
{
    *index = (struct index){.folder = folder};
    if (!find(index, error)) {
        return false;
    }
    if (index->empty) {
        return true;
    }
    int64_t application = open_with(index, SQLITE_OPEN_READONLY) ? ask_number(index, "PRAGMA application_id") : -1;
    /* A process that died while it wrote has left half a transaction, which is undone by whoever may write. */
    if (application < 0 && sqlite3_extended_errcode(index->database) == SQLITE_READONLY_ROLLBACK &&
        journal_is_plain(index)) {
        application = open_with(index, SQLITE_OPEN_READWRITE) ? ask_number(index, "PRAGMA application_id") : -1;
    }
    if (application < 0) {
        return failed(index, error);
    }
    int64_t found = ask_number(index, "PRAGMA user_version");
    if (application == 0 && found == 0) {
        return sl_error_set(error, SL_ERROR_FORMAT, "%s is no index of requests", index->path);
    }
    if (application != application_id) {
        return sl_error_set(error, SL_ERROR_FORMAT, "%s belongs to another program", index->path);
    }
    return found == version ||
           sl_error_set(error, SL_ERROR_FORMAT, "the index %s is of version %" PRId64 ", and this stacklapse reads %d",
                        index->path, found, version);
}

static void close_index(struct index *index)
{
    sqlite3_close(index->database);
    free(index->path);
}

/* A whole number that is not negative. */
static bool read_number(sqlite3_stmt *row, enum column column, uint64_t *number)
{
    if (sqlite3_column_type(row, column) != SQLITE_INTEGER || sqlite3_column_int64(row, column) < 0) {
        return false;
    }
    *number = (uint64_t)sqlite3_column_int64(row, column);
    return true;
}

static bool read_known(sqlite3_stmt *row, enum column column, uint64_t *number)
{
    *number = SL_TIME_UNKNOWN;
    return sqlite3_column_type(row, column) == SQLITE_NULL || read_number(row, column, number);
}

/* A text without NUL that is not too long; in SQLite's memory. */
static bool read_text(sqlite3_stmt *row, enum column column, const char **text)
{
    if (sqlite3_column_type(row, column) != SQLITE_TEXT) {
        return false;
    }
    *text = (const char *)sqlite3_column_text(row, column);
    size_t size = (size_t)sqlite3_column_bytes(row, column);
    return *text != NULL && size <= text_max && strlen(*text) == size;
}

/* Whether files of that name can only lie in the folder itself. */
static bool is_name(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t size = strlen(name);
    return size > 0 && size <= name_max && name[0] != '.' && name[0] != '-' && strspn(name, allowed) == size;
}

static bool read_row(sqlite3_stmt *row, struct sl_request *request)
{
    uint64_t status;
    bool right = read_number(row, NUMBER, &request->number) && read_text(row, NAME, &request->name) &&
                 read_number(row, START_TIME, &request->start_time_ns) && read_text(row, METHOD, &request->method) &&
                 read_text(row, ROUTE, &request->route) && read_number(row, STATUS, &status) &&
                 read_number(row, DURATION, &request->duration_ns) && read_known(row, CPU, &request->cpu_ns) &&
                 read_known(row, WAIT, &request->wait_ns) && read_known(row, SAMPLES, &request->samples) &&
                 read_text(row, REASON, &request->reason) && read_number(row, BYTES, &request->bytes);
    if (!right || status > 999 || !is_name(request->name)) {
        return false;
    }
    request->status = (uint32_t)status;
    return true;
}

static bool glob_matches(const char *glob, const struct sl_request *request)
{
    size_t size = strlen(glob);
    size_t route_size = strlen(request->route);
    if (sl_glob_matches(glob, size, request->route, route_size)) {
        return true;
    }
    struct sl_buffer both;
    sl_buffer_init(&both);
    sl_buffer_format(&both, "%s %s", request->method, request->route);
    bool matches = !both.failed && sl_glob_matches(glob, size, both.bytes, both.size);
    sl_buffer_destroy(&both);
    return matches;
}

static bool wanted(const struct sl_request_query *query, const struct sl_request *request)
{
    bool any_status = query->status_first == 0 && query->status_last == 0;
    return request->duration_ns >= query->slower_ns &&
           (any_status || (request->status >= query->status_first && request->status <= query->status_last)) &&
           (query->route == NULL || glob_matches(query->route, request));
}

static const char *keep_text(struct sl_requests *requests, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = SL_ARENA_NEW(&requests->texts, char, size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

static bool keep(struct sl_requests *requests, const struct sl_request *request, struct sl_error *error)
{
    if (!sl_array_room(&requests->requests, &requests->capacity, requests->count, sizeof *requests->requests)) {
        return sl_error_memory(error);
    }
    struct sl_request copy = *request;
    copy.name = keep_text(requests, request->name);
    copy.method = keep_text(requests, request->method);
    copy.route = keep_text(requests, request->route);
    copy.reason = keep_text(requests, request->reason);
    if (requests->texts.exhausted) {
        return sl_error_memory(error);
    }
    requests->requests[requests->count++] = copy;
    return true;
}

static bool take_row(struct sl_requests *requests, const struct index *index, sqlite3_stmt *row,
                     const struct sl_request_query *query, struct sl_error *error)
{
    struct sl_request request = {0};
    if (requests->kept == requests_max || !read_row(row, &request)) {
        return sl_error_set(error, SL_ERROR_FORMAT,
                            requests->kept == requests_max ? "the index %s holds more requests than can be"
                                                           : "the index %s holds what is no request",
                            index->path);
    }
    requests->kept++;
    if (!wanted(query, &request)) {
        return true;
    }
    requests->matching++;
    return (query->limit != 0 && requests->count >= query->limit) || keep(requests, &request, error);
}

static bool read_all(struct sl_requests *requests, struct index *index, const struct sl_request_query *query,
                     struct sl_error *error)
{
    struct sl_buffer question;
    sl_buffer_init(&question);
    sl_buffer_format(&question, "SELECT " COLUMNS " FROM requests ORDER BY %s", orders[query->order]);
    sqlite3_stmt *row = NULL;
    int code = question.failed ? SQLITE_NOMEM : sqlite3_prepare_v2(index->database, question.bytes, -1, &row, NULL);
    sl_buffer_destroy(&question);
    bool right = code == SQLITE_OK;
    while (right && (code = sqlite3_step(row)) == SQLITE_ROW) {
        right = take_row(requests, index, row, query, error);
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        right = failed(index, error);
    }
    sqlite3_finalize(row);
    return right;
}

bool sl_requests_read(struct sl_requests *requests, const char *folder, const struct sl_request_query *query,
                      struct sl_error *error)
{
    *requests = (struct sl_requests){0};
    sl_arena_init(&requests->texts);
    struct index index;
    bool done = open_index(&index, folder, error) && (index.empty || read_all(requests, &index, query, error));
    close_index(&index);
    return done;
}

void sl_requests_destroy(struct sl_requests *requests)
{
    free(requests->requests);
    sl_arena_reset(&requests->texts);
}

static char *path_of(const char *folder, const char *name, struct sl_error *error)
{
    struct sl_buffer path;
    sl_buffer_init(&path);
    sl_buffer_format(&path, "%s%s%s.lapse", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
    if (path.failed) {
        sl_buffer_destroy(&path);
        sl_error_memory(error);
        return NULL;
    }
    struct stat file;
    if (lstat(path.bytes, &file) != 0 || !S_ISREG(file.st_mode)) {
        sl_error_set(error, SL_ERROR_SYSTEM, "the recording %s is not there any more", path.bytes);
        sl_buffer_destroy(&path);
        return NULL;
    }
    return path.bytes;
}

static char *title_of(const struct sl_request *request, struct sl_error *error)
{
    struct sl_buffer title;
    sl_buffer_init(&title);
    sl_text_clean(&title, request->method, strlen(request->method), true);
    sl_buffer_text(&title, " ");
    const char *route = request->route[0] != '\0' ? request->route : "request";
    sl_text_clean(&title, route, strlen(route), true);
    if (title.failed) {
        sl_buffer_destroy(&title);
        sl_error_memory(error);
        return NULL;
    }
    return title.bytes;
}

static const struct sl_request *find_number(const struct sl_requests *requests, const char *number)
{
    char *end = NULL;
    errno = 0;
    uint64_t wanted_number = strspn(number, "0123456789") == strlen(number) ? strtoull(number, &end, 10) : UINT64_MAX;
    for (uint32_t i = 0; i < requests->count; i++) {
        const struct sl_request *request = &requests->requests[i];
        if ((end != NULL && errno == 0 && request->number == wanted_number) || strcmp(request->name, number) == 0) {
            return request;
        }
    }
    return NULL;
}

bool sl_request_find(struct sl_request_file *file, const char *folder, const char *number, struct sl_error *error)
{
    *file = (struct sl_request_file){0};
    struct sl_requests requests;
    const struct sl_request_query all = {0};
    bool done = sl_requests_read(&requests, folder, &all, error);
    const struct sl_request *found = done ? find_number(&requests, number) : NULL;
    if (found != NULL) {
        file->path = path_of(folder, found->name, error);
        file->title = file->path != NULL ? title_of(found, error) : NULL;
    } else if (done) {
        sl_error_set(error, SL_ERROR_SYSTEM, "no request %.150s is kept in %s; stacklapse requests %s lists them",
                     number, folder, folder);
    }
    sl_requests_destroy(&requests);
    return file->title != NULL;
}

void sl_request_file_destroy(struct sl_request_file *file)
{
    free(file->path);
    free(file->title);
}
