#include "sampler/dump.h"

#include "sampler/subject.h"
#include "target/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* A stack that does not fit together after all that a look tries is looked at again, so often and with such pauses: a
 * person waits for it, once. */
#define ATTEMPTS_MAX 20
#define PAUSE_NS UINT64_C(500000)

/* Descriptors of the threads' files are kept open while one looks; the rest is opened each time. */
#define DESCRIPTORS_RESERVED 64

/* The stack of the thread that is looked at. */
struct collector {
    struct sl_frame *frames;
    size_t count;
    size_t capacity;
    bool failed; /* memory is exhausted */
};

static void walked(void *context, struct sl_subject_thread *thread, size_t strand, bool first,
                   const struct sl_walk *walk)
{
    (void)thread;
    (void)strand;
    struct collector *collector = context;
    if (first) {
        collector->count = 0;
    }
    size_t needed = collector->count + walk->count;
    if (needed > collector->capacity) {
        struct sl_frame *frames = realloc(collector->frames, needed * sizeof *frames);
        if (frames == NULL) {
            collector->failed = true;
            return;
        }
        collector->frames = frames;
        collector->capacity = needed;
    }
    for (size_t i = walk->count; i > 0; i--) {
        collector->frames[collector->count++] = walk->frames[i - 1];
    }
}

static bool keep(struct sl_dump *dump, struct sl_subject *subject, const struct sl_subject_thread *observed,
                 enum sl_sight sight, const struct collector *collector)
{
    struct sl_dump_thread *thread = &dump->threads[dump->count];
    *thread = (struct sl_dump_thread){
        .id = observed->thread.id,
        .main = observed->main,
        .consistent = sight == SL_SIGHT_STACK || sight == SL_SIGHT_EMPTY,
        .state = observed->state,
        .activity = observed->activity,
    };
    sl_thread_name(&subject->threads, thread->id, thread->name);
    if (sight == SL_SIGHT_STACK && collector->count > 0) {
        thread->frames = calloc(collector->count, sizeof *thread->frames);
        if (thread->frames == NULL) {
            return false;
        }
        memcpy(thread->frames, collector->frames, collector->count * sizeof *thread->frames);
        thread->count = collector->count;
    }
    dump->count++;
    return true;
}

static bool ended(const struct sl_process *process, struct sl_error *error)
{
    return sl_error_set(error, SL_ERROR_GONE, "process %d has ended", (int)process->pid);
}

static enum sl_sight look(struct sl_subject *subject, struct sl_subject_thread *thread, struct collector *collector)
{
    const struct sl_viewer viewer = {.context = collector, .walked = walked};
    enum sl_sight sight = SL_SIGHT_BROKEN;
    for (int attempt = 0; attempt < ATTEMPTS_MAX && sight == SL_SIGHT_BROKEN; attempt++) {
        if (attempt > 0) {
            sl_clock_sleep_until(sl_clock_now_ns() + PAUSE_NS);
            if (sl_subject_sweep(subject, sl_clock_now_ns()) == SL_SIGHT_GONE) {
                return SL_SIGHT_GONE;
            }
        }
        collector->count = 0;
        sight = sl_subject_look(subject, thread, &viewer);
    }
    return sight;
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
    struct collector collector = {0};
    bool done = true;
    for (size_t i = 0; i < count && done; i++) {
        enum sl_sight sight = look(subject, subject->all[i], &collector);
        if (sight == SL_SIGHT_GONE) {
            done = ended(subject->process, error);
        } else if (collector.failed) {
            done = sl_error_memory(error);
        } else if (sight != SL_SIGHT_ENDED) {
            done = keep(dump, subject, subject->all[i], sight, &collector) || sl_error_memory(error);
        }
    }
    free(collector.frames);
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
