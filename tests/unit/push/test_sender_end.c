/* How a sender ends, whatever its server does. */
#include "push/sender.h"

#include "senders.h"
#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void test_nothing_to_send_ends_at_once(void **state)
{
    (void)state;
    struct sl_sender *sender = sender_at(server_closed_port(), usual_options());
    assert_false(sl_sender_failures(sender, NULL, NULL));
    assert_int_equal(finish_sender(sender, NULL).lost, 0);
}

static size_t threads_named(const char *wanted)
{
    size_t count = 0;
    DIR *threads = opendir("/proc/self/task");
    assert_non_null(threads);
    for (struct dirent *entry = readdir(threads); entry != NULL; entry = readdir(threads)) {
        char path[300];
        char name[32] = "";
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        count += file != NULL && fgets(name, sizeof name, file) != NULL && strncmp(name, wanted, strlen(wanted)) == 0;
        if (file != NULL) {
            fclose(file);
        }
    }
    closedir(threads);
    return count;
}

static void test_the_end_comes_though_the_server_hangs(void **state)
{
    (void)state;
    const struct server_step step = {.act = SERVER_HOLD};
    struct server *server = server_start(0, &step, 1);
    struct sl_sender_options options = usual_options();
    options.http.timeout_ns = HOUR_NS;
    struct sl_sender *sender = sender_at(server_port(server), options);
    add_numbers(sender, 0, 5);
    struct sl_sender_counts counts;
    struct sl_sender_failure last;
    uint64_t begin_ns = now_ns();
    sl_sender_finish(sender, SECOND_NS / 2, &counts, &last);
    assert_true(now_ns() - begin_ns < 10 * (SECOND_NS / 2));
    assert_int_equal(counts.sent, 0);
    assert_int_equal(counts.lost, 5);
    assert_int_equal(last.error.kind, SL_ERROR_SYSTEM);
    assert_int_equal(server_requests(server), 1);
    server_stop(server);
}

static void test_the_end_says_what_went_wrong_before(void **state)
{
    (void)state;
    const struct server_step steps[] = {{.status = 503}, {.act = SERVER_HOLD}};
    struct server *server = server_start(0, steps, 2);
    struct sl_sender *sender = sender_at(server_port(server), usual_options());
    add_text(sender, "x");
    assert_true(server_await(server, 2));
    struct sl_sender_failure last;
    struct sl_sender_counts counts;
    sl_sender_finish(sender, SECOND_NS / 10, &counts, &last);
    assert_int_equal(counts.lost, 1);
    assert_int_equal(counts.retried, 1);
    assert_non_null(strstr(last.error.sentence, "HTTP 503"));
    assert_false(last.again);
    server_stop(server);
}

static void test_the_end_waits_for_no_pause(void **state)
{
    (void)state;
    const struct server_step steps[] = {{.status = 503, .headers = "Retry-After: 3600\r\n"}, {.status = 200}};
    struct server *server = server_start(0, steps, 2);
    struct sl_sender_options options = usual_options();
    options.longest_asked_ns = HOUR_NS;
    struct sl_sender *sender = sender_at(server_port(server), options);
    add_numbers(sender, 0, 3);
    for (uint64_t begin_ns = now_ns(); counts_of(sender).retried < 1; usleep(1000)) {
        assert_true(now_ns() - begin_ns < ALL_THE_TIME_NS);
    }
    struct sl_sender_counts counts = finish_sender(sender, NULL);
    assert_int_equal(counts.sent, 3);
    assert_int_equal(counts.lost, 0);
    server_stop(server);
}

static void test_at_the_end_each_has_one_attempt(void **state)
{
    (void)state;
    const struct server_step steps[] = {{.act = SERVER_HOLD}, {.status = 503}};
    struct server *server = server_start(0, steps, 2);
    struct sl_sender_options options = usual_options();
    options.first_pause_ns = options.longest_pause_ns = HOUR_NS;
    struct sl_sender *sender = sender_at(server_port(server), options);
    add_numbers(sender, 0, 4);
    assert_true(server_await(server, 1));
    server_release(server);
    struct sl_sender_failure last;
    struct sl_sender_counts counts = finish_sender(sender, &last);
    assert_int_equal(counts.sent, 1);
    assert_int_equal(counts.lost, 3);
    assert_int_equal(counts.refused, 0);
    assert_false(last.again);
    assert_non_null(strstr(last.error.sentence, "HTTP 503"));
    /* The one that follows upon the first may have been under way before the end. */
    assert_in_range(server_requests(server), 4, 5);
    server_stop(server);
}

static void test_a_thread_that_is_stuck_is_left_behind(void **state)
{
    (void)state;
    sem_t gate;
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    struct sl_sender *sender = sender_at(server_closed_port(), usual_options());
    struct made stuck = {.text = "stuck", .gate = &gate};
    struct made next = {.text = "next"};
    add_made(sender, &stuck, 1);
    add_made(sender, &next, 1);
    while (stuck.makes == 0) {
        usleep(1000);
    }
    struct sl_sender_counts counts;
    uint64_t begin_ns = now_ns();
    sl_sender_finish(sender, SECOND_NS / 10, &counts, NULL);
    assert_true(now_ns() - begin_ns < 20 * SECOND_NS);
    assert_int_equal(counts.lost, 2);
    assert_int_equal(stuck.drops, 0);
    assert_int_equal(next.makes, 0);
    assert_int_equal(next.drops, 1);
    assert_int_equal(threads_named("stacklapse-send"), 1);
    sem_post(&gate);
    for (begin_ns = now_ns(); threads_named("stacklapse-send") > 0; usleep(1000)) {
        assert_true(now_ns() - begin_ns < ALL_THE_TIME_NS);
    }
    assert_int_equal(stuck.drops, 1);
    sem_destroy(&gate);
}

int main(void)
{
    forget_proxies();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_send_ends_at_once),
        cmocka_unit_test(test_the_end_comes_though_the_server_hangs),
        cmocka_unit_test(test_the_end_says_what_went_wrong_before),
        cmocka_unit_test(test_the_end_waits_for_no_pause),
        cmocka_unit_test(test_at_the_end_each_has_one_attempt),
        cmocka_unit_test(test_a_thread_that_is_stuck_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
