#include "sampler/member_end.h"
#include "sampler/member_facts.h"
#include "sampler/member_thread.h"

/* The CPU time of a process that may live only for a moment is read at every look: what it used behind the last time is
 * not known of it. */
#define YOUNG_NS UINT64_C(500000000)

/* A thread that has used less when it is first seen is not asked for how long it has been there. */
#define MUCH_CPU_NS UINT64_C(20000000)

/* What a thread that was there before the recording has used before it. One of C's may come into Python only later: what it
 * used in between is then left out as well. */
static uint64_t cpu_before(const struct sl_member *member, const struct sl_subject_thread *observed)
{
    const struct sl_threads *threads = &member->subject.threads;
    bool first = member->past && !member->was_sampled;
    struct sl_thread_runs runs;
    if (sl_thread_runs(&observed->thread, threads, &runs) != SL_THREAD_OK) {
        return 0;
    }
    bool older = first || (runs.cpu_ns >= MUCH_CPU_NS &&
                           sl_thread_older(&observed->thread, threads, member->recording->base_ns));
    return older ? runs.cpu_ns : 0;
}

/* The recording's side of a thread that was seen for the first time. NULL when memory is exhausted. */
static struct sl_member_thread *begin_thread(struct sl_member *member, struct sl_subject_thread *observed,
                                             uint64_t begin_ns)
{
    struct sl_member_thread *thread = observed->main ? member->main_thread : NULL;
    if (thread == NULL) {
        thread =
            sl_member_thread_create(member->recording, member->index, observed->thread.id, observed->main, begin_ns);
        if (thread == NULL) {
            return NULL;
        }
        thread->cpu_before_ns = cpu_before(member, observed);
        if (observed->main) {
            member->main_thread = thread;
        }
    }
    observed->viewer = thread;
    return thread;
}

static void walked(void *context, struct sl_subject_thread *observed, size_t strand, bool first,
                   const struct sl_walk *walk)
{
    struct sl_member *member = context;
    struct sl_member_thread *thread = observed->viewer;
    if (first) {
        thread->seen = 0;
        thread->task = 0;
    }
    sl_member_thread_walked(thread, &member->translation, member->python, strand, observed->strands[strand].serial,
                            walk);
}

/* What the thread does, with the task that it runs. */
static sl_state state_in_task(struct sl_member *member, struct sl_member_thread *thread, sl_state state)
{
    if (thread->task == 0) {
        return state;
    }
    sl_function coroutine = sl_translate_function(&member->translation, member->python, thread->task_code);
    return coroutine == SL_NONE ? state
                                : sl_recording_in_task(member->recording, &thread->recorded, state, thread->task,
                                                       thread->task_code, coroutine);
}

static sl_stack empty_stack(const struct sl_member *member, const struct sl_subject_thread *observed)
{
    bool starting = observed->main && !member->joined && !member->ran;
    return starting ? member->recording->starting : member->recording->no_frame;
}

/* Whether the thread is in the recording, which it is put into when it is first seen there. Else it counts as missed. */
static bool is_recorded(struct sl_member *member, struct sl_member_thread *thread)
{
    bool recorded = sl_member_thread_enter(thread, member->recording, member->index);
    sl_member_facts(member)->missed += !recorded;
    return recorded;
}

/* False when the process is gone. */
static bool look_at_thread(struct sl_member *member, struct sl_subject_thread *observed, const struct sl_span *span,
                           bool *ended)
{
    struct sl_recording *recording = member->recording;
    const struct sl_viewer viewer = {.context = member, .walked = walked};
    struct sl_member_thread *thread = observed->viewer;
    if (thread == NULL) {
        /* Its first look stands for as much time as any other, whenever in it the thread began: so what the looks
         * at all short threads stand for is, on average, what they lived. One that was there before the recording
         * begins with it. */
        bool before = member->joined && !member->was_sampled;
        thread = begin_thread(member, observed, before ? member->record.begin_ns : span->begin_ns);
        if (thread == NULL) {
            sl_member_facts(member)->missed++;
            return true;
        }
    }
    thread->seen = 0;
    thread->task = 0;
    enum sl_sight sight = sl_subject_look(&member->subject, observed, &viewer);
    if (sight != SL_SIGHT_SAME && sight != SL_SIGHT_ENDED && sight != SL_SIGHT_GONE && !is_recorded(member, thread)) {
        observed->settled = false;
        return true;
    }
    if (sight == SL_SIGHT_STACK && thread->seen == SL_NONE) {
        sight = SL_SIGHT_MISSED;
        observed->settled = false;
    }
    switch (sight) {
    case SL_SIGHT_SAME:
        break;
    case SL_SIGHT_STACK:
        member->ran = true;
        sl_recording_sample(recording, &thread->recorded, thread->seen, state_in_task(member, thread, observed->state));
        break;
    case SL_SIGHT_EMPTY:
        sl_recording_sample(recording, &thread->recorded, empty_stack(member, observed), observed->state);
        break;
    case SL_SIGHT_BROKEN:
        sl_member_facts(member)->broken++;
        sl_recording_sample(recording, &thread->recorded, recording->broken, observed->state);
        break;
    case SL_SIGHT_TOO_DEEP:
        sl_member_facts(member)->broken++;
        sl_recording_sample(recording, &thread->recorded, recording->too_deep, observed->state);
        break;
    case SL_SIGHT_MISSED:
        sl_member_facts(member)->missed++;
        sl_recording_sample(recording, &thread->recorded, recording->missed, observed->state);
        break;
    case SL_SIGHT_ENDED:
        sl_member_end_thread(member, observed, span->begin_ns);
        *ended = true;
        break;
    case SL_SIGHT_GONE:
        return false;
    }
    return true;
}

static void look_at_threads(struct sl_member *member, const struct sl_span *span)
{
    uint64_t now_ns = member->recording->base_ns + span->instant_ns;
    struct sl_subject *subject = &member->subject;
    bool there = sl_subject_begin(subject, now_ns) != SL_SIGHT_GONE;
    bool any_ended = false;
    size_t next = 0;
    for (int pass = 0; pass < 2 && there; pass++) {
        for (; next < subject->count && there; next++) {
            there = look_at_thread(member, subject->all[next], span, &any_ended);
        }
        there = there && sl_subject_end(subject) != SL_SIGHT_GONE;
    }
    if (!there) {
        sl_member_lose_memory(member, now_ns);
        return;
    }
    sl_member_facts(member)->retried += subject->retried;
    subject->retried = 0;
    member->was_sampled = true;
    if (any_ended) {
        sl_subject_forget(subject);
    }
}

void sl_member_miss(struct sl_member *member)
{
    if (member->phase != SL_MEMBER_SAMPLING) {
        return; /* what it is doing instead goes on, as far as is known */
    }
    for (size_t i = 0; i < member->subject.count; i++) {
        struct sl_member_thread *thread = member->subject.all[i]->viewer;
        if (thread != NULL && thread->recorded.index != SL_NONE) {
            sl_member_facts(member)->missed++;
            sl_recording_sample(member->recording, &thread->recorded, member->recording->missed, 0);
        }
    }
    sl_subject_tell_anew(&member->subject);
}

void sl_member_look(struct sl_member *member, const struct sl_span *span)
{
    if (member->phase == SL_MEMBER_SAMPLING) {
        look_at_threads(member, span);
    }
    uint64_t now_ns = member->recording->base_ns + span->instant_ns;
    if (member->phase == SL_MEMBER_SAMPLING && now_ns < member->phase_since_ns + YOUNG_NS) {
        sl_member_read_cpu(member);
    }
    if (member->phase == SL_MEMBER_SAMPLING || sl_member_over(member)) {
        return;
    }
    if (now_ns >= member->attempt_due_ns) {
        sl_member_attempt(member, now_ns);
    }
    if (member->main_thread == NULL || sl_member_over(member) || !is_recorded(member, member->main_thread)) {
        return;
    }
    if (member->phase == SL_MEMBER_EXITING) {
        sl_recording_sample(member->recording, &member->main_thread->recorded, member->recording->exiting, 0);
    } else if (member->phase == SL_MEMBER_STARTING || !member->main_thread->recorded.told) {
        bool other = member->phase_since_ns + SL_STARTUP_LIMIT_NS <= now_ns;
        if (other && member->meanwhile == member->recording->starting) {
            member->meanwhile = member->recording->not_python;
        }
        if (member->left_told) {
            sl_member_end_process(member, now_ns);
            return;
        }
        sl_recording_sample(member->recording, &member->main_thread->recorded, member->meanwhile, 0);
        member->left_told = member->left;
    }
}
