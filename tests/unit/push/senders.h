/* senders.h - what tests of senders have in common. */
#ifndef SL_TESTS_PUSH_SENDERS_H
#define SL_TESTS_PUSH_SENDERS_H

#include "push/sender.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND_NS UINT64_C(1000000000)
#define HOUR_NS (3600 * SECOND_NS)

/* Longer than anything takes that is not stuck. */
#define ALL_THE_TIME_NS (60 * SECOND_NS)

uint64_t now_ns(void);

/* A proxy of the machine must not come between a test and its server. */
void forget_proxies(void);

/* Hardly any pauses, and room for everything. */
struct sl_sender_options usual_options(void);

/* To http://127.0.0.1:port/ingest, with a password that no sentence may repeat: hunter2. */
struct sl_sender *sender_at(uint16_t port, struct sl_sender_options options);

void add_text(struct sl_sender *sender, const char *text);
void add_numbers(struct sl_sender *sender, int begin, int end);

struct sl_sender_counts counts_of(struct sl_sender *sender);

/* Waits until nothing waits any more. */
void drain_sender(struct sl_sender *sender);

/* With all the time that it needs. */
struct sl_sender_counts finish_sender(struct sl_sender *sender, struct sl_sender_failure *last);

/* A message made when its turn has come, which tells of itself. */
struct made {
    const char *text; /* NULL: making it fails */
    pthread_t adder;
    atomic_int makes;
    atomic_int drops;
    bool blocked;   /* every signal, in the thread that made it */
    bool elsewhere; /* it was not the one that added it */
    char name[16];  /* of that thread */
    sem_t *gate;    /* waited for while it is made; NULL: not */
};

void add_made(struct sl_sender *sender, struct made *made, size_t bytes);

#endif
