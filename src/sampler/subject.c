#include "sampler/subject.h"

#include "sampler/subject_list.h"
#include "target/clock.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How often a walk that does not fit together is repeated at once. Each time the program has moved on by a
 * microsecond; a probe at 10 kHz and depth 30 lost 1.85 % of its walks without, none with eight. */
#define RETRIES_MAX 8

/* A walk that fails this often in a row mostly shows a program that stands still halfway through a change, because we
 * have its CPU. Then a pause lets it go on; so often in one sweep, for so long. */
#define PAUSES_MAX 8
#define PAUSES_PER_LOOK 3
#define PAUSE_NS UINT64_C(20000)

/* How often it is checked that the process still runs the same program. */
#define IMAGE_EVERY_NS UINT64_C(5000000)

/* Up to so many threads, walking each costs less than asking the kernel which of them moved. */
#define FEW_THREADS 4

bool sl_subject_open(struct sl_subject *subject, struct sl_process *process, struct sl_python *python,
                     size_t *descriptors_left, bool main_thread_only, bool states)
{
    *subject = (struct sl_subject){
        .process = process,
        .python = python,
        .own = process->pid == getpid(),
        .main_thread_only = main_thread_only,
        .states = states,
    };
    if (!sl_threads_open(&subject->threads, process, descriptors_left)) {
        return false;
    }
    sl_image_open(&subject->image, process);
    return true;
}

static void destroy_thread(struct sl_subject *subject, struct sl_subject_thread *thread)
{
    sl_thread_close(&thread->thread, &subject->threads);
    free(thread);
}

void sl_subject_close(struct sl_subject *subject)
{
    for (size_t i = 0; i < subject->count; i++) {
        destroy_thread(subject, subject->all[i]);
    }
    free(subject->all);
    free(subject->listed);
    sl_threads_close(&subject->threads);
    sl_image_close(&subject->image);
    *subject = (struct sl_subject){0};
}

void sl_subject_tell_anew(struct sl_subject *subject)
{
    for (size_t i = 0; i < subject->count; i++) {
        subject->all[i]->settled = false;
    }
}

void sl_subject_forget(struct sl_subject *subject)
{
    size_t kept = 0;
    for (size_t i = 0; i < subject->count; i++) {
        if (subject->all[i]->ended) {
            destroy_thread(subject, subject->all[i]);
        } else {
            subject->all[kept++] = subject->all[i];
        }
    }
    subject->count = kept;
}

/* What every sweep begins with, beside the list of threads. Only now is no walk of the last one needed any more: within a
 * sweep a viewer may hold those of a thread that the list, when it was read again, did not have. */
static bool begin_sweep(struct sl_subject *subject, uint64_t now_ns)
{
    sl_python_threads_forget(subject->python);
    subject->pauses_left = PAUSES_MAX;
    subject->list_open = false;
    subject->quiet_wait = false;
    if (now_ns >= subject->image_due_ns) {
        if (!sl_image_current(&subject->image)) {
            return false;
        }
        subject->image_due_ns = now_ns + IMAGE_EVERY_NS;
    }
    return true;
}

enum sl_sight sl_subject_sweep(struct sl_subject *subject, uint64_t now_ns)
{
    bool there = begin_sweep(subject, now_ns) &&
                 (!sl_subject_list_due(subject, now_ns) || sl_subject_read_list(subject, now_ns));
    return there ? SL_SIGHT_SAME : SL_SIGHT_GONE;
}

enum sl_sight sl_subject_begin(struct sl_subject *subject, uint64_t now_ns)
{
    if (!begin_sweep(subject, now_ns)) {
        return SL_SIGHT_GONE;
    }
    if (sl_subject_list_due(subject, now_ns)) {
        subject->list_open = sl_python_threads_follow(subject->python);
        if (!subject->list_open && !sl_subject_read_list(subject, now_ns)) {
            return SL_SIGHT_GONE;
        }
    }
    subject->quiet_wait = !subject->own && sl_quiet_all(subject, now_ns);
    return SL_SIGHT_SAME;
}

/* Takes what the first walk of the sweep has told of the list. False when the process is gone. */
static bool take_list(struct sl_subject *subject)
{
    enum sl_list seen = subject->list_open ? sl_python_threads_seen(subject->python) : SL_LIST_UNSEEN;
    subject->list_open = subject->list_open && seen == SL_LIST_UNSEEN;
    return seen != SL_LIST_CHANGED || sl_subject_read_list(subject, sl_clock_now_ns());
}

enum sl_sight sl_subject_end(struct sl_subject *subject)
{
    bool there = take_list(subject) && (!subject->list_open || sl_subject_read_list(subject, sl_clock_now_ns()));
    subject->list_open = false;
    return there ? SL_SIGHT_SAME : SL_SIGHT_GONE;
}

static enum sl_look walk_strand(struct sl_subject *subject, const struct sl_subject_strand *strand,
                                struct sl_walk *walk)
{
    enum sl_look look = sl_python_walk(subject->python, &strand->python, walk);
    subject->retried += walk->retried;
    for (int pause = 0; sl_look_again(look); pause++) {
        for (int retry = 0; retry < RETRIES_MAX && sl_look_again(look); retry++) {
            subject->retried++;
            look = sl_python_walk(subject->python, &strand->python, walk);
            subject->retried += walk->retried;
        }
        if (!sl_look_again(look) || pause == PAUSES_PER_LOOK || subject->pauses_left == 0) {
            break;
        }
        subject->pauses_left--;
        sl_clock_sleep_until(sl_clock_now_ns() + PAUSE_NS);
    }
    return look;
}

/* What the walks of a thread's strands say together. */
struct stack_seen {
    size_t strands; /* that have frames */
    bool holds_gil;
    bool collecting;
};

/* Walks all strands once. `counts` are the frames of each. */
static enum sl_look walk_strands(struct sl_subject *subject, struct sl_subject_thread *thread,
                                 const struct sl_viewer *viewer, struct stack_seen *seen, size_t counts[SL_STRANDS_MAX])
{
    *seen = (struct stack_seen){0};
    for (size_t s = 0; s < thread->strand_count; s++) {
        struct sl_walk walk;
        enum sl_look look = walk_strand(subject, &thread->strands[s], &walk);
        if (look != SL_LOOK_OK) {
            return look;
        }
        seen->holds_gil = seen->holds_gil || walk.holds_gil;
        seen->collecting = seen->collecting || walk.collecting;
        counts[s] = walk.count;
        if (walk.count > 0) {
            viewer->walked(viewer->context, thread, s, seen->strands == 0, &walk);
            seen->strands++;
        }
    }
    return SL_LOOK_OK;
}

/* Whether the strands that others run on top of are as they were before those were walked. Only what lies on top of all
 * moves, so else the stacks that were put together are of different moments. */
static enum sl_look strands_stayed(struct sl_subject *subject, struct sl_subject_thread *thread,
                                   const struct sl_viewer *viewer, const size_t counts[SL_STRANDS_MAX], bool *stayed)
{
    size_t top = thread->strand_count - 1;
    while (counts[top] == 0) {
        top--;
    }
    *stayed = true;
    for (size_t s = 0; s < top && *stayed; s++) {
        struct sl_walk walk;
        enum sl_look look = walk_strand(subject, &thread->strands[s], &walk);
        if (look != SL_LOOK_OK) {
            return look;
        }
        *stayed = walk.count == counts[s] && walk.unchanged == walk.count;
        if (!*stayed && walk.count > 0) {
            viewer->walked(viewer->context, thread, s, true, &walk);
        }
    }
    return SL_LOOK_OK;
}

static enum sl_look walk_thread(struct sl_subject *subject, struct sl_subject_thread *thread,
                                const struct sl_viewer *viewer, struct stack_seen *seen)
{
    size_t counts[SL_STRANDS_MAX] = {0};
    enum sl_look look = walk_strands(subject, thread, viewer, seen, counts);
    bool stayed = seen->strands < 2;
    for (int retry = 0; look == SL_LOOK_OK && !stayed && retry < RETRIES_MAX; retry++) {
        look = strands_stayed(subject, thread, viewer, counts, &stayed);
        if (look == SL_LOOK_OK && !stayed) {
            subject->retried++;
            look = walk_strands(subject, thread, viewer, seen, counts);
            stayed = seen->strands < 2;
        }
    }
    return look;
}

/* Where the GIL is of interpreters that had none yet when the thread's states were met: a thread is in the list some
 * microseconds before its interpreter has one. */
static void find_gils(struct sl_subject *subject, struct sl_subject_thread *thread)
{
    for (size_t s = 0; s < thread->strand_count; s++) {
        struct sl_subject_strand *strand = &thread->strands[s];
        if (strand->gil_begin == 0) {
            sl_python_gil_range(subject->python, &strand->python, &strand->gil_begin, &strand->gil_end);
        }
    }
}

static bool in_gil(const struct sl_subject_thread *thread, uint64_t address)
{
    for (size_t s = 0; s < thread->strand_count; s++) {
        if (address >= thread->strands[s].gil_begin && address < thread->strands[s].gil_end) {
            return true;
        }
    }
    return false;
}

static sl_state state_of(const struct sl_subject_thread *thread, const struct sl_thread_activity *activity,
                         const struct stack_seen *seen)
{
    sl_state gil = (seen->holds_gil ? SL_STATE_HAS_GIL : 0) | (seen->collecting ? SL_STATE_GC : 0);
    if (activity->on_cpu) {
        return SL_STATE_KNOWN | SL_STATE_ON_CPU | gil;
    }
    if (activity->call < 0) {
        return SL_STATE_KNOWN | gil;
    }
    if (activity->call == SYS_futex) {
        gil = in_gil(thread, activity->argument) ? SL_STATE_WAITS_GIL : gil | SL_STATE_LOCK;
    }
    return sl_state_in_call(SL_STATE_KNOWN | gil, (uint32_t)activity->call);
}

/* Whether the thread state list says that this thread has gone, or has other thread states than it had: then what was
 * read of it was no torn stack but another thing's memory. */
static bool strands_changed(struct sl_subject *subject, const struct sl_subject_thread *thread, bool *gone)
{
    uint64_t serials[SL_STRANDS_MAX];
    size_t count = thread->strand_count;
    for (size_t s = 0; s < count; s++) {
        serials[s] = thread->strands[s].serial;
    }
    *gone = !sl_subject_read_list(subject, sl_clock_now_ns());
    bool changed = count != thread->strand_count;
    for (size_t s = 0; s < count && !changed; s++) {
        changed = serials[s] != thread->strands[s].serial;
    }
    return changed;
}

static enum sl_sight end_thread(struct sl_subject *subject, struct sl_subject_thread *thread)
{
    thread->ended = true;
    subject->list_due_ns = 0;
    return SL_SIGHT_ENDED;
}

/* What the kernel says of a thread. */
struct kernel_seen {
    bool gone;
    bool counted;  /* it is known how often it had been put on a CPU when that was last asked: */
    uint64_t runs; /* so often */
    bool known;
    struct sl_thread_activity activity;
};

static void read_runs(struct sl_subject *subject, struct sl_subject_thread *thread, struct kernel_seen *seen)
{
    struct sl_thread_runs runs;
    enum sl_thread_read read = sl_thread_runs(&thread->thread, &subject->threads, &runs);
    seen->gone = seen->gone || read == SL_THREAD_GONE;
    seen->counted = read == SL_THREAD_OK;
    if (seen->counted) {
        thread->cpu_ns = runs.cpu_ns;
        seen->runs = runs.runs;
    }
}

static void read_activity(struct sl_subject *subject, struct sl_subject_thread *thread, struct kernel_seen *seen)
{
    enum sl_thread_read read = sl_thread_activity(&thread->thread, &subject->threads, &seen->activity);
    seen->gone = seen->gone || read == SL_THREAD_GONE;
    seen->known = read == SL_THREAD_OK;
}

static bool waits(const struct kernel_seen *seen)
{
    return seen->known && !seen->activity.on_cpu;
}

/* Asks what the thread does, except where walking is cheaper than asking, and nobody wants to know. Of one that waits,
 * also how often it has run until then, unless that was counted shortly before: what it does is read after the number,
 * so that a number that is the same later means that it has waited there ever since. One that ran between the two has
 * another number later, and is looked at again although nothing may be wrong. */
static void ask_kernel(struct sl_subject *subject, struct sl_subject_thread *thread, struct kernel_seen *seen)
{
    seen->known = false;
    seen->activity = (struct sl_thread_activity){.on_cpu = true, .call = -1};
    if (!subject->states && subject->count <= FEW_THREADS && thread->strand_count > 0) {
        return;
    }
    read_activity(subject, thread, seen);
    if (waits(seen) && !seen->counted) {
        read_runs(subject, thread, seen);
        if (seen->counted) {
            read_activity(subject, thread, seen);
        }
    }
}

/* Whether a thread that waited at the last look still does, without having run meanwhile. */
static bool still_waits(struct sl_subject *subject, struct sl_subject_thread *thread, struct kernel_seen *seen)
{
    if (!thread->settled) {
        return false;
    }
    read_runs(subject, thread, seen);
    return seen->counted && seen->runs == thread->runs;
}

/* One attempt. `*again` is set when it should be repeated: the thread moved while it was looked at. What is returned
 * then holds nevertheless, if it is the last attempt. `kernel`: what was counted of the thread shortly before, and behind
 * the attempt what was counted last. */
static enum sl_sight look_once(struct sl_subject *subject, struct sl_subject_thread *thread,
                               const struct sl_viewer *viewer, struct kernel_seen *kernel, bool *again)
{
    *again = false;
    thread->settled = false;
    ask_kernel(subject, thread, kernel);
    if (kernel->gone) {
        return end_thread(subject, thread);
    }
    struct stack_seen stack;
    enum sl_look look = walk_thread(subject, thread, viewer, &stack);
    if (look == SL_LOOK_GONE) {
        return SL_SIGHT_GONE;
    }
    find_gils(subject, thread);
    thread->activity = kernel->activity;
    thread->state = subject->states && kernel->known ? state_of(thread, &kernel->activity, &stack) : 0;
    if (sl_look_again(look)) {
        bool gone;
        *again = strands_changed(subject, thread, &gone);
        kernel->counted = false;
        return gone ? SL_SIGHT_GONE : SL_SIGHT_BROKEN;
    }
    if (look != SL_LOOK_OK) {
        return look == SL_LOOK_TOO_DEEP ? SL_SIGHT_TOO_DEEP : SL_SIGHT_MISSED;
    }
    if (kernel->counted && waits(kernel)) {
        uint64_t runs = kernel->runs;
        read_runs(subject, thread, kernel);
        if (kernel->gone) {
            return end_thread(subject, thread);
        }
        thread->settled = kernel->counted && kernel->runs == runs;
        if (thread->runs == 0) {
            thread->counted.cpu_ns = thread->cpu_ns;
        }
        thread->runs = runs;
        *again = !thread->settled;
    }
    return stack.strands > 0 ? SL_SIGHT_STACK : SL_SIGHT_EMPTY;
}

enum sl_sight sl_subject_look(struct sl_subject *subject, struct sl_subject_thread *thread,
                              const struct sl_viewer *viewer)
{
    struct kernel_seen kernel = {0};
    if ((subject->quiet_wait && sl_quiet_has(subject, thread)) || still_waits(subject, thread, &kernel)) {
        return SL_SIGHT_SAME;
    }
    sl_quiet_moved(subject, thread);
    bool again = true;
    enum sl_sight sight = SL_SIGHT_MISSED;
    for (int attempt = 0; attempt <= RETRIES_MAX && again; attempt++) {
        subject->retried += attempt > 0;
        sight = look_once(subject, thread, viewer, &kernel, &again);
    }
    return take_list(subject) ? sight : SL_SIGHT_GONE;
}
