#include "sampler/dump.h"

#include "sampler/subject.h"
#include "target/clock.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* A stack that does not fit together after all that a look tries is looked at again, so often and with such pauses: a
 * person waits for it, once. So is one with frames that have no name: every code object is new to the first look, and
 * one whose frame is gone before its name was read is known to the next. */
#define ATTEMPTS_MAX 20
#define PAUSE_NS UINT64_C(500000)

/* Descriptors of the threads' files are kept open while one looks; the rest is opened each time. */
#define DESCRIPTORS_RESERVED 64

/* What one look saw of a thread. */
struct seen {
    enum sl_sight sight;
    sl_state state;
    struct sl_thread_activity activity;
    enum sl_thread_stop stop;
    struct sl_frame *frames; /* outermost first; owned */
    size_t count;
    size_t capacity;
    bool failed; /* memory is exhausted */
};

static void walked(void *context, struct sl_subject_thread *thread, size_t strand, bool first,
                   const struct sl_walk *walk)
{
    (void)thread;
    (void)strand;
    struct seen *seen = context;
    if (first) {
        seen->count = 0;
    }
    size_t needed = seen->count + walk->count;
    if (needed > seen->capacity) {
        struct sl_frame *frames = realloc(seen->frames, needed * sizeof *frames);
        if (frames == NULL) {
            seen->failed = true;
            return;
        }
        seen->frames = frames;
        seen->capacity = needed;
    }
    for (size_t i = walk->count; i > 0; i--) {
        seen->frames[seen->count++] = walk->frames[i - 1];
    }
}

static bool keep(struct sl_dump *dump, struct sl_subject *subject, const struct sl_subject_thread *observed,
                 const struct seen *seen)
{
    struct sl_dump_thread *thread = &dump->threads[dump->count];
    *thread = (struct sl_dump_thread){
        .id = observed->thread.id,
        .main = observed->main,
        .consistent = seen->sight == SL_SIGHT_STACK || seen->sight == SL_SIGHT_EMPTY,
        .too_deep = seen->sight == SL_SIGHT_TOO_DEEP,
        .state = seen->state,
        .activity = seen->activity,
        .stop = seen->stop,
    };
    sl_thread_name(&subject->threads, thread->id, thread->name);
    if (seen->sight == SL_SIGHT_STACK && seen->count > 0) {
        thread->frames = calloc(seen->count, sizeof *thread->frames);
        if (thread->frames == NULL) {
            return false;
        }
        memcpy(thread->frames, seen->frames, seen->count * sizeof *thread->frames);
        thread->count = seen->count;
    }
    dump->count++;
    return true;
}

static bool ended(const struct sl_process *process, struct sl_error *error)
{
    return sl_error_set(error, SL_ERROR_GONE, "process %d has ended", (int)process->pid);
}

static size_t nameless(const struct seen *seen)
{
    size_t count = 0;
    for (size_t i = 0; i < seen->count; i++) {
        count += seen->frames[i].code == SL_CODE_NAMELESS;
    }
    return count;
}

/* How much of a thread is missing in what was seen of it that another look may see: 0 when nothing is. */
static size_t missing(const struct seen *seen)
{
    if (seen->sight == SL_SIGHT_BROKEN || seen->sight == SL_SIGHT_MISSED) {
        return SIZE_MAX;
    }
    return seen->sight == SL_SIGHT_STACK ? nameless(seen) : 0;
}

static void look_once(struct sl_subject *subject, struct sl_subject_thread *thread, struct seen *seen)
{
    const struct sl_viewer viewer = {.context = seen, .walked = walked};
    seen->count = 0;
    thread->settled = false; /* the stack of one that waits still is walked, too */
    seen->sight = sl_subject_look(subject, thread, &viewer);
    seen->state = thread->state;
    seen->activity = thread->activity;
    bool waits = sl_state_waits(thread->state);
    seen->stop = waits ? sl_thread_stop(&thread->thread, &subject->threads) : SL_THREAD_GOES_ON;
}

/* Looks until nothing is missing; else `seen` is the look that most was seen at. */
static void look(struct sl_subject *subject, struct sl_subject_thread *thread, struct seen *seen)
{
    look_once(subject, thread, seen);
    struct seen other = {0};
    for (int attempt = 1; attempt < ATTEMPTS_MAX && missing(seen) > 0 && !seen->failed; attempt++) {
        sl_clock_sleep_until(sl_clock_now_ns() + PAUSE_NS);
        if (sl_subject_sweep(subject, sl_clock_now_ns()) == SL_SIGHT_GONE) {
            seen->sight = SL_SIGHT_GONE;
            break;
        }
        look_once(subject, thread, &other);
        if (other.failed || missing(&other) < missing(seen)) {
            struct seen worse = *seen;
            *seen = other;
            other = worse;
        }
    }
    free(other.frames);
}

static bool look_at_all(struct sl_dump *dump, struct sl_subject *subject, struct sl_error *error)
{
    if (sl_subject_sweep(subject, sl_clock_now_ns()) == SL_SIGHT_GONE) {
        return ended(subject->process, error);
    }
    size_t count = subject->count;
    dump->threads = calloc(count + 1, sizeof *dump->threads);
    if (dump->threads == NULL) {
        return sl_error_memory(error);
    }
    struct seen seen = {0};
    bool done = true;
    for (size_t i = 0; i < count && done; i++) {
        look(subject, subject->all[i], &seen);
        if (seen.sight == SL_SIGHT_GONE) {
            done = ended(subject->process, error);
        } else if (seen.failed) {
            done = sl_error_memory(error);
        } else if (seen.sight != SL_SIGHT_ENDED) {
            done = keep(dump, subject, subject->all[i], &seen) || sl_error_memory(error);
        }
    }
    free(seen.frames);
    return done;
}

static int in_order(const void *left, const void *right)
{
    const struct sl_dump_thread *a = left;
    const struct sl_dump_thread *b = right;
    if (a->main != b->main) {
        return a->main ? -1 : 1;
    }
    return (a->id > b->id) - (a->id < b->id);
}

bool sl_dump_take(struct sl_dump *dump, struct sl_process *process, struct sl_error *error)
{
    *dump = (struct sl_dump){.python = sl_python_attach(process, NULL, error)};
    if (dump->python == NULL) {
        return false;
    }
    struct rlimit limit;
    size_t descriptors = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (size_t)limit.rlim_cur : 0;
    descriptors = descriptors > DESCRIPTORS_RESERVED ? descriptors - DESCRIPTORS_RESERVED : 0;
    struct sl_subject subject;
    if (!sl_subject_open(&subject, process, dump->python, &descriptors, false, true)) {
        return ended(process, error);
    }
    bool done = look_at_all(dump, &subject, error);
    sl_subject_close(&subject);
    /* The pid may have come to mean another process while we looked. */
    if (done && !sl_process_alive(process)) {
        done = ended(process, error);
    }
    if (done && dump->count > 1) {
        qsort(dump->threads, dump->count, sizeof *dump->threads, in_order);
    }
    return done;
}

void sl_dump_destroy(struct sl_dump *dump)
{
    for (size_t i = 0; i < dump->count; i++) {
        free(dump->threads[i].frames);
    }
    free(dump->threads);
    sl_python_detach(dump->python);
    *dump = (struct sl_dump){0};
}
