#include "sampler/host_sight.h"

#include "sampler/host_choice.h"
#include "sampler/host_context.h"

/* How often a thread's tokens are read again at once when that could not be done: its context was left, and freed. */
#define ATTEMPTS_MAX 8

static void count_missed(struct sl_host_recording *recording)
{
    if (recording->open) {
        sl_recorder_facts(recording->recorder)->missed++;
    }
}

static struct sl_host_view *views_of(const struct sl_subject_thread *observed)
{
    const struct sl_host_thread *thread = observed->viewer;
    return thread != NULL ? thread->views : NULL;
}

/* Whether the view is to be told what is seen. One whose recording is not due now keeps what it was told. */
static bool is_asking(const struct sl_host_view *view)
{
    return view->recording->due && view->wanted;
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
        view->wanted = view->wanted && !view->recording->due;
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

/* What the outermost frames of a thread's strand are for the recording. */
static struct sl_stem_share share_of(struct sl_host_look *look, struct sl_host_recording *recording,
                                     const struct sl_subject_thread *observed, size_t strand)
{
    const struct sl_python_thread *state = &observed->strands[strand].python;
    bool trims =
        recording->options.trim && observed->thread.id == recording->starter && state->address == recording->stem_state;
    return trims ? sl_stem_shared(&recording->stem, look->target->python, state) : (struct sl_stem_share){0};
}

/* Notes how much of the recording's stem is left. How many of the walk's outermost frames are no part of the recording;
 * `*on_stem`: the next ones are the stem's. */
static size_t see_stem(struct sl_host_look *look, struct sl_host_recording *recording,
                       const struct sl_subject_thread *observed, size_t strand, const struct sl_walk *walk,
                       bool *on_stem)
{
    struct sl_stem_share share = share_of(look, recording, observed, strand);
    return sl_host_stem_note(&recording->waited, walk, &share, on_stem);
}

/* Whether the first stack that is seen is that of a coroutine on its way back to where the recording was started: what of it
 * is the stem is not known yet, nor what stands on that. */
static bool is_on_its_way(struct sl_host_look *look, struct sl_host_recording *recording,
                          const struct sl_subject_thread *observed)
{
    bool on_its_way = false;
    for (size_t i = 0; i < look->walk_count && !recording->waited.known; i++) {
        struct sl_stem_share share = share_of(look, recording, observed, look->walks[i].strand);
        on_its_way = on_its_way || share.resuming;
    }
    return on_its_way;
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

static enum sl_host_rank rank_of(const struct sl_host_recording *recording, const struct sl_subject_thread *observed,
                                 enum sl_sight sight)
{
    if (sight == SL_SIGHT_EMPTY) {
        return SL_HOST_RANK_NO_FRAME;
    }
    if ((observed->state & SL_STATE_WAITS_GIL) != 0) {
        return SL_HOST_RANK_WAITS_FOR_GIL;
    }
    if (!sl_state_waits(observed->state)) {
        return SL_HOST_RANK_RUNS;
    }
    return observed->thread.id == recording->starter ? SL_HOST_RANK_WAITS_IN_STARTER : SL_HOST_RANK_WAITS;
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

void sl_host_tell(struct sl_host_look *look, struct sl_host_view *view, const struct sl_subject_thread *observed,
                  enum sl_sight sight)
{
    struct sl_host_recording *recording = view->recording;
    if (recording->blind && view->thread->recorded.told) {
        return;
    }
    if (sight == SL_SIGHT_STACK && is_on_its_way(look, recording, observed)) {
        sight = SL_SIGHT_BROKEN;
    }
    if (sight != SL_SIGHT_SAME) {
        find_task(look, view, sight);
    }
    enum sl_host_top top = recording->open ? translate(look, view, observed, sight) : top_of(sight);
    if (recording->options.scope == SL_HOST_THREADS) {
        struct sl_recording_thread *thread = &view->thread->recorded;
        sl_recorder_facts(recording->recorder)->broken += top == SL_HOST_TOP_BROKEN || top == SL_HOST_TOP_TOO_DEEP;
        sl_recorder_facts(recording->recorder)->missed += top == SL_HOST_TOP_MISSED;
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
    if (sl_host_choose(recording, &choice) && !recording->open) {
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

enum sl_sight sl_host_walk(struct sl_host_look *look, struct sl_subject_thread *observed)
{
    const struct sl_viewer viewer = {.context = look, .walked = walked};
    look->walk_count = 0;
    return observed->thread.id == look->caller ? look_at_caller(look, observed)
                                               : sl_subject_look(&look->target->subject, observed, &viewer);
}

/* Of the views that were wanted, only those still are in whose scope the walk was. */
static void keep_wanted(struct sl_host_look *look, struct sl_subject_thread *observed)
{
    for (struct sl_host_view *view = views_of(observed); view != NULL; view = view->next) {
        view->wanted = is_asking(view) ? sl_host_wants(look, view->recording, observed) : view->wanted;
    }
}

/* Marks the views of those that want the thread, by the context that it has entered. Whether there are any. */
static bool find_wanted(struct sl_host_look *look, struct sl_subject_thread *observed)
{
    bool wanted = mark_wanted(look, observed);
    for (int attempt = 1; look->torn && attempt < ATTEMPTS_MAX; attempt++) {
        sl_host_forget_tokens(observed);
        look->target->subject.retried++;
        wanted = mark_wanted(look, observed);
    }
    for (struct sl_host_view *view = views_of(observed); view != NULL && !look->again; view = view->next) {
        view->entered = is_asking(view);
    }
    return wanted;
}

/* Looks at the thread, if anybody wants to know: afterwards wanted by whose scope the walk was in, which may be nobody. */
static enum sl_sight see(struct sl_host_look *look, struct sl_subject_thread *observed)
{
    bool wanted = find_wanted(look, observed);
    look->walk_count = 0;
    /* One without thread states is no Python thread any more, and only the kernel can tell that it has ended. */
    if (!wanted && observed->strand_count > 0) {
        return SL_SIGHT_SAME;
    }
    for (const struct sl_host_view *view = views_of(observed); view != NULL; view = view->next) {
        observed->settled = observed->settled && (view->fresh || !is_asking(view));
    }
    enum sl_sight sight = sl_host_walk(look, observed);
    if (sl_host_turn_to_walks(look, observed)) {
        keep_wanted(look, observed);
    }
    return sight;
}

void sl_host_look_at_thread(struct sl_host_look *look, struct sl_subject_thread *observed)
{
    enum sl_sight sight = see(look, observed);
    if (sight == SL_SIGHT_ENDED) {
        sl_host_thread_end(observed);
        return;
    }
    for (struct sl_host_view *view = views_of(observed); view != NULL; view = view->next) {
        if (is_asking(view)) {
            sl_host_tell(look, view, observed, sight);
        }
    }
}
