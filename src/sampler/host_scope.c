#include "sampler/host_scope.h"

#include "sampler/host_choice.h"
#include "sampler/host_context.h"
#include "sampler/host_sight.h"
#include "target/clock.h"

/* For so long altogether, in a look, scopes are looked at again for what they were found to do: a task that others run
 * beside gets its turn again. Each is at least so often. */
#define PATIENCE_NS 200000u
#define ATTEMPTS_LEAST 8

/* How often in each it is asked whether a task waits for what it did last, before that is looked for anew. */
#define POLLS 8

/* What of the chain that the scope's coroutine waits for is no part of the recording, and whether the next is the stem. */
static size_t see_stem_of_await(struct sl_host_recording *recording, bool *on_stem)
{
    const struct sl_await_chain *chain = &recording->await.chain;
    struct sl_stem_share share = {0};
    if (recording->options.trim) {
        share = sl_stem_shared_from_root(&recording->stem, chain->addresses, chain->walk.count);
    }
    return sl_host_stem_note(&recording->waited, &chain->walk, &share, on_stem);
}

/* The stack of that chain. */
static sl_stack stack_of_await(struct sl_host_look *look, struct sl_host_recording *recording)
{
    struct sl_strand *strand = &recording->await_strand;
    bool on_stem;
    size_t outside = see_stem_of_await(recording, &on_stem);
    sl_stack stack =
        sl_translate(&recording->translation, look->target->python, strand, 0, outside, &recording->await.chain.walk);
    if (stack != SL_NONE && on_stem) {
        stack = sl_host_recording_on_stem(recording, recording->scope.index, strand->root, strand->stacks + outside,
                                          strand->count - outside);
    }
    return stack;
}

/* The task runs, but in a context without its token: it has entered another one. Whether it was seen so in the thread that
 * started it; else it has begun to run since nothing was found to. */
static bool see_root(struct sl_host_look *look, struct sl_host_recording *recording)
{
    struct sl_subject *subject = &look->target->subject;
    for (size_t i = 0; i < subject->count; i++) {
        struct sl_subject_thread *observed = subject->all[i];
        struct sl_host_view *view =
            observed->thread.id == recording->starter && !observed->ended ? sl_host_view(recording, observed) : NULL;
        if (view == NULL) {
            continue;
        }
        look->torn = false;
        observed->settled = false;
        sl_host_forget_tokens(observed);
        if (sl_host_wants(look, recording, observed) || look->torn) {
            continue;
        }
        enum sl_sight sight = sl_host_walk(look, observed);
        if (sl_host_turn_to_walks(look, observed) && (sl_host_wants(look, recording, observed) || look->torn)) {
            continue;
        }
        for (size_t w = 0; w < look->walk_count && sight == SL_SIGHT_STACK; w++) {
            if (sl_stem_root_runs(&recording->stem, look->target->python,
                                  &observed->strands[look->walks[w].strand].python)) {
                sl_host_tell(look, view, observed, sight);
                return true;
            }
        }
    }
    return false;
}

/* What the scope waits for, when nothing runs in it: the frames of its coroutine's chain are in recording->await then. So
 * often it is first asked whether that is what it was, which takes a fraction of the time of finding it. */
static enum sl_host_top find_waiting(struct sl_host_look *look, struct sl_host_recording *recording, int polls)
{
    if (recording->options.scope != SL_HOST_TASK) {
        return SL_HOST_TOP_NO_FRAME;
    }
    if (recording->options.coroutine == 0) {
        return SL_HOST_TOP_SWITCHED_OUT;
    }
    for (; polls > 0; polls--) {
        if (sl_await_still(&recording->await, look->target->python, recording->options.coroutine)) {
            return SL_HOST_TOP_AWAIT;
        }
    }
    switch (sl_await_read(&recording->await, look->target->python, recording->options.coroutine)) {
    case SL_AWAITING:
        return SL_HOST_TOP_AWAIT;
    case SL_AWAIT_RUNS:
        return see_root(look, recording) ? SL_HOST_TOP_FRAME : SL_HOST_TOP_BROKEN;
    case SL_AWAIT_TORN:
        return SL_HOST_TOP_BROKEN;
    case SL_AWAIT_ENDED:
        break;
    }
    return SL_HOST_TOP_NO_FRAME;
}

/* Chooses what stands on top: of the chain that is awaited, of the last stack that was seen when that cannot be known, or
 * of no frames. */
static void choose_top(struct sl_host_look *look, struct sl_host_recording *recording, enum sl_host_top top,
                       sl_state state)
{
    struct sl_host_choice choice = {.rank = SL_HOST_RANK_NO_FRAME, .state = state, .top = top};
    bool framed = top == SL_HOST_TOP_AWAIT || top == SL_HOST_TOP_RAN || top == SL_HOST_TOP_SWITCHED_OUT;
    bool awaits = framed && recording->options.coroutine != 0;
    if (recording->open) {
        sl_stack frames = awaits ? stack_of_await(look, recording) : framed ? recording->last_stack : 0;
        choice.stack = sl_host_recording_stack(recording, frames, choice.top);
        if (choice.stack == SL_NONE) {
            choice.top = SL_HOST_TOP_MISSED;
            choice.stack = recording->recording.missed;
        }
    }
    if (sl_host_choose(recording, &choice) && !recording->open) {
        sl_host_sketch_clear(&recording->sketch);
        bool on_stem;
        size_t outside = awaits ? see_stem_of_await(recording, &on_stem) : 0;
        if (awaits && !sl_host_sketch_add(&recording->sketch, &recording->await.chain.walk, outside, on_stem)) {
            recording->choice.top = SL_HOST_TOP_MISSED;
        }
    }
}

/* Nothing runs in the scope: what does it wait for? */
static void choose_waiting(struct sl_host_look *look, struct sl_host_recording *recording, int polls)
{
    enum sl_host_top top = find_waiting(look, recording, polls);
    if (top != SL_HOST_TOP_FRAME) { /* else it was found to run, and that is chosen */
        choose_top(look, recording, top, SL_STATE_KNOWN);
    }
}

/* Something ran in the scope, and was not seen. */
static void choose_unseen(struct sl_host_look *look, struct sl_host_recording *recording)
{
    const struct sl_host_options *options = &recording->options;
    bool framed = options->scope == SL_HOST_TASK &&
                  (options->coroutine == 0 ||
                   sl_await_read(&recording->await, look->target->python, options->coroutine) == SL_AWAITING);
    choose_top(look, recording, framed ? SL_HOST_TOP_RAN : SL_HOST_TOP_BROKEN, SL_STATE_KNOWN | SL_STATE_ON_CPU);
}

/* The thread's view if it was in the scope when this look came to it; else NULL. */
static const struct sl_host_view *view_within(const struct sl_host_recording *recording,
                                              const struct sl_subject_thread *observed)
{
    const struct sl_host_thread *thread = observed->viewer;
    const struct sl_host_view *view = thread != NULL ? thread->views : NULL;
    while (view != NULL && view->recording != recording) {
        view = view->next;
    }
    return view != NULL && view->entered ? view : NULL;
}

/* Whether threads were found in the scope; `*elsewhere`: one of them was out of it when it was looked at. */
static bool any_within(const struct sl_host_look *look, const struct sl_host_recording *recording, bool *elsewhere)
{
    const struct sl_subject *subject = &look->target->subject;
    bool any = false;
    *elsewhere = false;
    for (size_t i = 0; i < subject->count; i++) {
        const struct sl_host_view *view = view_within(recording, subject->all[i]);
        any = any || view != NULL;
        *elsewhere = *elsewhere || (view != NULL && !view->wanted);
    }
    return any;
}

/* Looks once more at what ran in the scope. */
static void look_again(struct sl_host_look *look, struct sl_host_recording *recording)
{
    struct sl_subject *subject = &look->target->subject;
    look->again = true;
    for (size_t i = 0; i < look->count; i++) {
        look->recordings[i]->again = look->recordings[i]->due && look->recordings[i] != recording;
        look->recordings[i]->due = look->recordings[i] == recording;
    }
    for (size_t i = 0; i < subject->count; i++) {
        if (!subject->all[i]->ended && view_within(recording, subject->all[i]) != NULL) {
            sl_host_forget_tokens(subject->all[i]);
            sl_host_look_at_thread(look, subject->all[i]);
        }
    }
    for (size_t i = 0; i < look->count; i++) {
        look->recordings[i]->due = look->recordings[i]->due || look->recordings[i]->again;
    }
    look->again = false;
}

/* Whether what the scope was found to do was seen. Where one of its threads was elsewhere by then, another that only waits
 * is not what ran; and a greenlet has no frame while it is switched to. */
static bool is_seen(const struct sl_host_recording *recording, bool runs, bool elsewhere)
{
    const struct sl_host_choice *choice = &recording->choice;
    bool between = runs && recording->options.scope == SL_HOST_TASK && choice->top == SL_HOST_TOP_NO_FRAME;
    return recording->chosen && choice->top != SL_HOST_TOP_BROKEN && !between &&
           !(elsewhere && choice->rank > SL_HOST_RANK_WAITS_FOR_GIL);
}

/* Whether there is time for another attempt. */
static bool has_patience(struct sl_host_look *look, int attempts)
{
    uint64_t now_ns = sl_clock_now_ns();
    if (look->patience_ns == 0) {
        look->patience_ns = now_ns + PATIENCE_NS;
    }
    return attempts < ATTEMPTS_LEAST || now_ns < look->patience_ns;
}

/* Looks until it is seen what the scope was found to do, or told that it is not. */
static void see_scope(struct sl_host_look *look, struct sl_host_recording *recording)
{
    bool elsewhere;
    const bool runs = any_within(look, recording, &elsewhere);
    if (!runs) {
        choose_waiting(look, recording, 0);
    }
    for (int attempts = 1; !is_seen(recording, runs, elsewhere) && has_patience(look, attempts); attempts++) {
        sl_host_recording_retried(recording, 1);
        recording->chosen = false;
        if (runs) {
            look_again(look, recording);
            any_within(look, recording, &elsewhere);
        } else {
            choose_waiting(look, recording, POLLS);
        }
    }
    enum sl_host_top top = recording->choice.top;
    bool said = recording->chosen && (top == SL_HOST_TOP_BROKEN || top == SL_HOST_TOP_NO_FRAME);
    if (!said && !is_seen(recording, runs, elsewhere)) {
        recording->chosen = false;
        choose_unseen(look, recording);
    }
}

void sl_host_tell_scope(struct sl_host_look *look, struct sl_host_recording *recording)
{
    const struct sl_host_choice *choice = &recording->choice;
    see_scope(look, recording);
    if (!recording->open) {
        recording->sketch.taken = true;
        return;
    }
    if (choice->rank != SL_HOST_RANK_NO_FRAME && choice->top == SL_HOST_TOP_FRAME) {
        recording->last_stack = choice->stack;
    }
    sl_recorder_facts(recording->recorder)->broken +=
        choice->top == SL_HOST_TOP_BROKEN || choice->top == SL_HOST_TOP_TOO_DEEP || choice->top == SL_HOST_TOP_RAN;
    sl_recorder_facts(recording->recorder)->missed += choice->top == SL_HOST_TOP_MISSED;
    sl_state state = sl_host_recording_state(recording, look->target->python, &recording->scope, choice->state,
                                             choice->task, choice->task_code);
    sl_recording_sample(&recording->recording, &recording->scope, choice->stack, state);
}
