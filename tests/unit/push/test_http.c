#include "push/http.h"

#include "senders.h"
#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Of what is said to take a tenth of a second: no machine is so slow that it takes longer than this. */
#define SOON_NS (5 * SECOND_NS)

static const char *const headers[] = {"Content-Type: text/x-test", "X-Scope-OrgID: someone"};

static struct sl_http *http_at(uint16_t port, uint64_t timeout_ns)
{
    char url[128];
    snprintf(url, sizeof url, "http://sesame:hunter2@127.0.0.1:%u/ingest?a=b", port);
    const struct sl_http_options options = {
        .url = url,
        .headers = headers,
        .header_count = sizeof headers / sizeof *headers,
        .timeout_ns = timeout_ns,
    };
    struct sl_error error = {0};
    struct sl_http *http = sl_http_create(&options, &error);
    if (http == NULL) {
        fail_msg("%s", error.sentence);
    }
    return http;
}

static void assert_no_secret(const char *sentence)
{
    assert_null(strstr(sentence, "hunter2"));
    assert_null(strstr(sentence, "sesame"));
    assert_null(strstr(sentence, "c2VzYW1lOmh1bnRlcjI")); /* both, in base64 */
    assert_null(strstr(sentence, "a=b"));
}

/* Posts once to a server that does `step`. The sentence, if any, is checked to begin as it should. */
struct posted {
    enum sl_http_outcome outcome;
    struct sl_http_answer answer;
    struct sl_error error;
    size_t requests;
    uint64_t flooded;
};

static struct posted post_to(uint16_t port, uint64_t timeout_ns)
{
    struct posted posted = {0};
    struct sl_http *http = http_at(port, timeout_ns);
    posted.outcome = sl_http_post(http, "body", 4, &posted.answer, &posted.error);
    if (posted.outcome == SL_HTTP_ACCEPTED) {
        assert_int_equal(posted.error.kind, SL_ERROR_NONE);
    } else {
        char begin[128];
        snprintf(begin, sizeof begin, "cannot send to http://127.0.0.1:%u/ingest: ", port);
        assert_int_equal(posted.error.kind, SL_ERROR_SYSTEM);
        assert_memory_equal(posted.error.sentence, begin, strlen(begin));
        assert_no_secret(posted.error.sentence);
    }
    sl_http_destroy(http);
    return posted;
}

static struct posted post(struct server_step step, uint64_t timeout_ns)
{
    struct server *server = server_start(0, &step, 1);
    struct posted posted = post_to(server_port(server), timeout_ns);
    posted.requests = server_requests(server);
    posted.flooded = server_flooded(server);
    server_stop(server);
    return posted;
}

static struct posted post_answered(int status, const char *more_headers, const char *body)
{
    return post((struct server_step){.status = status, .headers = more_headers, .body = body}, 0);
}

static void test_a_message_arrives_as_it_is(void **state)
{
    (void)state;
    const struct server_step step = {.act = SERVER_ANSWER};
    struct server *server = server_start(0, &step, 1);
    struct sl_http *http = http_at(server_port(server), 0);
    const size_t size = 3 << 20;
    char *body = malloc(size);
    for (size_t i = 0; i < size; i++) {
        body[i] = (char)(i * 7 >> 3);
    }
    struct sl_http_answer answer;
    assert_int_equal(sl_http_post(http, body, size, &answer, NULL), SL_HTTP_ACCEPTED);
    assert_int_equal(answer.status, 200);
    assert_int_equal(sl_http_post(http, NULL, 0, &answer, NULL), SL_HTTP_ACCEPTED);

    const struct server_request *request = server_request(server, 0);
    assert_int_equal(request->size, size);
    assert_memory_equal(request->body, body, size);
    assert_memory_equal(request->head, "POST /ingest?a=b HTTP/1.1\r\n", 27);
    assert_non_null(strstr(request->head, "\r\nContent-Type: text/x-test\r\n"));
    assert_non_null(strstr(request->head, "\r\nX-Scope-OrgID: someone\r\n"));
    assert_non_null(strstr(request->head, "\r\nUser-Agent: stacklapse/"));
    assert_non_null(strstr(request->head, "\r\nAuthorization: Basic c2VzYW1lOmh1bnRlcjI=\r\n"));
    assert_null(strcasestr(request->head, "\r\nExpect:"));
    assert_memory_equal(server_request(server, 1)->head, "POST /ingest?a=b HTTP/1.1\r\n", 27);
    assert_int_equal(server_request(server, 1)->size, 0);
    assert_int_equal(server_connections(server), 1);
    free(body);
    sl_http_destroy(http);
    server_stop(server);
}

static void test_a_status_decides(void **state)
{
    (void)state;
    assert_int_equal(post_answered(204, NULL, NULL).outcome, SL_HTTP_ACCEPTED);
    struct posted posted = post_answered(400, NULL, "profile\ttoo\x1b large");
    assert_int_equal(posted.outcome, SL_HTTP_REFUSED);
    assert_int_equal(posted.answer.status, 400);
    assert_int_equal(posted.answer.retry_after_ns, 0);
    assert_non_null(strstr(posted.error.sentence, ": HTTP 400 Bad Request: profile too large"));
    assert_int_equal(posted.requests, 1);
}

static void test_the_server_says_when_to_come_back(void **state)
{
    (void)state;
    struct posted posted = post_answered(503, "Retry-After: 120\r\n", NULL);
    assert_int_equal(posted.outcome, SL_HTTP_REFUSED);
    assert_int_equal(posted.answer.status, 503);
    assert_int_equal(posted.answer.retry_after_ns, UINT64_C(120000000000));

    char date[80];
    time_t later = time(NULL) + 3600;
    struct tm parts;
    strftime(date, sizeof date, "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&later, &parts));
    posted = post_answered(429, date, NULL);
    assert_in_range(posted.answer.retry_after_ns, UINT64_C(3000000000000), UINT64_C(3600000000000));

    assert_int_equal(post_answered(503, "Retry-After: Mon, 01 Jan 2001 00:00:00 GMT\r\n", NULL).answer.retry_after_ns,
                     0);
    assert_int_equal(post_answered(503, "Retry-After: soon\r\n", NULL).answer.retry_after_ns, 0);
}

static void test_a_redirect_is_told_and_not_followed(void **state)
{
    (void)state;
    struct posted posted = post_answered(308, "Location: /elsewhere?key=1\r\n", NULL);
    assert_int_equal(posted.outcome, SL_HTTP_REFUSED);
    assert_int_equal(posted.requests, 1);
    assert_non_null(strstr(posted.error.sentence, "HTTP 308, a redirect to http://127.0.0.1:"));
    assert_non_null(strstr(posted.error.sentence, "/elsewhere, which is not followed"));
    posted = post_answered(302, "Location: http://sesame:hunter2@host/\r\n", NULL);
    assert_non_null(strstr(posted.error.sentence, "a redirect to http://host/, which"));
    posted = post_answered(302, "Location: http://host/hunter2\r\n", NULL);
    assert_non_null(strstr(posted.error.sentence, "a redirect to another address"));
}

static void test_an_answer_that_repeats_a_password_is_not_told(void **state)
{
    (void)state;
    assert_non_null(strstr(post_answered(401, NULL, "no such login: sesame:hunter2").error.sentence, "HTTP 401"));
    assert_non_null(strstr(post_answered(401, NULL, "Basic c2VzYW1lOmh1bnRlcjI=").error.sentence, "HTTP 401"));
}

static void test_an_endless_answer_is_not_read_to_its_end(void **state)
{
    (void)state;
    struct posted posted = post((struct server_step){.act = SERVER_FLOOD}, 0);
    assert_int_equal(posted.outcome, SL_HTTP_ACCEPTED);
    assert_true(posted.flooded < (uint64_t)100 << 20);
    posted = post((struct server_step){.act = SERVER_FLOOD, .status = 500}, 0);
    assert_int_equal(posted.outcome, SL_HTTP_REFUSED);
    assert_int_equal(posted.answer.status, 500);
    assert_true(posted.flooded < (uint64_t)100 << 20);
}

static void test_a_status_counts_whatever_becomes_of_the_rest(void **state)
{
    (void)state;
    assert_int_equal(post((struct server_step){.act = SERVER_TRICKLE}, 300000000).outcome, SL_HTTP_ACCEPTED);
    const char *half = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it";
    assert_int_equal(post((struct server_step){.act = SERVER_RAW, .body = half}, 0).outcome, SL_HTTP_ACCEPTED);
}

static void test_what_is_only_said_on_the_way_does_not_count(void **state)
{
    (void)state;
    const char *on_the_way = "HTTP/1.1 100 Continue\r\n\r\n";
    struct posted posted = post((struct server_step){.act = SERVER_RAW, .body = on_the_way}, 0);
    assert_int_equal(posted.outcome, SL_HTTP_LOST);
    assert_int_equal(posted.answer.status, 0);
}

static void test_lost_connections_are_told_apart(void **state)
{
    (void)state;
    struct posted posted = post((struct server_step){.act = SERVER_CLOSE}, 0);
    assert_int_equal(posted.outcome, SL_HTTP_LOST);
    assert_non_null(strstr(posted.error.sentence, "the connection was closed before there was an answer"));
    posted = post((struct server_step){.act = SERVER_RESET}, 0);
    assert_int_equal(posted.outcome, SL_HTTP_LOST);
    posted = post_to(server_closed_port(), 0);
    assert_int_equal(posted.outcome, SL_HTTP_LOST);
    assert_non_null(strstr(posted.error.sentence, "onnection refused"));
    posted = post((struct server_step){.act = SERVER_HOLD}, 200000000);
    assert_int_equal(posted.outcome, SL_HTTP_LOST);
    assert_non_null(strstr(posted.error.sentence, "no answer within 0.2 s"));
}

static void test_what_is_no_http_is_refused(void **state)
{
    (void)state;
    struct posted posted = post((struct server_step){.act = SERVER_RAW, .body = "\x1b]0;hunter2\a220 ESMTP\r\n"}, 0);
    assert_int_equal(posted.outcome, SL_HTTP_REFUSED);
    assert_int_equal(posted.answer.status, 0);
    assert_non_null(strstr(posted.error.sentence, "what it answered is not HTTP"));
}

static void test_after_a_failure_the_next_message_is_sent(void **state)
{
    (void)state;
    const struct server_step steps[] = {{.act = SERVER_CLOSE}, {.act = SERVER_FLOOD}, {.status = 500}, {.status = 200}};
    struct server *server = server_start(0, steps, 4);
    struct sl_http *http = http_at(server_port(server), 0);
    static const enum sl_http_outcome expected[] = {SL_HTTP_LOST, SL_HTTP_ACCEPTED, SL_HTTP_REFUSED, SL_HTTP_ACCEPTED};
    for (size_t i = 0; i < 4; i++) {
        struct sl_http_answer answer;
        assert_int_equal(sl_http_post(http, "x", 1, &answer, NULL), expected[i]);
    }
    sl_http_destroy(http);
    server_stop(server);
}

static void *abort_soon(void *http)
{
    usleep(100000);
    sl_http_abort(http);
    return NULL;
}

static void test_another_thread_can_abort(void **state)
{
    (void)state;
    const struct server_step step = {.act = SERVER_HOLD};
    struct server *server = server_start(0, &step, 1);
    struct sl_http *http = http_at(server_port(server), UINT64_C(600000000000));
    pthread_t thread;
    uint64_t begin_ns = now_ns();
    assert_int_equal(pthread_create(&thread, NULL, abort_soon, http), 0);
    struct sl_http_answer answer;
    struct sl_error error = {0};
    assert_int_equal(sl_http_post(http, "x", 1, &answer, &error), SL_HTTP_ABORTED);
    assert_true(now_ns() - begin_ns < SOON_NS);
    assert_int_equal(error.kind, SL_ERROR_SYSTEM);
    pthread_join(thread, NULL);
    assert_int_equal(sl_http_post(http, "x", 1, &answer, NULL), SL_HTTP_ABORTED);
    assert_int_equal(server_requests(server), 1);
    sl_http_destroy(http);
    server_stop(server);
}

static void test_no_sentence_repeats_a_proxys_password(void **state)
{
    (void)state;
    char proxy[128];
    snprintf(proxy, sizeof proxy, "http://sesame:hunter2@127.0.0.1:%u", server_closed_port());
    const char *const proxies[] = {proxy, "http://sesame:hunter2@[nowhere", "nonsense://sesame:hunter2@host",
                                   "http://sesame:hunter2@host.invalid:1"};
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++) {
        setenv("http_proxy", proxies[i], 1);
        struct posted posted = post_to(server_closed_port(), 2000000000);
        assert_int_not_equal(posted.outcome, SL_HTTP_ACCEPTED);
        assert_non_null(strstr(posted.error.sentence, "proxy"));
    }
    unsetenv("http_proxy");
}

static void test_without_libcurl_it_says_what_to_install(void **state)
{
    (void)state;
    const char *const none[] = {"libcurl-that-nobody-has.so.4", "neither-this.so", NULL};
    struct sl_http_options options = {.url = "http://sesame:hunter2@host/", .libraries = none};
    struct sl_error error = {0};
    assert_null(sl_http_create(&options, &error));
    assert_int_equal(error.kind, SL_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.sentence, "install the package libcurl4"));

    const char *const another[] = {"libcurl-that-nobody-has.so.4", "libc.so.6", NULL};
    options.libraries = another;
    assert_null(sl_http_create(&options, &error));
    assert_int_equal(error.kind, SL_ERROR_UNSUPPORTED);
    assert_non_null(strstr(error.sentence, "lacks curl_global_init"));
}

static void test_wrong_options_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"hunter2", ": hunter2", "A b: hunter2", "Name: hunter2\r\nOther: value",
                                        "Na\nme: hunter2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct sl_http_options options = {.url = "http://host", .headers = &wrong[i], .header_count = 1};
        struct sl_error error = {0};
        assert_null(sl_http_create(&options, &error));
        assert_int_equal(error.kind, SL_ERROR_USAGE);
        assert_no_secret(error.sentence);
    }
    const struct sl_http_options options = {.url = "sesame:hunter2@host"};
    struct sl_error error = {0};
    assert_null(sl_http_create(&options, &error));
    assert_int_equal(error.kind, SL_ERROR_USAGE);
    assert_no_secret(error.sentence);
}

int main(void)
{
    forget_proxies();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_arrives_as_it_is),
        cmocka_unit_test(test_a_status_decides),
        cmocka_unit_test(test_the_server_says_when_to_come_back),
        cmocka_unit_test(test_a_redirect_is_told_and_not_followed),
        cmocka_unit_test(test_an_answer_that_repeats_a_password_is_not_told),
        cmocka_unit_test(test_an_endless_answer_is_not_read_to_its_end),
        cmocka_unit_test(test_a_status_counts_whatever_becomes_of_the_rest),
        cmocka_unit_test(test_what_is_only_said_on_the_way_does_not_count),
        cmocka_unit_test(test_lost_connections_are_told_apart),
        cmocka_unit_test(test_what_is_no_http_is_refused),
        cmocka_unit_test(test_after_a_failure_the_next_message_is_sent),
        cmocka_unit_test(test_another_thread_can_abort),
        cmocka_unit_test(test_no_sentence_repeats_a_proxys_password),
        cmocka_unit_test(test_without_libcurl_it_says_what_to_install),
        cmocka_unit_test(test_wrong_options_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
