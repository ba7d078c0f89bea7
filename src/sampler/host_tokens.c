#include "sampler/host_tokens.h"

#include "cpython/look.h"
#include "sampler/host.h"

#include <stdlib.h>
#include <string.h>

/* How often a context that changes while it is read is read again at once: one that was freed is so for good. */
#define ATTEMPTS_MAX 4

/* Behind the reference count, which changes all the time, a token has its type, its id and its parent. */
#define TYPE_AT 8
#define TOKEN_BYTES (SL_TOKEN_PARENT + 8 - TYPE_AT)

void sl_host_tokens_init(struct sl_host_tokens *tokens)
{
    *tokens = (struct sl_host_tokens){0};
}

void sl_host_tokens_destroy(struct sl_host_tokens *tokens)
{
    for (size_t i = 0; i < SL_CONTEXTS_KEPT && tokens->all != NULL; i++) {
        sl_trail_destroy(&tokens->all[i].trail);
    }
    free(tokens->all);
    sl_host_tokens_init(tokens);
}

static uint64_t word_at(const uint8_t *copy, size_t offset)
{
    uint64_t word;
    memcpy(&word, copy + offset - TYPE_AT, sizeof word);
    return word;
}

/* The token at `address` and those that it was put on top of. */
static enum sl_look read_tokens(struct sl_host_held *held, struct sl_process *process, uint64_t address,
                                uint64_t token_type)
{
    enum sl_look look = SL_LOOK_OK;
    while (address != 0 && held->count < SL_TOKENS_MAX && look == SL_LOOK_OK) {
        const uint8_t *copy;
        look = sl_trail_read(&held->trail, process, address + TYPE_AT, TOKEN_BYTES, &copy);
        if (look != SL_LOOK_OK || word_at(copy, TYPE_AT) != token_type) {
            break; /* None is no token, and what another module puts there is not ours either */
        }
        held->ids[held->count++] = word_at(copy, SL_TOKEN_ID);
        address = word_at(copy, SL_TOKEN_PARENT);
    }
    return look;
}

/* Where what the context holds is remembered, or is to be. NULL when memory is exhausted. */
static struct sl_host_held *place_of(struct sl_host_tokens *tokens, uint64_t context)
{
    if (tokens->all == NULL) {
        tokens->all = calloc(SL_CONTEXTS_KEPT, sizeof *tokens->all);
        for (size_t i = 0; i < SL_CONTEXTS_KEPT && tokens->all != NULL; i++) {
            sl_trail_init(&tokens->all[i].trail);
        }
    }
    for (size_t i = 0; i < SL_CONTEXTS_KEPT && tokens->all != NULL; i++) {
        if (tokens->all[i].context == context) {
            return &tokens->all[i];
        }
    }
    struct sl_host_held *oldest = tokens->all != NULL ? &tokens->all[tokens->oldest] : NULL;
    tokens->oldest = (tokens->oldest + 1) % SL_CONTEXTS_KEPT;
    return oldest;
}

enum sl_look sl_host_tokens_turn(struct sl_host_tokens *tokens, struct sl_python *python, uint64_t context)
{
    struct sl_process *process = sl_python_process(python);
    tokens->context = context;
    tokens->held = NULL;
    if (context == 0) {
        return SL_LOOK_OK;
    }
    struct sl_host_held *held = place_of(tokens, context);
    if (held == NULL) {
        return SL_LOOK_MEMORY;
    }
    bool known = held->context == context && sl_trail_same(&held->trail, process);
    held->context = context;
    enum sl_look look = SL_LOOK_TORN;
    for (int attempt = 0; !known && attempt < ATTEMPTS_MAX; attempt++) {
        uint64_t value = 0;
        held->count = 0;
        look = sl_context_find(&held->trail, python, context, &tokens->variable, &value);
        if (look == SL_LOOK_OK) {
            look = read_tokens(held, process, value, tokens->token_type);
        }
        known = look == SL_LOOK_OK && sl_trail_same(&held->trail, process);
    }
    if (!known) {
        held->context = 0;
        return look == SL_LOOK_OK ? SL_LOOK_TORN : look;
    }
    tokens->held = held;
    return SL_LOOK_OK;
}

enum sl_look sl_host_tokens_read(struct sl_host_tokens *tokens, struct sl_python *python,
                                 const struct sl_python_thread *thread, const struct sl_context_variable *variable,
                                 uint64_t token_type)
{
    struct sl_process *process = sl_python_process(python);
    uint64_t place = sl_context_place(python, thread);
    if (tokens->state != thread->address || tokens->variable.address != variable->address ||
        tokens->token_type != token_type) {
        sl_host_tokens_destroy(tokens);
        tokens->state = thread->address;
        tokens->variable = *variable;
        tokens->token_type = token_type;
    }
    uint64_t context = 0;
    bool read = false;
    if (tokens->held != NULL && sl_trail_same_with(&tokens->held->trail, process, place, &context, &read) &&
        context == tokens->held->context) {
        tokens->context = context;
        return SL_LOOK_OK;
    }
    if (!read) {
        enum sl_look look = sl_look_from_read(sl_process_read(process, place, &context, sizeof context));
        if (look != SL_LOOK_OK) {
            tokens->held = NULL;
            return look;
        }
    }
    return sl_host_tokens_turn(tokens, python, context);
}

bool sl_host_tokens_have(const struct sl_host_tokens *tokens, uint64_t id)
{
    for (size_t i = 0; tokens->held != NULL && i < tokens->held->count; i++) {
        if (tokens->held->ids[i] == id) {
            return true;
        }
    }
    return false;
}
