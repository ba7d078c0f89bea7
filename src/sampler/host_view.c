#include "sampler/host_view.h"

#include "sampler/host_recording.h"
#include "target/own.h"

#include <stdlib.h>

struct sl_host_thread *sl_host_thread(struct sl_subject_thread *observed)
{
    if (observed->viewer == NULL) {
        struct sl_host_thread *thread = calloc(1, sizeof *thread);
        for (size_t s = 0; thread != NULL && s < SL_STRANDS_MAX; s++) {
            sl_host_tokens_init(&thread->tokens[s]);
        }
        observed->viewer = thread;
    }
    return observed->viewer;
}

struct sl_host_view *sl_host_view(struct sl_host_recording *recording, struct sl_subject_thread *observed)
{
    struct sl_host_thread *thread = sl_host_thread(observed);
    if (thread == NULL) {
        return NULL;
    }
    for (struct sl_host_view *view = thread->views; view != NULL; view = view->next) {
        if (view->recording == recording) {
            return view;
        }
    }
    struct sl_host_view *view = calloc(1, sizeof *view);
    if (view == NULL) {
        return NULL;
    }
    if (recording->options.scope == SL_HOST_THREADS) {
        struct sl_span span = sl_host_span(recording);
        view->thread = sl_member_thread_create(&recording->recording, recording->process, observed->thread.id,
                                               observed->main, span.begin_ns);
        if (view->thread == NULL) {
            free(view);
            return NULL;
        }
        /* What ran before the recording has used CPU time before it. */
        if (span.begin_ns == 0) {
            view->thread->cpu_before_ns = sl_own_thread_cpu_ns(observed->thread.id);
        }
    }
    for (size_t s = 0; s < SL_STRANDS_MAX; s++) {
        sl_strand_init(&view->strands[s].strand);
    }
    view->recording = recording;
    view->next = thread->views;
    thread->views = view;
    return view;
}

void sl_host_views_miss_walk(struct sl_subject_thread *observed)
{
    observed->settled = false;
    const struct sl_host_thread *known = observed->viewer;
    for (struct sl_host_view *view = known != NULL ? known->views : NULL; view != NULL; view = view->next) {
        for (size_t s = 0; s < SL_STRANDS_MAX; s++) {
            view->strands[s].strand.count = 0;
        }
        view->fresh = false;
    }
}

static void destroy_view(struct sl_host_view *view)
{
    for (size_t s = 0; s < SL_STRANDS_MAX; s++) {
        sl_strand_destroy(&view->strands[s].strand);
    }
    sl_member_thread_destroy(view->thread);
    free(view);
}

static void end_view(struct sl_host_view *view, const struct sl_subject_thread *observed, uint64_t end_ns)
{
    if (view->thread != NULL) {
        sl_member_thread_take_cpu(view->thread, observed);
        sl_member_thread_end(view->thread, &view->recording->recording, end_ns);
        view->thread = NULL;
    }
    destroy_view(view);
}

void sl_host_thread_end(struct sl_subject_thread *observed)
{
    struct sl_host_thread *thread = observed->viewer;
    if (thread == NULL) {
        return;
    }
    while (thread->views != NULL) {
        struct sl_host_view *view = thread->views;
        thread->views = view->next;
        /* Of a recording that is not due, it is the last look's slot that the thread's time ends with. */
        struct sl_span span = sl_host_span(view->recording);
        end_view(view, observed, view->recording->due ? span.begin_ns : span.end_ns);
    }
    for (size_t s = 0; s < SL_STRANDS_MAX; s++) {
        sl_host_tokens_destroy(&thread->tokens[s]);
    }
    free(thread);
    observed->viewer = NULL;
}

/* Takes the recording's view out of a thread's. */
static void drop_view(struct sl_host_recording *recording, struct sl_subject *subject,
                      struct sl_subject_thread *observed, uint64_t end_ns)
{
    struct sl_host_thread *thread = observed->viewer;
    if (thread == NULL) {
        return;
    }
    for (struct sl_host_view **link = &thread->views; *link != NULL; link = &(*link)->next) {
        struct sl_host_view *view = *link;
        if (view->recording == recording) {
            *link = view->next;
            if (view->thread != NULL) {
                sl_member_thread_refresh(view->thread, &recording->recording, subject, observed, UINT64_MAX);
            }
            end_view(view, observed, end_ns);
            return;
        }
    }
}

void sl_host_views_end(struct sl_host_recording *recording, struct sl_subject *subject, uint64_t end_ns)
{
    for (size_t i = 0; i < subject->count; i++) {
        drop_view(recording, subject, subject->all[i], end_ns);
    }
}
