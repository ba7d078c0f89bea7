#include "sampler/host_tokens.h"

#include "sampler/host.h"

#include <string.h>

/* How often a context that changes while it is read is read again at once. */
#define ATTEMPTS_MAX 16

/* Behind the reference count, which changes all the time, a token has its type, its id and its parent. */
#define TYPE_AT 8
#define TOKEN_BYTES (SL_TOKEN_PARENT + 8 - TYPE_AT)

void sl_host_tokens_init(struct sl_host_tokens *tokens)
{
    *tokens = (struct sl_host_tokens){0};
    sl_trail_init(&tokens->trail);
}

void sl_host_tokens_destroy(struct sl_host_tokens *tokens)
{
    sl_trail_destroy(&tokens->trail);
}

static uint64_t word_at(const uint8_t *copy, size_t offset)
{
    uint64_t word;
    memcpy(&word, copy + offset - TYPE_AT, sizeof word);
    return word;
}

/* The token at `address` and those that it was put on top of. */
static enum sl_look read_tokens(struct sl_host_tokens *tokens, struct sl_process *process, uint64_t address,
                                uint64_t token_type)
{
    enum sl_look look = SL_LOOK_OK;
    while (address != 0 && tokens->count < SL_TOKENS_MAX && look == SL_LOOK_OK) {
        const uint8_t *copy;
        look = sl_trail_read(&tokens->trail, process, address + TYPE_AT, TOKEN_BYTES, &copy);
        if (look != SL_LOOK_OK || word_at(copy, TYPE_AT) != token_type) {
            break; /* None is no token, and what another module puts there is not ours either */
        }
        tokens->ids[tokens->count++] = word_at(copy, SL_TOKEN_ID);
        address = word_at(copy, SL_TOKEN_PARENT);
    }
    return look;
}

enum sl_look sl_host_tokens_read(struct sl_host_tokens *tokens, struct sl_python *python,
                                 const struct sl_python_thread *thread, const struct sl_context_variable *variable,
                                 uint64_t token_type)
{
    struct sl_process *process = sl_python_process(python);
    if (tokens->state == thread->address && tokens->variable == variable->address &&
        sl_trail_same(&tokens->trail, process)) {
        return SL_LOOK_OK;
    }
    tokens->state = thread->address;
    tokens->variable = variable->address;
    enum sl_look look = SL_LOOK_TORN;
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        uint64_t value = 0;
        tokens->count = 0;
        look = sl_context_find(&tokens->trail, python, thread, variable, &tokens->context, &value);
        if (look == SL_LOOK_OK) {
            look = read_tokens(tokens, process, value, token_type);
        }
        if (look == SL_LOOK_OK && sl_trail_same(&tokens->trail, process)) {
            return SL_LOOK_OK;
        }
    }
    tokens->count = 0;
    sl_trail_clear(&tokens->trail);
    return look == SL_LOOK_OK ? SL_LOOK_TORN : look;
}

bool sl_host_tokens_have(const struct sl_host_tokens *tokens, uint64_t id)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (tokens->ids[i] == id) {
            return true;
        }
    }
    return false;
}
