#include "sampler/host_context.h"

/* Where the tokens of a strand are kept. NULL when memory is exhausted. */
static struct sl_host_tokens *tokens_of(struct sl_subject_thread *observed, size_t strand)
{
    struct sl_host_thread *thread = sl_host_thread(observed);
    if (thread == NULL) {
        return NULL;
    }
    uint64_t state = observed->strands[strand].python.address;
    for (size_t i = 0; i < SL_STRANDS_MAX; i++) {
        if (thread->tokens[i].state == state || thread->tokens[i].state == 0) {
            return &thread->tokens[i];
        }
    }
    return &thread->tokens[strand];
}

/* Whether the context that the thread has entered holds the recording's token. Sets look->torn when that cannot be
 * told. */
static bool has_token(struct sl_host_look *look, const struct sl_host_recording *recording,
                      struct sl_subject_thread *observed)
{
    for (size_t s = 0; s < observed->strand_count && recording->variable.address != 0; s++) {
        const struct sl_python_thread *state = &observed->strands[s].python;
        struct sl_host_tokens *tokens = state->interpreter == recording->interpreter ? tokens_of(observed, s) : NULL;
        if (tokens == NULL) {
            continue;
        }
        bool known = tokens->look == look->number && tokens->state == state->address &&
                     tokens->variable.address == recording->variable.address;
        if (!known) {
            enum sl_look read = sl_host_tokens_read(tokens, look->target->python, state, &recording->variable,
                                                    recording->options.token_type);
            tokens->look = look->number;
            look->torn = look->torn || read != SL_LOOK_OK;
        }
        if (sl_host_tokens_have(tokens, recording->options.token_id)) {
            return true;
        }
    }
    return false;
}

bool sl_host_wants(struct sl_host_look *look, const struct sl_host_recording *recording,
                   struct sl_subject_thread *observed)
{
    switch (recording->options.scope) {
    case SL_HOST_THREADS:
        return true;
    case SL_HOST_THREAD:
        return observed->thread.id == recording->starter || has_token(look, recording, observed);
    case SL_HOST_TASK:
        break;
    }
    return has_token(look, recording, observed);
}

void sl_host_forget_tokens(const struct sl_subject_thread *observed)
{
    struct sl_host_thread *thread = observed->viewer;
    for (size_t s = 0; thread != NULL && s < SL_STRANDS_MAX; s++) {
        thread->tokens[s].look = 0;
    }
}

bool sl_host_turn_to_walks(struct sl_host_look *look, struct sl_subject_thread *observed)
{
    bool turned = false;
    for (size_t i = 0; i < look->walk_count; i++) {
        struct sl_host_tokens *tokens = tokens_of(observed, look->walks[i].strand);
        if (tokens == NULL || tokens->look != look->number || tokens->context == look->walks[i].walk.context) {
            continue;
        }
        turned = true;
        enum sl_look read = sl_host_tokens_turn(tokens, look->target->python, look->walks[i].walk.context);
        look->torn = look->torn || read != SL_LOOK_OK;
    }
    return turned;
}
