#include "sampler/quiet.h"

#include "sampler/subject.h"
#include "target/usage.h"

/* Fewer threads than this are asked one by one, and so are all where more than one in so many moves now and then. */
#define QUIET_MIN 32
#define LIVELY_PART 8

/* For how long a thread that has moved is asked by itself. */
#define LIVELY_NS UINT64_C(500000000)

/* All are asked once in so long, whatever is known. */
#define ASK_EVERY_NS UINT64_C(1000000000)

/* How often it is tried again at once when a thread was charged meanwhile. */
#define ATTEMPTS_MAX 4

bool sl_quiet_has(const struct sl_subject *subject, const struct sl_subject_thread *thread)
{
    return thread->settled && subject->sweep_ns >= thread->lively_until_ns;
}

void sl_quiet_moved(const struct sl_subject *subject, struct sl_subject_thread *thread)
{
    if (sl_quiet_has(subject, thread)) {
        /* It may have run since the process was asked. Then the rest comes out too small; see below. */
        thread->counted.cpu_ns = thread->cpu_ns;
    }
    /* All threads are new at first: those that wait then have not moved. */
    if (thread->settled || thread->counted.runs != 0) {
        thread->lively_until_ns = subject->sweep_ns + LIVELY_NS;
    }
}

/* Whether it pays, and can be known: all threads share one GIL, which is at `*gil`. */
static bool worth_it(const struct sl_subject *subject, uint64_t *gil)
{
    *gil = 0;
    size_t lively = 0;
    for (size_t i = 0; i < subject->count; i++) {
        const struct sl_subject_thread *thread = subject->all[i];
        lively += !sl_quiet_has(subject, thread);
        for (size_t s = 0; s < thread->strand_count; s++) {
            *gil = *gil == 0 ? thread->strands[s].gil_begin : *gil;
            if (thread->strands[s].gil_begin != *gil) {
                return false;
            }
        }
    }
    return *gil != 0 && lively * LIVELY_PART <= subject->count;
}

/* Asks of each thread that is not quiet how much it has run. False when one cannot be asked. */
static bool count_lively(struct sl_subject *subject)
{
    for (size_t i = 0; i < subject->count; i++) {
        struct sl_subject_thread *thread = subject->all[i];
        if (!sl_quiet_has(subject, thread) &&
            sl_thread_runs(&thread->thread, &subject->threads, &thread->counted) != SL_THREAD_OK) {
            return false;
        }
    }
    return true;
}

/* Whether what they said is so still. */
static bool lively_stayed(const struct sl_subject *subject)
{
    for (size_t i = 0; i < subject->count; i++) {
        const struct sl_subject_thread *thread = subject->all[i];
        struct sl_thread_runs now;
        if (!sl_quiet_has(subject, thread) &&
            (sl_thread_runs(&thread->thread, &subject->threads, &now) != SL_THREAD_OK ||
             now.cpu_ns != thread->counted.cpu_ns)) {
            return false;
        }
    }
    return true;
}

static uint64_t rest_of(const struct sl_subject *subject, uint64_t cpu_ns)
{
    for (size_t i = 0; i < subject->count; i++) {
        cpu_ns -= subject->all[i]->counted.cpu_ns;
    }
    return cpu_ns;
}

/* A quiet thread that has the GIL is asked. */
static void find_holder(struct sl_subject *subject, uint64_t gil)
{
    uint64_t holder = sl_python_gil_holder(subject->python, gil);
    for (size_t i = 0; i < subject->count && holder != 0; i++) {
        struct sl_subject_thread *thread = subject->all[i];
        for (size_t s = 0; s < thread->strand_count; s++) {
            if (thread->strands[s].python.address == holder && sl_quiet_has(subject, thread)) {
                thread->lively_until_ns = subject->sweep_ns + LIVELY_NS;
            }
        }
    }
}

bool sl_quiet_all(struct sl_subject *subject, uint64_t now_ns)
{
    struct sl_quiet *quiet = &subject->quiet;
    subject->sweep_ns = now_ns;
    if (subject->count < QUIET_MIN) {
        return false;
    }
    if (quiet->rest_due) {
        quiet->rest_ns = rest_of(subject, quiet->cpu_ns);
        quiet->rest_known = true;
        quiet->rest_due = false;
    }
    uint64_t gil;
    if (!worth_it(subject, &gil)) {
        return false;
    }
    bool counted = false;
    for (int attempt = 0; attempt < ATTEMPTS_MAX && !counted; attempt++) {
        if (!count_lively(subject) || !sl_usage_cpu(subject->process, &quiet->cpu_ns)) {
            return false;
        }
        counted = lively_stayed(subject);
    }
    if (!counted) {
        return false;
    }
    /* What a thread has used and we have not counted makes this larger, so where `rest_ns` is too small nothing is
     * believed that is not so. */
    if (!quiet->rest_known || rest_of(subject, quiet->cpu_ns) != quiet->rest_ns || now_ns >= quiet->ask_due_ns) {
        quiet->ask_due_ns = now_ns + ASK_EVERY_NS;
        quiet->rest_due = true;
        return false;
    }
    find_holder(subject, gil);
    return true;
}
