#include "sampler/host_look.h"

#include <string.h>

/* How much a thread in a scope runs, when there are several: the scope's time goes to the one that runs most. */
enum rank { RUNS, WAITS_FOR_GIL, WAITS_IN_STARTER, WAITS, NO_FRAME, RANKS };

/* How often a thread is looked at again at once when it entered another context meanwhile. */
#define ATTEMPTS_MAX 8

static struct sl_facts *facts_of(const struct sl_host_recording *recording)
{
    return sl_recorder_facts(recording->recorder);
}

static struct sl_host_view *views_of(const struct sl_subject_thread *observed)
{
    const struct sl_host_thread *thread = observed->viewer;
    return thread != NULL ? thread->views : NULL;
}

/* The strand is that of another thread state than the last translation was of. */
static void use_strand(struct sl_host_view *view, const struct sl_subject_thread *observed, size_t strand)
{
    if (view->strands[strand].serial != observed->strands[strand].serial) {
        view->strands[strand].serial = observed->strands[strand].serial;
        view->strands[strand].strand.count = 0;
    }
}

/* A strand of a thread was walked: all its viewers must know, as the next walk is told relative to this one. */
static void walked(void *context, struct sl_subject_thread *observed, size_t strand, bool first,
                   const struct sl_walk *walk)
{
    struct sl_host_look *look = context;
    for (struct sl_host_view *view = views_of(observed); view != NULL; view = view->next) {
        use_strand(view, observed, strand);
        sl_strand_pass(&view->strands[strand].strand, walk);
        view->fresh = false;
    }
    if (first) {
        look->walk_count = 0;
    }
    look->walks[look->walk_count].strand = strand;
    look->walks[look->walk_count].walk = *walk;
    look->walk_count++;
}

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
                     tokens->variable == recording->variable.address;
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

static bool wants(struct sl_host_look *look, const struct sl_host_recording *recording,
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

/* Tokens are to be read again. */
static void forget_tokens(const struct sl_subject_thread *observed)
{
    struct sl_host_thread *thread = observed->viewer;
    for (size_t s = 0; thread != NULL && s < SL_STRANDS_MAX; s++) {
        thread->tokens[s].look = 0;
    }
}

/* Whether the contexts that were entered when the thread was walked are those whose tokens were read. Where another one
 * was, its tokens are read next, which is no longer about what was walked if by now yet another one is entered. */
static bool same_contexts(struct sl_host_look *look, struct sl_subject_thread *observed)
{
    bool same = true;
    for (size_t i = 0; i < look->walk_count; i++) {
        struct sl_host_tokens *tokens = tokens_of(observed, look->walks[i].strand);
        if (tokens != NULL && tokens->look == look->number && tokens->context != look->walks[i].walk.context) {
            tokens->look = 0;
            same = false;
        }
    }
    return same;
}

/* Marks the views of the recordings that want this thread; makes those that are missing. Whether there are any. */
static bool mark_wanted(struct sl_host_look *look, struct sl_subject_thread *observed)
{
    for (struct sl_host_view *view = views_of(observed); view != NULL; view = view->next) {
        view->wanted = false;
    }
    bool any = false;
    look->torn = false;
    for (size_t i = 0; i < look->count; i++) {
        struct sl_host_recording *recording = look->recordings[i];
        if (!recording->due || !wants(look, recording, observed)) {
            continue;
        }
        struct sl_host_view *view = sl_host_view(recording, observed);
        if (view == NULL) {
            facts_of(recording)->missed++;
            continue;
        }
        view->wanted = true;
        any = true;
    }
    return any;
}

/* How many of the outermost frames lie below where the recording began. */
static size_t trimmed(struct sl_host_look *look, struct sl_host_recording *recording,
                      const struct sl_subject_thread *observed, size_t strand)
{
    const struct sl_python_thread *state = &observed->strands[strand].python;
    if (!recording->options.trim || observed->thread.id != recording->starter ||
        state->address != recording->stem_state) {
        return 0;
    }
    return sl_stem_shared(&recording->stem, look->target->python, state);
}

static sl_stack stack_of(struct sl_host_look *look, struct sl_host_view *view, const struct sl_subject_thread *observed)
{
    sl_stack stack = 0;
    view->task = 0;
    for (size_t i = 0; i < look->walk_count && stack != SL_NONE; i++) {
        size_t strand = look->walks[i].strand;
        struct sl_walk walk = look->walks[i].walk;
        if (observed->thread.id == look->caller && i + 1 == look->walk_count) {
            size_t skip = look->skip < walk.count ? look->skip : walk.count;
            walk.frames += skip;
            walk.count -= skip;
        }
        if (walk.task != 0) {
            view->task = walk.task;
            view->task_code = walk.task_code;
        }
        use_strand(view, observed, strand);
        size_t outer = trimmed(look, view->recording, observed, strand);
        stack = sl_translate(&view->recording->translation, look->target->python, &view->strands[strand].strand, stack,
                             outer, &walk);
    }
    return stack;
}

static enum rank rank_of(const struct sl_host_recording *recording, const struct sl_subject_thread *observed,
                         enum sl_sight sight)
{
    if (sight == SL_SIGHT_EMPTY) {
        return NO_FRAME;
    }
    if ((observed->state & SL_STATE_WAITS_GIL) != 0) {
        return WAITS_FOR_GIL;
    }
    if (!sl_state_waits(observed->state)) {
        return RUNS;
    }
    return observed->thread.id == recording->starter ? WAITS_IN_STARTER : WAITS;
}

/* Of several that run alike, each is as likely to be chosen. */
static void choose(struct sl_host_recording *recording, const struct sl_host_choice *other)
{
    struct sl_host_choice *choice = &recording->choice;
    if (!recording->chosen || other->rank < choice->rank) {
        *choice = *other;
        choice->equals = 1;
        recording->chosen = true;
    } else if (other->rank == choice->rank) {
        unsigned equals = choice->equals + 1;
        if (sl_random_below(&recording->random, equals) == 0) {
            *choice = *other;
        }
        choice->equals = equals;
    }
}

/* What a thread does, with the task that it runs; 0: none. */
static sl_state state_in_task(const struct sl_host_look *look, struct sl_host_recording *recording,
                              struct sl_recorded_thread *thread, sl_state state, uint64_t task, uint32_t code)
{
    if (task == 0) {
        return state;
    }
    sl_function coroutine = sl_translate_function(&recording->translation, look->target->python, code);
    return coroutine == SL_NONE ? state
                                : sl_recording_in_task(&recording->recording, thread, state, task, code, coroutine);
}

/* What was seen of a thread, for one recording. */
static void tell(struct sl_host_look *look, struct sl_host_view *view, const struct sl_subject_thread *observed,
                 enum sl_sight sight)
{
    struct sl_host_recording *recording = view->recording;
    struct sl_recording *marks = &recording->recording;
    if (sight == SL_SIGHT_STACK) {
        view->stack = stack_of(look, view, observed);
        if (view->stack == SL_NONE) {
            sight = SL_SIGHT_MISSED;
        }
    }
    switch (sight) {
    case SL_SIGHT_SAME:
    case SL_SIGHT_STACK:
        break;
    case SL_SIGHT_EMPTY:
        view->stack = marks->no_frame;
        view->task = 0;
        break;
    case SL_SIGHT_BROKEN:
        view->stack = marks->broken;
        view->task = 0;
        break;
    default:
        view->stack = marks->missed;
        view->task = 0;
        break;
    }
    view->fresh = sight == SL_SIGHT_SAME || sight == SL_SIGHT_STACK || sight == SL_SIGHT_EMPTY;
    bool broken = sight == SL_SIGHT_BROKEN;
    bool missed = view->stack == marks->missed;
    if (recording->options.scope == SL_HOST_THREADS) {
        facts_of(recording)->broken += broken;
        facts_of(recording)->missed += missed;
        sl_recording_sample(
            marks, &view->thread->recorded, view->stack,
            state_in_task(look, recording, &view->thread->recorded, observed->state, view->task, view->task_code));
        return;
    }
    const struct sl_host_choice choice = {
        .rank = rank_of(recording, observed, sight),
        .stack = view->stack,
        .state = observed->state,
        .task = view->task,
        .task_code = view->task_code,
        .broken = broken,
        .missed = missed,
    };
    choose(recording, &choice);
}

/* How often the caller's own stack is walked again, which stands still: only that it lies elsewhere than thought takes
 * another walk. */
#define OWN_ATTEMPTS_MAX 8

/* The thread that looks cannot be asked what it is doing: it runs, and holds the GIL. */
static enum sl_sight look_at_caller(struct sl_host_look *look, struct sl_subject_thread *observed)
{
    observed->settled = false;
    observed->state = SL_STATE_KNOWN | SL_STATE_ON_CPU | SL_STATE_HAS_GIL;
    for (size_t s = 0; s < observed->strand_count; s++) {
        struct sl_walk walk = {0};
        enum sl_look walking = SL_LOOK_TORN;
        for (int attempt = 0; attempt < OWN_ATTEMPTS_MAX && walking != SL_LOOK_OK; attempt++) {
            walking = sl_python_walk(look->target->python, &observed->strands[s].python, &walk);
        }
        if (walking != SL_LOOK_OK) {
            return SL_SIGHT_BROKEN;
        }
        if (walk.count > 0) {
            walked(look, observed, s, look->walk_count == 0, &walk);
        }
    }
    return look->walk_count > 0 ? SL_SIGHT_STACK : SL_SIGHT_EMPTY;
}

/* Looks at the thread until stack and context belong together. SL_SIGHT_SAME with nothing wanted when nobody wants to
 * know. */
static enum sl_sight see(struct sl_host_look *look, struct sl_subject_thread *observed)
{
    const struct sl_viewer viewer = {.context = look, .walked = walked};
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        bool wanted = mark_wanted(look, observed);
        look->walk_count = 0;
        /* One without thread states is no Python thread any more, and only the kernel can tell that it has ended. */
        if (!wanted && observed->strand_count > 0) {
            return SL_SIGHT_SAME;
        }
        for (const struct sl_host_view *view = views_of(observed); view != NULL; view = view->next) {
            observed->settled = observed->settled && (view->fresh || !view->wanted);
        }
        enum sl_sight sight = observed->thread.id == look->caller
                                  ? look_at_caller(look, observed)
                                  : sl_subject_look(&look->target->subject, observed, &viewer);
        if (!look->torn && same_contexts(look, observed)) {
            return sight;
        }
        /* The walk is that of another context. If that is entered still, it is known now whose it is. */
        mark_wanted(look, observed);
        if (!look->torn && same_contexts(look, observed)) {
            return sight;
        }
        forget_tokens(observed);
        look->target->subject.retried++;
        observed->settled = false;
    }
    return SL_SIGHT_BROKEN;
}

/* False when the thread has ended. */
static bool look_at_thread(struct sl_host_look *look, struct sl_subject_thread *observed)
{
    enum sl_sight sight = see(look, observed);
    if (sight == SL_SIGHT_ENDED) {
        sl_host_thread_end(observed);
        return false;
    }
    for (struct sl_host_view *view = views_of(observed); view != NULL; view = view->next) {
        if (view->wanted) {
            tell(look, view, observed, sight);
        }
    }
    return true;
}

/* `caller` with the mark on top. */
static sl_stack marked(struct sl_host_recording *recording, sl_stack caller, sl_function mark)
{
    return caller != SL_NONE ? sl_recorder_stack(recording->recorder, caller, mark, 0) : SL_NONE;
}

/* The chain that the scope's coroutine waits for, as a stack. */
static sl_stack awaited_stack(struct sl_host_look *look, struct sl_host_recording *recording)
{
    const struct sl_await *await = &recording->await;
    size_t outer =
        recording->options.trim ? sl_stem_shared_from_root(&recording->stem, await->addresses, await->walk.count) : 0;
    sl_stack stack =
        sl_translate(&recording->translation, look->target->python, &recording->await_strand, 0, outer, &await->walk);
    return marked(recording, stack, recording->await_mark);
}

/* The task runs, but in a context without its token: it has entered another one. Whether it was seen in the thread that
 * started it. */
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
        const struct sl_viewer viewer = {.context = look, .walked = walked};
        look->walk_count = 0;
        observed->settled = false;
        enum sl_sight sight = sl_subject_look(subject, observed, &viewer);
        for (size_t w = 0; w < look->walk_count && sight == SL_SIGHT_STACK; w++) {
            if (sl_stem_root_runs(&recording->stem, look->target->python,
                                  &observed->strands[look->walks[w].strand].python)) {
                tell(look, view, observed, sight);
                return true;
            }
        }
    }
    return false;
}

/* Nothing runs in the scope: what does it wait for? A scope that begins to run meanwhile is looked for again. */
static void choose_waiting(struct sl_host_look *look, struct sl_host_recording *recording)
{
    const struct sl_recording *marks = &recording->recording;
    struct sl_host_choice choice = {.rank = NO_FRAME, .stack = marks->no_frame, .state = SL_STATE_KNOWN};
    if (recording->options.scope == SL_HOST_TASK && recording->options.coroutine == 0) {
        choice.stack = marked(recording, recording->last_stack, recording->switched_out_mark);
    } else if (recording->options.scope == SL_HOST_TASK) {
        switch (sl_await_read(&recording->await, look->target->python, recording->options.coroutine)) {
        case SL_AWAITING:
            choice.stack = awaited_stack(look, recording);
            break;
        case SL_AWAIT_RUNS:
            if (see_root(look, recording)) {
                return;
            }
            choice.broken = true;
            choice.stack = marks->broken;
            break;
        case SL_AWAIT_TORN:
            choice.broken = true;
            choice.stack = marks->broken;
            break;
        case SL_AWAIT_ENDED:
            break;
        }
    }
    if (choice.stack == SL_NONE) {
        choice.missed = true;
        choice.stack = marks->missed;
    }
    choose(recording, &choice);
}

/* Looks once more whether something runs in the scope. */
static void look_again(struct sl_host_look *look, struct sl_host_recording *recording)
{
    struct sl_subject *subject = &look->target->subject;
    recording->chosen = false;
    for (size_t i = 0; i < look->count; i++) {
        look->recordings[i]->again = look->recordings[i]->due && look->recordings[i] != recording;
        look->recordings[i]->due = look->recordings[i] == recording;
    }
    for (size_t i = 0; i < subject->count; i++) {
        if (!subject->all[i]->ended) {
            forget_tokens(subject->all[i]);
            look_at_thread(look, subject->all[i]);
        }
    }
    for (size_t i = 0; i < look->count; i++) {
        look->recordings[i]->due = look->recordings[i]->due || look->recordings[i]->again;
    }
}

/* The one sample of a scope's recording. */
static void tell_scope(struct sl_host_look *look, struct sl_host_recording *recording)
{
    struct sl_host_choice *choice = &recording->choice;
    for (int attempt = 0; attempt < ATTEMPTS_MAX && (!recording->chosen || choice->broken); attempt++) {
        if (attempt > 0) {
            facts_of(recording)->retried++;
            look_again(look, recording);
        }
        if (!recording->chosen) {
            choose_waiting(look, recording);
        }
    }
    if (choice->rank != NO_FRAME && !choice->broken && !choice->missed) {
        recording->last_stack = choice->stack;
    }
    facts_of(recording)->broken += choice->broken;
    facts_of(recording)->missed += choice->missed;
    sl_state state = state_in_task(look, recording, &recording->scope, choice->state, choice->task, choice->task_code);
    sl_recording_sample(&recording->recording, &recording->scope, choice->stack, state);
}

void sl_host_look(struct sl_host_look *look, uint64_t now_ns)
{
    struct sl_subject *subject = &look->target->subject;
    sl_subject_begin(subject, now_ns);
    bool any_ended = false;
    size_t next = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (; next < subject->count; next++) {
            any_ended = !look_at_thread(look, subject->all[next]) || any_ended;
        }
        sl_subject_end(subject);
    }
    for (size_t i = 0; i < look->count; i++) {
        struct sl_host_recording *recording = look->recordings[i];
        if (!recording->due) {
            continue;
        }
        facts_of(recording)->retried += subject->retried;
        if (recording->options.scope != SL_HOST_THREADS) {
            tell_scope(look, recording);
            bool first = recording->options.caller != 0 && facts_of(recording)->samples == 0;
            if (first && (recording->choice.state & SL_STATE_ON_CPU) != 0) {
                sl_host_recording_ran(recording, now_ns);
            }
        }
        struct sl_span span = sl_host_span(recording);
        sl_recording_look(&recording->recording, &span);
        atomic_store(&recording->samples, facts_of(recording)->samples);
        recording->chosen = false;
        recording->due = false;
    }
    subject->retried = 0;
    if (any_ended) {
        sl_subject_forget(subject);
    }
}
