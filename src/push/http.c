#include "push/http.h"

#include "push/address.h"
#include "push/libcurl.h"
#include "push/reason.h"
#include "push/secrets.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of an answer. More than is read of it, nobody waits for: the status is known by then. */
enum { KEPT_BYTES = 4096, READ_BYTES = 64 * 1024 };

/* How long to sleep at most while nothing comes; libcurl's own timers and an abort end it earlier. */
enum { SLEEP_MS = 10000 };

/* Newer than the headers may be that this is built with. A library that does not know one says so, and no number gets a
 * second meaning. */
#define OPTION_HTTP09_ALLOWED ((CURLoption)(CURLOPTTYPE_LONG + 285)) /* 7.64 */
#define OPTION_QUICK_EXIT ((CURLoption)(CURLOPTTYPE_LONG + 322))     /* 7.87 */
#define INFO_RETRY_AFTER ((CURLINFO)(CURLINFO_OFF_T + 57))           /* 7.66 */

struct sl_http {
    struct sl_libcurl curl;
    struct sl_address address;
    struct sl_secrets secrets;
    struct curl_slist *headers;
    long timeout_ms;
    long connect_timeout_ms;
    CURLM *multi; /* made for the first message: until then nothing is open that a program started meanwhile inherits */
    CURL *easy;
    int wake; /* an eventfd, readable once aborted */
    atomic_bool aborted;
    char trouble[CURL_ERROR_SIZE]; /* of the post under way, in libcurl's words */
    char kept[KEPT_BYTES];         /* of its answer */
    size_t kept_size;
    size_t read_size;
};

static long milliseconds(uint64_t duration_ns, uint64_t otherwise_ns)
{
    duration_ns = duration_ns == 0 ? otherwise_ns : duration_ns;
    uint64_t duration_ms = (duration_ns + 999999) / 1000000;
    return duration_ms > INT32_MAX ? INT32_MAX : (long)duration_ms;
}

static bool add_header(struct sl_http *http, const char *header, struct sl_error *error)
{
    size_t name = strcspn(header, ":");
    if (name == 0 || header[name] == '\0' || strcspn(header, " \t") < name) {
        return sl_error_set(error, SL_ERROR_USAGE, "a header to send has no \"Name: \" at its beginning");
    }
    for (const char *byte = header; *byte != '\0'; byte++) {
        if (((unsigned char)*byte < ' ' && *byte != '\t') || *byte == '\x7f') {
            return sl_error_set(error, SL_ERROR_USAGE, "the header %.*s has a control character in it",
                                name < 64 ? (int)name : 64, header);
        }
    }
    struct curl_slist *headers = http->curl.slist_append(http->headers, header);
    if (headers == NULL) {
        return sl_error_memory(error);
    }
    http->headers = headers;
    return sl_secrets_add_header(&http->secrets, header) || sl_error_memory(error);
}

static bool add_headers(struct sl_http *http, const struct sl_http_options *options, struct sl_error *error)
{
    /* Without it libcurl holds a body of a megabyte back for a second, until the server has asked for it. */
    if (!add_header(http, "Expect:", error)) {
        return false;
    }
    for (size_t i = 0; i < options->header_count; i++) {
        if (!add_header(http, options->headers[i], error)) {
            return false;
        }
    }
    return true;
}

struct sl_http *sl_http_create(const struct sl_http_options *options, struct sl_error *error)
{
    struct sl_http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        sl_error_memory(error);
        return NULL;
    }
    http->wake = -1;
    http->timeout_ms = milliseconds(options->timeout_ns, SL_HTTP_TIMEOUT_NS);
    http->connect_timeout_ms = milliseconds(options->connect_timeout_ns, SL_HTTP_CONNECT_TIMEOUT_NS);
    if (http->connect_timeout_ms > http->timeout_ms) {
        http->connect_timeout_ms = http->timeout_ms;
    }
    if (!sl_address_parse(&http->address, options->url, error) ||
        !sl_libcurl_load(&http->curl, options->libraries, error) || !add_headers(http, options, error)) {
        sl_http_destroy(http);
        return NULL;
    }
    if (http->address.user != NULL &&
        !sl_secrets_add_login(&http->secrets, http->address.user, http->address.password)) {
        sl_error_memory(error);
        sl_http_destroy(http);
        return NULL;
    }
    http->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (http->wake < 0) {
        sl_error_system(error, errno, "cannot make an eventfd");
        sl_http_destroy(http);
        return NULL;
    }
    return http;
}

void sl_http_destroy(struct sl_http *http)
{
    if (http == NULL) {
        return;
    }
    if (http->easy != NULL) {
        http->curl.easy_cleanup(http->easy);
    }
    if (http->multi != NULL) {
        http->curl.multi_cleanup(http->multi);
    }
    if (http->headers != NULL) {
        http->curl.slist_free_all(http->headers);
    }
    if (http->wake >= 0) {
        close(http->wake);
    }
    sl_secrets_destroy(&http->secrets);
    sl_address_destroy(&http->address);
    free(http);
}

const char *sl_http_name(const struct sl_http *http)
{
    return http->address.name;
}

void sl_http_abort(struct sl_http *http)
{
    atomic_store(&http->aborted, true);
    const uint64_t one = 1;
    /* It fails only where it is readable already. */
    ssize_t written = write(http->wake, &one, sizeof one);
    (void)written;
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *argument)
{
    struct sl_http *http = argument;
    size *= count;
    size_t room = KEPT_BYTES - http->kept_size;
    size_t kept = size < room ? size : room;
    memcpy(http->kept + http->kept_size, bytes, kept);
    http->kept_size += kept;
    http->read_size += size;
    /* Less than `size` ends the transfer. */
    return http->read_size > READ_BYTES ? 0 : size;
}

/* libcurl's own way leaves sockets to programs that are started meanwhile. */
static curl_socket_t open_socket(void *ignored, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)ignored;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

#define SET(option, value) (http->curl.easy_setopt(http->easy, (option), (value)) == CURLE_OK)

static bool prepare(struct sl_http *http)
{
    if (http->easy != NULL) {
        return true;
    }
    http->multi = http->multi != NULL ? http->multi : http->curl.multi_init();
    http->easy = http->multi != NULL ? http->curl.easy_init() : NULL;
    if (http->easy == NULL) {
        return false;
    }
    bool set = SET(CURLOPT_URL, http->address.url) && SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_POST, 1L) &&
               SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_NOPROGRESS, 1L) &&
               SET(CURLOPT_HTTPHEADER, http->headers) && SET(CURLOPT_USERAGENT, "stacklapse/" SL_VERSION) &&
               SET(CURLOPT_TIMEOUT_MS, http->timeout_ms) && SET(CURLOPT_CONNECTTIMEOUT_MS, http->connect_timeout_ms) &&
               SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
               SET(CURLOPT_ERRORBUFFER, http->trouble) && SET(CURLOPT_WRITEFUNCTION, take_answer) &&
               SET(CURLOPT_WRITEDATA, http) && SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    if (set && http->address.user != NULL) {
        set = SET(CURLOPT_HTTPAUTH, CURLAUTH_BASIC) && SET(CURLOPT_USERNAME, http->address.user) &&
              SET(CURLOPT_PASSWORD, http->address.password);
    }
    if (!set) {
        http->curl.easy_cleanup(http->easy);
        http->easy = NULL;
        return false;
    }
    /* Older versions took bytes without a status for an answer. */
    (void)SET(OPTION_HTTP09_ALLOWED, 0L);
    /* The name of a host is looked up in a thread of libcurl's, which it would wait for when it gives up: for as long as
     * the servers of names are silent. */
    (void)SET(OPTION_QUICK_EXIT, 1L);
    return true;
}

/* Until there is an answer, or it was aborted. */
static CURLcode perform(struct sl_http *http)
{
    const struct sl_libcurl *curl = &http->curl;
    if (curl->multi_add_handle(http->multi, http->easy) != CURLM_OK) {
        return CURLE_OUT_OF_MEMORY;
    }
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    CURLMcode failed = CURLM_OK;
    int running = 1;
    while (failed == CURLM_OK && !atomic_load(&http->aborted)) {
        failed = curl->multi_perform(http->multi, &running);
        if (running == 0 || failed != CURLM_OK) {
            break;
        }
        struct curl_waitfd wake = {.fd = http->wake, .events = CURL_WAIT_POLLIN};
        failed = curl->multi_wait(http->multi, &wake, 1, SLEEP_MS, NULL);
    }
    if (failed != CURLM_OK) {
        code = CURLE_OUT_OF_MEMORY;
    }
    int left = 0;
    const CURLMsg *message = curl->multi_info_read(http->multi, &left);
    if (message != NULL && message->msg == CURLMSG_DONE) {
        code = message->data.result;
    }
    curl->multi_remove_handle(http->multi, http->easy);
    return code;
}

static int status_of(struct sl_http *http)
{
    long status = 0;
    http->curl.easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    /* What is below was only said on the way. */
    return status >= 200 && status < 1000 ? (int)status : 0;
}

/* Where a server redirects to. What libcurl makes of it has user and password in it, if they were given. */
static void name_place(struct sl_http *http, char *text, size_t room, const char *url)
{
    struct sl_address address;
    snprintf(text, room, "another address");
    if (!sl_address_parse(&address, url, NULL)) {
        return;
    }
    if (!sl_secrets_in(&http->secrets, address.name, strlen(address.name))) {
        sl_reason_clean(text, room, address.name, strlen(address.name));
    }
    sl_address_destroy(&address);
}

static enum sl_http_outcome tell_status(struct sl_http *http, struct sl_http_answer *answer, struct sl_error *error)
{
    if (answer->status < 300) {
        return SL_HTTP_ACCEPTED;
    }
    curl_off_t seconds = 0;
    if (http->curl.easy_getinfo(http->easy, INFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0) {
        answer->retry_after_ns = (uint64_t)(seconds < INT32_MAX ? seconds : INT32_MAX) * 1000000000u;
    }
    const char *elsewhere = NULL;
    char reason[320];
    if (http->curl.easy_getinfo(http->easy, CURLINFO_REDIRECT_URL, &elsewhere) == CURLE_OK && elsewhere != NULL) {
        char place[200];
        name_place(http, place, sizeof place, elsewhere);
        snprintf(reason, sizeof reason, "HTTP %d, a redirect to %s, which is not followed", answer->status, place);
    } else {
        sl_reason_of_status(reason, sizeof reason, answer->status, http->kept, http->kept_size, &http->secrets);
    }
    sl_error_set(error, SL_ERROR_SYSTEM, "cannot send to %s: %s", http->address.name, reason);
    return SL_HTTP_REFUSED;
}

/* Whether it may be a proxy that cannot be reached rather than the server. */
static bool has_proxy(const struct sl_http *http)
{
    bool https = strncasecmp(http->address.url, "https:", 6) == 0;
    /* libcurl heeds HTTP_PROXY in lower case only: CGI hands a client's header over by that name. */
    const char *const names[] = {https ? "https_proxy" : "http_proxy", https ? "HTTPS_PROXY" : "http_proxy",
                                 "all_proxy", "ALL_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            return true;
        }
    }
    return false;
}

/* Why there was no answer. In own words where libcurl's may repeat what they were told, such as a proxy's password. */
static enum sl_http_outcome tell_failure(struct sl_http *http, CURLcode code, struct sl_error *error)
{
    char reason[CURL_ERROR_SIZE + 64];
    enum sl_http_outcome outcome = SL_HTTP_LOST;
    long number = 0;
    double asked_s = 0;
    http->curl.easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &number);
    http->curl.easy_getinfo(http->easy, CURLINFO_PRETRANSFER_TIME, &asked_s);
    long proxy_status = 0;
    http->curl.easy_getinfo(http->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    const char *words = http->curl.easy_strerror(code);
    char said[CURL_ERROR_SIZE] = "";
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        words = "there is no host of this name, or no server of names that answers";
        break;
    case CURLE_COULDNT_RESOLVE_PROXY:
        words = "there is no host of the name that the environment gives for a proxy";
        break;
    case CURLE_OPERATION_TIMEDOUT:
        snprintf(said, sizeof said, "no %s within %g s", asked_s > 0 ? "answer" : "connection",
                 (double)(asked_s > 0 ? http->timeout_ms : http->connect_timeout_ms) / 1000);
        words = said;
        number = 0;
        break;
    case CURLE_COULDNT_CONNECT:
        words = has_proxy(http) ? "no connection (the environment names a proxy)" : "no connection";
        break;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        words = "the connection was closed before there was an answer";
        if (proxy_status >= 300) {
            snprintf(said, sizeof said, "the proxy that the environment names answered HTTP %ld", proxy_status);
            words = said;
            number = 0;
        }
        break;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        /* Only these words say what is wrong with a certificate; and they are about what the server sent. */
        sl_reason_clean(said, sizeof said, http->trouble, strlen(http->trouble));
        words = said[0] != '\0' && !sl_secrets_in(&http->secrets, said, strlen(said)) ? said : words;
        number = 0;
        break;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
        /* The second is also what a libcurl without TLS says, before it asks anybody. */
        outcome = asked_s > 0 ? SL_HTTP_REFUSED : SL_HTTP_FAILED;
        words = asked_s > 0 ? "what it answered is not HTTP" : words;
        number = 0;
        break;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNKNOWN_OPTION:
        outcome = SL_HTTP_FAILED;
        break;
    default:
        break;
    }
    char system[128];
    if (number > 0) {
        snprintf(reason, sizeof reason, "%s: %s", words, strerror_r((int)number, system, sizeof system));
    } else {
        snprintf(reason, sizeof reason, "%s", words);
    }
    sl_error_set(error, SL_ERROR_SYSTEM, "cannot send to %s: %s", http->address.name, reason);
    if (error != NULL) {
        error->error_number = (int)number;
    }
    return outcome;
}

enum sl_http_outcome sl_http_post(struct sl_http *http, const void *body, size_t size, struct sl_http_answer *answer,
                                  struct sl_error *error)
{
    *answer = (struct sl_http_answer){0};
    http->trouble[0] = '\0';
    http->kept_size = 0;
    http->read_size = 0;
    /* libcurl takes NULL for a body that it is to ask for. */
    if (!prepare(http) || !SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size) ||
        !SET(CURLOPT_POSTFIELDS, size == 0 ? "" : body)) {
        sl_error_memory(error);
        return SL_HTTP_FAILED;
    }
    CURLcode code = perform(http);
    answer->status = status_of(http);
    if (answer->status != 0) {
        return tell_status(http, answer, error);
    }
    if (atomic_load(&http->aborted)) {
        sl_error_set(error, SL_ERROR_SYSTEM, "cannot send to %s: there was no answer yet", http->address.name);
        return SL_HTTP_ABORTED;
    }
    return tell_failure(http, code, error);
}
