/* sender.h - messages that are sent to a server one after the other, by a thread of its own, so that nobody waits for it.
 *
 * Patience: what could not be delivered because there was no connection, no answer in time, or a status that passes (408,
 * 429, 502, 503, 504), is tried again, for as long as it takes. Between two attempts lies a time that is drawn uniformly
 * between 0 and 1 s, 2 s, 4 s, ... at most 60 s, so that a thousand senders do not come back together; or at least the
 * time that the server asked for (Retry-After), at most 5 minutes. Any other status is final: the message is given up.
 *
 * Bounds: so many messages wait, of so many bytes; for a new one the oldest that wait give way. One more is under way,
 * as the body that is sent. Nothing is sent again once the server has accepted it, and all in the order in which it was added.
 *
 * Where the sender has ended, so has its thread, which has all signals blocked. Nothing survives fork(2): begin
 * after it. */
#ifndef SL_PUSH_SENDER_H
#define SL_PUSH_SENDER_H

#include "base/buffer.h"
#include "base/error.h"
#include "push/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_sender_options {
    struct sl_http_options http; /* copied */
    uint32_t messages_max;       /* that wait; at least 1 */
    size_t bytes_max;            /* of their contents together */
    bool otlp;                   /* 408 is final, too, as OTLP has it */
    uint64_t first_pause_ns;     /* at most, after a first failure; 0: 1 s */
    uint64_t longest_pause_ns;   /* at most, after many; 0: 60 s */
    uint64_t longest_asked_ns;   /* of Retry-After, more is not heeded; 0: 5 min */
};

/* What waits is `content`, whatever that is, and the body is made of it when its turn has come. Whoever has the body at
 * once gives `body` and no functions. */
struct sl_sender_message {
    void *content;
    /* Called by the sender's thread, once: appends what is to be sent to `body`. Where it fails, the message is lost, and the
     * sentence is the reason. */
    bool (*make)(void *content, struct sl_buffer *body, struct sl_error *error);
    /* Called once, whatever happens, by either thread: right after `make`, or instead of it. NULL: nothing to drop. */
    void (*drop)(void *content);
    size_t bytes;          /* of the content, for `bytes_max` */
    struct sl_buffer body; /* where there is no `make`; its bytes are counted by the sender */
};

struct sl_sender_counts {
    uint64_t sent;     /* messages that the server accepted */
    uint64_t bytes;    /* of their bodies */
    uint64_t refused;  /* messages that it did not, for good */
    uint64_t lost;     /* that gave way to newer ones, could not be made, or were not delivered by the end */
    uint64_t gave_way; /* those of the lost that did so */
    uint64_t retried;  /* attempts that failed and were, or will be, followed by another */
    uint32_t waiting;  /* messages, with the one under way */
};

struct sl_sender_failure {
    struct sl_error error; /* SL_ERROR_NONE: there was none; else the sentence names the server, or is of `make` */
    bool again;            /* it is tried again; else the message was given up */
};

struct sl_sender;

/* Starts the thread. NULL with the errors of sl_http_create, or SL_ERROR_SYSTEM; then nothing is left of it. */
struct sl_sender *sl_sender_start(const struct sl_sender_options *options, struct sl_error *error);

/* Takes the message over, with all that it points to: content, the body's bytes. Waits for nothing. From any
 * thread. A message that alone is larger than the bound is lost. */
void sl_sender_add(struct sl_sender *sender, const struct sl_sender_message *message);

/* From any thread, at any time before the end. */
void sl_sender_counts(struct sl_sender *sender, struct sl_sender_counts *counts);

/* What went wrong first, and last (either may be NULL): for whoever wants to say it once, as soon as it happens, and what it
 * was in the end. False: nothing so far. That messages gave way to newer ones is counted and has no sentence: what went
 * wrong is why they had to wait, or that the server is slower than they come. */
bool sl_sender_failures(struct sl_sender *sender, struct sl_sender_failure *first, struct sl_sender_failure *last);

/* Ends it: what waits is sent now, in order and without pauses, each in one more attempt, for `grace_ns` at most. The rest
 * is lost. Frees the sender; `counts` and `last` (either may be NULL) are those of the end.
 *
 * Returns soon after the grace whatever the server does. If the thread is stuck even then, in `make` or in a library, it is
 * left behind after another second: it frees what it has when it gets on. */
void sl_sender_finish(struct sl_sender *sender, uint64_t grace_ns, struct sl_sender_counts *counts,
                      struct sl_sender_failure *last);

#endif
