#include "push/sender.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static const uint64_t usual_first_pause_ns = UINT64_C(1000000000);
static const uint64_t usual_longest_pause_ns = UINT64_C(60000000000);
static const uint64_t usual_longest_asked_ns = UINT64_C(300000000000);

/* How long a thread may take to notice that it was aborted. */
static const uint64_t leave_behind_ns = UINT64_C(1000000000);

struct sl_sender {
    /* Of the thread alone. */
    struct sl_http *http; /* but for sl_http_abort */
    struct sl_buffer body;

    bool otlp;
    uint64_t first_pause_ns;
    uint64_t longest_pause_ns;
    uint64_t longest_asked_ns;
    size_t bytes_max;
    uint32_t messages_max;
    pthread_t thread;

    pthread_mutex_t lock; /* of all that follows; nobody makes, sends or drops while he has it */
    pthread_cond_t change;
    struct sl_sender_message *messages; /* a ring */
    uint32_t oldest;
    uint32_t waiting;
    size_t waiting_bytes;
    bool under_way;                 /* there is a message in `body`, or one is being made */
    uint32_t failures;              /* in a row */
    uint64_t due_ns;                /* when the next attempt may be */
    bool finishing;                 /* no more pauses */
    bool aborted;                   /* no more attempts */
    bool ended;                     /* the thread touches nothing any more */
    bool left_behind;               /* the thread is the one that frees */
    struct sl_sender_counts counts; /* but for `waiting` */
    struct sl_sender_failure first;
    struct sl_sender_failure last;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A time that is still to come, for pthread_cond_timedwait. */
static uint64_t after(uint64_t time_ns, uint64_t duration_ns)
{
    return duration_ns > INT64_MAX - time_ns ? INT64_MAX : time_ns + duration_ns;
}

static struct timespec timespec_of(uint64_t time_ns)
{
    return (struct timespec){.tv_sec = (time_t)(time_ns / 1000000000u), .tv_nsec = (long)(time_ns % 1000000000u)};
}

/* Uniform in [0, limit). */
static uint64_t random_below(uint64_t limit)
{
    uint64_t value = 0;
    if (getrandom(&value, sizeof value, GRND_NONBLOCK) != (ssize_t)sizeof value) {
        value = UINT64_MAX / 2;
    }
    return (uint64_t)((unsigned __int128)value * limit >> 64);
}

static void discard(struct sl_sender_message *message)
{
    if (message->drop != NULL) {
        message->drop(message->content);
    }
    sl_buffer_destroy(&message->body);
}

static size_t bytes_of(const struct sl_sender_message *message)
{
    return message->bytes > SIZE_MAX - message->body.capacity ? SIZE_MAX : message->bytes + message->body.capacity;
}

/* Nobody else has it any more, and the lock is not held. */
static void destroy(struct sl_sender *sender)
{
    sl_http_destroy(sender->http);
    sl_buffer_destroy(&sender->body);
    free(sender->messages);
    pthread_cond_destroy(&sender->change);
    pthread_mutex_destroy(&sender->lock);
    free(sender);
}

/* From here on the lock is held, unless it says otherwise. */

static struct sl_sender_message take_oldest(struct sl_sender *sender)
{
    struct sl_sender_message message = sender->messages[sender->oldest];
    sender->oldest = (sender->oldest + 1) % sender->messages_max;
    sender->waiting--;
    sender->waiting_bytes -= bytes_of(&message);
    return message;
}

static void note(struct sl_sender *sender, const struct sl_error *error, bool again)
{
    sender->last = (struct sl_sender_failure){.error = *error, .again = again};
    if (sender->first.error.kind == SL_ERROR_NONE) {
        sender->first = sender->last;
    }
}

static void forget_body(struct sl_sender *sender)
{
    /* A large one gives its memory back: the next may be small, and hours away. */
    sl_buffer_destroy(&sender->body);
    sl_buffer_init(&sender->body);
    sender->under_way = false;
}

/* Makes the oldest message's body. Gives the lock away meanwhile. */
static void make_next(struct sl_sender *sender)
{
    struct sl_sender_message message = take_oldest(sender);
    sender->under_way = true;
    pthread_mutex_unlock(&sender->lock);

    struct sl_error error = {0};
    bool made = true;
    if (message.make == NULL) {
        sender->body = message.body;
        sl_buffer_init(&message.body);
    } else {
        made = message.make(message.content, &sender->body, &error);
    }
    if (made && sender->body.failed) {
        made = sl_error_memory(&error);
    }
    discard(&message);

    pthread_mutex_lock(&sender->lock);
    if (!made) {
        sender->counts.lost++;
        note(sender, &error, false);
        forget_body(sender);
    }
}

static bool passes(const struct sl_sender *sender, enum sl_http_outcome outcome, int status)
{
    switch (outcome) {
    case SL_HTTP_LOST:
        return true;
    case SL_HTTP_REFUSED:
        return status == 429 || status == 502 || status == 503 || status == 504 || (status == 408 && !sender->otlp);
    default:
        return false;
    }
}

/* Until when the next attempt has to wait. */
static void pause_until(struct sl_sender *sender, uint64_t asked_ns)
{
    uint64_t limit_ns = sender->first_pause_ns;
    for (uint32_t i = 0; i < sender->failures && limit_ns < sender->longest_pause_ns; i++) {
        limit_ns *= 2;
    }
    limit_ns = limit_ns < sender->longest_pause_ns ? limit_ns : sender->longest_pause_ns;
    uint64_t pause_ns = random_below(limit_ns);
    if (asked_ns > 0) {
        /* Not all at the very second that it named. */
        asked_ns = asked_ns < sender->longest_asked_ns ? asked_ns : sender->longest_asked_ns;
        asked_ns += random_below(sender->first_pause_ns);
        pause_ns = pause_ns > asked_ns ? pause_ns : asked_ns;
    }
    sender->failures++;
    sender->due_ns = after(now_ns(), pause_ns);
}

/* One attempt. Gives the lock away meanwhile. */
static void attempt(struct sl_sender *sender)
{
    bool last = sender->finishing;
    pthread_mutex_unlock(&sender->lock);
    struct sl_error error = {0};
    struct sl_http_answer answer;
    enum sl_http_outcome outcome = sl_http_post(sender->http, sender->body.bytes, sender->body.size, &answer, &error);
    pthread_mutex_lock(&sender->lock);

    if (outcome == SL_HTTP_ACCEPTED) {
        sender->counts.sent++;
        sender->counts.bytes += sender->body.size;
        sender->failures = 0;
        forget_body(sender);
        return;
    }
    bool again = passes(sender, outcome, answer.status) && !last && !sender->aborted;
    /* What was broken off says less than what had gone wrong before. */
    if (outcome != SL_HTTP_ABORTED || sender->last.error.kind == SL_ERROR_NONE) {
        note(sender, &error, again);
    }
    if (again) {
        sender->counts.retried++;
        pause_until(sender, answer.retry_after_ns);
        return;
    }
    if (outcome == SL_HTTP_REFUSED && !passes(sender, outcome, answer.status)) {
        sender->counts.refused++;
        sender->failures = 0; /* the server is there */
    } else {
        sender->counts.lost++;
    }
    forget_body(sender);
}

static void sleep_until_change(struct sl_sender *sender, uint64_t deadline_ns)
{
    const struct timespec deadline = timespec_of(deadline_ns);
    pthread_cond_timedwait(&sender->change, &sender->lock, &deadline);
}

static void send_all(struct sl_sender *sender)
{
    while (!sender->aborted) {
        if (!sender->under_way && sender->waiting == 0) {
            if (sender->finishing) {
                return;
            }
            pthread_cond_wait(&sender->change, &sender->lock);
        } else if (!sender->finishing && now_ns() < sender->due_ns) {
            sleep_until_change(sender, sender->due_ns);
        } else if (!sender->under_way) {
            make_next(sender);
        } else {
            attempt(sender);
        }
    }
}

/* The lock is not held. */
static void *run(void *argument)
{
    struct sl_sender *sender = argument;
    pthread_mutex_lock(&sender->lock);
    send_all(sender);
    bool left_behind = sender->left_behind;
    sender->ended = true;
    pthread_cond_broadcast(&sender->change);
    pthread_mutex_unlock(&sender->lock);
    if (left_behind) {
        destroy(sender);
    }
    return NULL;
}

/* From here on it is not. */

static bool make_lock(struct sl_sender *sender)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool made = pthread_cond_init(&sender->change, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (made && pthread_mutex_init(&sender->lock, NULL) != 0) {
        pthread_cond_destroy(&sender->change);
        return false;
    }
    return made;
}

/* It inherits the signals that are blocked: all, and so do the threads that libcurl looks names up with. */
static int start_thread(struct sl_sender *sender)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&sender->thread, NULL, run, sender);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0) {
        pthread_setname_np(sender->thread, "stacklapse-send");
    }
    return failed;
}

struct sl_sender *sl_sender_start(const struct sl_sender_options *options, struct sl_error *error)
{
    struct sl_sender *sender = calloc(1, sizeof *sender);
    if (sender == NULL || !make_lock(sender)) {
        free(sender);
        sl_error_memory(error);
        return NULL;
    }
    sl_buffer_init(&sender->body);
    sender->otlp = options->otlp;
    sender->first_pause_ns = options->first_pause_ns == 0 ? usual_first_pause_ns : options->first_pause_ns;
    sender->longest_pause_ns = options->longest_pause_ns == 0 ? usual_longest_pause_ns : options->longest_pause_ns;
    sender->longest_asked_ns = options->longest_asked_ns == 0 ? usual_longest_asked_ns : options->longest_asked_ns;
    sender->bytes_max = options->bytes_max;
    sender->messages_max = options->messages_max == 0 ? 1 : options->messages_max;
    sender->http = sl_http_create(&options->http, error);
    if (sender->http == NULL) {
        destroy(sender);
        return NULL;
    }
    sender->messages = calloc(sender->messages_max, sizeof *sender->messages);
    if (sender->messages == NULL) {
        sl_error_memory(error);
        destroy(sender);
        return NULL;
    }
    int failed = start_thread(sender);
    if (failed != 0) {
        sl_error_system(error, failed, "cannot start the thread that sends");
        destroy(sender);
        return NULL;
    }
    return sender;
}

static bool has_room(const struct sl_sender *sender, size_t bytes)
{
    return sender->waiting < sender->messages_max && bytes <= sender->bytes_max - sender->waiting_bytes;
}

void sl_sender_add(struct sl_sender *sender, const struct sl_sender_message *message)
{
    struct sl_sender_message added = *message;
    size_t bytes = bytes_of(&added);
    pthread_mutex_lock(&sender->lock);
    if (bytes > sender->bytes_max) {
        sender->counts.lost++;
        struct sl_error error;
        sl_error_set(&error, SL_ERROR_SYSTEM, "cannot send to %s: a message of %zu bytes is more than may wait (%zu)",
                     sl_http_name(sender->http), bytes, sender->bytes_max);
        note(sender, &error, false);
        pthread_mutex_unlock(&sender->lock);
        discard(&added);
        return;
    }
    while (!has_room(sender, bytes)) {
        struct sl_sender_message oldest = take_oldest(sender);
        sender->counts.lost++;
        sender->counts.gave_way++;
        pthread_mutex_unlock(&sender->lock);
        discard(&oldest);
        pthread_mutex_lock(&sender->lock);
    }
    sender->messages[(sender->oldest + sender->waiting) % sender->messages_max] = added;
    sender->waiting++;
    sender->waiting_bytes += bytes;
    pthread_cond_broadcast(&sender->change);
    pthread_mutex_unlock(&sender->lock);
}

void sl_sender_counts(struct sl_sender *sender, struct sl_sender_counts *counts)
{
    pthread_mutex_lock(&sender->lock);
    *counts = sender->counts;
    counts->waiting = sender->waiting + sender->under_way;
    pthread_mutex_unlock(&sender->lock);
}

bool sl_sender_failures(struct sl_sender *sender, struct sl_sender_failure *first, struct sl_sender_failure *last)
{
    pthread_mutex_lock(&sender->lock);
    bool failed = sender->last.error.kind != SL_ERROR_NONE;
    if (first != NULL) {
        *first = sender->first;
    }
    if (last != NULL) {
        *last = sender->last;
    }
    pthread_mutex_unlock(&sender->lock);
    return failed;
}

/* With the lock. Whether it ended. */
static bool await_end(struct sl_sender *sender, uint64_t deadline_ns)
{
    while (!sender->ended && now_ns() < deadline_ns) {
        sleep_until_change(sender, deadline_ns);
    }
    return sender->ended;
}

/* What still waits, with the lock, which is given away meanwhile. */
static void lose_all(struct sl_sender *sender)
{
    while (sender->waiting > 0) {
        struct sl_sender_message oldest = take_oldest(sender);
        sender->counts.lost++;
        pthread_mutex_unlock(&sender->lock);
        discard(&oldest);
        pthread_mutex_lock(&sender->lock);
    }
}

void sl_sender_finish(struct sl_sender *sender, uint64_t grace_ns, struct sl_sender_counts *counts,
                      struct sl_sender_failure *last)
{
    pthread_mutex_lock(&sender->lock);
    sender->finishing = true;
    pthread_cond_broadcast(&sender->change);
    if (!await_end(sender, after(now_ns(), grace_ns))) {
        sender->aborted = true;
        sl_http_abort(sender->http);
        await_end(sender, after(now_ns(), leave_behind_ns));
    }
    lose_all(sender);
    bool ended = sender->ended;
    sender->left_behind = !ended;
    sender->counts.lost += sender->under_way;
    if (counts != NULL) {
        *counts = sender->counts;
    }
    if (last != NULL) {
        *last = sender->last;
        last->again = false;
    }
    pthread_t thread = sender->thread;
    pthread_mutex_unlock(&sender->lock);
    if (ended) {
        pthread_join(thread, NULL);
        destroy(sender);
    } else {
        pthread_detach(thread);
    }
}
