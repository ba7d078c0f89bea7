#include "sampler/subject_list.h"

#include "target/clock.h"

#include <stdlib.h>
#include <string.h>

/* To read the list of threads may cost one part in so many of the time, or that once in so long. */
#define LIST_SHARE 20
#define LIST_EVERY_MAX_NS UINT64_C(50000000)

/* And of a long one, as long as no thread begins. */
#define SAME_LIST_SHARE 200
#define SAME_LIST_EVERY_MAX_NS UINT64_C(200000000)

#define LIST_COST_STEP_NS 500

/* How often a list that changes while it is read is read again at once. */
#define RETRIES_MAX 8

static struct sl_subject_thread *thread_of_id(struct sl_subject *subject, pid_t id)
{
    for (size_t i = 0; i < subject->count; i++) {
        if (subject->all[i]->thread.id == id && !subject->all[i]->ended) {
            return subject->all[i];
        }
    }
    return NULL;
}

static struct sl_subject_thread *add_thread(struct sl_subject *subject, pid_t id)
{
    if (subject->count == subject->capacity) {
        size_t capacity = subject->capacity > 0 ? subject->capacity * 2 : 16;
        struct sl_subject_thread **all = realloc(subject->all, capacity * sizeof *all);
        if (all == NULL) {
            return NULL;
        }
        subject->all = all;
        subject->capacity = capacity;
    }
    struct sl_subject_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL || !sl_thread_open(&thread->thread, &subject->threads, id)) {
        free(thread);
        return NULL;
    }
    thread->main = id == subject->process->pid;
    subject->all[subject->count++] = thread;
    return thread;
}

/* The n-th place to search at, of `count`, when the last search has ended at `hint`: those below and above it in turn,
 * ever farther away. An interpreter's list has the newest thread first and ours mostly the oldest, so the next one
 * wanted is a neighbour, on whichever side. */
static size_t nearby(size_t hint, size_t n, size_t count)
{
    size_t steps = (n + 1) / 2;
    if (n % 2 != 0) {
        return hint >= steps ? hint - steps : hint + count - steps;
    }
    return hint + steps < count ? hint + steps : hint + steps - count;
}

/* The strand that stands for this thread state already, and its thread. Lists change little, so the search begins where
 * the last one ended. */
static struct sl_subject_thread *thread_of_state(struct sl_subject *subject, const struct sl_python_thread *state,
                                                 size_t *hint)
{
    for (size_t n = 0; n < subject->count; n++) {
        size_t i = nearby(*hint, n, subject->count);
        struct sl_subject_thread *thread = subject->all[i];
        for (size_t s = 0; s < thread->strand_count; s++) {
            if (thread->strands[s].python.address == state->address &&
                thread->strands[s].python.native_id == state->native_id && !thread->ended) {
                *hint = i;
                return thread;
            }
        }
    }
    return NULL;
}

/* A thread that a thread state belongs to, found or added; NULL when there is none (yet, or any more). */
static struct sl_subject_thread *thread_for(struct sl_subject *subject, const struct sl_python_thread *state,
                                            size_t *hint)
{
    struct sl_subject_thread *thread = thread_of_state(subject, state, hint);
    if (thread != NULL) {
        return thread;
    }
    pid_t id = sl_threads_id(&subject->threads, state->native_id);
    if (id == 0 || (subject->main_thread_only && id != subject->process->pid)) {
        return NULL;
    }
    thread = thread_of_id(subject, id);
    return thread != NULL ? thread : add_thread(subject, id);
}

/* Puts a thread state among the strands of `thread`, in order of interpreters. */
static void add_strand(struct sl_subject *subject, struct sl_subject_thread *thread,
                       const struct sl_python_thread *state)
{
    if (thread->strand_count == SL_STRANDS_MAX) {
        /* The newest interpreter is listed first, but the main one's frames say what the thread is for. */
        if (thread->strands[SL_STRANDS_MAX - 1].python.interpreter_id <= state->interpreter_id) {
            return;
        }
        thread->strand_count--;
    }
    struct sl_subject_strand strand = {.python = *state, .serial = ++subject->next_serial};
    sl_python_gil_range(subject->python, state, &strand.gil_begin, &strand.gil_end);
    size_t at = thread->strand_count++;
    for (; at > 0 && thread->strands[at - 1].python.interpreter_id > state->interpreter_id; at--) {
        thread->strands[at] = thread->strands[at - 1];
    }
    thread->strands[at] = strand;
    thread->settled = false;
}

static bool same_state(const struct sl_python_thread *a, const struct sl_python_thread *b)
{
    return a->address == b->address && a->native_id == b->native_id && a->interpreter == b->interpreter;
}

/* Takes the strands out whose thread state is not in the list any more. */
static void drop_strands(struct sl_subject *subject, const struct sl_python_thread *states, size_t count)
{
    size_t hints[SL_STRANDS_MAX] = {0}; /* the strands of one interpreter lie together in the list */
    for (size_t i = 0; i < subject->count; i++) {
        struct sl_subject_thread *thread = subject->all[i];
        size_t kept = 0;
        for (size_t s = 0; s < thread->strand_count; s++) {
            bool listed = false;
            for (size_t n = 0; n < count && !listed; n++) {
                size_t at = nearby(hints[s], n, count);
                if (same_state(&states[at], &thread->strands[s].python)) {
                    listed = true;
                    hints[s] = at;
                }
            }
            if (listed) {
                thread->strands[kept++] = thread->strands[s];
            } else {
                thread->settled = false;
            }
        }
        thread->strand_count = kept;
    }
}

static void apply_list(struct sl_subject *subject, const struct sl_python_thread *states, size_t count, bool whole)
{
    sl_threads_listed(&subject->threads);
    if (whole) {
        drop_strands(subject, states, count);
    }
    size_t hint = 0;
    for (size_t i = 0; i < count; i++) {
        struct sl_subject_thread *thread = thread_for(subject, &states[i], &hint);
        if (thread == NULL) {
            continue;
        }
        bool known = false;
        for (size_t s = 0; s < thread->strand_count && !known; s++) {
            known = same_state(&thread->strands[s].python, &states[i]);
        }
        if (!known) {
            add_strand(subject, thread, &states[i]);
        }
    }
}

/* Remembers the list, to see cheaply that the next is the same. A list that cannot be remembered is read for new. */
static void keep_list(struct sl_subject *subject, const struct sl_python_thread *states, size_t count)
{
    subject->listed_count = 0;
    if (count > subject->listed_capacity) {
        struct sl_python_thread *listed = realloc(subject->listed, count * sizeof *listed);
        if (listed == NULL) {
            return;
        }
        subject->listed = listed;
        subject->listed_capacity = count;
    }
    memcpy(subject->listed, states, count * sizeof *states);
    subject->listed_count = count;
}

static bool list_unchanged(const struct sl_subject *subject, const struct sl_python_thread *states, size_t count)
{
    if (count != subject->listed_count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!same_state(&states[i], &subject->listed[i])) {
            return false;
        }
    }
    return true;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

bool sl_subject_list_due(const struct sl_subject *subject, uint64_t now_ns)
{
    return now_ns >= subject->list_due_ns ||
           (now_ns >= subject->begun_due_ns && sl_python_threads_long(subject->python) &&
            sl_python_threads_begun(subject->python));
}

bool sl_subject_read_list(struct sl_subject *subject, uint64_t now_ns)
{
    const struct sl_python_thread *states = NULL;
    size_t count = 0;
    uint64_t begin_ns = sl_clock_now_ns();
    enum sl_look look = SL_LOOK_TORN;
    for (int attempt = 0; attempt <= RETRIES_MAX && (look == SL_LOOK_TORN || look == SL_LOOK_FAULT); attempt++) {
        look = sl_python_threads(subject->python, &states, &count);
    }
    if (look == SL_LOOK_OK || look == SL_LOOK_TORN) {
        bool whole = look == SL_LOOK_OK;
        if (!whole || !list_unchanged(subject, states, count)) {
            apply_list(subject, states, count, whole);
            keep_list(subject, states, whole ? count : 0);
        }
    }
    /* What it costs, not how long it took: that may hold the time of whoever had our CPU meanwhile. */
    uint64_t took_ns = sl_clock_now_ns() - begin_ns;
    uint64_t believed_ns = subject->list_cost_ns + subject->list_cost_ns / 4 + LIST_COST_STEP_NS;
    subject->list_cost_ns = took_ns < believed_ns ? took_ns : believed_ns;
    subject->begun_due_ns = now_ns + least(subject->list_cost_ns * LIST_SHARE, LIST_EVERY_MAX_NS);
    subject->list_due_ns = sl_python_threads_long(subject->python)
                               ? now_ns + least(subject->list_cost_ns * SAME_LIST_SHARE, SAME_LIST_EVERY_MAX_NS)
                               : subject->begun_due_ns;
    return look != SL_LOOK_GONE;
}
