#include "sampler/host_native.h"

#include "sampler/host_due.h"
#include "sampler/host_state.h"
#include "sampler/host_view.h"
#include "target/clock.h"
#include "target/own.h"
#include "target/priority.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

/* The native thread calls nothing deep: the largest frames are those of reading several pieces of memory, 20 kB. */
#define STACK_BYTES ((size_t)256 * 1024)

/* How often names and CPU times of threads are brought up to date. */
#define REFRESH_EVERY_NS UINT64_C(10000000)

/* What changes slowly, and blocks that are full. */
static void refresh(uint64_t now_ns)
{
    for (size_t i = 0; i < sl_host.count; i++) {
        struct sl_recorder *recorder = sl_host.recordings[i]->recorder;
        if (recorder != NULL && sl_recorder_pending(recorder) >= SL_RECORDER_BLOCK_BYTES) {
            sl_recorder_flush(recorder, NULL);
        }
    }
    if (now_ns < sl_host.refresh_due_ns) {
        return;
    }
    sl_host.refresh_due_ns = now_ns + REFRESH_EVERY_NS;
    struct sl_subject *subject = &sl_host.target.subject;
    for (size_t i = 0; i < subject->count; i++) {
        struct sl_subject_thread *observed = subject->all[i];
        const struct sl_host_thread *thread = observed->viewer;
        for (struct sl_host_view *view = thread != NULL ? thread->views : NULL; view != NULL; view = view->next) {
            if (view->thread != NULL && !observed->ended) {
                sl_member_thread_refresh(view->thread, &view->recording->recording, subject, observed, now_ns);
            }
        }
    }
}

static uint64_t next_instant_ns(void)
{
    uint64_t instant_ns = sl_host_pulse_instant_ns(&sl_host.pulse);
    for (size_t i = 0; i < sl_host.count; i++) {
        uint64_t due_ns = sl_host.recordings[i]->slots.instant_ns;
        instant_ns = due_ns < instant_ns ? due_ns : instant_ns;
    }
    return instant_ns == UINT64_MAX ? instant_ns : sl_host.epoch_ns + instant_ns;
}

/* Until the time has come, or somebody has woken it. Gives the lock away meanwhile. What it is now, as `sl_clock_meet`
 * says: not before the time that it is given. */
static uint64_t sleep_until(struct sl_clock_lead *lead, uint64_t now_ns, uint64_t deadline_ns)
{
    sl_host.wake_ns = deadline_ns;
    if (deadline_ns == UINT64_MAX) {
        pthread_cond_wait(&sl_host.wake, &sl_host.lock);
        return sl_clock_not_before_ns(now_ns);
    }
    uint64_t alarm_ns = sl_clock_alarm(lead, sl_clock_now_ns(), deadline_ns);
    if (alarm_ns != 0) {
        const struct timespec alarm = {.tv_sec = (time_t)(alarm_ns / 1000000000u),
                                       .tv_nsec = (long)(alarm_ns % 1000000000u)};
        if (pthread_cond_timedwait(&sl_host.wake, &sl_host.lock, &alarm) != ETIMEDOUT) {
            return sl_clock_not_before_ns(now_ns);
        }
        sl_clock_woken(lead, alarm_ns);
    } else {
        pthread_mutex_unlock(&sl_host.lock);
        sl_clock_wait_out(lead, deadline_ns);
        pthread_mutex_lock(&sl_host.lock);
    }
    return sl_clock_not_before_ns(deadline_ns);
}

static void *run(void *ignored)
{
    (void)ignored;
    struct sl_clock_precision precision;
    sl_clock_precise(&precision);
    struct sl_clock_lead lead = {0};
    struct sl_priority priority;
    sl_priority_raise(&priority);
    pthread_mutex_lock(&sl_host.lock);
    sl_host.thread_id = sl_own_thread_id();
    pthread_cond_broadcast(&sl_host.wake);
    uint64_t now_ns = sl_clock_now_ns();
    while (!sl_host.ending) {
        uint64_t instant_ns = next_instant_ns();
        if (instant_ns > now_ns) {
            now_ns = sleep_until(&lead, now_ns, instant_ns);
            continue;
        }
        sl_host_look_at_due(now_ns);
        sl_host_pulse_pass(&sl_host.pulse, now_ns - sl_host.epoch_ns);
        refresh(now_ns);
        now_ns = sl_clock_not_before_ns(now_ns);
        sl_priority_keep(&priority, now_ns);
        for (size_t i = 0; i < sl_host.count; i++) {
            sl_slots_done(&sl_host.recordings[i]->slots, now_ns - sl_host.epoch_ns);
        }
    }
    sl_host.ended_cpu_ns += sl_clock_thread_cpu_ns();
    sl_host.thread_id = 0;
    pthread_mutex_unlock(&sl_host.lock);
    return NULL;
}

bool sl_host_make_wake(void)
{
    if (sl_host.wake_made) {
        return true;
    }
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    sl_host.wake_made = pthread_cond_init(&sl_host.wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return sl_host.wake_made;
}

bool sl_host_start_native(struct sl_error *error)
{
    if (sl_host.threaded || sl_host.forking) {
        return true;
    }
    pthread_attr_t attributes;
    int failed = pthread_attr_init(&attributes);
    if (failed == 0) {
        pthread_attr_setstacksize(&attributes, STACK_BYTES);
        sl_host.ending = false;
        /* It inherits the signals that are blocked: all, so that none of the program's is ever delivered to it. */
        sigset_t all;
        sigset_t before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        failed = pthread_create(&sl_host.thread, &attributes, run, NULL);
        if (failed == 0) {
            sl_priority_raise_started(sl_host.thread);
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
    }
    if (failed != 0) {
        return sl_error_system(error, failed, "cannot start the sampling thread");
    }
    sl_host.threaded = true;
    pthread_setname_np(sl_host.thread, "stacklapse");
    return true;
}

void sl_host_end_native(void)
{
    if (!sl_host.threaded) {
        return;
    }
    pthread_mutex_lock(&sl_host.lock);
    while (sl_host.thread_id == 0) {
        pthread_cond_wait(&sl_host.wake, &sl_host.lock); /* it has not begun yet */
    }
    pid_t id = sl_host.thread_id;
    sl_host.ending = true;
    pthread_cond_broadcast(&sl_host.wake);
    pthread_mutex_unlock(&sl_host.lock);
    pthread_join(sl_host.thread, NULL);
    sl_own_thread_gone(id);
    sl_host.threaded = false;
}
