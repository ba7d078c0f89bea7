#include "push/sender.h"

#include "senders.h"
#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void assert_body(struct server *server, size_t request, const char *text)
{
    assert_string_equal(server_request(server, request)->body, text);
}

static void test_messages_arrive_in_order_and_once(void **state)
{
    (void)state;
    const struct server_step step = {.act = SERVER_ANSWER};
    struct server *server = server_start(0, &step, 1);
    struct sl_sender *sender = sender_at(server_port(server), usual_options());
    add_numbers(sender, 0, 200);
    drain_sender(sender);
    add_numbers(sender, 200, 300);
    struct sl_sender_failure last;
    struct sl_sender_counts counts = finish_sender(sender, &last);
    assert_int_equal(counts.sent, 300);
    assert_int_equal(counts.bytes, 10 + 180 + 600);
    assert_int_equal(counts.lost + counts.refused + counts.retried, 0);
    assert_int_equal(last.error.kind, SL_ERROR_NONE);
    assert_int_equal(server_requests(server), 300);
    for (int number = 0; number < 300; number++) {
        char text[16];
        snprintf(text, sizeof text, "%d", number);
        assert_body(server, (size_t)number, text);
    }
    assert_memory_equal(server_request(server, 0)->head, "POST /ingest HTTP/1.1\r\n", 23);
    server_stop(server);
}

static void test_a_final_status_gives_the_message_up(void **state)
{
    (void)state;
    static const int statuses[] = {400, 401, 404, 413, 422, 500, 501, 301};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        const struct server_step steps[] = {{.status = statuses[i], .body = "not like this"}, {.status = 200}};
        struct server *server = server_start(0, steps, 2);
        struct sl_sender *sender = sender_at(server_port(server), usual_options());
        add_text(sender, "first");
        add_text(sender, "second");
        struct sl_sender_failure last;
        struct sl_sender_counts counts = finish_sender(sender, &last);
        assert_int_equal(server_requests(server), 2);
        assert_body(server, 1, "second");
        assert_int_equal(counts.sent, 1);
        assert_int_equal(counts.refused, 1);
        assert_int_equal(counts.lost + counts.retried, 0);
        assert_false(last.again);
        assert_non_null(strstr(last.error.sentence, "not like this"));
        assert_null(strstr(last.error.sentence, "hunter2"));
        server_stop(server);
    }
}

/* How often a message is sent to a server that fails in this way twice. */
static size_t attempts(struct server_step step, bool otlp)
{
    const struct server_step steps[] = {step, step, {.status = 200}};
    struct server *server = server_start(0, steps, 3);
    struct sl_sender_options options = usual_options();
    options.otlp = otlp;
    options.http.timeout_ns = SECOND_NS;
    struct sl_sender *sender = sender_at(server_port(server), options);
    add_text(sender, "first");
    drain_sender(sender);
    size_t first = server_requests(server);
    add_text(sender, "second");
    drain_sender(sender);
    for (size_t i = 0; i < server_requests(server); i++) {
        assert_body(server, i, step.act == SERVER_RESET && i < 2 ? "" : i < first ? "first" : "second");
    }
    struct sl_sender_failure failure;
    assert_true(sl_sender_failures(sender, &failure, NULL));
    assert_int_equal(failure.again, first > 1);
    struct sl_sender_counts counts = finish_sender(sender, NULL);
    assert_int_equal(counts.sent + counts.refused, 2);
    assert_int_equal(counts.lost, 0);
    assert_int_equal(counts.retried, first - 1);
    server_stop(server);
    return first;
}

static void test_what_passes_is_tried_again(void **state)
{
    (void)state;
    static const int statuses[] = {429, 502, 503, 504};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        assert_int_equal(attempts((struct server_step){.status = statuses[i]}, false), 3);
        assert_int_equal(attempts((struct server_step){.status = statuses[i]}, true), 3);
    }
    assert_int_equal(attempts((struct server_step){.act = SERVER_CLOSE}, false), 3);
    assert_int_equal(attempts((struct server_step){.act = SERVER_CLOSE}, true), 3);
    assert_int_equal(attempts((struct server_step){.act = SERVER_RESET}, false), 3);
    assert_int_equal(attempts((struct server_step){.act = SERVER_HOLD}, false), 3);
}

static void test_otlp_gives_408_up(void **state)
{
    (void)state;
    assert_int_equal(attempts((struct server_step){.status = 408}, false), 3);
    const struct server_step steps[] = {{.status = 408}, {.status = 200}};
    struct server *server = server_start(0, steps, 2);
    struct sl_sender_options options = usual_options();
    options.otlp = true;
    struct sl_sender *sender = sender_at(server_port(server), options);
    add_text(sender, "first");
    drain_sender(sender);
    assert_int_equal(finish_sender(sender, NULL).refused, 1);
    assert_int_equal(server_requests(server), 1);
    server_stop(server);
}

static void test_it_waits_for_a_server_that_is_not_there_yet(void **state)
{
    (void)state;
    uint16_t port = server_closed_port();
    struct sl_sender *sender = sender_at(port, usual_options());
    add_numbers(sender, 0, 3);
    for (uint64_t begin_ns = now_ns(); counts_of(sender).retried < 3; usleep(1000)) {
        assert_true(now_ns() - begin_ns < ALL_THE_TIME_NS);
    }
    struct sl_sender_failure first;
    assert_true(sl_sender_failures(sender, &first, NULL));
    assert_true(first.again);
    assert_non_null(strstr(first.error.sentence, "onnection refused"));
    assert_int_equal(counts_of(sender).waiting, 3);

    const struct server_step step = {.act = SERVER_ANSWER};
    struct server *server = server_start(port, &step, 1);
    drain_sender(sender);
    assert_int_equal(finish_sender(sender, NULL).sent, 3);
    assert_int_equal(server_requests(server), 3);
    assert_body(server, 0, "0");
    server_stop(server);
}

static void test_the_server_names_the_pause(void **state)
{
    (void)state;
    const struct server_step steps[] = {{.status = 503, .headers = "Retry-After: 1\r\n"}, {.status = 200}};
    struct server *server = server_start(0, steps, 2);
    struct sl_sender *sender = sender_at(server_port(server), usual_options());
    add_text(sender, "x");
    drain_sender(sender);
    assert_int_equal(finish_sender(sender, NULL).sent, 1);
    assert_true(server_request(server, 1)->time_ns - server_request(server, 0)->time_ns > SECOND_NS / 10 * 9);
    server_stop(server);
}

static void test_not_however_long_a_pause(void **state)
{
    (void)state;
    const struct server_step steps[] = {{.status = 503, .headers = "Retry-After: 100000\r\n"}, {.status = 200}};
    struct server *server = server_start(0, steps, 2);
    struct sl_sender_options options = usual_options();
    options.longest_asked_ns = 1000000;
    struct sl_sender *sender = sender_at(server_port(server), options);
    add_text(sender, "x");
    drain_sender(sender);
    assert_int_equal(finish_sender(sender, NULL).sent, 1);
    server_stop(server);
}

static void test_the_oldest_give_way(void **state)
{
    (void)state;
    const struct server_step steps[] = {{.act = SERVER_HOLD}, {.status = 200}};
    struct server *server = server_start(0, steps, 2);
    struct sl_sender_options options = usual_options();
    options.messages_max = 3;
    struct sl_sender *sender = sender_at(server_port(server), options);
    add_text(sender, "0");
    assert_true(server_await(server, 1));
    add_numbers(sender, 1, 8);
    struct sl_sender_counts counts = counts_of(sender);
    assert_int_equal(counts.waiting, 4); /* with the one under way */
    assert_int_equal(counts.lost, 4);
    assert_int_equal(counts.gave_way, 4);
    server_release(server);
    counts = finish_sender(sender, NULL);
    assert_int_equal(counts.sent, 4);
    assert_int_equal(counts.lost, 4);
    static const char *const arrived[] = {"0", "5", "6", "7"};
    for (size_t i = 0; i < 4; i++) {
        assert_body(server, i, arrived[i]);
    }
    server_stop(server);
}

static void test_a_body_is_made_when_its_turn_has_come(void **state)
{
    (void)state;
    const struct server_step steps[] = {{.act = SERVER_HOLD}, {.status = 503}, {.status = 200}};
    struct server *server = server_start(0, steps, 3);
    struct sl_sender *sender = sender_at(server_port(server), usual_options());
    struct made first = {.text = "first"};
    struct made second = {.text = NULL};
    struct made third = {.text = "third"};
    add_made(sender, &first, 1);
    add_made(sender, &second, 1);
    add_made(sender, &third, 1);
    assert_true(server_await(server, 1));
    assert_int_equal(first.drops, 1);
    assert_int_equal(second.makes + second.drops + third.makes + third.drops, 0);
    server_release(server);
    drain_sender(sender);
    struct sl_sender_failure failure;
    assert_true(sl_sender_failures(sender, &failure, NULL));
    assert_string_equal(failure.error.sentence, "this one cannot be made");
    assert_false(failure.again);
    struct sl_sender_counts counts = finish_sender(sender, NULL);
    assert_int_equal(counts.sent, 2);
    assert_int_equal(counts.lost, 1);
    assert_int_equal(counts.retried, 1);
    assert_int_equal(first.makes + second.makes + third.makes, 3);
    assert_int_equal(first.drops + second.drops + third.drops, 3);
    assert_body(server, 0, "first");
    assert_body(server, 1, "third");
    assert_body(server, 2, "third");
    server_stop(server);

    assert_true(first.blocked);
    assert_true(first.elsewhere);
    assert_string_equal(first.name, "stacklapse-send");
    sigset_t own;
    pthread_sigmask(SIG_BLOCK, NULL, &own);
    assert_int_equal(sigismember(&own, SIGTERM), 0);
}

static void test_no_more_bytes_wait_than_may(void **state)
{
    (void)state;
    const struct server_step step = {.act = SERVER_HOLD};
    struct server *server = server_start(0, &step, 1);
    struct sl_sender_options options = usual_options();
    options.bytes_max = 100;
    struct sl_sender *sender = sender_at(server_port(server), options);
    struct made made[6] = {{.text = "0"}, {.text = "1"}, {.text = "2"}, {.text = "3"}, {.text = "4"}, {.text = "5"}};
    add_made(sender, &made[0], 100);
    assert_true(server_await(server, 1));
    add_made(sender, &made[1], 50);
    add_made(sender, &made[2], 50);
    assert_int_equal(counts_of(sender).lost, 0);
    add_made(sender, &made[3], 51); /* in the place of both */
    assert_int_equal(counts_of(sender).lost, 2);
    assert_int_equal(made[1].drops + made[2].drops, 2);
    add_made(sender, &made[4], 101); /* never */
    assert_int_equal(counts_of(sender).lost, 3);
    assert_int_equal(counts_of(sender).gave_way, 2);
    assert_int_equal(made[3].drops, 0);
    assert_int_equal(made[4].drops, 1);
    struct sl_sender_failure failure;
    assert_true(sl_sender_failures(sender, NULL, &failure));
    assert_non_null(strstr(failure.error.sentence, "101 bytes"));
    add_made(sender, &made[5], SIZE_MAX);
    assert_int_equal(made[5].drops, 1);
    server_release(server);
    struct sl_sender_counts counts = finish_sender(sender, NULL);
    assert_int_equal(counts.sent, 2);
    assert_int_equal(counts.lost, 4);
    assert_body(server, 1, "3");
    server_stop(server);
}

static void *add_many(void *sender)
{
    add_numbers(sender, 0, 200);
    return NULL;
}

static void test_any_thread_may_add(void **state)
{
    (void)state;
    const struct server_step step = {.act = SERVER_ANSWER};
    struct server *server = server_start(0, &step, 1);
    struct sl_sender_options options = usual_options();
    options.messages_max = 20;
    struct sl_sender *sender = sender_at(server_port(server), options);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, sender), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        counts_of(sender);
        sl_sender_failures(sender, NULL, NULL);
        pthread_join(threads[i], NULL);
    }
    struct sl_sender_counts counts = finish_sender(sender, NULL);
    assert_int_equal(counts.sent + counts.lost, 800);
    assert_int_equal(counts.sent, server_requests(server));
    server_stop(server);
}

static void test_what_cannot_begin_says_so(void **state)
{
    (void)state;
    struct sl_sender_options options = usual_options();
    struct sl_error error = {0};
    options.http.url = "gopher://sesame:hunter2@host";
    assert_null(sl_sender_start(&options, &error));
    assert_int_equal(error.kind, SL_ERROR_USAGE);
    const char *const none[] = {"libcurl-that-nobody-has.so.4", NULL};
    options.http.url = "http://host";
    options.http.libraries = none;
    assert_null(sl_sender_start(&options, &error));
    assert_int_equal(error.kind, SL_ERROR_UNSUPPORTED);
}

int main(void)
{
    forget_proxies();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_arrive_in_order_and_once),
        cmocka_unit_test(test_a_final_status_gives_the_message_up),
        cmocka_unit_test(test_what_passes_is_tried_again),
        cmocka_unit_test(test_otlp_gives_408_up),
        cmocka_unit_test(test_it_waits_for_a_server_that_is_not_there_yet),
        cmocka_unit_test(test_the_server_names_the_pause),
        cmocka_unit_test(test_not_however_long_a_pause),
        cmocka_unit_test(test_the_oldest_give_way),
        cmocka_unit_test(test_a_body_is_made_when_its_turn_has_come),
        cmocka_unit_test(test_no_more_bytes_wait_than_may),
        cmocka_unit_test(test_any_thread_may_add),
        cmocka_unit_test(test_what_cannot_begin_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
