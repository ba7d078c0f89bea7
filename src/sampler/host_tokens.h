/* host_tokens.h - which tokens the context of a thread holds: whose scopes what it runs belongs to. */
#ifndef SL_SAMPLER_HOST_TOKENS_H
#define SL_SAMPLER_HOST_TOKENS_H

#include "cpython/context.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Recordings that are nested in one another deeper than this are not all found. */
#define SL_TOKENS_MAX 64

/* What was found last for one thread state, and how: as long as that is unchanged, so is the answer. */
struct sl_host_tokens {
    uint64_t state;    /* address of the thread state */
    uint64_t variable; /* address of the variable that was asked for */
    uint64_t context;  /* the context that was entered */
    uint64_t look;     /* number of the look in which it was read */
    struct sl_trail trail;
    size_t count;
    uint64_t ids[SL_TOKENS_MAX];
};

void sl_host_tokens_init(struct sl_host_tokens *tokens);
void sl_host_tokens_destroy(struct sl_host_tokens *tokens);

/* Reads the tokens that the context of `thread` holds in `variable`. SL_LOOK_OK, or SL_LOOK_TORN and the like when they
 * could not be read after some attempts, and none are known. */
enum sl_look sl_host_tokens_read(struct sl_host_tokens *tokens, struct sl_python *python,
                                 const struct sl_python_thread *thread, const struct sl_context_variable *variable,
                                 uint64_t token_type);

bool sl_host_tokens_have(const struct sl_host_tokens *tokens, uint64_t id);

#endif
