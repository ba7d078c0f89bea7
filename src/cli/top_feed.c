#include "cli/top_feed.h"

#include "base/array.h"
#include "target/clock.h"
#include "target/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* How often the recorder hands over what it has. */
static const uint64_t flush_ns = 500000000;

/* Room for half a second of most programs; what does not fit comes with the next flush. */
enum { PIPE_BYTES = 1024 * 1024, READ_BYTES = 64 * 1024 };

bool sl_top_feed_open(struct sl_top_feed *feed, const struct sl_options *options, struct sl_error *error)
{
    *feed = (struct sl_top_feed){.descriptors = {-1, -1}};
    if (pipe2(feed->descriptors, O_CLOEXEC | O_NONBLOCK) != 0) {
        feed->descriptors[0] = feed->descriptors[1] = -1;
        return sl_error_system(error, errno, "cannot make a pipe");
    }
    /* A smaller one does, too. */
    (void)fcntl(feed->descriptors[1], F_SETPIPE_SZ, (int)PIPE_BYTES);
    feed->follower = sl_trace_follower_create(error);
    feed->sampled = feed->follower != NULL &&
                    sl_sampling_prepare_stream(&feed->sampling, options, feed->descriptors[1], flush_ns, error);
    return feed->sampled;
}

static void close_process(struct sl_top_process *process)
{
    if (process->open) {
        sl_process_close(&process->process);
        process->open = false;
    }
}

void sl_top_feed_close(struct sl_top_feed *feed)
{
    if (feed->sampled) {
        sl_sampling_destroy(&feed->sampling, false);
    }
    for (uint32_t i = 0; i < feed->process_count; i++) {
        close_process(&feed->processes[i]);
    }
    free(feed->processes);
    sl_trace_follower_destroy(feed->follower);
    for (size_t i = 0; i < 2; i++) {
        if (feed->descriptors[i] >= 0) {
            close(feed->descriptors[i]);
        }
    }
    *feed = (struct sl_top_feed){.descriptors = {-1, -1}};
}

bool sl_top_feed_start(struct sl_top_feed *feed, struct sl_error *error)
{
    return sl_sampling_start(&feed->sampling, error);
}

int sl_top_feed_descriptor(const struct sl_top_feed *feed)
{
    return feed->descriptors[0];
}

/* Opens those that are new in the recording. One that has ended by then used nothing that could be told. */
static void open_processes(struct sl_top_feed *feed)
{
    const struct sl_profile *profile = sl_trace_follower_profile(feed->follower);
    uint32_t count = profile != NULL ? profile->process_count : 0;
    while (feed->process_count < count &&
           sl_array_room(&feed->processes, &feed->process_capacity, feed->process_count, sizeof *feed->processes)) {
        struct sl_top_process *added = &feed->processes[feed->process_count];
        struct sl_usage usage;
        pid_t pid = (pid_t)profile->processes[feed->process_count].pid;
        *added = (struct sl_top_process){0};
        added->open = sl_process_open(&added->process, pid, NULL);
        if (added->open && sl_usage_read(&added->process, &usage)) {
            added->before_ns = usage.cpu_ns;
        }
        feed->process_count++;
    }
}

static void note_use(struct sl_top_feed *feed)
{
    open_processes(feed);
    struct sl_top_use use = {.time_ns = sl_clock_now_ns()};
    for (uint32_t i = 0; i < feed->process_count; i++) {
        struct sl_top_process *process = &feed->processes[i];
        struct sl_usage usage;
        if (process->open && sl_usage_read(&process->process, &usage)) {
            process->cpu_ns = usage.cpu_ns > process->before_ns ? usage.cpu_ns - process->before_ns : 0;
        } else {
            close_process(process);
        }
        use.cpu_ns += process->cpu_ns;
    }
    feed->uses[feed->next_use] = use;
    feed->next_use = (feed->next_use + 1) % SL_TOP_USES_MAX;
    feed->use_count += feed->use_count < SL_TOP_USES_MAX;
}

bool sl_top_feed_read(struct sl_top_feed *feed, struct sl_error *error)
{
    static char bytes[READ_BYTES];
    for (;;) {
        ssize_t size = read(feed->descriptors[0], bytes, sizeof bytes);
        if (size > 0 && !sl_trace_follower_feed(feed->follower, bytes, (size_t)size, error)) {
            return false;
        }
        if (size < 0 && errno != EAGAIN && errno != EINTR) {
            return sl_error_system(error, errno, "cannot read what the sampler has seen");
        }
        if (size < (ssize_t)sizeof bytes) {
            note_use(feed);
            return true;
        }
    }
}

double sl_top_feed_cpu_share(const struct sl_top_feed *feed, uint64_t window_ns)
{
    if (feed->use_count < 2) {
        return -1;
    }
    size_t newest = (feed->next_use + SL_TOP_USES_MAX - 1) % SL_TOP_USES_MAX;
    const struct sl_top_use *now = &feed->uses[newest];
    const struct sl_top_use *then = now;
    for (size_t age = 1; age < feed->use_count && now->time_ns - then->time_ns < window_ns; age++) {
        then = &feed->uses[(newest + SL_TOP_USES_MAX - age) % SL_TOP_USES_MAX];
    }
    if (now->time_ns <= then->time_ns || now->cpu_ns < then->cpu_ns) {
        return -1;
    }
    return (double)(now->cpu_ns - then->cpu_ns) / (double)(now->time_ns - then->time_ns);
}
