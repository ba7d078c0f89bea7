#include "cli/top_feed.h"

#include <errno.h>
#include <fcntl.h>
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

void sl_top_feed_close(struct sl_top_feed *feed)
{
    if (feed->sampled) {
        sl_sampling_destroy(&feed->sampling, false);
    }
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

static void note_use(struct sl_top_feed *feed)
{
    const struct sl_profile *profile = sl_trace_follower_profile(feed->follower);
    if (profile == NULL) {
        return;
    }
    feed->uses[feed->next_use] = (struct sl_top_use){
        .time_ns = profile->facts.duration_ns,
        .cpu_ns = profile->facts.cpu_ns,
    };
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
