/* host_tokens.h - which tokens the context of a thread holds: whose scopes what it runs belongs to. */
#ifndef SL_SAMPLER_HOST_TOKENS_H
#define SL_SAMPLER_HOST_TOKENS_H

#include "cpython/context.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Recordings that are nested in one another deeper than this are not all found. */
#define SL_TOKENS_MAX 64

/* Contexts of one thread state that are remembered: as many tasks can run by turns without being read anew each time. */
#define SL_CONTEXTS_KEPT 8

/* What a context holds, and how that was found: as long as that is unchanged, so is the answer. */
struct sl_host_held {
    uint64_t context; /* its address; 0: none is remembered here */
    struct sl_trail trail;
    size_t count;
    uint64_t ids[SL_TOKENS_MAX];
};

/* For one thread state. */
struct sl_host_tokens {
    uint64_t state;                      /* its address */
    struct sl_context_variable variable; /* that is asked for, */
    uint64_t token_type;                 /* and the address of the type of the tokens in it */
    uint64_t look;                       /* number of the look in which it was read */
    uint64_t context;                    /* the context that is spoken of; 0: none was entered */
    struct sl_host_held *held;           /* what that holds, one of the next; NULL: nothing is known */
    struct sl_host_held *all;            /* SL_CONTEXTS_KEPT; owned, NULL as long as there was none */
    size_t oldest;                       /* of these, the one that gives way */
};

void sl_host_tokens_init(struct sl_host_tokens *tokens);
void sl_host_tokens_destroy(struct sl_host_tokens *tokens);

/* Reads which context `thread` has entered, at one moment, and then which tokens that holds in `variable`: so a thread
 * that goes from one to the next is found in each as often as it is there. SL_LOOK_OK, or SL_LOOK_TORN and the like when
 * these could not be read after some attempts, and none are known. */
enum sl_look sl_host_tokens_read(struct sl_host_tokens *tokens, struct sl_python *python,
                                 const struct sl_python_thread *thread, const struct sl_context_variable *variable,
                                 uint64_t token_type);

/* From now on another context is spoken of, that the thread has or had entered. The same errors. */
enum sl_look sl_host_tokens_turn(struct sl_host_tokens *tokens, struct sl_python *python, uint64_t context);

bool sl_host_tokens_have(const struct sl_host_tokens *tokens, uint64_t id);

#endif
