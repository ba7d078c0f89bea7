#include "senders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* Hardly any pauses, and room for everything. */
struct sl_sender_options usual_options(void)
{
    return (struct sl_sender_options){
        .messages_max = 1000,
        .bytes_max = 1000000,
        .first_pause_ns = 1000000,
        .longest_pause_ns = 2000000,
    };
}

struct sl_sender *sender_at(uint16_t port, struct sl_sender_options options)
{
    char url[128];
    snprintf(url, sizeof url, "http://sesame:hunter2@127.0.0.1:%u/ingest", port);
    options.http.url = url;
    struct sl_error error = {0};
    struct sl_sender *sender = sl_sender_start(&options, &error);
    if (sender == NULL) {
        fail_msg("%s", error.sentence);
    }
    return sender;
}

void add_text(struct sl_sender *sender, const char *text)
{
    struct sl_sender_message message = {0};
    sl_buffer_init(&message.body);
    sl_buffer_text(&message.body, text);
    sl_sender_add(sender, &message);
}

void add_numbers(struct sl_sender *sender, int begin, int end)
{
    for (int number = begin; number < end; number++) {
        char text[16];
        snprintf(text, sizeof text, "%d", number);
        add_text(sender, text);
    }
}

struct sl_sender_counts counts_of(struct sl_sender *sender)
{
    struct sl_sender_counts counts;
    sl_sender_counts(sender, &counts);
    return counts;
}

/* Waits until nothing waits any more. */
void drain_sender(struct sl_sender *sender)
{
    for (uint64_t begin_ns = now_ns(); counts_of(sender).waiting > 0; usleep(1000)) {
        assert_true(now_ns() - begin_ns < ALL_THE_TIME_NS);
    }
}

struct sl_sender_counts finish_sender(struct sl_sender *sender, struct sl_sender_failure *last)
{
    struct sl_sender_counts counts;
    uint64_t begin_ns = now_ns();
    sl_sender_finish(sender, ALL_THE_TIME_NS, &counts, last);
    assert_true(now_ns() - begin_ns < ALL_THE_TIME_NS);
    assert_int_equal(counts.waiting, 0);
    return counts;
}

static bool make(void *content, struct sl_buffer *body, struct sl_error *error)
{
    struct made *made = content;
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    made->blocked = sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGINT) == 1 &&
                    sigismember(&blocked, SIGPIPE) == 1 && sigismember(&blocked, SIGPROF) == 1;
    made->elsewhere = pthread_equal(pthread_self(), made->adder) == 0;
    pthread_getname_np(pthread_self(), made->name, sizeof made->name);
    atomic_fetch_add(&made->makes, 1);
    while (made->gate != NULL && sem_wait(made->gate) != 0) {
    }
    if (made->text == NULL) {
        return sl_error_set(error, SL_ERROR_FORMAT, "this one cannot be made");
    }
    sl_buffer_text(body, made->text);
    return true;
}

static void drop(void *content)
{
    struct made *made = content;
    atomic_fetch_add(&made->drops, 1);
}

void add_made(struct sl_sender *sender, struct made *made, size_t bytes)
{
    made->adder = pthread_self();
    const struct sl_sender_message message = {.content = made, .make = make, .drop = drop, .bytes = bytes};
    sl_sender_add(sender, &message);
}

void forget_proxies(void)
{
    static const char *const names[] = {"http_proxy", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        unsetenv(names[i]);
    }
}
