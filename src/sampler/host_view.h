/* host_view.h - what recordings of our own process know of its threads. */
#ifndef SL_SAMPLER_HOST_VIEW_H
#define SL_SAMPLER_HOST_VIEW_H

#include "sampler/host_tokens.h"
#include "sampler/member_thread.h"
#include "sampler/subject.h"
#include "sampler/translation.h"

#include <stdbool.h>
#include <stdint.h>

struct sl_host_recording;

/* A thread as the recordings see it together: the `viewer` of a subject's thread. */
struct sl_host_thread {
    struct sl_host_view *views;
    struct sl_host_tokens tokens[SL_STRANDS_MAX]; /* of its thread states, in no order */
};

/* A thread as one recording sees it. */
struct sl_host_view {
    struct sl_host_view *next; /* of the same thread */
    struct sl_host_recording *recording;
    struct sl_member_thread *thread; /* SL_HOST_THREADS: its line in the recording; owned */
    bool wanted;                     /* in the look under way */
    bool entered;                    /* it was wanted when that look came to the thread */
    bool fresh;                      /* what follows is of the thread's last walk */
    sl_stack stack;
    uint64_t task; /* as struct sl_walk */
    uint32_t task_code;
    struct {
        uint64_t serial; /* of the subject's strand that it belongs to */
        struct sl_strand strand;
    } strands[SL_STRANDS_MAX];
};

/* What is known of a thread; NULL when memory is exhausted. */
struct sl_host_thread *sl_host_thread(struct sl_subject_thread *observed);

/* The recording's view of a thread, made if there is none. NULL when memory is exhausted. */
struct sl_host_view *sl_host_view(struct sl_host_recording *recording, struct sl_subject_thread *observed);

/* The thread has ended, or will not be looked at any more: ends it in all recordings that saw it, and frees what is known
 * of it. */
void sl_host_thread_end(struct sl_subject_thread *observed);

/* A thread is walked, but not for those who see it: the next walk tells them nothing of what they know. */
void sl_host_views_miss_walk(struct sl_subject_thread *observed);

/* The recording sees no thread any more: what it knows of them ends, at that time of its own. */
void sl_host_views_end(struct sl_host_recording *recording, struct sl_subject *subject, uint64_t end_ns);

#endif
