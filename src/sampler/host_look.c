#include "sampler/host_look.h"

#include "sampler/host_context.h"

#include <string.h>

/* How much a thread in a scope runs, when there are several: the scope's time goes to the one that runs most. */
enum rank { RUNS, WAITS_FOR_GIL, WAITS_IN_STARTER, WAITS, NO_FRAME, RANKS };

/* How often a thread is looked at again at once when it entered another context meanwhile. */
#define ATTEMPTS_MAX 8

static struct sl_facts *facts_of(const struct sl_host_recording *recording)
{
    return sl_recorder_facts(recording->recorder);
}

static void count_missed(struct sl_host_recording *recording)
{
    if (recording->open) {
        facts_of(recording)->missed++;
    }
}

static void count_retried(struct sl_host_recording *recording, uint64_t retried)
{
    if (recording->open) {
        facts_of(recording)->retried += retried;
    } else {
        recording->sketch.retried += retried;
    }
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
        if (!recording->due || !sl_host_wants(look, recording, observed)) {
            continue;
        }
        struct sl_host_view *view = sl_host_view(recording, observed);
        if (view == NULL) {
            count_missed(recording);
            continue;
        }
        view->wanted = true;
        any = true;
    }
    return any;
}

/* Notes how much of the recording's stem is left. How many of the walk's outermost frames are no part of the recording;
 * `*on_stem`: the next ones are the stem's. */
static size_t note_stem(struct sl_host_recording *recording, const struct sl_walk *walk,
                        const struct sl_stem_share *share, bool *on_stem)
{
    *on_stem = share->whole;
    if (share->whole) {
        sl_host_stem_see(&recording->waited, walk, share->outside, share->shared);
    }
    return share->outside;
}

/* The same for a walk of a strand of a thread. */
static size_t see_stem(struct sl_host_look *look, struct sl_host_recording *recording,
                       const struct sl_subject_thread *observed, size_t strand, const struct sl_walk *walk,
                       bool *on_stem)
{
    const struct sl_python_thread *state = &observed->strands[strand].python;
    struct sl_stem_share share = {0};
    if (recording->options.trim && observed->thread.id == recording->starter &&
        state->address == recording->stem_state) {
        share = sl_stem_shared(&recording->stem, look->target->python, state);
    }
    return note_stem(recording, walk, &share, on_stem);
}

/* Walk number `i`, without the frames of the profiler itself. */
static struct sl_walk walk_of(const struct sl_host_look *look, const struct sl_subject_thread *observed, size_t i)
{
    struct sl_walk walk = look->walks[i].walk;
    if (observed->thread.id == look->caller && i + 1 == look->walk_count) {
        size_t skip = look->skip < walk.count ? look->skip : walk.count;
        walk.frames += skip;
        walk.count -= skip;
    }
    return walk;
}

static void find_task(const struct sl_host_look *look, struct sl_host_view *view, enum sl_sight sight)
{
    view->task = 0;
    for (size_t i = 0; i < look->walk_count && sight == SL_SIGHT_STACK; i++) {
        if (look->walks[i].walk.task != 0) {
            view->task = look->walks[i].walk.task;
            view->task_code = look->walks[i].walk.task_code;
        }
    }
}

/* False when memory is exhausted. */
static bool sketch_walks(struct sl_host_look *look, struct sl_host_recording *recording,
                         const struct sl_subject_thread *observed)
{
    bool added = true;
    for (size_t i = 0; i < look->walk_count && added; i++) {
        struct sl_walk walk = walk_of(look, observed, i);
        bool on_stem;
        size_t outside = see_stem(look, recording, observed, look->walks[i].strand, &walk, &on_stem);
        added = sl_host_sketch_add(&recording->sketch, &walk, outside, on_stem);
    }
    return added;
}

static sl_stack stack_of(struct sl_host_look *look, struct sl_host_view *view, const struct sl_subject_thread *observed)
{
    struct sl_host_recording *recording = view->recording;
    sl_stack stack = 0;
    for (size_t i = 0; i < look->walk_count && stack != SL_NONE; i++) {
        size_t strand = look->walks[i].strand;
        struct sl_walk walk = walk_of(look, observed, i);
        use_strand(view, observed, strand);
        struct sl_strand *translated = &view->strands[strand].strand;
        bool on_stem;
        size_t outside = see_stem(look, recording, observed, strand, &walk, &on_stem);
        stack = sl_translate(&recording->translation, look->target->python, translated, stack, outside, &walk);
        if (stack != SL_NONE && on_stem) {
            uint32_t thread = view->thread != NULL ? view->thread->recorded.index : recording->scope.index;
            stack = sl_host_recording_on_stem(recording, thread, translated->root, translated->stacks + outside,
                                              translated->count > outside ? translated->count - outside : 0);
        }
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

/* Of several that run alike, each is as likely to be chosen. Whether this one was. */
static bool choose(struct sl_host_recording *recording, const struct sl_host_choice *other)
{
    struct sl_host_choice *choice = &recording->choice;
    if (!recording->chosen || other->rank < choice->rank) {
        *choice = *other;
        choice->equals = 1;
        recording->chosen = true;
        return true;
    }
    if (other->rank != choice->rank) {
        return false;
    }
    unsigned equals = choice->equals + 1;
    bool chosen = sl_random_below(&recording->random, equals) == 0;
    if (chosen) {
        *choice = *other;
    }
    choice->equals = equals;
    return chosen;
}

/* What stands above the frames that were seen, if any. */
static enum sl_host_top top_of(enum sl_sight sight)
{
    switch (sight) {
    case SL_SIGHT_SAME:
    case SL_SIGHT_STACK:
        return SL_HOST_TOP_FRAME;
    case SL_SIGHT_EMPTY:
        return SL_HOST_TOP_NO_FRAME;
    case SL_SIGHT_BROKEN:
        return SL_HOST_TOP_BROKEN;
    case SL_SIGHT_TOO_DEEP:
        return SL_HOST_TOP_TOO_DEEP;
    default:
        return SL_HOST_TOP_MISSED;
    }
}

/* What was seen of a thread, for one recording that is open. What stands on top then. */
static enum sl_host_top translate(struct sl_host_look *look, struct sl_host_view *view,
                                  const struct sl_subject_thread *observed, enum sl_sight sight)
{
    enum sl_host_top top = view->recording->blind ? SL_HOST_TOP_MISSED : top_of(sight);
    if (top == SL_HOST_TOP_FRAME && sight == SL_SIGHT_STACK) {
        view->stack = stack_of(look, view, observed);
        top = view->stack != SL_NONE ? top : SL_HOST_TOP_MISSED;
    }
    view->stack = sl_host_recording_stack(view->recording, view->stack, top);
    view->fresh = top == SL_HOST_TOP_FRAME || top == SL_HOST_TOP_NO_FRAME;
    return top;
}

/* What was seen of a thread, for one recording. */
static void tell(struct sl_host_look *look, struct sl_host_view *view, const struct sl_subject_thread *observed,
                 enum sl_sight sight)
{
    struct sl_host_recording *recording = view->recording;
    if (sight != SL_SIGHT_SAME) {
        find_task(look, view, sight);
    }
    enum sl_host_top top = recording->open ? translate(look, view, observed, sight) : top_of(sight);
    if (recording->options.scope == SL_HOST_THREADS) {
        struct sl_recording_thread *thread = &view->thread->recorded;
        facts_of(recording)->broken += top == SL_HOST_TOP_BROKEN || top == SL_HOST_TOP_TOO_DEEP;
        facts_of(recording)->missed += top == SL_HOST_TOP_MISSED;
        sl_recording_sample(&recording->recording, thread, view->stack,
                            sl_host_recording_state(recording, look->target->python, thread, observed->state,
                                                    view->task, view->task_code));
        return;
    }
    const struct sl_host_choice choice = {
        .rank = rank_of(recording, observed, sight),
        .stack = view->stack,
        .state = observed->state,
        .task = view->task,
        .task_code = view->task_code,
        .top = top,
    };
    if (choose(recording, &choice) && !recording->open) {
        sl_host_sketch_clear(&recording->sketch);
        if (top == SL_HOST_TOP_FRAME && !sketch_walks(look, recording, observed)) {
            recording->choice.top = SL_HOST_TOP_MISSED;
        }
    }
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
        for (int attempt = 0; attempt < OWN_ATTEMPTS_MAX && sl_look_again(walking); attempt++) {
            walking = sl_python_walk(look->target->python, &observed->strands[s].python, &walk);
        }
        if (walking != SL_LOOK_OK) {
            return walking == SL_LOOK_TOO_DEEP ? SL_SIGHT_TOO_DEEP : SL_SIGHT_BROKEN;
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
        if (!look->torn && sl_host_same_contexts(look, observed)) {
            return sight;
        }
        /* The walk is that of another context. If that is entered still, it is known now whose it is. */
        mark_wanted(look, observed);
        if (!look->torn && sl_host_same_contexts(look, observed)) {
            return sight;
        }
        sl_host_forget_tokens(observed);
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

/* The same as see_stem for the chain that the scope's coroutine waits for. */
static size_t see_stem_of_await(struct sl_host_recording *recording, bool *on_stem)
{
    const struct sl_await *await = &recording->await;
    struct sl_stem_share share = {0};
    if (recording->options.trim) {
        share = sl_stem_shared_from_root(&recording->stem, await->addresses, await->walk.count);
    }
    return note_stem(recording, &await->walk, &share, on_stem);
}

/* The stack of that chain. */
static sl_stack stack_of_await(struct sl_host_look *look, struct sl_host_recording *recording)
{
    struct sl_strand *strand = &recording->await_strand;
    bool on_stem;
    size_t outside = see_stem_of_await(recording, &on_stem);
    sl_stack stack =
        sl_translate(&recording->translation, look->target->python, strand, 0, outside, &recording->await.walk);
    if (stack != SL_NONE && on_stem) {
        stack = sl_host_recording_on_stem(recording, recording->scope.index, strand->root, strand->stacks + outside,
                                          strand->count - outside);
    }
    return stack;
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

/* What the scope waits for, when nothing runs in it: the frames of its coroutine's chain are in recording->await then. */
static enum sl_host_top find_waiting(struct sl_host_look *look, struct sl_host_recording *recording)
{
    if (recording->options.scope != SL_HOST_TASK) {
        return SL_HOST_TOP_NO_FRAME;
    }
    if (recording->options.coroutine == 0) {
        return SL_HOST_TOP_SWITCHED_OUT;
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

/* Nothing runs in the scope: what does it wait for? A scope that begins to run meanwhile is looked for again. */
static void choose_waiting(struct sl_host_look *look, struct sl_host_recording *recording)
{
    struct sl_host_choice choice = {.rank = NO_FRAME, .state = SL_STATE_KNOWN, .top = find_waiting(look, recording)};
    if (choice.top == SL_HOST_TOP_FRAME) {
        return; /* it was found to run */
    }
    bool awaits = choice.top == SL_HOST_TOP_AWAIT;
    if (recording->open) {
        sl_stack frames = awaits                                   ? stack_of_await(look, recording)
                          : choice.top == SL_HOST_TOP_SWITCHED_OUT ? recording->last_stack
                                                                   : 0;
        choice.stack = sl_host_recording_stack(recording, frames, choice.top);
        if (choice.stack == SL_NONE) {
            choice.top = SL_HOST_TOP_MISSED;
            choice.stack = recording->recording.missed;
        }
    }
    if (choose(recording, &choice) && !recording->open) {
        sl_host_sketch_clear(&recording->sketch);
        bool on_stem;
        size_t outside = awaits ? see_stem_of_await(recording, &on_stem) : 0;
        if (awaits && !sl_host_sketch_add(&recording->sketch, &recording->await.walk, outside, on_stem)) {
            recording->choice.top = SL_HOST_TOP_MISSED;
        }
    }
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
            sl_host_forget_tokens(subject->all[i]);
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
    for (int attempt = 0; attempt < ATTEMPTS_MAX && (!recording->chosen || choice->top == SL_HOST_TOP_BROKEN);
         attempt++) {
        if (attempt > 0) {
            count_retried(recording, 1);
            look_again(look, recording);
        }
        if (!recording->chosen) {
            choose_waiting(look, recording);
        }
    }
    if (!recording->open) {
        recording->sketch.taken = true;
        return;
    }
    if (choice->rank != NO_FRAME && choice->top == SL_HOST_TOP_FRAME) {
        recording->last_stack = choice->stack;
    }
    facts_of(recording)->broken += choice->top == SL_HOST_TOP_BROKEN || choice->top == SL_HOST_TOP_TOO_DEEP;
    facts_of(recording)->missed += choice->top == SL_HOST_TOP_MISSED;
    sl_state state = sl_host_recording_state(recording, look->target->python, &recording->scope, choice->state,
                                             choice->task, choice->task_code);
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
        count_retried(recording, subject->retried);
        if (recording->options.scope != SL_HOST_THREADS) {
            tell_scope(look, recording);
            bool first = recording->options.caller != 0 && atomic_load(&recording->samples) == 0;
            if (first && (recording->choice.state & SL_STATE_ON_CPU) != 0) {
                sl_host_recording_ran(recording, now_ns);
            }
        }
        struct sl_span span = sl_host_span(recording);
        if (recording->open) {
            sl_recording_look(&recording->recording, &span);
            atomic_store(&recording->samples, facts_of(recording)->samples);
        } else {
            recording->sketch.span = span;
            atomic_store(&recording->samples, 1);
        }
        recording->chosen = false;
        recording->due = false;
    }
    subject->retried = 0;
    if (any_ended) {
        sl_subject_forget(subject);
    }
}
